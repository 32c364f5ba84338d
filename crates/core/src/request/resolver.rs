//! RFC 9101 sections 5 and 6, and OIDC Core section 6: which parameters a request really has.
//! Config     `[request_objects]`, `[compatibility] unsigned_request_object, request_object_merging`
//! Discovery  request_parameter_supported request_uri_parameter_supported
//!            require_request_uri_registration request_object_signing_alg_values_supported
//!            request_object_encryption_alg_values_supported request_object_encryption_enc_values_supported
//!            require_signed_request_object require_pushed_authorization_requests

use std::sync::Arc;

use chancery_jose::{
    ClaimsWriter, ContentEncryptionAlgorithm, Error, KeyManagementAlgorithm, SigningAlgorithm, is_encrypted,
};
use chancery_types::iana::ErrorCode;
use chancery_types::{ClientId, Params, Scope, Timestamp};
use serde::{Deserialize, Serialize};

use super::encrypted::{self, UNOPENED};
use super::object::{
    ALGORITHM_WRONG, CLIENT_WRONG, ENCRYPTION_WRONG, RESPONSE_TYPE_DIFFERENT, RequestObject, unverified,
};
use super::page_error::{Mistake, PageError};
use super::pushed::{Pushed, PushedRequestsConfig, REFERENCE_USED, reference};
use super::received::{Recognised, Resolved};
use super::validated::{REQUEST_UNSUPPORTED, REQUEST_URI_UNSUPPORTED};
use crate::client::{authenticating_hmac_keys, keys};
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::event::Event;
use crate::fetch::{FetchRequest, document};
use crate::keys::KeySet;
use crate::model::{Client, Source};
use crate::offered::{CompatibilityConfig, Component, Offered};
use crate::profile::Demands;
use crate::records::PushedRequestBody;

/// The longest request object that is fetched, in bytes; no longer one is read.
const LONGEST: usize = 16 * 1024;

const fn invalid_uri(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidRequestUri, description, section: "RFC 9101 section 5.2" }
}

reasons! {
    /// The authorization request has a request object and also refers to one.
    pub(super) BOTH = Reason {
        name: "request_and_request_uri",
        code: ErrorCode::InvalidRequest,
        description: "request and request_uri parameters MUST NOT be used together",
        section: "RFC 9101 section 5",
    };
    /// No key of the client fits the algorithm and `kid` of its request object.
    pub(super) KEY_UNKNOWN = unverified("request_object_key_unknown", "RFC 9101 section 6.2");
    /// The keys of the client cannot be fetched from its `jwks_uri`. The event `client_keys_unavailable` has the
    /// cause.
    pub(super) KEYS_UNAVAILABLE = unverified("request_object_keys_unavailable", "RFC 9101 section 6.2");
    /// `request_uri` is not, letter by letter, one of the client's registered `request_uris`.
    URI_UNREGISTERED = invalid_uri("request_uri_unregistered", "request_uri is not registered");
    /// The request object cannot be fetched from `request_uri`. The event `request_object_unavailable` has the
    /// cause.
    URI_UNAVAILABLE = invalid_uri("request_uri_unavailable", "could not load or parse request_uri");
    /// The signature of the request object is not the client's.
    pub(super) SIGNATURE_WRONG = unverified("request_object_signature_wrong", "RFC 9101 section 6.2");
}

/// `[request_objects]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestObjectsConfig {
    /// What clients may sign their request objects with.
    pub algorithms: Vec<SigningAlgorithm>,
    /// Whether a request may refer to its request object at one of the client's `request_uris`.
    pub by_reference: bool,
    /// Whether a request may contain its request object.
    pub by_value: bool,
    /// By which algorithms clients may encrypt their request objects.
    pub encryption_algorithms: Vec<KeyManagementAlgorithm>,
    /// Whether requests that no client has signed are refused, for every client.
    pub required: bool,
}

