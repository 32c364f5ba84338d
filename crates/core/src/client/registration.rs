//! RFC 7591, OAuth 2.0 Dynamic Client Registration Protocol: section 2, client metadata; OpenID Connect
//! Dynamic Client Registration 1.0: section 2. A client as an operator registers it; see `dynamic` for one
//! that registers itself.
//!
//! Everything that is wrong is reported at once. Unknown members are ignored, with a notice.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use chancery_jose::{SecretDigest, SigningAlgorithm, base64url};
use chancery_types::iana::{ClientAuthenticationMethod, GrantType, SubjectType};
use chancery_types::{ClientId, Timestamp, made_id};
use zeroize::Zeroizing;

use super::{demanded, dynamic, is_of_identity};
use crate::client::hmac_secret;
use crate::error::{Complaint, Complaints, Fault};
use crate::fetch::DynFetch;
use crate::keys::KeySet;
use crate::model::client::choices::Choices;
use crate::model::client::{
    ClientBody, ClientSecret, Extra, OwnSettings, Reader, RequestObjectAlgorithm, Signing,
};
use crate::model::{Client, ClientMetadata, IdTokenAlgorithm, RegistrationId};
use crate::offered::remedy::remedy;
use crate::offered::{Endpoint, Offered};
use crate::policy::{DefaultClientPolicy, DynClientPolicy};
use crate::ports::Random;
use crate::profile::Profile;
use crate::rule::pairwise::{self, SectorRefused};

/// What a registration is checked against.
#[derive(Clone, Copy)]
pub struct RegistrationRules<'r> {
    /// The keys of the realm that the client will belong to, whose newest root secret seals the secret of a
    /// client that is registered for an HMAC. `None` if nothing is stored: then such a secret is kept
    /// unsealed.
    pub keys: Option<&'r KeySet>,
    /// What the provider offers. A client cannot be registered for anything else.
    pub offered: &'r Offered,
    /// The algorithms that can sign. Symmetric ones are irrelevant here, because their key is the client's
    /// secret.
    pub algorithms: &'r [SigningAlgorithm],
    /// Whether the provider has a [`Fetch`](crate::fetch::Fetch). Without one a client cannot have what would
    /// be fetched, such as `jwks_uri`.
    pub can_fetch: bool,
    /// Whether a secret given in the metadata may have fewer than 32 characters.
    pub are_weak_secrets_allowed: bool,
    /// Whether a member that means nothing here is refused, and not left out (RFC 7591 section 2): for those who see no
    /// notices.
    pub are_unused_members_refused: bool,
    /// What an application decides about clients.
    pub policy: &'r dyn DynClientPolicy,
    /// When it is registered.
    pub now: Timestamp,
}

impl<'r> RegistrationRules<'r> {
    /// Requires a strong secret, seals none and fetches nothing: the rules for a registry that stores nothing.
    #[must_use]
    pub fn new(offered: &'r Offered, algorithms: &'r [SigningAlgorithm], now: Timestamp) -> Self {
        Self {
            keys: None,
            offered,
            algorithms,
            can_fetch: false,
            are_weak_secrets_allowed: false,
            are_unused_members_refused: false,
            policy: &DefaultClientPolicy,
            now,
        }
    }

    /// What tokens and responses are signed with.
    pub(super) fn signing(&self) -> Signing<'_> {
        Signing { algorithms: self.algorithms, floor: &self.offered.floor }
    }

    /// What the server may pick from the choices of a client of this profile.
    pub(super) fn choices<'c>(
        &'c self,
        profile: Profile,
        subject_types: &'c [SubjectType],
        may_authenticate: &'c dyn Fn(ClientAuthenticationMethod) -> bool,
    ) -> Choices<'c> {
        let demands = self.offered.floor.demands(profile);
        let Self { offered, algorithms, .. } = *self;
        Choices { offered, demands, algorithms, subject_types, may_authenticate }
    }
}

/// A client that was registered but not stored yet.
pub struct Registered {
    /// The client.
    pub client: Client,
    /// The secret that was generated for it. It cannot be read again later.
    pub secret_to_show: Option<Zeroizing<String>>,
    /// What was left out, and why.
    pub notices: Vec<String>,
}

pub(super) const RFC7591: &str = "RFC 7591 section 2";
const ID_RULE: &str = "must be 1 to 255 printable ASCII characters";

/// Why a client is not registered.
#[derive(Clone, PartialEq, Eq)]
pub struct NotRegistered {
    /// Everything that is wrong with its metadata.
    pub complaints: Complaints,
    /// Why something that had to be fetched cannot be had, for our own log.
    pub cause: Option<Fault>,
}

