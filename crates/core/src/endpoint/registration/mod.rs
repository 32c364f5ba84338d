//! RFC 7591, OAuth 2.0 Dynamic Client Registration Protocol: section 3; OpenID Connect Dynamic Client
//! Registration 1.0: section 3. RFC 7592, OAuth 2.0 Dynamic Client Registration Management Protocol: section 2.
//! Config     `[registration]`
//! Discovery  registration_endpoint
//!
//! A registration access token is nothing but a digest in the client's registration, so that it ends with it,
//! and an update replaces both in one step.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use chancery_jose::SigningAlgorithm;
use chancery_jose::json::Object;
use chancery_store::Put;
use chancery_types::handle::{Handle, RegistrationAccessToken};
use chancery_types::iana::ErrorCode;
use chancery_types::{ClientId, Kind, Timestamp};
use serde_json::{Map, Value};

use crate::client::{
    Asked, Draft, DynamicRules, NewToken, NotRegistered, Registered, RegistrationPolicy, RegistrationRules,
    SoftwareStatement, StatementIssuer, is_of_identity, sent, software_statement,
};
use crate::context::{Call, Env};
use crate::error::{Complaint, Failure, Fault, Reason, Refusal};
use crate::event::Event;
use crate::keys::KeySet;
use crate::limits::Quotas;
use crate::model::Client;
use crate::model::client::is_omitted;
use crate::offered::Offered;
use crate::policy::{DynClientPolicy, Registrant};
use crate::records::InitialAccessTokenBody;
use crate::rule::bearer::{Scheme, TOKEN_MISSING};

mod config;
use config::find;
pub use config::{RegistrationAccess, RegistrationConfig};

mod initial_access;
pub use initial_access::NewInitialAccessToken;
pub(crate) use initial_access::{add, list, remove};

reasons! {
    /// A member of the client's metadata is not valid; the response says which, and why.
    pub METADATA_INVALID = Reason {
        name: "client_metadata_invalid",
        code: ErrorCode::InvalidClientMetadata,
        description: "a member of the metadata is not valid",
        section: "RFC 7591 section 3.2.2",
    };
    /// A redirect URI of the client's metadata is not valid; the response says which, and why.
    pub REDIRECT_URI_INVALID = Reason {
        name: "client_redirect_uri_invalid",
        code: ErrorCode::InvalidRedirectUri,
        description: "a redirect URI is not valid",
        section: "RFC 7591 section 3.2.2",
    };
    /// The body is not a JSON object, or an update names another client or what the client cannot change.
    pub REGISTRATION_MALFORMED = Reason {
        name: "client_registration_malformed",
        code: ErrorCode::InvalidRequest,
        description: "the request is malformed",
        section: "RFC 7592 section 2.2",
    };
    /// The registration access token is not that of the client, or the client does not exist.
    pub REGISTRATION_TOKEN_UNKNOWN = Reason {
        name: "registration_access_token_unknown",
        code: ErrorCode::InvalidToken,
        description: "invalid token provided",
        section: "RFC 7592 section 2.1",
    };
    /// Clients are registered with an initial access token alone, and the request has none.
    pub INITIAL_ACCESS_TOKEN_MISSING = Reason {
        name: "initial_access_token_missing",
        code: ErrorCode::InvalidToken,
        description: "an initial access token is needed",
        section: "RFC 7591 section 3",
    };
    /// The initial access token does not exist, has expired, was removed, or has registered as many clients
    /// as it may.
    pub INITIAL_ACCESS_TOKEN_UNKNOWN = Reason {
        name: "initial_access_token_unknown",
        code: ErrorCode::InvalidToken,
        description: "invalid token provided",
        section: "RFC 7591 section 3",
    };
    /// An operator has disabled the client, so it can no longer manage itself.
    pub CLIENT_DISABLED = Reason {
        name: "managed_client_disabled",
        code: ErrorCode::InsufficientScope,
        description: "the client is disabled",
        section: "RFC 7592 section 2.1",
    };
    /// Too many clients were registered within an hour, from this network (`registration.network_quota`) or from all
    /// together (`registration.total_quota`). A change of an address that this server asks counts as well.
    pub TOO_MANY_REGISTRATIONS = Reason {
        name: "too_many_registrations",
        code: ErrorCode::TemporarilyUnavailable,
        description: "too many clients were registered",
        section: "RFC 7591 section 5",
    };
}

