//! RFC 7591, OAuth 2.0 Dynamic Client Registration Protocol: section 2, client metadata; OpenID Connect Dynamic Client
//! Registration 1.0: section 2. The metadata alone; nobody can register by himself.
//!
//! Everything that is wrong is said at once. What would demand a protection that this build does not have is refused;
//! what merely describes is left out, with a notice.

use chancery_jose::json::Object;
use chancery_jose::{JwkSet, RootSecret, SecretDigest, SigningAlgorithm, base64url};
use chancery_store::Revision;
use chancery_types::iana::{ClientAuthenticationMethod, GrantType, ResponseMode, ResponseType};
use chancery_types::{ClientId, RealmId, RedirectKind, RedirectUri, ResourceUri, Scopes, Timestamp};
use zeroize::Zeroizing;

use crate::client::metadata::Metadata;
use crate::client::stored::{StoredClient, StoredSecret, from_stored, sealed_for, sealing_key};
use crate::error::{Complaint, Fault};
use crate::model::{Acr, ApplicationType, Client};
use crate::ports::Random;

/// What a registration is checked against.
#[derive(Clone, Copy)]
pub struct RegistrationRules<'r> {
    /// Where the client will live; the seal of its secret names it.
    pub realm: &'r RealmId,
    /// Seals the secret of a client that is registered for an HMAC.
    pub wrapping: &'r RootSecret,
    /// The asymmetric algorithms that can sign; `None` when that is not known at this place.
    pub algorithms: Option<&'r [SigningAlgorithm]>,
    /// Whether a given secret may have fewer than 32 characters.
    pub are_weak_secrets_allowed: bool,
    /// When it is registered: what an earlier client of the same id got counts no more.
    pub now: Timestamp,
}

/// A client that was registered, not stored yet.
pub struct Registered {
    /// The client.
    pub client: Client,
    /// The secret that was made for it; nobody can ask for it again.
    pub secret_to_show: Option<Zeroizing<String>>,
    /// What was left out, and why.
    pub notices: Vec<String>,
}

const RFC7591: &str = "RFC 7591 section 2";
const OIDC: &str = "OIDC Registration section 2";

/// Reads client metadata. `client_id` and `client_secret` are taken when they are given, and made when not.
///
/// # Errors
/// Everything that is wrong with it.
pub fn register(
    metadata: &[u8],
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
) -> Result<Registered, Vec<Complaint>> {
    let broken = |rule: String| vec![Complaint::new("metadata", rule, RFC7591)];
    let object = Object::parse(metadata).map_err(|error| broken(format!("must be one JSON object: {error}")))?;
    let mut metadata = Metadata::new(&object, "", RFC7591);

    let made_id = base64url::encode(bytes::<16>(random));
    let client_id = metadata.string("client_id").unwrap_or(made_id);
    let client_id = ClientId::parse(&client_id).map_err(|_| metadata.complain("client_id", ID_RULE));
    // So that the rest is looked at, too, it gets a name for now.
    let client_id = client_id.or_else(|()| ClientId::parse("unnamed"));
    let mut client = StoredClient::new(client_id.map_err(|_| broken(ID_RULE.to_owned()))?, rules.now);

    refuse_absent_protections(&mut metadata);
    read_description(&mut metadata, &mut client);
    read_flow(&mut metadata, &mut client);
    read_openid(&mut metadata, &mut client, rules);
    let own = own_settings(&mut metadata, &mut client);
    check_jwks(&mut metadata);
    let secret = read_secret(&mut metadata, random, rules, client.hmac_algorithm(), client.token_endpoint_auth_method);
    for name in metadata.unknown() {
        metadata.notice(format!("{name} is not used here and was left out"));
    }

    let (mut complaints, notices) = metadata.finish();
    complaints.extend(own);
    if !complaints.is_empty() {
        return Err(complaints);
    }
    let fault = |fault: Fault| broken(fault.to_string());
    if let Some(secret) = &secret {
        secret.keep(&mut client, random, rules).map_err(fault)?;
    }
    let stored = client.encode().map_err(fault)?;
    let client = from_stored(&stored, Revision(0), rules.realm, rules.wrapping).map_err(fault)?;
    let secret_to_show = secret.filter(|secret| secret.is_made).map(|secret| secret.text);
    Ok(Registered { client, secret_to_show, notices })
}

