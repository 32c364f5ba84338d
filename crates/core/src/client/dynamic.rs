//! RFC 7591 section 3, OAuth 2.0 Dynamic Client Registration Protocol; OpenID Connect Dynamic Client
//! Registration 1.0 section 3; RFC 7592 section 2.2: a client registers and changes itself.
//!
//! The metadata is read as an operator's is. But a client chooses neither its id nor its secret, nor what only
//! an operator decides (the member `chancery`), and is held to the [`RegistrationPolicy`]s that apply to it.

use std::time::Duration;

use chancery_jose::base64url;
use chancery_jose::json::Object;
use chancery_types::handle::{Handle, RegistrationAccessToken};
use chancery_types::iana::{ClientAuthenticationMethod, GrantType, SubjectType};
use chancery_types::{ClientId, RealmId, RedirectKind, RedirectUri, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::registration::{Draft, Given, RFC7591, Secret, bytes, check_offered, fitting_secret};
use crate::client::{Registered, RegistrationRules};
use crate::error::{Complaint, Fault};
use crate::model::client::{ClientBody, DynamicRegistration, OwnSettings, Reader, sector};
use crate::model::{Client, ClientMetadata, RegistrationId};
use crate::ports::Random;

/// What clients may register for, beside what the provider offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrationPolicy {
    /// The name by which initial access tokens and `[registration]` refer to it.
    pub name: Box<str>,
    /// The grant types. `client_credentials` is not among the default, because nobody consents to it.
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
}

impl Default for RegistrationPolicy {
    fn default() -> Self {
        let grant_types = GrantType::ALL.iter().copied();
        Self {
            name: "default".into(),
            grant_types: grant_types.filter(|grant| *grant != GrantType::ClientCredentials).collect(),
            redirect_hosts: Vec::new(),
            authentication_methods: Vec::new(),
            secret_lifetime: None,
            network_quota: 0,
        }
    }
}