impl From<Complaints> for NotRegistered {
    fn from(complaints: Complaints) -> Self {
        Self { complaints, cause: None }
    }
}

impl From<Vec<Complaint>> for NotRegistered {
    fn from(complaints: Vec<Complaint>) -> Self {
        Self { complaints: complaints.into(), cause: None }
    }
}

/// What is wrong with the metadata, which may be told to whoever has sent it. The cause is the source of this error.
impl fmt::Display for NotRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.complaints.fmt(f)
    }
}

/// With the cause: this is what a program prints whose `main` returns an error.
impl fmt::Debug for NotRegistered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}\n{cause}", self.complaints),
            None => fmt::Display::fmt(self, f),
        }
    }
}

impl Error for NotRegistered {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| cause as &(dyn Error + 'static))
    }
}

/// A client whose metadata is right in itself. What it refers to was not looked at yet.
pub struct Draft {
    registered: Registered,
    /// Whether the document of the `sector_identifier_uri` was looked at before, for the same redirect URIs.
    is_sector_known: bool,
    /// Whether there is an address that this server asks and did not ask before.
    asks_others: bool,
    /// Whether the engine has made its id.
    has_made_id: bool,
}

impl Draft {
    /// The new metadata of a client that was `former`.
    pub(super) fn change_of(former: &ClientMetadata, registered: Registered) -> Self {
        let new = registered.client.metadata();
        let is_listed = |uri| former.flow.redirect_uris.contains(uri);
        let is_place_listed = new.place_of_ciba() == former.place_of_ciba();
        let is_sector_known = is_place_listed
            && new.openid.sector_identifier_uri == former.openid.sector_identifier_uri
            && new.flow.redirect_uris.iter().all(is_listed);
        let asks_others = new.fetched().any(|uri| former.fetched().all(|known| known != uri));
        Self { registered, is_sector_known, asks_others, has_made_id: false }
    }

    /// The same with an id that the engine has made.
    pub(super) fn with_made_id(self) -> Self {
        Self { has_made_id: true, ..self }
    }

    /// Whether the engine has made its id.
    pub(crate) fn has_made_id(&self) -> bool {
        self.has_made_id
    }

    /// Whether there is an address that this server asks and did not ask before.
    pub(crate) fn asks_others(&self) -> bool {
        self.asks_others
    }

    /// The client, after what it has published and what has to be seen before it is registered was fetched: the
    /// document of its `sector_identifier_uri`.
    ///
    /// # Errors
    /// What is wrong with that.
    pub async fn fetched(self, fetch: &dyn DynFetch) -> Result<Registered, NotRegistered> {
        if !self.is_sector_known {
            pairwise::check_sector(&self.registered.client, fetch).await.map_err(
                |SectorRefused { complaint, cause }| NotRegistered {
                    complaints: vec![complaint].into(),
                    cause,
                },
            )?;
        }
        Ok(self.registered)
    }
}

impl From<Registered> for Draft {
    fn from(registered: Registered) -> Self {
        Self { registered, is_sector_known: false, asks_others: true, has_made_id: false }
    }
}

/// As [`register`], and fetches what the client has published and what has to be seen before it is registered
/// ([`Draft::fetched`]).
///
/// # Errors
/// Everything that is wrong with it.
pub async fn register_fetching(
    metadata: &[u8],
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
    fetch: &dyn DynFetch,
) -> Result<Registered, NotRegistered> {
    Draft::from(read(metadata, random, rules)?).fetched(fetch).await
}

/// Reads client metadata. `client_id` and `client_secret` are taken from it if present, and generated
/// otherwise. Nothing is fetched, so a client cannot have what [`register_fetching`] would look at.
///
/// # Errors
/// Everything that is wrong with it.
pub fn register(
    metadata: &[u8],
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
) -> Result<Registered, Complaints> {
    let registered = read(metadata, random, rules)?;
    match pairwise::unfetched(&registered.client) {
        None => Ok(registered),
        Some(complaint) => Err(vec![complaint].into()),
    }
}