/// What a registrant gets. It has no `Debug`, because it may hold a secret and a token.
pub enum RegistrationResponse {
    /// The client was registered (RFC 7591 section 3.2.1).
    Created(String),
    /// The client as it is now registered (RFC 7592 section 3).
    Current(String),
    /// The client was removed (RFC 7592 section 2.3).
    Removed,
}

/// Why a registrant gets nothing.
#[derive(Debug)]
pub enum RegistrationError {
    /// As at every endpoint.
    Failed(Failure),
    /// The metadata is not valid, for this reason and in these points.
    Metadata(&'static Reason, Vec<Complaint>),
}

impl<E: Into<Failure>> From<E> for RegistrationError {
    fn from(failure: E) -> Self {
        Self::Failed(failure.into())
    }
}

impl RegistrationError {
    /// The complaints decide the code: `invalid_redirect_uri` if it is the redirect URIs alone.
    fn of(complaints: Vec<Complaint>) -> Self {
        let all = |is_such: fn(&str) -> bool| complaints.iter().all(|complaint| is_such(&complaint.setting));
        let reason = if all(|member| member == "redirect_uris") {
            &REDIRECT_URI_INVALID
        } else if complaints.iter().any(|complaint| complaint.setting == "metadata") || all(is_of_identity) {
            &REGISTRATION_MALFORMED
        } else {
            &METADATA_INVALID
        };
        Self::Metadata(reason, complaints)
    }

    /// As the log has it.
    #[must_use]
    pub fn failure(&self) -> Failure {
        match self {
            Self::Failed(failure) => failure.clone(),
            Self::Metadata(reason, _) => (*reason).into(),
        }
    }
}

/// The period of `registration.network_quota`.
const QUOTA_PERIOD: Duration = Duration::from_secs(3_600);

/// The registration endpoint, and the configuration endpoint of its clients.
pub struct RegistrationEndpoint {
    pub(crate) config: RegistrationConfig,
    pub(crate) policies: Vec<RegistrationPolicy>,
    pub(crate) statement_issuers: Vec<StatementIssuer>,
    pub(crate) policy: Arc<dyn DynClientPolicy>,
    pub(crate) offered: Arc<Offered>,
    pub(crate) keys: Arc<KeySet>,
    /// The URL of the client configuration endpoint; a client's own is one segment below it. `None` if
    /// clients cannot manage themselves.
    pub(crate) management: Option<Box<str>>,
}

impl RegistrationEndpoint {
    /// Registers a client (RFC 7591 section 3.1).
    ///
    /// # Errors
    /// What is wrong with the request; then nothing is stored.
    pub async fn register(
        &self,
        call: &Call,
        env: &Env,
        metadata: &[u8],
    ) -> Result<RegistrationResponse, RegistrationError> {
        let initial = initial_access::presented(call, env).await?;
        if initial.is_none() && self.config.access == RegistrationAccess::Token {
            return Err((&INITIAL_ACCESS_TOKEN_MISSING).into());
        }
        let sent = sent(metadata).map_err(malformed)?;
        let text = self.statement_text(&sent)?;
        let statement = self.verified(call, env, text.as_deref()).await?;
        let names = self.policies_of(initial.as_ref().map(|found| &found.body), statement.as_ref());
        let policies = self.named(&names)?;
        let policies: Vec<&RegistrationPolicy> = policies.iter().map(|policy| &**policy).collect();
        needed(&policies, statement.as_ref())?;
        let algorithms = self.keys.algorithms(call.now);
        let rules =
            DynamicRules { registration: self.rules(&algorithms, env, call.now), policies: &policies };
        let asked = Asked::read(sent, statement.as_ref(), &rules).map_err(RegistrationError::of)?;
        let network = call.network();
        let by = Registrant {
            network: network.as_deref(),
            initial_access_token: initial.as_ref().map(|found| &*found.body.name),
            software_statement: statement.as_ref().map(SoftwareStatement::claims),
            policies: &names,
            former: None,
        };
        let asked = asked.judged(by, &rules).await?.map_err(RegistrationError::of)?;
        let token = self.management.as_ref().map(|_| new_token(env));
        let owned = token.as_ref().map(|token| (token, &env.realm));
        let draft = asked.register(owned, &*env.random, &rules)?.map_err(RegistrationError::of)?;
        self.count(call, env, &policies, initial.is_none())?;
        let has_made_id = draft.has_made_id();
        let registered = fetched(call, env, draft).await?;
        let initial_access_token = initial.as_ref().map(|found| found.body.name.clone());
        if let Some(found) = initial {
            initial_access::lower(call, env, found).await?;
        }
        let client = Arc::new(registered.client.clone());
        let put = match has_made_id {
            true => env.registry.add_client(&env.realm, client).await?,
            false => env.registry.put_client(&env.realm, None, client).await?,
        };
        match put {
            Put::Done(_) => {}
            // 128 random bits were drawn a second time, or the application has chosen an id that is taken.
            Put::Occupied | Put::Stale => return Err(Fault::internal("a made client_id is taken").into()),
        }
        let id = registered.client.id().clone();
        env.record(call, &Event::ClientRegistered { client: id, initial_access_token });
        let token = token.map(|token| token.reveal());
        Ok(RegistrationResponse::Created(self.information(&registered, token.as_deref())?))
    }