impl RegistrationPolicy {
    fn check(&self, from: &mut Reader<'_>, metadata: &ClientMetadata) {
        let flow = &metadata.flow;
        for grant in flow.grant_types.iter().filter(|grant| !self.grant_types.contains(grant)) {
            from.complain("grant_types", format!("{grant} may not be registered here"));
        }
        let method = flow.token_endpoint_auth_method;
        if !self.authentication_methods.is_empty() && !self.authentication_methods.contains(&method) {
            from.complain("token_endpoint_auth_method", format!("{method} may not be registered here"));
        }
        if !self.redirect_hosts.is_empty() {
            self.check_hosts(from, "redirect_uris", &flow.redirect_uris);
            self.check_hosts(from, "post_logout_redirect_uris", &metadata.logout.post_logout_redirect_uris);
        }
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

/// The client, or everything that is wrong with its metadata.
pub type Checked = Result<Draft, Vec<Complaint>>;

/// A new registration access token: what the client gets, and what is kept of it.
pub type NewToken = Handle<RegistrationAccessToken>;

/// Registers a client by metadata that it wrote itself. With a token it may manage itself.
///
/// # Errors
/// A fault if its secret cannot be sealed.
pub fn register_itself(
    metadata: &[u8],
    token: Option<(&NewToken, &RealmId)>,
    random: &dyn Random,
    rules: &DynamicRules<'_>,
) -> Result<Checked, Fault> {
    let object = match object(metadata) {
        Ok(object) => object,
        Err(complaint) => return Ok(Err(vec![complaint])),
    };
    let mut reader = Reader::new(&object, RFC7591).of_client();
    let subject_types = &rules.registration.offered.subject_types;
    let metadata = read(&mut reader, OwnSettings::default(), subject_types, rules);
    let given = Given { text: None, ends: rules.secret_ends() };
    let secret = fitting_secret(&mut reader, given, random, &rules.registration, &metadata);
    let (complaints, _) = reader.finish();
    if !complaints.is_empty() {
        return Ok(Err(complaints));
    }
    let client_id = ClientId::parse(&base64url::encode(bytes::<16>(random)))
        .map_err(|_| Fault::internal("a made client_id is not valid"))?;
    let body = ClientBody {
        client_id,
        registration: RegistrationId::from_bytes(bytes(random)),
        registered_at: rules.registration.now,
        secrets: Vec::new(),
        dynamic: Some(DynamicRegistration {
            token: token.map(|(token, realm)| token.key(realm)),
            policies: rules.names(),
        }),
        metadata,
    };
    finished(body, secret, random, rules).map(|registered| Ok(registered.into()))
}

/// Replaces the metadata of a client by what it wrote itself (RFC 7592 section 2.2). What is omitted is reset;
/// the result is judged as a new registration would be. Its former token is replaced. What cannot change is how the
/// client knows people: its subject type, and the sector of its pairwise subjects.
///
/// The secret stays, unless the client needs none any more or one that can be the key of an HMAC or of encryption; then the
/// client gets another one, or keeps the one that it sent.
///
/// # Errors
/// A fault if its secret cannot be sealed.
pub fn update_itself(
    client: &Client,
    metadata: &[u8],
    (token, realm): (&NewToken, &RealmId),
    random: &dyn Random,
    rules: &DynamicRules<'_>,
) -> Result<Checked, Fault> {
    let object = match object(metadata) {
        Ok(object) => object,
        Err(complaint) => return Ok(Err(vec![complaint])),
    };
    let mut reader = Reader::new(&object, RFC7591).of_client();
    let sent = read_identity(&mut reader, client, rules);
    let mut body = client.body().clone();
    let former = client.metadata();
    let subject_types = [former.openid.subject_type];
    body.metadata = read(&mut reader, former.own.clone(), &subject_types, rules);
    sector::check_same(&mut reader, former, &body.metadata);
    // Of a secret that was not needed itself there is but the digest.
    let is_sealed = former.needs_secret_itself() || !body.metadata.needs_secret_itself();
    let keeps_secret = is_sealed
        && body.metadata.hmac_secret_length() <= former.hmac_secret_length()
        && client.secrets().iter().any(|secret| secret.is_good(rules.registration.now));
    let secret = match body.metadata.has_secret() && keeps_secret {
        true => None,
        false => {
            let shortest = body.metadata.hmac_secret_length().unwrap_or(0);
            let text = sent.filter(|text| text.len() >= shortest);
            body.secrets.clear();
            fitting_secret(
                &mut reader,
                Given { text, ends: rules.secret_ends() },
                random,
                &rules.registration,
                &body.metadata,
            )
        }
    };
    let (complaints, _) = reader.finish();
    if !complaints.is_empty() {
        return Ok(Err(complaints));
    }
    body.dynamic = Some(DynamicRegistration { token: Some(token.key(realm)), policies: rules.names() });
    let registered = finished(body, secret, random, rules)?;
    let registered = Registered { client: registered.client.seen_at(client.revision()), ..registered };
    Ok(Ok(Draft::change_of(former, registered)))
}

fn object(metadata: &[u8]) -> Result<Object<'_>, Complaint> {
    Object::parse(metadata)
        .map_err(|error| Complaint::new("metadata", format!("must be one JSON object: {error}"), RFC7591))
}

fn read(
    from: &mut Reader<'_>,
    own: OwnSettings,
    subject_types: &[SubjectType],
    rules: &DynamicRules<'_>,
) -> ClientMetadata {
    let metadata = ClientMetadata::read(from, rules.registration.algorithms, subject_types, Some(own));
    check_offered(from, &metadata, &rules.registration);
    rules.policies.iter().for_each(|policy| policy.check(from, &metadata));
    metadata
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

fn finished(
    mut body: ClientBody,
    secret: Option<Secret>,
    random: &dyn Random,
    rules: &DynamicRules<'_>,
) -> Result<Registered, Fault> {
    if let Some(secret) = &secret {
        secret.keep(&mut body, random, &rules.registration)?;
    }
    let secret_to_show = secret.map(|secret| secret.text);
    Ok(Registered { client: Client::new(body), secret_to_show, notices: Vec::new() })
}