fn read(
    metadata: &[u8],
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
) -> Result<Registered, Vec<Complaint>> {
    let broken = |rule: String| vec![Complaint::new("metadata", rule, RFC7591)];
    let sent = dynamic::sent(metadata).map_err(|complaint| vec![complaint])?;
    let profile = OwnSettings::profile_in(&sent);
    let picked = rules.choices(profile, &rules.offered.subject_types, &|_| true).pick(&sent);
    let object = picked.over(sent);
    let demands = rules.offered.floor.demands(profile);
    let defaults = rules.offered.client_defaults.members(demands, |name| !object.has(name));
    let object = object.under(defaults.iter().map(|(name, value)| (*name, &**value)), |_| true);
    let mut reader = Reader::new(&object, RFC7591).after(&picked);
    reader.permit(rules.offered.redirects);

    let client_id = read_id(&mut reader, random);
    let mut metadata = ClientMetadata::read(&mut reader, rules.signing(), &rules.offered.subject_types, None);
    check_offered(&mut reader, &mut metadata, rules);
    let given = Given::read(&mut reader);
    let secret = fitting_secret(&mut reader, given, random, rules, &metadata);
    let extra = read_extra(&mut reader, rules);
    if rules.are_unused_members_refused {
        reader.refuse_unknown();
    }

    let (complaints, notices) = reader.finish();
    let Some(client_id) = client_id.filter(|_| complaints.is_empty()) else { return Err(complaints) };
    let registration = RegistrationId::from_bytes(bytes(random));
    let (registered_at, secrets, dynamic) = (rules.now, Vec::new(), None);
    let mut body = ClientBody { client_id, registration, registered_at, secrets, dynamic, metadata, extra };
    if let Some(secret) = &secret {
        secret.keep(&mut body, random, rules).map_err(|fault| broken(fault.to_string()))?;
    }
    let secret_to_show = secret.filter(|secret| secret.is_made).map(|secret| secret.text);
    Ok(Registered { client: Client::new(body), secret_to_show, notices })
}

/// The members that nobody has read and that the application knows.
pub(super) fn read_extra(from: &mut Reader<'_>, rules: &RegistrationRules<'_>) -> Extra {
    let mut extra = Extra::new();
    for name in from.unread().collect::<Vec<_>>() {
        let Some(value) = from.unread_value(name).filter(|_| !is_reserved(name)) else { continue };
        match rules.policy.metadata(name, value) {
            Ok(true) => {
                let _ = from.raw(name);
                extra.insert(name.into(), value.to_owned());
            }
            Ok(false) => {}
            Err(rule) => from.complain(&name.escape_debug().to_string(), rule),
        }
    }
    extra
}

/// Whether the answer to a registration could have such a member of ours.
fn is_reserved(name: &str) -> bool {
    is_of_identity(name) || matches!(name, "chancery" | "software_statement")
}

