//! RFC 6749 sections 3.1.2 and 4.1.2.1: who asks, and where the answer may go.

use std::sync::Arc;

use chancery_types::iana::{ErrorCode, ResponseEncoding};
use chancery_types::{ClientId, Params, Scope};

use crate::client::demanded;
use crate::context::Env;
use crate::error::{Failure, Reason, Refusal};
use crate::model::client::{REDIRECT_URI_MISSING, REDIRECT_URI_UNREGISTERED};
use crate::model::{Carrier, Client, RedirectTarget, RedirectUse, Source};
use crate::offered::Offered;
use crate::request::response::Carried;
use crate::request::{Mistake, PageError, Pushed, Resolved, UnregisteredUri, Unsealed};
use crate::rule::resource::Requested;

reasons! {
    /// The authorization request has no `client_id` parameter.
    pub CLIENT_ID_MISSING = Reason {
        name: "client_id_missing",
        code: ErrorCode::InvalidRequest,
        description: "missing required parameter client_id",
        section: "RFC 6749 section 4.1.1",
    };
    /// The form of a page came to the authorization endpoint: its page has no `action`, so that the browser sent it to the
    /// address at which it showed the page.
    pub FORM_WITHOUT_ACTION = Reason {
        name: "form_without_action",
        code: ErrorCode::InvalidRequest,
        description: "the form of a page was sent to the authorization endpoint",
        section: "OIDC Core section 3.1.2.3",
    };
    /// There is no such client.
    pub CLIENT_UNKNOWN = unusable("authorization_client_unknown");
    /// An operator has disabled the client (`chancery client enable` lets it in again); the person sees the same page
    /// as for an unknown one.
    pub CLIENT_DISABLED = unusable("authorization_client_disabled");
    /// The request wants its response in the relay mode of `web_message`, which sends it to another origin than
    /// that of the redirect URI, and which no browser permits: its page would have to read the document of
    /// another origin.
    pub RELAY_MODE = Reason {
        name: "web_message_relay",
        code: ErrorCode::InvalidRequest,
        description: "web_message_uri is not supported",
        section: "draft-sakimura-oauth-wmrm section 4.2",
    };
}

/// The reasons that nobody outside must be able to distinguish.
const fn unusable(name: &'static str) -> Reason {
    Reason {
        name,
        code: ErrorCode::InvalidClient,
        description: "client is unknown",
        section: "RFC 6749 section 4.1.2.1",
    }
}

/// Longest `state`, in bytes.
pub(super) const LONGEST_STATE: usize = 4096;

/// A request whose client and redirect target are known. From here on every error goes to the client.
pub struct Addressed<'a> {
    /// Who asks.
    pub client: Arc<Client>,
    /// Where the answer goes.
    pub target: RedirectTarget,
    /// How the answer is carried.
    pub encoding: ResponseEncoding,
    /// Whether the answer is a JWT (JARM section 2.1).
    pub is_jwt: bool,
    /// Given back unchanged; `None` also when it was sent twice or is too long.
    pub state: Option<Box<str>>,
    /// The resource servers that the request is for, or why it cannot be for them.
    pub resources: Result<Requested, Refusal>,
    /// The parameters.
    pub params: Params<'a>,
    /// Who vouches for them.
    pub source: Source,
    /// Whether no page may show it: its client has encrypted it (RFC 9101 section 4), or pushed it.
    pub(crate) is_confidential: bool,
    /// Why the request object does not count, if it does not.
    pub(super) refused: Option<&'static Reason>,
    /// Where it is stored, if it was pushed (RFC 9126).
    pub(crate) pushed: Option<Pushed>,
}

/// A request that its client is told no for.
pub struct Refused<'a> {
    /// The request, which knows where the answer goes.
    pub addressed: Box<Addressed<'a>>,
    /// Why.
    pub why: Refusal,
}