const ID_RULE: &str = "must be 1 to 255 printable ASCII characters";

/// `true` here demands something of this server that it does not do, so that it must not be ignored.
const DEMANDS: &[(&str, &str)] = &[
    ("require_pushed_authorization_requests", "RFC 9126 section 6"),
    ("require_signed_request_object", "RFC 9101 section 10.5"),
    ("dpop_bound_access_tokens", "RFC 9449 section 5.2"),
    ("tls_client_certificate_bound_access_tokens", "RFC 8705 section 3.4"),
];

fn refuse_absent_protections(metadata: &mut Metadata<'_>) {
    for (name, section) in DEMANDS {
        if metadata.boolean(name) == Some(true) {
            metadata.complain_by(name, "this protection is not supported; leave it out", section);
        }
    }
    for name in metadata.names() {
        if name.ends_with("_encrypted_response_alg") || name.ends_with("_encrypted_response_enc") {
            metadata.complain_by(name, "encryption is not supported; leave it out", OIDC);
        }
    }
    for name in ["introspection_signed_response_alg", "authorization_signed_response_alg"] {
        match metadata.string(name).as_deref() {
            Some("none") => metadata.complain(name, "must not be none"),
            Some(_) => metadata.notice(format!("{name}: these responses are not signed; it was left out")),
            None => {}
        }
    }
}

fn read_description(metadata: &mut Metadata<'_>, client: &mut StoredClient) {
    client.client_name = metadata.string("client_name").map(Into::into);
    client.client_uri = metadata.url("client_uri", true);
    client.logo_uri = metadata.url("logo_uri", true);
    client.policy_uri = metadata.url("policy_uri", true);
    client.tos_uri = metadata.url("tos_uri", true);
    if let Some(contacts) = metadata.strings("contacts") {
        if contacts.iter().any(|contact| !contact.contains('@')) {
            metadata.complain("contacts", "must be e-mail addresses");
        }
        metadata.notice("contacts is not used here and was left out".to_owned());
    }
}