/// Complains about each value that this build supports but this provider does not offer, unless it can be left out,
/// and about what falls short of the profile that the client is held to.
pub(super) fn check_offered(
    from: &mut Reader<'_>,
    metadata: &mut ClientMetadata,
    rules: &RegistrationRules<'_>,
) {
    let offered = rules.offered;
    match offered.has_jwt_responses() {
        true => {
            let default = rules.signing().default_for(metadata.own.profile);
            metadata.authorization_responses.or_signed_with(default);
        }
        false => metadata.authorization_responses.leave_out(from),
    }
    if offered.authorization_details_types.is_empty() {
        // It means nothing here, as the parameter of requests does.
        metadata.flow.authorization_details_types = None;
    }
    if metadata.flow.is_public() || !offered.endpoints.has(Endpoint::Introspection) {
        metadata.introspection_responses.leave_out(from);
    }
    let flow = &metadata.flow;
    let mut demanded = demanded::complaints(metadata, offered.floor.demands(metadata.own.profile));
    // Without signed responses there is no algorithm for them either.
    demanded.retain(|complaint| {
        offered.has_jwt_responses() || complaint.setting != "authorization_signed_response_alg"
    });
    demanded.extend(demanded::unoffered(metadata, offered));
    for Complaint { setting, rule, section } in &demanded {
        from.complain_by(setting, rule.clone(), section);
    }
    // What a profile forbids is not offered either; of that the client has heard.
    let is_said = |member: &str| demanded.iter().any(|complaint| complaint.setting == member);
    let is_for_operator = !from.is_of_client();
    let grant_types: Vec<&str> = offered.grant_types.iter().map(GrantType::as_str).collect();
    let mut complain = |member: &str, value: &str| {
        if !is_said(member) {
            let known = grant_types.iter().copied().filter(|_| member == "grant_types");
            let remedy = remedy(value, known, is_for_operator);
            from.complain(member, format!("{value} is not offered here{remedy}"));
        }
    };
    // `implicit` follows from the response types, of which the client hears below.
    let is_own = |value: &&GrantType| **value != GrantType::Implicit;
    for value in flow.grant_types.iter().filter(is_own).filter(|value| !offered.grant_types.contains(value)) {
        complain("grant_types", value.as_str());
    }
    for value in flow.response_types.iter().filter(|value| !offered.response_types.contains(value)) {
        complain("response_types", value.as_str());
    }
    for value in flow.response_modes.iter().flatten().filter(|value| !offered.response_modes.contains(value))
    {
        complain("response_modes", value.as_str());
    }
    if !offered.authentication_methods.contains(&flow.token_endpoint_auth_method) {
        complain("token_endpoint_auth_method", flow.token_endpoint_auth_method.as_str());
    }
    let alg = metadata.openid.id_token_signed_response_alg;
    if alg == IdTokenAlgorithm::Unsigned && !offered.unsigned_id_tokens {
        complain("id_token_signed_response_alg", "none");
    }
    let algorithms = &offered.assertion_algorithms;
    for alg in flow.token_endpoint_auth_signing_alg.iter().filter(|alg| !algorithms.contains(alg)) {
        complain("token_endpoint_auth_signing_alg", alg.name());
    }
    match metadata.request_objects.request_object_signing_alg {
        Some(RequestObjectAlgorithm::Signed(alg)) if !offered.request_object_algorithms.contains(&alg) => {
            complain("request_object_signing_alg", alg.name());
        }
        Some(RequestObjectAlgorithm::Unsigned) if !offered.unsigned_request_objects => {
            complain("request_object_signing_alg", "none");
        }
        _ => {}
    }
    let algorithms = &offered.request_object_encryption_algorithms;
    let encryption = metadata.request_objects.request_object_encryption_alg;
    for alg in encryption.iter().filter(|alg| !algorithms.contains(alg)) {
        complain("request_object_encryption_alg", alg.name());
    }
    let ciba = &metadata.ciba;
    for mode in
        ciba.backchannel_token_delivery_mode.iter().filter(|mode| !offered.delivery_modes.contains(mode))
    {
        complain("backchannel_token_delivery_mode", mode.as_str());
    }
    let alg = ciba.backchannel_authentication_request_signing_alg;
    for alg in alg.iter().filter(|alg| !offered.request_object_algorithms.contains(alg)) {
        complain("backchannel_authentication_request_signing_alg", alg.name());
    }
    if metadata.sender_constraint.dpop_bound_access_tokens && !offered.has_dpop() {
        complain("dpop_bound_access_tokens", "DPoP (dpop.offered)");
    }
    let is_bound = metadata.sender_constraint.tls_client_certificate_bound_access_tokens;
    if is_bound && !offered.certificate_bound_access_tokens {
        complain(
            "tls_client_certificate_bound_access_tokens",
            "mutual TLS (mtls.certificate_bound_access_tokens)",
        );
    }
    if !metadata.own.introspects.is_empty() && !offered.endpoints.has(Endpoint::Introspection) {
        complain("chancery.introspects", "introspection (endpoints.introspection)");
    }
    let types = flow.authorization_details_types.iter().flatten();
    for name in types.filter(|name| !offered.authorization_details_types.contains(name)) {
        complain("authorization_details_types", name);
    }
    if flow.require_pushed_authorization_requests
        && !offered.endpoints.has(Endpoint::PushedAuthorizationRequest)
    {
        complain("require_pushed_authorization_requests", "PAR (pushed_requests.offered)");
    }
    if !metadata.request_objects.request_uris.is_empty() && !rules.can_fetch {
        from.complain("request_uris", "this server fetches nothing; send the request objects themselves");
    }
    if metadata.jwks_uri.is_some() && !rules.can_fetch {
        from.complain("jwks_uri", "this server fetches nothing; give the keys themselves as jwks");
    }
}

/// `None` after a complaint.
fn read_id(from: &mut Reader<'_>, random: &dyn Random) -> Option<ClientId> {
    let made = made_id(bytes(random));
    let id = from.string("client_id").unwrap_or(made);
    ClientId::parse(&id).map_err(|_| from.complain("client_id", ID_RULE)).ok()
}

/// A client's secret while it is being registered.
pub(super) struct Secret {
    pub(super) text: Zeroizing<String>,
    pub(super) is_made: bool,
    pub(super) ends: Option<Timestamp>,
}

/// What the metadata says about the secret: the secret itself, and when it expires.
#[derive(Default)]
pub(super) struct Given {
    pub(super) text: Option<Zeroizing<String>>,
    pub(super) ends: Option<Timestamp>,
}