impl Default for RequestObjectsConfig {
    fn default() -> Self {
        Self {
            algorithms: SigningAlgorithm::ALL.to_vec(),
            by_reference: true,
            by_value: true,
            encryption_algorithms: Vec::new(),
            required: false,
        }
    }
}

/// Opens request objects, and finds pushed requests.
pub struct Resolver {
    /// Which parameters count.
    recognised: Recognised,
    config: RequestObjectsConfig,
    pushed: PushedRequestsConfig,
    /// What is offered, and what each client is held to.
    offered: Arc<Offered>,
    /// Whether there is somebody who fetches.
    can_fetch: bool,
    /// `[compatibility] unsigned_request_object`
    may_be_unsigned: bool,
    /// `[compatibility] request_object_merging`
    is_merging: bool,
    /// The keys of the realm, which decrypt, and open the secrets that are keys of an HMAC or of encryption.
    keys: Arc<KeySet>,
}

impl Resolver {
    /// Opens what these sections allow.
    #[must_use]
    pub fn new(
        recognised: Recognised,
        (config, pushed): (RequestObjectsConfig, PushedRequestsConfig),
        compatibility: &CompatibilityConfig,
        offered: Arc<Offered>,
        keys: Arc<KeySet>,
        can_fetch: bool,
    ) -> Self {
        let CompatibilityConfig { unsigned_request_object, request_object_merging, .. } = *compatibility;
        Self {
            recognised,
            config,
            pushed,
            offered,
            can_fetch,
            may_be_unsigned: unsigned_request_object,
            is_merging: request_object_merging,
            keys,
        }
    }

    /// The parameters that count.
    pub(super) fn recognised(&self) -> &Recognised {
        &self.recognised
    }

    /// What this client is held to.
    pub(super) fn demands(&self, client: &Client) -> &Demands {
        client.demands(&self.offered.floor)
    }

    /// Whether clients may sign their requests with this algorithm.
    pub(super) fn offers(&self, alg: SigningAlgorithm) -> bool {
        self.offered.request_object_algorithms.iter().any(|offered| offered.is_same_as(alg))
    }

    fn is_by_reference(&self) -> bool {
        self.config.by_reference && self.can_fetch
    }

    /// Whether requests of this client are refused unless it has signed them.
    #[must_use]
    pub fn demands_signature(&self, client: &Client) -> bool {
        self.config.required
            || client.metadata().request_objects.require_signed_request_object
            || self.demands(client).signed.is_some()
    }

    /// Whether requests of this client are refused unless it has pushed them (RFC 9126 sections 5 and 6).
    #[must_use]
    pub fn demands_push(&self, client: &Client) -> bool {
        self.pushed.required
            || client.metadata().flow.require_pushed_authorization_requests
            || self.demands(client).pushed.is_some()
    }

