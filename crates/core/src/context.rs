//! What is known about one request, and the sources that a realm draws on.

use std::net::IpAddr;
use std::sync::Arc;
use std::task::Waker;

use chancery_store::StateStore;
use chancery_types::handle::{RotatingHandle, Session};
use chancery_types::iana::ErrorCode;
use chancery_types::{AccountId, Issuer, Network, Params, Partition, RealmId, Scopes, Timestamp};
use chancery_x509::ClientCertificate;
use zeroize::Zeroizing;

pub use crate::event::RequestId;

use crate::approved::Approvals;
use crate::error::{Failure, Fault};
use crate::event::{Event, Occasion, RefusedClient};
use crate::fetch::DynFetch;
use crate::limits::Limits;
use crate::model::{Account, Client, Posted, SentCookie, Thumbprint};
use crate::names::NameKey;
use crate::notifier::Notifying;
use crate::offered::Endpoint;
use crate::ports::{DynAccounts, DynPrivateKeys, DynRegistry, EventSink, Random};
use crate::published_keys::PublishedKeys;
use crate::published_requests::PublishedRequests;

/// What is known about this request. Start with [`Call::new`] and set whatever else is known.
///
/// ```
/// # mod chancery { pub use chancery_core::context::{Call, RequestId}; pub use chancery_types::Timestamp; }
/// use chancery::{Call, RequestId, Timestamp};
///
/// let mut call = Call::new(Timestamp::from_secs(1), RequestId("b7".into()));
/// call.peer = Some([192, 0, 2, 1].into());
/// assert!(call.sessions.is_empty());
/// ```
#[non_exhaustive]
pub struct Call {
    /// When the request arrived. Nothing below the HTTP layer asks a clock.
    pub now: Timestamp,
    /// The request id that logs and error pages show.
    pub request_id: RequestId,
    /// The peer's address, if it is known.
    pub peer: Option<IpAddr>,
    /// The certificate that the peer has shown in the TLS handshake, to us or to a proxy that is trusted.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// The Authorization header, as sent.
    pub authorization: Option<Zeroizing<String>>,
    /// The Accept header of a client's request, as sent.
    pub accept: Option<Box<str>>,
    /// The DPoP header, if there is one.
    pub dpop: Option<DpopHeader>,
    /// The `Origin` header: the origin whose script sent the request (Fetch, section "`Origin` header").
    pub origin: Option<Box<str>>,
    /// The `User-Agent` header of a person's browser, or of a device that asks for its person (RFC 8628 section 3.1).
    pub user_agent: Option<Box<str>>,
    /// The sessions in the session cookie, the active one first.
    pub sessions: Vec<RotatingHandle<Session>>,
    /// The browser cookie, which binds forms to a browser before anybody is signed in.
    pub browser: Option<Zeroizing<[u8; 16]>>,
    /// The cookie that remembers which names have signed in from this browser, as sent.
    pub devices: Option<Box<str>>,
    /// The cookie that tells scripts whether anything has changed about who is signed in, as sent.
    pub browser_state: Option<Box<str>>,
    /// The cookies of others that came with a form, for the application.
    pub cookies: Vec<SentCookie>,
    /// The languages that the person prefers, best first (RFC 9110 section 12.5.4).
    pub languages: Vec<Box<str>>,
    /// The language that the person has chosen on a page. It goes before what a client or the browser wants.
    pub language: Option<Box<str>>,
    /// The address at which GET shows the same page again, if there is one.
    pub shown_at: Option<Box<str>>,
    /// The address at which GET shows what comes next, where the page answers a form.
    pub entered_at: Option<Box<str>>,
    /// What is posted for the same page once more, where no address shows it and its form does not say so itself.
    pub posted_again: Option<Box<PostedAgain>>,
    /// The handle of a stored interaction that a cookie of this browser holds.
    pub held_interaction: Option<Box<str>>,
    /// The client whose interaction is meant, if pages on another origin say so.
    pub meant_client: Option<Box<str>>,
}