/// What RFC 6749 needs: methods, grants, redirect URIs.
fn read_flow(metadata: &mut Metadata<'_>, client: &mut StoredClient) {
    match metadata.string("application_type").as_deref() {
        None | Some("web") => {}
        Some("native") => client.application_type = ApplicationType::Native,
        Some(_) => metadata.complain_by("application_type", "must be web or native", OIDC),
    }
    if let Some(text) = metadata.string("token_endpoint_auth_method") {
        match ClientAuthenticationMethod::parse(&text) {
            Some(method) => client.token_endpoint_auth_method = method,
            None => metadata.complain(
                "token_endpoint_auth_method",
                format!("{text:?} is not supported; there are client_secret_basic, client_secret_post and none"),
            ),
        }
    }

    let known = "authorization_code, client_credentials and refresh_token";
    let grant_types = metadata.values("grant_types", GrantType::parse, known);
    let response_types = metadata.values("response_types", ResponseType::parse, "code");
    (client.grant_types, client.response_types) = match (grant_types, response_types) {
        (None, None) => (vec![GrantType::AuthorizationCode], vec![ResponseType::Code]),
        (Some(grants), None) if grants.contains(&GrantType::AuthorizationCode) => (grants, vec![ResponseType::Code]),
        (Some(grants), None) => (grants, Vec::new()),
        // The two belong together (RFC 7591 section 2.1).
        (grants, Some(types)) => {
            let mut grants = grants.unwrap_or_default();
            grants.retain(|grant| !types.is_empty() || *grant != GrantType::AuthorizationCode);
            if !types.is_empty() && !grants.contains(&GrantType::AuthorizationCode) {
                grants.insert(0, GrantType::AuthorizationCode);
            }
            (grants, types)
        }
    };
    let is_public = client.token_endpoint_auth_method == ClientAuthenticationMethod::None;
    if is_public && client.grant_types.contains(&GrantType::ClientCredentials) {
        let rule = "client_credentials needs a client that authenticates";
        metadata.complain_by("grant_types", rule, "RFC 6749 section 4.4");
    }
    client.response_modes = metadata.values("response_modes", ResponseMode::parse, "query, fragment and form_post");
    if client.response_modes.as_ref().is_some_and(Vec::is_empty) && !client.response_types.is_empty() {
        metadata.complain("response_modes", "must not be empty");
    }

    for text in metadata.strings("redirect_uris").unwrap_or_default() {
        match redirect_uri(&text, client.application_type) {
            Ok(uri) => client.redirect_uris.push(uri),
            Err((rule, section)) => metadata.complain_by("redirect_uris", format!("{text:?} {rule}"), section),
        }
    }
    let needs_one = client.response_types.contains(&ResponseType::Code);
    if needs_one && client.redirect_uris.is_empty() {
        metadata.complain("redirect_uris", "must have at least one good URI for the response type code");
    }
    if let Some(text) = metadata.string("scope") {
        match Scopes::parse(&text) {
            Ok(scopes) => client.scope = Some(scopes),
            Err(_) => metadata.complain_by("scope", "must be scope tokens with spaces between", "RFC 6749 section 3.3"),
        }
    }
}

/// A redirect URI that a client of this type may have.
fn redirect_uri(text: &str, of: ApplicationType) -> Result<RedirectUri, (&'static str, &'static str)> {
    let uri = RedirectUri::parse(text).map_err(|_| {
        ("must be an absolute ASCII URI without fragment and user information", "RFC 6749 section 3.1.2")
    })?;
    let is_loopback = matches!(uri.host().as_str(), "localhost" | "127.0.0.1" | "[::1]");
    match (uri.kind(), of) {
        (RedirectKind::Https, ApplicationType::Native) if is_loopback => {
            Err(("must not be https on a loopback host", "OIDC Registration section 2"))
        }
        (RedirectKind::Https, _) | (RedirectKind::HttpLoopback | RedirectKind::PrivateUse, ApplicationType::Native) => {
            Ok(uri)
        }
        (RedirectKind::HttpLoopback, ApplicationType::Web) => {
            Err(("must be https; http on a loopback host needs application_type native", "RFC 9700 section 2.6"))
        }
        (RedirectKind::HttpRemote, _) => {
            Err(("must be https; http is for loopback hosts alone", "RFC 9700 section 2.6"))
        }
        (RedirectKind::PrivateUse, ApplicationType::Web) => {
            Err(("needs application_type native for its scheme", "OIDC Registration section 2"))
        }
        (RedirectKind::Other, _) => {
            Err(("must be https, or for a native client a scheme with a dot", "RFC 8252 section 7.1"))
        }
    }
}