    /// The request that a browser has brought, as its client means it. What is wrong with a request object becomes
    /// part of the request, because it can only be told when the redirect URI has been verified.
    ///
    /// # Errors
    /// A page, if it refers to a pushed request that cannot be used: then nothing is known to which an error could be
    /// sent. A fault of what the client and its keys are read from.
    pub(super) async fn open<'a>(
        &self,
        call: &Call,
        env: &Env,
        params: Params<'a>,
    ) -> Result<Resolved<'a>, PageError> {
        let plain = |params| Resolved::plain(params, Source::Browser);
        if !params.has("request") && !params.has("request_uri") {
            return Ok(plain(params));
        }
        // Whose it is stands outside (section 5). Without a client nothing can be verified or told.
        let Some(client) = client(env, &params).await? else { return Ok(plain(params)) };
        if let Some(uri) = reference(&params).filter(|_| self.pushed.offered) {
            let pushed = Pushed::find(call, env, &client, uri).await?;
            let is_fresh = |pushed: &Pushed| !pushed.is_answered();
            let pushed = pushed.and_then(|pushed| is_fresh(&pushed).then_some(pushed).ok_or(&REFERENCE_USED));
            return referred(client, pushed);
        }
        let opened = self.opened(call, env, &client, &params).await;
        opened_or_refused(client, opened, plain(params))
    }

    /// The request that this client pushes (RFC 9126 section 3). Beside a request object nothing counts.
    ///
    /// # Errors
    /// A fault of what the client's keys are read from.
    pub(super) async fn open_pushed<'a>(
        &self,
        call: &Call,
        env: &Env,
        client: Arc<Client>,
        params: Params<'a>,
    ) -> Result<Resolved<'a>, PageError> {
        let plain = |params| Resolved::plain(params, Source::Pushed);
        if !params.has("request") {
            return Ok(Resolved { client: Some(client), ..plain(params) });
        }
        let alone = params.clone().filtered(|name| name == "request");
        let opened = self.opened(call, env, &client, &alone).await;
        let opened = opened.map(|opened| Resolved { source: opened.source.pushed(), ..opened });
        opened_or_refused(client, opened, plain(params))
    }

    /// The request that a form or a record has carried. A pushed one has stayed where it was stored. It can have been
    /// answered meanwhile: who has answered it learns once more what the answer was.
    ///
    /// # Errors
    /// A page, if the pushed request is gone; a fault of the store or the registry.
    pub(super) async fn open_again<'a>(
        &self,
        call: &Call,
        env: &Env,
        carried: Resolved<'a>,
    ) -> Result<Resolved<'a>, PageError> {
        let Some(uri) = reference(&carried.params) else { return Ok(carried) };
        let Some(client) = client(env, &carried.params).await? else { return Ok(carried) };
        let pushed = Pushed::find(call, env, &client, uri).await?;
        referred(client, pushed)
    }

    /// What the request object says that stands in these parameters, or at the address that they name.
    async fn opened(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        outside: &Params<'_>,
    ) -> Result<Resolved<'static>, Failure> {
        let fetched;
        let text = match (outside.one("request")?, outside.one("request_uri")?) {
            (Some(_), Some(_)) => return BOTH.refused(),
            (Some(text), None) if self.config.by_value => text,
            (None, Some(uri)) if self.is_by_reference() => {
                fetched = fetch(call, env, client, uri).await?;
                &fetched
            }
            (Some(_), None) => return REQUEST_UNSUPPORTED.refused(),
            (None, _) => return REQUEST_URI_UNSUPPORTED.refused(),
        };
        let decrypted;
        let is_confidential = is_encrypted(text);
        let text = if is_confidential {
            decrypted = self.decrypted(call, env, client, text).await?;
            &decrypted
        } else {
            text
        };
        let (object, source) = match self.verified(call, env, client, text).await {
            Err(Failure::Refused(_)) if is_confidential => return UNOPENED.refused(),
            verified => verified?,
        };
        object.check(client, &env.issuer, call.now)?;
        if let Some(longest) = self.demands(client).object_lifetime {
            object.check_lifetime(longest.what, call.now)?;
        }
        let inside = object.parameters(|name| self.recognised.has(name))?;
        let (params, source) = self.assembled(client, inside, source, outside)?;
        let ends = object.ends();
        Ok(Resolved { is_confidential, ends, ..Resolved::plain(params, source) })
    }

    /// What is inside of an encrypted object (section 6.1): the object, which is signed like any other.
    async fn decrypted(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        text: &str,
    ) -> Result<String, Failure> {
        let jwe = encrypted::read(text)?;
        let alg = jwe.header().alg;
        let is_offered = self.config.encryption_algorithms.contains(&alg);
        if !is_offered || !client.metadata().request_objects.encrypts_with(alg) {
            return ENCRYPTION_WRONG.refused();
        }
        encrypted::decrypted(call, env, &self.keys, client, jwe).await
    }

    /// The object, and who vouches for it: its client, if it has signed it (section 6.2).
    async fn verified<'t>(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        text: &'t str,
    ) -> Result<(RequestObject<'t>, Source), Failure> {
        let demands = self.demands(client);
        let may_be_unsigned = self.may_be_unsigned
            && demands.algorithms.section().is_none()
            && !self.demands_signature(client)
            && client.metadata().request_objects.may_be_unsigned();
        let object = RequestObject::read(text, may_be_unsigned)?;
        let Some(compact) = object.signed() else { return Ok((object, Source::Browser)) };
        let alg = compact.header().alg;
        let is_offered = self.offers(alg);
        let is_permitted = demands.algorithms.has(&alg);
        if !is_offered || !is_permitted || !client.metadata().request_objects.signs_with(alg) {
            return ALGORITHM_WRONG.refused();
        }
        let verified = if alg.is_symmetric() {
            compact.verify_any(authenticating_hmac_keys(client, alg, &self.keys, call.now)?)
        } else {
            keys::verify(call, env, client, compact).await.map_err(|_| &KEYS_UNAVAILABLE)?
        };
        match verified {
            Ok(_) => Ok((object, Source::Signed)),
            Err(Error::KeyNotForAlgorithm) => KEY_UNKNOWN.refused(),
            Err(_) => SIGNATURE_WRONG.refused(),
        }
    }

    /// The parameters that count (section 6.3): those of the object and no others; with merging also those that
    /// stand outside alone (OIDC Core section 6.1), for which nobody vouches.
    fn assembled(
        &self,
        client: &Client,
        inside: Params<'static>,
        source: Source,
        outside: &Params<'_>,
    ) -> Result<(Params<'static>, Source), Failure> {
        let is_openid = outside
            .one("scope")
            .is_ok_and(|scope| scope.is_some_and(|scope| scope.split(' ').any(|one| one == Scope::OPENID)));
        let is_merged = self.is_merging
            && is_openid
            && self.demands(client).object_alone.is_none()
            && !self.demands_signature(client);
        match inside.one("client_id")? {
            Some(inside) if inside == client.id().as_str() => {}
            None if is_merged => {}
            _ => return CLIENT_WRONG.refused(),
        }
        let response_types = (inside.one("response_type")?, outside.one("response_type")?);
        if matches!(response_types, (Some(inside), Some(outside)) if inside != outside) {
            return RESPONSE_TYPE_DIFFERENT.refused();
        }
        if !is_merged {
            return Ok((inside, source));
        }
        let is_missing = |name: &str| !matches!(name, "request" | "request_uri") && !inside.has(name);
        let mut added = outside.iter().filter(|(name, _)| is_missing(name)).peekable();
        let source = if added.peek().is_some() { Source::Browser } else { source };
        let all = inside.iter().chain(added).map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok((all.collect(), source))
    }
}