impl Call {
    /// A request about which only its time and id are known.
    #[must_use]
    pub fn new(now: Timestamp, request_id: RequestId) -> Self {
        Self {
            now,
            request_id,
            peer: None,
            certificate: None,
            authorization: None,
            accept: None,
            dpop: None,
            origin: None,
            user_agent: None,
            sessions: Vec::new(),
            browser: None,
            devices: None,
            browser_state: None,
            cookies: Vec::new(),
            languages: Vec::new(),
            language: None,
            shown_at: None,
            entered_at: None,
            posted_again: None,
            held_interaction: None,
            meant_client: None,
        }
    }
}

/// What is posted for a page that answers a form, to have it once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedAgain {
    /// Where.
    pub address: Box<str>,
    /// Names and values. Whatever a person has typed is not among them.
    pub fields: Vec<(String, String)>,
}

/// What a DPoP proof is judged by (RFC 9449 sections 4.1 and 4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpopHeader {
    /// The values of all header fields of this name, as sent. More than one is refused.
    pub fields: Vec<Box<str>>,
    /// The method of the request.
    pub method: Box<str>,
}

/// The credentials of this scheme in an Authorization header (RFC 9110 section 11.4: `auth-scheme 1*SP
/// token68`). Scheme names are case-insensitive (section 11.1). Nothing else reads that header.
pub(crate) fn credentials<'h>(header: &'h str, scheme: &str) -> Option<&'h str> {
    let (sent, credentials) = header.split_once(' ')?;
    let credentials = credentials.trim_start_matches(' ');
    let is_token68 = !credentials.is_empty() && !credentials.contains(' ');
    (sent.eq_ignore_ascii_case(scheme) && is_token68).then_some(credentials)
}

/// One issuer: its realm, and the ports that it works with.
pub struct Env {
    /// The realm of the stores that belongs to this issuer.
    pub realm: RealmId,
    /// The `iss` of all tokens.
    pub issuer: Issuer,
    /// Stores the protocol's records.
    pub store: Arc<dyn StateStore>,
    /// Clients and resource servers.
    pub registry: Arc<dyn DynRegistry>,
    /// The accounts of people.
    pub accounts: Arc<dyn DynAccounts>,
    /// Private keys.
    pub private_keys: Arc<dyn DynPrivateKeys>,
    /// Sends requests to other servers.
    pub fetch: Arc<dyn DynFetch>,
    /// Tells people what waits for their approval.
    pub notifying: Notifying,
    /// Wakes whoever runs the worker, because there is something to send.
    pub worker: Waker,
    /// Random bytes.
    pub random: Arc<dyn Random>,
    /// Receives the events.
    pub events: Arc<dyn EventSink>,
    /// Computes the digests of names that could be guessed.
    pub names: NameKey,
    /// How much strangers have done at this process.
    pub limits: Limits,
    /// What people have approved for devices that will poll for it.
    pub approvals: Approvals,
    /// The keys that clients publish, as far as this process has fetched them.
    pub published_keys: PublishedKeys,
    /// The request objects that clients publish, as far as they may be kept.
    pub published_requests: PublishedRequests,
}

impl Call {
    /// Whether the request uses DPoP: by its header, or by the scheme of an access token (RFC 9449 section 7.1).
    #[must_use]
    pub fn uses_dpop(&self) -> bool {
        let header = self.authorization.as_deref().map_or("", String::as_str);
        self.dpop.is_some()
            || header.split(' ').next().is_some_and(|scheme| scheme.eq_ignore_ascii_case("DPoP"))
    }

    /// The thumbprint of the certificate that the peer has shown (RFC 8705 section 3.1).
    #[must_use]
    pub fn shown_certificate(&self) -> Option<Thumbprint> {
        self.certificate.as_deref().map(|certificate| Thumbprint::new(certificate.thumbprint()))
    }