    /// Answers with the client's registration (RFC 7592 section 2.1).
    ///
    /// # Errors
    /// A refusal or a fault.
    pub async fn read(
        &self,
        call: &Call,
        env: &Env,
        client_id: &str,
    ) -> Result<RegistrationResponse, RegistrationError> {
        let (client, token) = managed(call, env, client_id).await?;
        let client = Client::clone(&client);
        let registered = Registered { client, secret_to_show: None, notices: Vec::new() };
        Ok(RegistrationResponse::Current(self.information(&registered, Some(&token.reveal()))?))
    }

    /// Replaces the client's registration (RFC 7592 section 2.2).
    ///
    /// # Errors
    /// What is wrong with the request; then nothing has changed.
    pub async fn update(
        &self,
        call: &Call,
        env: &Env,
        client_id: &str,
        metadata: &[u8],
    ) -> Result<RegistrationResponse, RegistrationError> {
        let (client, _) = managed(call, env, client_id).await?;
        let sent = sent(metadata).map_err(malformed)?;
        // It stays under the policies that it was registered under, and what somebody vouches for stays vouched for.
        let dynamic = client.dynamic().ok_or_else(|| Fault::internal("an operator's client"))?;
        let kept = dynamic.software_statement.as_deref();
        let former = kept.map(|text| SoftwareStatement::registered(&self.statement_issuers, text));
        let former = former.transpose()?;
        let text = self.statement_text(&sent)?;
        let new = text.as_deref().filter(|text| Some(*text) != kept);
        let statement = match (self.verified(call, env, new).await?, former) {
            (Some(new), Some(former)) => Some(new.after(&former)?),
            (new, former) => new.or(former),
        };
        let mut names = dynamic.policies.clone();
        let of_issuer = statement.iter().flat_map(|statement| &statement.issuer.policies);
        for name in of_issuer {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let policies = self.named(&names)?;
        let policies: Vec<&RegistrationPolicy> = policies.iter().map(|policy| &**policy).collect();
        needed(&policies, statement.as_ref())?;
        let algorithms = self.keys.algorithms(call.now);
        let rules =
            DynamicRules { registration: self.rules(&algorithms, env, call.now), policies: &policies };
        let asked = Asked::change_of(&client, sent, statement.as_ref(), &rules);
        let asked = asked.map_err(RegistrationError::of)?;
        let network = call.network();
        let by = Registrant {
            network: network.as_deref(),
            initial_access_token: None,
            software_statement: statement.as_ref().map(SoftwareStatement::claims),
            policies: &names,
            former: Some(&client),
        };
        let asked = asked.judged(by, &rules).await?.map_err(RegistrationError::of)?;
        let token = new_token(env);
        let draft = asked.register(Some((&token, &env.realm)), &*env.random, &rules)?;
        let draft = draft.map_err(RegistrationError::of)?;
        // Another server that is asked from now on costs what a new client costs.
        if draft.asks_others() {
            self.count(call, env, &policies, true)?;
        }
        let registered = fetched(call, env, draft).await?;
        let changed = Arc::new(registered.client.clone());
        stored(env.registry.put_client(&env.realm, Some(client.revision()), changed).await?)?;
        env.record(call, &Event::ClientUpdated { client: client.id().clone() });
        Ok(RegistrationResponse::Current(self.information(&registered, Some(&token.reveal()))?))
    }

    /// Removes the client with everything that was issued to it (RFC 7592 section 2.3).
    ///
    /// # Errors
    /// A refusal or a fault.
    pub async fn remove(
        &self,
        call: &Call,
        env: &Env,
        client_id: &str,
    ) -> Result<RegistrationResponse, RegistrationError> {
        let (client, _) = managed(call, env, client_id).await?;
        let id = client.id();
        stored(env.registry.remove_client(&env.realm, client.revision(), id).await?)?;
        // What was issued to it has ended with it, because every use asks for the client, and a later client of
        // the same id is another registration. Only what people agreed to would be kept for long.
        if let Some(tag) = env.records().tags(None, Some(id), None).client {
            env.store.revoke_tagged(Kind::CONSENT, tag).await.map_err(Fault::from)?;
        }
        env.record(call, &Event::ClientRemoved { client: id.clone() });
        Ok(RegistrationResponse::Removed)
    }

    /// Counts one registration, if the policies and the settings have room for it. With an initial access token the
    /// policies alone count.
    fn count(
        &self,
        call: &Call,
        env: &Env,
        policies: &[&RegistrationPolicy],
        is_open: bool,
    ) -> Result<(), Refusal> {
        let of_policies = policies.iter().map(|policy| policy.network_quota);
        let of_network = of_policies.chain(is_open.then_some(self.config.network_quota));
        let quotas = Quotas {
            network: of_network.filter(|quota| *quota > 0).min().unwrap_or(0),
            everybody: if is_open { self.config.total_quota } else { 0 },
        };
        let taken = env.limits.registrations.take(call.now, call.network().as_deref(), quotas, QUOTA_PERIOD);
        taken.map_err(|wait| TOO_MANY_REGISTRATIONS.for_now(wait))
    }

    /// The software statement of a request; none if nobody's is accepted (RFC 7591 section 3.1.1).
    fn statement_text(&self, sent: &Object<'_>) -> Result<Option<String>, RegistrationError> {
        let raw = sent.raw("software_statement").map(|raw| raw.get()).filter(|raw| !is_omitted(raw));
        let Some(raw) = raw.filter(|_| !self.statement_issuers.is_empty()) else { return Ok(None) };
        serde_json::from_str(raw).map(Some).map_err(|_| (&software_statement::MALFORMED).into())
    }

    async fn verified<'s>(
        &'s self,
        call: &Call,
        env: &Env,
        text: Option<&'s str>,
    ) -> Result<Option<SoftwareStatement<'s>>, Failure> {
        let Some(text) = text else { return Ok(None) };
        SoftwareStatement::verified(call, env, &self.statement_issuers, text).await.map(Some)
    }