/// What this client's request object says; or the plain parameters, with the reason why the object does not count.
fn opened_or_refused<'a>(
    client: Arc<Client>,
    opened: Result<Resolved<'a>, Failure>,
    plain: Resolved<'a>,
) -> Result<Resolved<'a>, PageError> {
    let resolved = match opened {
        Ok(opened) => opened,
        Err(Failure::Refused(why)) => Resolved { refused: Some(why.reason), ..plain },
        Err(Failure::Broken(fault)) => return Err(fault.into()),
    };
    Ok(Resolved { client: Some(client), ..resolved })
}

/// The pushed request of this client. Nothing that stands beside the reference counts (RFC 9101 section 5), and what
/// refers to it again is sealed: whoever has the reference can use it.
fn referred<'a>(
    client: Arc<Client>,
    pushed: Result<Pushed, &'static Reason>,
) -> Result<Resolved<'a>, PageError> {
    let refused = |why: Refusal| PageError {
        failure: why.into(),
        way_on: Some(Arc::clone(&client)),
        client: Some(client.id().clone()),
        unregistered: None,
        mistake: Some(Mistake::PushedRequestGone(client.id().clone())),
    };
    let pushed = pushed.map_err(|why| refused(why.into()))?;
    let PushedRequestBody { request, source, .. } = &pushed.found.body;
    let params = request.params().map_err(|why| refused(why.into()))?.into_owned();
    let resolved = Resolved::plain(params, *source);
    Ok(Resolved {
        is_confidential: true,
        client: Some(Arc::clone(&client)),
        pushed: Some(pushed),
        ..resolved
    })
}