impl Given {
    fn read(from: &mut Reader<'_>) -> Self {
        let text = from.string("client_secret").map(Zeroizing::new);
        // Zero means never (RFC 7591 section 3.2.1).
        let ends = from.number("client_secret_expires_at").filter(|seconds| *seconds > 0);
        let ends = ends.map(|seconds| Timestamp::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)));
        Self { text, ends }
    }
}

/// The shortest secret that cannot be guessed from its digest.
const SHORTEST: usize = 32;

/// The given secret or a new one; `None` if the client needs none, and after a complaint.
pub(super) fn fitting_secret(
    from: &mut Reader<'_>,
    Given { text: given, ends }: Given,
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
    metadata: &ClientMetadata,
) -> Option<Secret> {
    let hmac = metadata.hmac_secret_length();
    if metadata.flow.is_public() && hmac.is_some() {
        let rule = "an HMAC needs a client that authenticates";
        from.complain_by("token_endpoint_auth_method", rule, "OIDC Core section 10.1");
        return None;
    }
    if !metadata.has_secret() {
        // Whoever gives a public client one expects it to authenticate; a client of keys authenticates without.
        if given.is_some() && rules.are_unused_members_refused && metadata.flow.is_public() {
            let rule = "is not used by a client whose token_endpoint_auth_method is none: leave the secret out, or register a \
                        client that has one (`Client::web`)";
            from.complain("client_secret", rule);
        } else if given.is_some() {
            from.notice("client_secret is not used by a client of its method and was left out".to_owned());
        }
        return None;
    }
    let shortest = hmac.unwrap_or(1);
    let Some(text) = given else {
        // A key of an HMAC is long enough for any of them, because the client may choose another one.
        let text = match hmac {
            None => base64url::encode(bytes::<32>(random)),
            Some(_) => base64url::encode(bytes::<64>(random)),
        };
        return Some(Secret { text: Zeroizing::new(text), is_made: true, ends });
    };
    if !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        from.complain_by("client_secret", "must be printable ASCII", "RFC 6749 appendix A.2");
    }
    if text.len() < shortest {
        let rule = format!("must have at least {shortest} characters for its HMAC");
        from.complain_by("client_secret", rule, "RFC 7518 section 3.2");
    } else if text.len() < SHORTEST && !rules.are_weak_secrets_allowed {
        let rule = format!("must have at least {SHORTEST} characters, because only its digest protects it");
        from.complain_by("client_secret", rule, "RFC 6749 section 10.10");
    }
    Some(Secret { text, is_made: false, ends })
}

impl Secret {
    /// Stores the secret in the client: as a digest, and sealed as well if an HMAC or encryption needs it.
    pub(super) fn keep(
        &self,
        client: &mut ClientBody,
        random: &dyn Random,
        rules: &RegistrationRules<'_>,
    ) -> Result<(), Fault> {
        let digest = SecretDigest::new(bytes(random), &self.text);
        let needs_itself = client.metadata.needs_secret_itself();
        let seal = || hmac_secret::seal(&self.text, &client.client_id, bytes(random), rules);
        let hmac = needs_itself.then(seal).transpose()?;
        client.secrets.push(ClientSecret {
            digest,
            ends: self.ends,
            is_weak: self.text.len() < SHORTEST,
            hmac,
        });
        Ok(())
    }
}

/// Random bytes.
pub(super) fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// Gives a client a new secret. The existing ones expire at `others_end` or at their own end, whichever comes
/// first.
///
/// Expired ones are dropped. One that an HMAC needed stays for another `longest_session` (`session.absolute`),
/// because for so long what it signed counts as a hint (OIDC Core section 3.1.2.1, `id_token_hint`).
///
/// # Errors
/// A fault for a client that has no secret.
pub fn replace_secret(
    client: &Client,
    others_end: Timestamp,
    longest_session: Duration,
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
) -> Result<Registered, Fault> {
    let mut body = client.body().clone();
    if !body.metadata.has_secret() {
        return Err(Fault::internal("the client has no secret"));
    }
    for secret in &mut body.secrets {
        secret.ends = Some(secret.ends.map_or(others_end, |ends| ends.min(others_end)));
    }
    body.secrets.retain(|secret| {
        let hints = if secret.hmac.is_some() { longest_session } else { Duration::ZERO };
        secret.ends.is_none_or(|ends| rules.now < ends + hints)
    });
    let secret =
        Secret { text: Zeroizing::new(base64url::encode(bytes::<64>(random))), is_made: true, ends: None };
    secret.keep(&mut body, random, rules)?;
    let client = Client::new(body).seen_at(client.revision());
    Ok(Registered { client, secret_to_show: Some(secret.text), notices: Vec::new() })
}
