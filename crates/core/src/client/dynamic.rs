//! RFC 7591 section 3, OAuth 2.0 Dynamic Client Registration Protocol; OpenID Connect Dynamic Client
//! Registration 1.0 section 3; RFC 7592 section 2.2: a client registers and changes itself.
//!
//! The metadata is read as an operator's is. But a client chooses neither its id nor its secret, nor what only
//! an operator decides (the member `chancery`), and is held to the [`RegistrationPolicy`]s that apply to it.

use std::time::Duration;

use chancery_jose::json::Object;
use chancery_types::handle::{Handle, RegistrationAccessToken};
use chancery_types::iana::{ClientAuthenticationMethod, GrantType, SubjectType};
use chancery_types::{ClientId, RealmId, RedirectKind, RedirectUri, Timestamp, made_id};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::registration::{Draft, Given, RFC7591, bytes, check_offered, fitting_secret, read_extra};
use crate::client::{Registered, RegistrationRules, SoftwareStatement};
use crate::error::{Complaint, Failure, Fault};
use crate::model::client::{ClientBody, DynamicRegistration, Extra, OwnSettings, Reader, is_omitted, sector};
use crate::model::{Client, ClientMetadata, RegistrationId};
use crate::policy::{Identity, Registrant};
use crate::ports::Random;
use crate::profile::Profile;

/// What clients may register for, beside what the provider offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationPolicy {
    /// The name by which initial access tokens and `[registration]` refer to it.
    pub name: Box<str>,
    /// The grant types. Not among the default are `client_credentials`, because nobody consents to it, and that of
    /// devices and of CIBA, because they carry a request of a stranger to whoever can be talked into it (RFC 10027
    /// section 4.1.1).
    pub grant_types: Vec<GrantType>,
    /// The hosts of redirect URIs; `*.example.org` stands for everything below `example.org`. Empty for all.
    pub redirect_hosts: Vec<Box<str>>,
    /// The client authentication methods; empty for all.
    pub authentication_methods: Vec<ClientAuthenticationMethod>,
    /// How long secrets are good; for ever if absent.
    #[serde(with = "crate::duration::optional")]
    pub secret_lifetime: Option<Duration>,
    /// How many clients one network may register within an hour; zero for any number.
    pub network_quota: u32,
    /// Whether a software statement is needed.
    pub software_statement: bool,
}

impl Default for RegistrationPolicy {
    fn default() -> Self {
        let grant_types = GrantType::ALL.iter().cloned();
        Self {
            name: "default".into(),
            grant_types: grant_types.filter(may_be_anybodys).collect(),
            redirect_hosts: Vec::new(),
            authentication_methods: Vec::new(),
            secret_lifetime: None,
            network_quota: 0,
            software_statement: false,
        }
    }
}

/// Whether a client that nobody vouches for may have the grant type.
fn may_be_anybodys(grant: &GrantType) -> bool {
    !matches!(grant, GrantType::ClientCredentials | GrantType::DeviceCode | GrantType::Ciba)
}

impl RegistrationPolicy {
    fn check(&self, from: &mut Reader<'_>, metadata: &ClientMetadata) {
        let flow = &metadata.flow;
        for grant in flow.grant_types.iter().filter(|grant| !self.grant_types.contains(grant)) {
            from.complain("grant_types", format!("{grant} may not be registered here"));
        }
        let method = flow.token_endpoint_auth_method;
        if !self.has_method(method) {
            from.complain("token_endpoint_auth_method", format!("{method} may not be registered here"));
        }
        if !self.redirect_hosts.is_empty() {
            self.check_hosts(from, "redirect_uris", &flow.redirect_uris);
            self.check_hosts(from, "post_logout_redirect_uris", &metadata.logout.post_logout_redirect_uris);
        }
    }

    fn has_method(&self, method: ClientAuthenticationMethod) -> bool {
        self.authentication_methods.is_empty() || self.authentication_methods.contains(&method)
    }

    fn check_hosts(&self, from: &mut Reader<'_>, name: &'static str, uris: &[RedirectUri]) {
        for uri in uris.iter().filter(|uri| {
            uri.kind() != RedirectKind::HttpLoopback && !self.has_host(&uri.host().to_ascii_lowercase())
        }) {
            from.complain(name, format!("the host of {uri:?} may not be registered here"));
        }
    }