/// What OpenID Connect adds.
fn read_openid(metadata: &mut Metadata<'_>, client: &mut StoredClient, rules: &RegistrationRules<'_>) {
    if let Some(alg) = algorithm(metadata, "id_token_signed_response_alg", rules) {
        client.id_token_signed_response_alg = alg;
    }
    client.userinfo_signed_response_alg = algorithm(metadata, "userinfo_signed_response_alg", rules);
    if let (id_token, Some(userinfo)) = (client.id_token_signed_response_alg, client.userinfo_signed_response_alg)
        && id_token.is_symmetric()
        && userinfo.is_symmetric()
        && id_token != userinfo
    {
        metadata.complain_by("userinfo_signed_response_alg", "must be the HMAC of id_token_signed_response_alg", OIDC);
    }
    match metadata.string("subject_type").as_deref() {
        None | Some("public") => {}
        Some(_) => metadata.complain_by("subject_type", "only public is supported", OIDC),
    }
    client.initiate_login_uri = metadata.url("initiate_login_uri", false);
    client.backchannel_logout_uri = metadata.url("backchannel_logout_uri", true);
    client.frontchannel_logout_uri = metadata.url("frontchannel_logout_uri", true);
    client.default_max_age = metadata.number("default_max_age");
    client.require_auth_time = metadata.boolean("require_auth_time").unwrap_or(false);
    let acr_values = metadata.strings("default_acr_values").unwrap_or_default();
    client.default_acr_values = acr_values.into_iter().map(|text| Acr(text.into())).collect();
}

fn algorithm(
    metadata: &mut Metadata<'_>,
    name: &'static str,
    rules: &RegistrationRules<'_>,
) -> Option<SigningAlgorithm> {
    let text = metadata.string(name)?;
    let alg = SigningAlgorithm::parse(&text);
    let can_sign = |alg: &SigningAlgorithm| {
        alg.is_symmetric() || rules.algorithms.is_none_or(|list| list.iter().any(|have| have.is_same_as(*alg)))
    };
    let alg = alg.filter(can_sign);
    if alg.is_none() {
        let rule = format!("{text:?} is not an algorithm that this server signs with");
        metadata.complain_by(name, rule, "OIDC Registration section 2");
    }
    alg
}

/// The one member that is ours. Here an unknown name is a mistake, because nobody else could mean something by it.
fn own_settings(metadata: &mut Metadata<'_>, client: &mut StoredClient) -> Vec<Complaint> {
    let Some(text) = metadata.raw("chancery") else { return Vec::new() };
    let Ok(object) = Object::parse(text.as_bytes()) else {
        return vec![Complaint::new("chancery", "must be an object", "configuration")];
    };
    let mut own = Metadata::new(&object, "chancery.", "configuration");
    client.pkce_optional = own.boolean("pkce_optional").unwrap_or(false);
    client.refresh_tokens = own.value("refresh_tokens", "\"offline\" or \"always\"").unwrap_or_default();
    client.consent = own.value("consent", "\"ask\" or \"implied\"").unwrap_or_default();
    client.secret_method = own.value("secret_method", "\"either\" or \"registered\"").unwrap_or_default();
    client.enabled = own.boolean("enabled").unwrap_or(true);
    client.default_resource =
        own.value::<ResourceUri>("default_resource", "an absolute URI without a fragment (RFC 8707 section 2)");
    client.introspects = own.value("introspects", "an array of client ids").unwrap_or_default();
    for name in own.unknown() {
        own.complain(
            name,
            "is unknown; there are consent, default_resource, enabled, introspects, pkce_optional, refresh_tokens, \
             secret_method",
        );
    }
    own.finish().0
}

/// Keys of the client would be used by nothing here; but a private one among them is a leak that its owner should know.
fn check_jwks(metadata: &mut Metadata<'_>) {
    let by_uri = metadata.raw("jwks_uri").is_some();
    let Some(jwks) = metadata.raw("jwks") else {
        if by_uri {
            metadata.notice("jwks_uri is not used here and was left out".to_owned());
        }
        return;
    };
    if by_uri {
        metadata.complain("jwks", "must not be given together with jwks_uri");
    }
    match JwkSet::parse(jwks.as_bytes()) {
        Ok(_) => metadata.notice("jwks is not used here and was left out".to_owned()),
        Err(error) => metadata.complain_by("jwks", error.to_string(), "RFC 7517 section 5"),
    }
}

/// A client's secret on its way in.
struct Secret {
    text: Zeroizing<String>,
    is_made: bool,
    ends: Option<Timestamp>,
}

/// Characters below which a secret can be guessed from its digest.
const SHORTEST: usize = 32;