    /// The names of the policies that a new client is held to: those of its initial access token and those of the
    /// issuer of its software statement, or else those of `[registration]`.
    fn policies_of(
        &self,
        initial: Option<&InitialAccessTokenBody>,
        statement: Option<&SoftwareStatement<'_>>,
    ) -> Vec<Box<str>> {
        let of_token = initial.into_iter().flat_map(|body| &body.policies);
        let of_issuer = statement.into_iter().flat_map(|statement| &statement.issuer.policies);
        let mut names: Vec<Box<str>> = of_token.chain(of_issuer).cloned().collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() { self.config.policies.clone() } else { names }
    }

    /// The policies of these names.
    pub(crate) fn named(&self, names: &[Box<str>]) -> Result<Vec<Cow<'_, RegistrationPolicy>>, Fault> {
        let missing = |name: &str| Fault::internal(config::unknown(&self.policies, name));
        names.iter().map(|name| find(&self.policies, name).ok_or_else(|| missing(name))).collect()
    }

    fn rules<'r>(
        &'r self,
        algorithms: &'r [SigningAlgorithm],
        env: &Env,
        now: Timestamp,
    ) -> RegistrationRules<'r> {
        RegistrationRules {
            policy: &*self.policy,
            keys: Some(&self.keys),
            can_fetch: env.fetch.reaches_others(),
            ..RegistrationRules::new(&self.offered, algorithms, now)
        }
    }

    /// The client information response (RFC 7591 section 3.2.1, RFC 7592 section 3): everything that was
    /// registered, under its standard name.
    fn information(&self, registered: &Registered, token: Option<&str>) -> Result<String, Fault> {
        let client = &registered.client;
        let metadata = serde_json::to_value(client.metadata());
        let metadata = metadata.map_err(|error| Fault::internal(error.to_string()))?;
        let Value::Object(mut members) = metadata else {
            return Err(Fault::internal("client metadata is not an object"));
        };
        // What an operator decided about the client is none of its metadata.
        members.remove("chancery");
        for (name, value) in &client.body().extra {
            let value = serde_json::from_str(value.get());
            members.insert(name.to_string(), value.map_err(|error| Fault::internal(error.to_string()))?);
        }
        let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
        add("client_id", client.id().as_str().into());
        add("client_id_issued_at", client.registered_at().secs().into());
        if let Some(secret) = &registered.secret_to_show {
            add("client_secret", secret.as_str().into());
        }
        if let Some(secret) = client.secrets().last() {
            // Zero means never.
            add("client_secret_expires_at", secret.ends.map_or(0, |ends| ends.secs()).into());
        }
        if let Some(statement) = client.dynamic().and_then(|dynamic| dynamic.software_statement.as_deref()) {
            add("software_statement", statement.into());
        }
        if let (Some(token), Some(endpoint)) = (token, &self.management) {
            add("registration_access_token", token.into());
            add("registration_client_uri", format!("{endpoint}/{}", client.id()).into());
        }
        Ok(Value::from(Map::from_iter(members)).to_string())
    }
}