    fn has_host(&self, host: &str) -> bool {
        self.redirect_hosts.iter().any(|allowed| match allowed.strip_prefix("*.") {
            Some(above) => {
                host.strip_suffix(above).is_some_and(|below| below.len() > 1 && below.ends_with('.'))
            }
            None => **allowed == *host,
        })
    }
}

/// What a registration by the client itself is checked against.
#[derive(Clone, Copy)]
pub struct DynamicRules<'r> {
    /// As for every client.
    pub registration: RegistrationRules<'r>,
    /// What applies to this registration; all of them at once.
    pub policies: &'r [&'r RegistrationPolicy],
}

impl DynamicRules<'_> {
    /// The names of the policies.
    fn names(&self) -> Vec<Box<str>> {
        self.policies.iter().map(|policy| policy.name.clone()).collect()
    }

    /// When a secret that is made now expires.
    fn secret_ends(&self) -> Option<Timestamp> {
        let shortest = self.policies.iter().filter_map(|policy| policy.secret_lifetime).min();
        shortest.map(|lifetime| self.registration.now + lifetime)
    }
}

/// A new registration access token: what the client gets, and what is kept of it.
pub type NewToken = Handle<RegistrationAccessToken>;

/// What a client has asked for, read and judged. Nothing was made of it yet.
pub struct Asked<'c> {
    metadata: ClientMetadata,
    extra: Extra,
    statement: Option<Box<str>>,
    /// What it changes; `None` for a new client.
    change: Option<Change<'c>>,
}

/// A change of a registration (RFC 7592 section 2.2).
struct Change<'c> {
    former: &'c Client,
    /// The secret, if it was sent and is the client's.
    secret: Option<Zeroizing<String>>,
}

/// The one JSON object that metadata are, or a change of them.
///
/// # Errors
/// What it is instead, or where it is no JSON.
pub(crate) fn sent(metadata: &[u8]) -> Result<Object<'_>, Complaint> {
    Object::parse(metadata).map_err(|error| {
        let found = match error {
            chancery_jose::Error::Json => instead_of_an_object(metadata),
            other => other.to_string(),
        };
        Complaint::new("metadata", format!("must be one JSON object: {found}"), RFC7591)
    })
}

fn instead_of_an_object(json: &[u8]) -> String {
    if json.trim_ascii().is_empty() {
        return "it is empty".into();
    }
    match serde_json::from_slice(json) {
        Ok(Value::Array(_)) => "it is an array; add each client by itself".into(),
        Ok(Value::String(_)) => "it is a string".into(),
        Ok(_) => "it is no object".into(),
        // What is wrong in which line and column, and nothing of what was sent.
        Err(error) => error.to_string(),
    }
}