impl<'a> Resolved<'a> {
    /// Finds the client and verifies the redirect URI.
    ///
    /// # Errors
    /// A page for the person: nothing has been verified to which an error could be sent.
    pub async fn address(self, env: &Env, offered: &Offered) -> Result<Addressed<'a>, PageError> {
        let Self { params, source, is_confidential, client, refused: of_object, pushed, .. } = self;
        let client = match client {
            Some(client) => client,
            None => {
                let mistaken = |why: Refusal, mistake| PageError { mistake: Some(mistake), ..why.into() };
                let id = params
                    .one("client_id")
                    .map_err(|why| mistaken(why.into(), Mistake::ParameterRepeated("client_id")))?
                    .ok_or_else(|| mistaken((&CLIENT_ID_MISSING).into(), Mistake::ClientIdMissing))?;
                let found = match ClientId::parse(id) {
                    Ok(id) => env.registry.client(&env.realm, &id).await?,
                    Err(_) => None,
                };
                found.ok_or_else(|| mistaken((&CLIENT_UNKNOWN).into(), Mistake::ClientUnknown(id.into())))?
            }
        };
        let refused = |why: Refusal, way_on: Option<&Arc<Client>>| PageError {
            failure: why.into(),
            way_on: way_on.cloned(),
            client: Some(client.id().clone()),
            unregistered: None,
            mistake: None,
        };
        if !client.is_enabled() {
            let mistake = Some(Mistake::ClientDisabled(client.id().clone()));
            return Err(PageError { mistake, ..refused((&CLIENT_DISABLED).into(), None) });
        }
        let redirect_uri = params.one("redirect_uri").map_err(|error| {
            let mistake = Some(Mistake::ParameterRepeated("redirect_uri"));
            PageError { mistake, ..refused(error.into(), None) }
        })?;
        // If the only redirect URI stands in a request object that does not count, the object is the trouble.
        let demands = client.demands(&offered.floor);
        let may_be_new =
            source.is_pushed() && offered.unregistered_redirect_uris && demands.exact_redirects.is_none();
        let target = client
            .redirect_target(redirect_uri, offered.redirects, demands)
            .or_else(|why| match redirect_uri {
                Some(uri) if may_be_new => {
                    client.unregistered_redirect_target(uri, offered.redirects).ok_or(why)
                }
                _ => Err(why),
            })
            .map_err(|why| {
                let why = of_object.map_or(why, Refusal::from);
                let unregistered = redirect_uri.filter(|_| why.reason == &REDIRECT_URI_UNREGISTERED);
                let mistake = (why.reason == &REDIRECT_URI_MISSING).then(|| Mistake::RedirectUriMissing {
                    client: client.id().clone(),
                    registered: client.redirect_uris().to_vec(),
                });
                let error = refused(why, Some(&client));
                let unregistered = unregistered.map(|uri| UnregisteredUri {
                    client: Arc::clone(&client),
                    what_for: RedirectUse::Response,
                    uri: uri.into(),
                    unregistrable: client
                        .registrable(RedirectUse::Response, uri, offered.redirects)
                        .map_or_else(Some, |uri| demanded::of_redirect_uri(&uri, demands)),
                });
                PageError { unregistered: unregistered.map(Box::new), mistake, ..error }
            })?;
        let resources = match Requested::read(env, &client, &params).await {
            Ok(requested) => Ok(requested),
            Err(Failure::Refused(why)) => Err(why),
            Err(Failure::Broken(fault)) => return Err(fault.into()),
        };
        // A mode that is not offered, doubled, not safe or not for this client is refused later, by the default
        // mode.
        let asked = Carried::asked(&params, &client, offered);
        let carried = asked.unwrap_or_else(|_| Carried::by_default(&params, &client, offered));
        let Carried { encoding, is_jwt } = match of_object {
            Some(_) => carried.demanded(&client, demands, offered),
            None => carried,
        };
        if encoding == ResponseEncoding::WebMessage && params.has("web_message_uri") {
            return Err(refused((&RELAY_MODE).into(), Some(&client)));
        }
        // Nor is a state given back that no proxy would carry in a header.
        let state =
            params.one("state").ok().flatten().filter(|state| state.len() <= LONGEST_STATE).map(Box::from);
        let refused = of_object;
        Ok(Addressed {
            client,
            target,
            encoding,
            is_jwt,
            state,
            resources,
            params,
            source,
            is_confidential,
            refused,
            pushed,
        })
    }
}

/// The code of a refusal as RFC 6749 section 4.1.2.1 has it: the token endpoint's codes for an authority that
/// has ended, and for a client whose secret has, do not exist at the authorization endpoint.
pub(crate) fn error_code(why: &Reason) -> ErrorCode {
    match why.code {
        ErrorCode::InvalidGrant => ErrorCode::AccessDenied,
        ErrorCode::InvalidClient => ErrorCode::UnauthorizedClient,
        other => other,
    }
}

impl Addressed<'_> {
    /// The request in plain text, or what refers to it.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        self.pushed.as_ref().map_or_else(|| Carrier::of(&self.params), Pushed::carrier)
    }

    /// The client is told no (RFC 6749 section 4.1.2.1, with `iss` of RFC 9207 section 2).
    #[must_use]
    pub fn refuse(&self, env: &Env, why: &Refusal) -> Unsealed {
        let mut parameters = vec![("error", error_code(why.reason).as_str().to_owned())];
        let description = why.description();
        if !description.is_empty() {
            parameters.push(("error_description", description.into_owned()));
        }
        self.respond(env, parameters)
    }

    /// The client gets these parameters, then `state` and `iss` (RFC 9207 section 2).
    #[must_use]
    pub fn respond(&self, env: &Env, mut parameters: Vec<(&'static str, String)>) -> Unsealed {
        parameters.extend(self.state.as_ref().map(|state| ("state", state.to_string())));
        parameters.push(("iss", env.issuer.as_str().to_owned()));
        let scope = self.params.one("scope").ok().flatten().unwrap_or_default();
        let is_openid = scope.split(' ').any(|one| one == Scope::OPENID);
        Unsealed {
            client: Arc::clone(&self.client),
            uri: self.target.uri().clone(),
            encoding: self.encoding,
            is_jwt: self.is_jwt,
            parameters,
            is_openid,
        }
    }
}