/// The client that a request names, if it may be used.
async fn client(env: &Env, params: &Params<'_>) -> Result<Option<Arc<Client>>, Fault> {
    let id = params.one("client_id").ok().flatten().and_then(|id| ClientId::parse(id).ok());
    let Some(id) = id else { return Ok(None) };
    Ok(env.registry.client(&env.realm, &id).await?.filter(|client| client.is_enabled()))
}

/// The request object at this address (section 5.2.3), which the client has registered: a stranger cannot choose
/// what is asked. It is fetched only for a new request, unless it may have been kept; what was fetched is carried from
/// page to page.
async fn fetch(call: &Call, env: &Env, client: &Client, uri: &str) -> Result<Arc<str>, &'static Reason> {
    let registered = &client.metadata().request_objects.request_uris;
    if !registered.iter().any(|registered| **registered == *uri) {
        return Err(&URI_UNREGISTERED);
    }
    if let Some(kept) = env.published_requests.get(call.now, client, uri) {
        return Ok(kept);
    }
    // A fragment is no part of what is asked for (RFC 9110 section 4.2.5).
    let url = uri.split('#').next().unwrap_or_default();
    let request = FetchRequest::get(url, "application/oauth-authz-req+jwt, application/jwt", LONGEST)
        .of_stranger(client.is_dynamic());
    let fetched = document(&*env.fetch, &request).await.and_then(|answer| {
        let text = str::from_utf8(answer.body()).map_err(|error| {
            Fault::unavailable(format!("{} answered no text", request.place())).because(error)
        })?;
        let object = Arc::from(text.trim());
        let fetched = (&**answer.body(), &object);
        env.published_requests.learn(call.now, client, uri, fetched, answer.fresh_for());
        Ok(object)
    });
    fetched.map_err(|fault| {
        env.record(call, &Event::RequestObjectUnavailable { client: client.id().clone(), fault });
        &URI_UNAVAILABLE
    })
}

impl Component for Resolver {
    fn announce(&self, now: Timestamp, metadata: &mut ClaimsWriter) {
        metadata
            .boolean("request_parameter_supported", self.config.by_value)
            // Absent means true (OIDC Discovery section 3).
            .boolean("request_uri_parameter_supported", self.is_by_reference());
        if self.is_by_reference() {
            metadata.boolean("require_request_uri_registration", true);
        }
        if self.config.by_value || self.is_by_reference() {
            let algorithms = self.offered.request_object_algorithms.iter().map(|alg| alg.name());
            let unsigned = self.may_be_unsigned.then_some("none");
            metadata.strings("request_object_signing_alg_values_supported", algorithms.chain(unsigned));
            let encryption = self.config.encryption_algorithms.iter().copied();
            let mut encryption =
                encryption.filter(|alg| alg.is_symmetric() || self.keys.can_decrypt(*alg, now)).peekable();
            if encryption.peek().is_some() {
                let content = ContentEncryptionAlgorithm::ALL.map(ContentEncryptionAlgorithm::name);
                metadata
                    .strings(
                        "request_object_encryption_alg_values_supported",
                        encryption.map(|alg| alg.name()),
                    )
                    .strings("request_object_encryption_enc_values_supported", content);
            }
        }
        if self.config.required {
            metadata.boolean("require_signed_request_object", true);
        }
        if self.pushed.required {
            metadata.boolean("require_pushed_authorization_requests", true);
        }
    }
}