    /// A form of these fields that came with this request.
    #[must_use]
    pub fn posted(&self, fields: &Params<'_>) -> Posted {
        Posted::new(fields.clone().into_owned(), self.cookies.clone(), self.peer)
    }

    /// The peer's network as counters name it: a single IPv4 address, or the /64 of IPv6 that one customer
    /// usually has.
    #[must_use]
    pub fn network(&self) -> Option<Box<str>> {
        Some(Network::of(self.peer?).to_string().into())
    }

    /// What every event of this request has in common.
    #[must_use]
    pub fn occasion(&self) -> Occasion<'_> {
        Occasion { network: self.peer.map(Network::of), ..Occasion::new(self.now, &self.request_id) }
    }
}

impl Env {
    /// The account of this id. What an application answers with another id is nobody's: consents and tokens would name
    /// different people, where one person may be typed in several ways.
    ///
    /// # Errors
    /// A fault of the application's accounts.
    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>, Fault> {
        Ok(self.accounts.find(&self.realm, id).await?.filter(|account| account.id == *id))
    }

    /// Random bytes for a secret.
    #[must_use]
    pub fn secret<const N: usize>(&self) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0; N]);
        self.random.fill(&mut *bytes);
        bytes
    }

    /// The partition of a new tree of records.
    #[must_use]
    pub fn partition(&self) -> Partition {
        Partition(*self.secret::<2>())
    }

    /// Records that unknown scopes were ignored, and known ones that are of no use to the client. Only the first ones are
    /// named: anybody can send as many as a request can carry, and a log keeps everything it is given.
    pub(crate) fn record_ignored(&self, call: &Call, client: &Client, unknown: &Scopes, withheld: &Scopes) {
        const TOLD: usize = 10;
        if !unknown.is_empty() {
            let scopes = unknown.iter().take(TOLD).cloned().collect();
            self.record(call, &Event::ScopesIgnored { client: client.id().clone(), scopes });
        }
        if !withheld.is_empty() {
            let scopes = withheld.iter().take(TOLD).cloned().collect();
            self.record(call, &Event::ScopesWithheld { client: client.id().clone(), scopes });
        }
    }

    /// Records a request that was refused or that failed because of a fault here. That nothing is decided yet is no
    /// refusal: a device hears it every few seconds (RFC 8628 section 3.5).
    pub fn record_failure(
        &self,
        call: &Call,
        endpoint: Endpoint,
        client: Option<RefusedClient>,
        failure: &Failure,
    ) {
        let event = match failure {
            Failure::Broken(fault) => Event::Faulted { endpoint, fault: fault.clone(), client },
            Failure::Refused(refusal) if refusal.reason.code == ErrorCode::AuthorizationPending => return,
            Failure::Refused(refusal) => Event::Refused {
                endpoint,
                reason: refusal.reason,
                client,
                redirect_uri: None,
                origins: None,
                methods: None,
            },
        };
        self.record(call, &event);
    }

    /// Records an event, with what is known of the request beside it.
    pub fn record(&self, call: &Call, event: &Event) {
        self.events.record(&call.occasion(), event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FR-18: RFC 9110 sections 11.1 and 11.4.
    #[test]
    fn credentials_stand_behind_the_scheme_and_blanks() {
        for header in ["Basic abc=", "Basic  abc=", "basic     abc=", "BASIC abc="] {
            assert_eq!(credentials(header, "Basic"), Some("abc="), "{header}");
        }
        for header in [
            "",
            " ",
            "Basic",
            "Basic ",
            "Basic   ",
            "Basicabc=",
            "Basic\tabc=",
            "Basic abc= ",
            "Basic a b",
            " Basic abc=",
            "Bearer abc=",
            "Basic, abc=",
        ] {
            assert_eq!(credentials(header, "Basic"), None, "{header:?}");
        }
    }
}