fn read_secret(
    metadata: &mut Metadata<'_>,
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
    hmac: Option<SigningAlgorithm>,
    method: ClientAuthenticationMethod,
) -> Option<Secret> {
    let given = metadata.string("client_secret").map(Zeroizing::new);
    // Zero means never (RFC 7591 section 3.2.1).
    let ends = metadata.number("client_secret_expires_at").filter(|seconds| *seconds > 0);
    let ends = ends.map(|seconds| Timestamp::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX)));
    if method == ClientAuthenticationMethod::None {
        if hmac.is_some() {
            let rule = "an HMAC needs a client that authenticates with a secret";
            metadata.complain_by("token_endpoint_auth_method", rule, "OIDC Core section 10.1");
        } else if given.is_some() {
            metadata.notice("client_secret is not used by a public client and was left out".to_owned());
        }
        return None;
    }
    let shortest = hmac.map_or(1, |alg| alg.hash().length());
    let Some(text) = given else {
        let text = match shortest {
            0..=32 => base64url::encode(bytes::<32>(random)),
            _ => base64url::encode(bytes::<64>(random)),
        };
        return Some(Secret { text: Zeroizing::new(text), is_made: true, ends });
    };
    if !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
        metadata.complain_by("client_secret", "must be printable ASCII", "RFC 6749 appendix A.2");
    }
    if text.len() < shortest {
        let rule = format!("must have at least {shortest} characters for its HMAC");
        metadata.complain_by("client_secret", rule, "RFC 7518 section 3.2");
    } else if text.len() < SHORTEST && !rules.are_weak_secrets_allowed {
        let rule = format!("must have at least {SHORTEST} characters, because only its digest protects it");
        metadata.complain_by("client_secret", rule, "RFC 6749 section 10.10");
    }
    Some(Secret { text, is_made: false, ends })
}

impl Secret {
    /// Writes the secret into the client: its digest, and itself under a seal where an HMAC needs it.
    fn keep(&self, client: &mut StoredClient, random: &dyn Random, rules: &RegistrationRules<'_>) -> Result<(), Fault> {
        let digest = SecretDigest::new(bytes(random), &self.text);
        client.secrets.push(StoredSecret { digest, ends: self.ends });
        if client.hmac_algorithm().is_some() {
            let sealed = sealing_key(rules.wrapping)?
                .seal(bytes(random), &sealed_for(rules.realm, &client.client_id), self.text.as_bytes())
                .map_err(|error| Fault::internal(error.to_string()))?;
            client.sealed_secret = Some(base64url::encode(sealed).into());
        }
        Ok(())
    }
}

/// Random bytes.
fn bytes<const N: usize>(random: &dyn Random) -> [u8; N] {
    let mut bytes = [0; N];
    random.fill(&mut bytes);
    bytes
}

/// A new secret for a client that has one; those that it had are good until `others_end`, or as long as they were.
///
/// # Errors
/// A fault for a public client, or a damaged one.
pub fn replace_secret(
    client: &Client,
    others_end: Timestamp,
    random: &dyn Random,
    rules: &RegistrationRules<'_>,
) -> Result<Registered, Fault> {
    let mut stored = StoredClient::decode(&client.stored)?;
    if stored.token_endpoint_auth_method == ClientAuthenticationMethod::None {
        return Err(Fault::internal("a public client has no secret"));
    }
    for secret in &mut stored.secrets {
        secret.ends = Some(secret.ends.map_or(others_end, |ends| ends.min(others_end)));
    }
    let secret = Secret { text: Zeroizing::new(base64url::encode(bytes::<64>(random))), is_made: true, ends: None };
    secret.keep(&mut stored, random, rules)?;
    let client = from_stored(&stored.encode()?, client.revision, rules.realm, rules.wrapping)?;
    Ok(Registered { client, secret_to_show: Some(secret.text), notices: Vec::new() })
}