/// The client that the caller may manage, and the token that proves it. A client that does not exist looks
/// like one of somebody else (RFC 7592 section 2.1).
async fn managed(call: &Call, env: &Env, client_id: &str) -> Result<(Arc<Client>, NewToken), Failure> {
    let header = call.authorization.as_deref().ok_or(&TOKEN_MISSING)?;
    let (_, token) = Scheme::of(header, false)?;
    let unknown = || Failure::from(&REGISTRATION_TOKEN_UNKNOWN);
    let token = Handle::<RegistrationAccessToken>::parse(token).map_err(|_| unknown())?;
    let id = ClientId::parse(client_id).map_err(|_| unknown())?;
    let client = env.registry.client(&env.realm, &id).await?.ok_or_else(unknown)?;
    let kept = client.dynamic().and_then(|dynamic| dynamic.token);
    if kept != Some(token.key(&env.realm)) {
        return Err(unknown());
    }
    if !client.is_enabled() {
        return CLIENT_DISABLED.refused();
    }
    Ok((client, token))
}

fn malformed(complaint: Complaint) -> RegistrationError {
    RegistrationError::of(vec![complaint])
}

/// Whether there is a software statement, if a policy demands one.
fn needed(
    policies: &[&RegistrationPolicy],
    statement: Option<&SoftwareStatement<'_>>,
) -> Result<(), Failure> {
    match statement {
        None if policies.iter().any(|policy| policy.software_statement) => {
            software_statement::MISSING.refused()
        }
        _ => Ok(()),
    }
}

/// Looks at what the client refers to.
async fn fetched(call: &Call, env: &Env, draft: Draft) -> Result<Registered, RegistrationError> {
    draft.fetched(&*env.fetch).await.map_err(|NotRegistered { complaints, cause }| {
        if let Some(fault) = cause {
            env.record(call, &Event::SectorUnavailable { fault });
        }
        RegistrationError::of(complaints.into())
    })
}

fn new_token(env: &Env) -> NewToken {
    Handle::new(env.partition(), env.secret())
}

/// Whoever changed the client at the same moment was first; trying again shows what came out of it.
fn stored(put: Put) -> Result<(), Fault> {
    match put {
        Put::Done(_) => Ok(()),
        Put::Stale | Put::Occupied => Err(Fault::unavailable("the client was changed at the same moment")),
    }
}