impl<'c> Asked<'c> {
    /// Reads metadata that a client wrote itself, under what its software statement says.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(
        sent: Object<'_>,
        statement: Option<&SoftwareStatement<'_>>,
        rules: &DynamicRules<'_>,
    ) -> Result<Self, Vec<Complaint>> {
        let subject_types = &rules.registration.offered.subject_types;
        let own = OwnSettings::default();
        rules.reading(sent, statement, (own.profile, subject_types), |from| {
            let (metadata, extra) = read(from, own, subject_types, rules);
            Self { metadata, extra, statement: kept(statement), change: None }
        })
    }

    /// Reads the metadata that is to replace that of a client. What is omitted is reset; the result is judged as a
    /// new registration would be. What cannot change is how the client knows people: its subject type, and the
    /// sector of its pairwise subjects.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn change_of(
        former: &'c Client,
        sent: Object<'_>,
        statement: Option<&SoftwareStatement<'_>>,
        rules: &DynamicRules<'_>,
    ) -> Result<Self, Vec<Complaint>> {
        let subject_types = [former.metadata().openid.subject_type];
        let own = former.metadata().own.clone();
        rules.reading(sent, statement, (own.profile, &subject_types), |from| {
            let secret = read_identity(from, former, rules);
            let (metadata, extra) = read(from, own, &subject_types, rules);
            sector::check_same(from, former.metadata(), &metadata);
            Self { metadata, extra, statement: kept(statement), change: Some(Change { former, secret }) }
        })
    }

    /// The same after the application has judged it; what the application has changed is judged again.
    ///
    /// # Errors
    /// Outside: a refusal of the application, or a fault. Inside: what is wrong with what it has made of it.
    pub async fn judged(
        self,
        by: Registrant<'_>,
        rules: &DynamicRules<'_>,
    ) -> Result<Result<Self, Vec<Complaint>>, Failure> {
        let mut wanted = self.metadata.clone();
        rules.registration.policy.register(&mut wanted, by).await??;
        if wanted == self.metadata {
            return Ok(Ok(self));
        }
        let broken = |error: serde_json::Error| Fault::internal(error.to_string());
        let json = serde_json::to_vec(&wanted).map_err(broken)?;
        let object = Object::parse(&json).map_err(|error| Fault::internal(error.to_string()))?;
        let mut from = Reader::new(&object, RFC7591).of_client();
        let subject_types = match &self.change {
            Some(change) => vec![change.former.metadata().openid.subject_type],
            None => rules.registration.offered.subject_types.clone(),
        };
        let (metadata, _) = read(&mut from, wanted.own, &subject_types, rules);
        if let Some(change) = &self.change {
            sector::check_same(&mut from, change.former.metadata(), &metadata);
        }
        let (complaints, _) = from.finish();
        Ok(if complaints.is_empty() { Ok(Self { metadata, ..self }) } else { Err(complaints) })
    }

    /// Makes the client, with a new registration access token if it may manage itself. A client that changes keeps
    /// its id, and its secret unless it needs none any more or one that can be the key of an HMAC or of encryption;
    /// then it gets another one, or keeps the one that it sent.
    ///
    /// # Errors
    /// Outside: a fault if its secret cannot be sealed. Inside: what is wrong with its secret.
    pub fn register(
        self,
        token: Option<(&NewToken, &RealmId)>,
        random: &dyn Random,
        rules: &DynamicRules<'_>,
    ) -> Result<Result<Draft, Vec<Complaint>>, Fault> {
        let former = self.change.as_ref().and_then(|change| change.former.dynamic());
        let dynamic = DynamicRegistration {
            token: token.map(|(token, realm)| token.key(realm)),
            policies: rules.names(),
            software_statement: self.statement,
            is_used: former.is_some_and(|dynamic| dynamic.is_used),
        };
        let mut has_made_id = false;
        let (mut body, needs_secret, text) = match &self.change {
            None => {
                let Identity { client_id, client_secret } =
                    rules.registration.policy.identity(&self.metadata, random);
                has_made_id = client_id.is_none();
                let made = || ClientId::parse(&made_id(bytes(random)));
                let client_id = client_id.map_or_else(made, Ok);
                let body = ClientBody {
                    client_id: client_id.map_err(|_| Fault::internal("a made client_id is not valid"))?,
                    registration: RegistrationId::from_bytes(bytes(random)),
                    registered_at: rules.registration.now,
                    secrets: Vec::new(),
                    dynamic: Some(dynamic),
                    metadata: self.metadata,
                    extra: self.extra,
                };
                (body, true, client_secret)
            }
            Some(Change { former, secret }) => {
                let mut body = former.body().clone();
                body.dynamic = Some(dynamic);
                body.metadata = self.metadata;
                body.extra = self.extra;
                let needs_secret = !keeps_secret(former, &body.metadata, rules.registration.now);
                if needs_secret {
                    body.secrets.clear();
                }
                let shortest = body.metadata.hmac_secret_length().unwrap_or(0);
                (body, needs_secret, secret.clone().filter(|text| text.len() >= shortest))
            }
        };
        let mut secret_to_show = None;
        if needs_secret {
            let nothing = Object::parse(b"{}").map_err(|error| Fault::internal(error.to_string()))?;
            let mut from = Reader::new(&nothing, RFC7591);
            let is_chosen = self.change.is_none() && text.is_some();
            let given = Given { text, ends: rules.secret_ends() };
            let secret = fitting_secret(&mut from, given, random, &rules.registration, &body.metadata);
            let (complaints, _) = from.finish();
            if is_chosen && complaints.iter().any(|complaint| complaint.setting == "client_secret") {
                return Err(Fault::internal("the secret of the ClientPolicy is not good"));
            }
            if !complaints.is_empty() {
                return Ok(Err(complaints));
            }
            if let Some(secret) = secret {
                secret.keep(&mut body, random, &rules.registration)?;
                secret_to_show = Some(secret.text);
            }
        }
        let client = Client::new(body);
        let registered = |client| Registered { client, secret_to_show, notices: Vec::new() };
        Ok(Ok(match self.change {
            None if has_made_id => Draft::from(registered(client)).with_made_id(),
            None => registered(client).into(),
            Some(Change { former, .. }) => {
                Draft::change_of(former.metadata(), registered(client.seen_at(former.revision())))
            }
        }))
    }
}

/// Whether the client goes on with the secret that it has. Of one that was not needed itself there is but the digest.
pub(super) fn keeps_secret(former: &Client, metadata: &ClientMetadata, now: Timestamp) -> bool {
    let is_sealed = former.metadata().needs_secret_itself() || !metadata.needs_secret_itself();
    metadata.has_secret()
        && is_sealed
        && metadata.hmac_secret_length() <= former.metadata().hmac_secret_length()
        && former.secrets().iter().any(|secret| secret.is_good(now))
}

fn kept(statement: Option<&SoftwareStatement<'_>>) -> Option<Box<str>> {
    statement.map(|statement| statement.text().into())
}

impl DynamicRules<'_> {
    /// Reads what counts of what a client has sent.
    fn reading<T>(
        &self,
        sent: Object<'_>,
        statement: Option<&SoftwareStatement<'_>>,
        (profile, subject_types): (Profile, &[SubjectType]),
        read: impl FnOnce(&mut Reader<'_>) -> T,
    ) -> Result<T, Vec<Complaint>> {
        let may_authenticate = |method| self.policies.iter().all(|policy| policy.has_method(method));
        let sent = match statement {
            Some(statement) => statement.over(sent),
            None => sent,
        };
        let picked = self.registration.choices(profile, subject_types, &may_authenticate).pick(&sent);
        let object = picked.over(sent);
        let is_left_out = |name: &str| object.raw(name).is_none_or(|raw| is_omitted(raw.get()));
        let offered = self.registration.offered;
        let defaults = offered.client_defaults.members(offered.floor.demands(profile), is_left_out);
        let object = object.under(defaults.iter().map(|(name, value)| (*name, &**value)), |_| true);
        let mut from = Reader::new(&object, RFC7591).of_client().after(&picked);
        let read = read(&mut from);
        let (complaints, _) = from.finish();
        if complaints.is_empty() { Ok(read) } else { Err(complaints) }
    }
}

fn read(
    from: &mut Reader<'_>,
    own: OwnSettings,
    subject_types: &[SubjectType],
    rules: &DynamicRules<'_>,
) -> (ClientMetadata, Extra) {
    let mut metadata = ClientMetadata::read(from, rules.registration.signing(), subject_types, Some(own));
    check_offered(from, &mut metadata, &rules.registration);
    sector::check_told(from, &metadata);
    sector::check_devices(from, &metadata);
    rules.policies.iter().for_each(|policy| policy.check(from, &metadata));
    let extra = read_extra(from, &rules.registration);
    (metadata, extra)
}

const UPDATE: &str = "RFC 7592 section 2.2";

/// What an update repeats, and what it must not have. Returns the secret if it was sent and is the client's.
fn read_identity(
    from: &mut Reader<'_>,
    client: &Client,
    rules: &DynamicRules<'_>,
) -> Option<Zeroizing<String>> {
    for name in IMMUTABLE {
        if from.raw(name).is_some() {
            from.complain_by(name, "must not be sent in an update", UPDATE);
        }
    }
    if from.string("client_id").as_deref() != Some(client.id().as_str()) {
        from.complain_by("client_id", "must be that of the client", UPDATE);
    }
    let sent = Zeroizing::new(from.string("client_secret")?);
    let now = rules.registration.now;
    let is_current =
        client.secrets().iter().any(|secret| secret.is_good(now) && secret.digest.matches(&sent));
    if !is_current {
        from.complain_by("client_secret", "must be the current one or left out", UPDATE);
    }
    Some(sent)
}

const IMMUTABLE: [&str; 4] = [
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// The members that say whose registration is updated, rather than what it is to become.
pub(crate) fn is_of_identity(member: &str) -> bool {
    matches!(member, "client_id" | "client_secret") || IMMUTABLE.contains(&member)
}
