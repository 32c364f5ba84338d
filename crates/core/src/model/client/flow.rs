//! RFC 7591 section 2: what OAuth needs to know about a client: methods, grants, redirect URIs.

use chancery_jose::SigningAlgorithm;
use chancery_types::iana::{
    ClientAuthenticationMethod, GrantType, ResponseEncoding, ResponseMode, ResponseType,
};
use chancery_types::nearest::did_you_mean;
use chancery_types::{RedirectKind, RedirectPattern, RedirectUri, Scopes};
use serde::{Deserialize, Serialize};

use super::Reader;
use super::openid::{OIDC, is_false};
use crate::error::Complaint;
use crate::offered::{EXACT_MATCHING, RedirectLeniency};

/// What a page needs that gets its response as a message.
const WEB_MESSAGE: &str = "draft-sakimura-oauth-wmrm section 5.2";

/// `application_type` (OIDC Registration section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ApplicationType {
    /// On a server, or in a browser.
    #[default]
    Web,
    /// On a person's device (RFC 8252).
    Native,
}

/// What a browser is sent to a URI of the client's for, which says in which list it has to be registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedirectUse {
    /// An authorization response: `redirect_uris`.
    Response,
    /// The way on after a logout: `post_logout_redirect_uris` (OIDC RP-Initiated Logout section 3.1).
    Logout,
}

impl RedirectUse {
    /// The parameter of a request that names the URI.
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Response => "redirect_uri",
            Self::Logout => "post_logout_redirect_uri",
        }
    }

    /// The member of the client's metadata that lists those that are registered.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Response => "redirect_uris",
            Self::Logout => "post_logout_redirect_uris",
        }
    }
}

/// What OAuth needs to know about a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Where it runs.
    pub application_type: ApplicationType,
    /// How it authenticates.
    pub token_endpoint_auth_method: ClientAuthenticationMethod,
    /// What its assertions are signed with; any algorithm of its method if absent (OIDC Registration section
    /// 2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_signing_alg: Option<SigningAlgorithm>,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask the authorization endpoint for.
    pub response_types: Vec<ResponseType>,
    /// The response modes that it may use; `None` for all but those that send messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_modes: Option<Vec<ResponseMode>>,
    /// Whether its requests are refused unless it has pushed them (RFC 9126 section 6).
    #[serde(default, skip_serializing_if = "is_false")]
    pub require_pushed_authorization_requests: bool,
    /// What it may ask the token endpoint for.
    pub grant_types: Vec<GrantType>,
    /// The scopes that it may ask for; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "scope")]
    pub scope: Option<Scopes>,
    /// The types of authorization details that it may ask for; `None` for all (RFC 9396 section 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details_types: Option<Vec<String>>,
}

impl Flow {
    pub(super) fn read(from: &mut Reader<'_>) -> Self {
        let application_type = application_type(from);
        let token_endpoint_auth_method = authentication_method(from);
        let token_endpoint_auth_signing_alg = assertion_algorithm(from, token_endpoint_auth_method);
        let (grant_types, response_types) = grants_and_responses(from);
        let read = Self {
            application_type,
            token_endpoint_auth_method,
            token_endpoint_auth_signing_alg,
            redirect_uris: redirect_uris(
                from,
                "redirect_uris",
                application_type,
                grant_types.contains(&GrantType::Implicit),
            ),
            response_modes: from.values(
                "response_modes",
                ResponseMode::parse,
                "query, fragment, form_post, web_message, jwt, query.jwt, fragment.jwt, form_post.jwt and \
                 web_message.jwt",
            ),
            require_pushed_authorization_requests: from
                .boolean("require_pushed_authorization_requests")
                .unwrap_or(false),
            scope: scopes(from),
            authorization_details_types: from.strings("authorization_details_types"),
            response_types,
            grant_types,
        };
        if read.is_public() && read.grant_types.contains(&GrantType::ClientCredentials) {
            let rule = "client_credentials needs a client that authenticates";
            from.complain_by("grant_types", rule, "RFC 6749 section 4.4");
        }
        if read.response_modes.as_ref().is_some_and(Vec::is_empty) && !read.response_types.is_empty() {
            from.complain("response_modes", "must not be empty");
        }
        let has_origins = read.redirect_uris.iter().all(|uri| uri.origin().is_some());
        let has_messages = read.response_modes.iter().flatten().any(|mode| mode.is_message());
        if has_messages && !has_origins {
            let rule = "web_message needs redirect_uris with an origin, which are https or http";
            from.complain_by("response_modes", rule, WEB_MESSAGE);
        }
        let is_without = !read.response_types.is_empty() && read.redirect_uris.is_empty();
        if is_without && !from.has_complained("redirect_uris") {
            from.complain(
                "redirect_uris",
                "must have at least one URI for the response types (in Rust `.redirect(…)`)",
            );
        }
        read
    }

    /// A URI of a request that the client could register for this use.
    ///
    /// # Errors
    /// What a registration with it is told.
    pub(super) fn registrable(
        &self,
        what_for: RedirectUse,
        text: &str,
        loosened: RedirectLeniency,
    ) -> Result<RedirectUri, Complaint> {
        let is_for_responses = what_for == RedirectUse::Response;
        let is_implicit = is_for_responses && self.grant_types.contains(&GrantType::Implicit);
        let has_messages =
            is_for_responses && self.response_modes.iter().flatten().any(|mode| mode.is_message());
        let broken = match redirect_uri(text, self.application_type, is_implicit, loosened) {
            Ok(uri) if uri.has_wildcard() => {
                ("has a wildcard, which stands in a registration, never in a request", EXACT_MATCHING)
            }
            Ok(uri) if has_messages && uri.origin().is_none() => {
                ("must be https or http, because of web_message", WEB_MESSAGE)
            }
            Ok(uri) => return Ok(uri),
            Err(broken) => broken,
        };
        Err(of_redirect_uri(what_for.member(), text, broken))
    }

    /// Whether the client cannot keep a secret (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == ClientAuthenticationMethod::None
    }

    /// Whether it shows at each request that it has a key of its own, which is in its JWK Set.
    #[must_use]
    pub(crate) fn authenticates_by_published_key(&self) -> bool {
        matches!(
            self.token_endpoint_auth_method,
            ClientAuthenticationMethod::PrivateKeyJwt | ClientAuthenticationMethod::SelfSignedTlsClientAuth
        )
    }

    /// Whether the client may use this response mode for a response type with this default. Those that it did not
    /// choose itself do not include messages; `jwt` is another name for one of the others (JARM section 2.3.4).
    #[must_use]
    pub fn may_use(&self, mode: ResponseMode, by_default: ResponseEncoding) -> bool {
        let meant = |mode: ResponseMode| (mode.encoding(by_default), mode.is_jwt());
        let modes = self.response_modes.as_deref();
        modes.map_or(!mode.is_message(), |modes| modes.iter().any(|have| meant(*have) == meant(mode)))
    }

    /// Whether the client may sign its assertions with this algorithm: the registered one, or else any that
    /// its method allows.
    #[must_use]
    pub fn signs_assertions(&self, alg: SigningAlgorithm) -> bool {
        fits_method(self.token_endpoint_auth_method, alg)
            && self.token_endpoint_auth_signing_alg.is_none_or(|registered| registered.is_same_as(alg))
    }
}

fn application_type(from: &mut Reader<'_>) -> ApplicationType {
    match from.string("application_type").as_deref() {
        None | Some("web") => ApplicationType::Web,
        Some("native") => ApplicationType::Native,
        Some(other) => {
            let rule = format!("must be web or native; it is {other:?}");
            from.complain_by("application_type", rule, OIDC);
            ApplicationType::Web
        }
    }
}

fn authentication_method(from: &mut Reader<'_>) -> ClientAuthenticationMethod {
    let name = "token_endpoint_auth_method";
    let Some(text) = from.string(name) else { return ClientAuthenticationMethod::ClientSecretBasic };
    ClientAuthenticationMethod::parse(&text).unwrap_or_else(|| {
        let there_are = "there are client_secret_basic, client_secret_post, client_secret_jwt, private_key_jwt, \
             tls_client_auth, self_signed_tls_client_auth and none";
        let methods = ClientAuthenticationMethod::ALL.iter().map(|method| method.as_str());
        let near = did_you_mean(&text, methods);
        from.complain(name, format!("{text:?} is not supported; {there_are}{near}"));
        ClientAuthenticationMethod::ClientSecretBasic
    })
}

/// Whether assertions of this method may be signed with this algorithm. An HMAC is for those who share a
/// secret, a signature for those who have a key of their own (OIDC Core section 9).
fn fits_method(method: ClientAuthenticationMethod, alg: SigningAlgorithm) -> bool {
    match method {
        ClientAuthenticationMethod::ClientSecretJwt => alg.is_symmetric(),
        ClientAuthenticationMethod::PrivateKeyJwt => !alg.is_symmetric(),
        _ => false,
    }
}

/// Beside a method without assertions it means nothing, and is left out.
fn assertion_algorithm(
    from: &mut Reader<'_>,
    method: ClientAuthenticationMethod,
) -> Option<SigningAlgorithm> {
    let name = "token_endpoint_auth_signing_alg";
    let text = from.string(name)?;
    let has_assertions = matches!(
        method,
        ClientAuthenticationMethod::ClientSecretJwt | ClientAuthenticationMethod::PrivateKeyJwt
    );
    match SigningAlgorithm::parse(&text) {
        Some(alg) if fits_method(method, alg) => return Some(alg),
        Some(_) if !has_assertions => {
            from.notice(format!("{name}: {method} has no assertions; it was left out"));
        }
        _ => from.complain_by(name, format!("{text:?} does not sign assertions of {method}"), OIDC),
    }
    None
}

/// Grant types and response types belong together (RFC 7591 section 2.1, OIDC Registration section 2): each
/// implies the other.
fn grants_and_responses(from: &mut Reader<'_>) -> (Vec<GrantType>, Vec<ResponseType>) {
    let known = "authorization_code, implicit, client_credentials and refresh_token";
    let grant_types = from.values("grant_types", GrantType::parse, known);
    let known = "code, id_token, id_token token, code id_token, code token, code id_token token and none";
    let mut response_types = from.values("response_types", ResponseType::parse, known);
    if let Some(types) = &mut response_types {
        // The same words in another order are the same type.
        let mut once = Vec::with_capacity(types.len());
        types.retain(|value| {
            !once.contains(value) && {
                once.push(*value);
                true
            }
        });
    }
    let (mut grants, types) = match (grant_types, response_types) {
        (None, None) => (Vec::new(), vec![ResponseType::Code]),
        (Some(grants), None) if grants.contains(&GrantType::AuthorizationCode) => {
            (grants, vec![ResponseType::Code])
        }
        (Some(grants), None) => {
            if grants.contains(&GrantType::Implicit) {
                from.complain("response_types", "must say which belong to the grant type implicit");
            }
            (grants, Vec::new())
        }
        (grants, Some(types)) => (grants.unwrap_or_default(), types),
    };
    let needed = [
        (GrantType::AuthorizationCode, types.iter().any(|value| value.has_code())),
        (GrantType::Implicit, types.iter().any(|value| value.is_front_channel())),
    ];
    for (at, (grant, is_needed)) in needed.into_iter().enumerate() {
        grants.retain(|have| is_needed || *have != grant);
        if is_needed && !grants.contains(&grant) {
            grants.insert(at.min(grants.len()), grant);
        }
    }
    (grants, types)
}

/// How many redirect URIs a client may register by itself. A request has to be compared with all of them.
const MOST_REDIRECT_URIS: usize = 100;

/// A list of URIs that a browser may be redirected to.
pub(super) fn redirect_uris(
    from: &mut Reader<'_>,
    name: &'static str,
    of: ApplicationType,
    is_implicit: bool,
) -> Vec<RedirectUri> {
    let mut good = Vec::new();
    let texts = from.strings(name).unwrap_or_default();
    if from.is_of_client() && texts.len() > MOST_REDIRECT_URIS {
        from.complain(name, format!("must be at most {MOST_REDIRECT_URIS}"));
        return good;
    }
    for text in texts {
        match redirect_uri(&text, of, is_implicit, from.redirects()) {
            Ok(uri) if from.is_of_client() && !is_plain(&uri) => {
                let rule = format!("{text:?} must have a domain name for its host, and no wildcard");
                from.complain_by(name, rule, "RFC 9700 section 4.1.1");
            }
            Ok(uri) => {
                if let Some(notice) = rarely_matches(&uri, of, from.redirects()) {
                    from.notice(format!("{name}: {text:?} {notice}"));
                }
                good.push(uri);
            }
            Err(broken) => from.complain_with(of_redirect_uri(name, &text, broken)),
        }
    }
    good
}

/// Why requests will hardly ever have this URI, although it can be registered.
fn rarely_matches(uri: &RedirectUri, of: ApplicationType, loosened: RedirectLeniency) -> Option<String> {
    if loosened.normalised || uri.has_wildcard() || uri.origin().is_none() {
        return None;
    }
    let normalised = uri.normalised();
    if normalised != uri.as_str() {
        return Some(format!("is compared byte for byte, and most programs send {normalised:?} instead"));
    }
    let has_port = uri.origin().is_some_and(|origin| origin.matches(':').count() > 1);
    let is_localhost =
        uri.kind() == RedirectKind::HttpLoopback && uri.host() == "localhost" && !loosened.http_loopback;
    (of == ApplicationType::Native && is_localhost && !has_port).then(|| {
        "has no port, and of localhost the port is compared: register 127.0.0.1, of which any port counts"
            .to_owned()
    })
}

/// What is said of a URI that a browser must not be redirected to: the rule, and its section.
fn of_redirect_uri(name: &str, text: &str, (rule, section): (&str, &'static str)) -> Complaint {
    let meant = meant_uri(text).map(|meant| format!(": it is probably {meant}")).unwrap_or_default();
    Complaint::new(name, format!("{text:?} {rule}{meant}"), section)
}

/// The URI that is meant by a host and what follows, without a scheme: `localhost:1234/cb` is one of the scheme `localhost`.
fn meant_uri(text: &str) -> Option<String> {
    let host = text.split('/').next().filter(|_| !text.contains("://"))?;
    let (name, port) = match host.rsplit_once(':').filter(|_| !host.ends_with(']')) {
        Some((name, port)) => (name, port),
        None => (host, "0"),
    };
    let scheme = match name {
        "localhost" | "127.0.0.1" | "[::1]" => "http",
        name if name.contains('.') => "https",
        _ => return None,
    };
    let meant = format!("{scheme}://{text}");
    (port.parse::<u16>().is_ok() && RedirectUri::parse(&meant).is_ok()).then_some(meant)
}

/// What keeps a text from being a URI that a browser may be redirected to.
fn of_no_uri(text: &str) -> &'static str {
    if text.len() > RedirectUri::LONGEST {
        "must be at most 2,048 bytes"
    } else if text.chars().any(char::is_whitespace) {
        "must not have blanks"
    } else if text.contains('#') {
        "must not have a fragment: leave out # and what follows"
    } else if text
        .split_once("://")
        .is_some_and(|(_, rest)| rest.split('/').next().unwrap_or("").contains('@'))
    {
        "must not have a user name or password before the host"
    } else if text.contains('*') {
        "must not have a wildcard there: register each address by itself"
    } else {
        "must be an absolute URI in ASCII, such as https://app.example/callback"
    }
}

/// Whether a client may register it by itself: whoever writes a wildcard expects one, and an address could be
/// one of somebody's own network. A loopback address is that of the native client's own machine.
fn is_plain(uri: &RedirectUri) -> bool {
    let leads_to_name = match uri.kind() {
        RedirectKind::HttpLoopback | RedirectKind::PrivateUse => true,
        _ => uri.has_domain_name(),
    };
    leads_to_name && !uri.as_str().contains('*')
}

/// A redirect URI that a client of this type may have, with or without the grant type `implicit`.
fn redirect_uri(
    text: &str,
    of: ApplicationType,
    is_implicit: bool,
    loosened: RedirectLeniency,
) -> Result<RedirectUri, (&'static str, &'static str)> {
    let uri = RedirectUri::parse(text).map_err(|_| (of_no_uri(text), "RFC 6749 section 3.1.2"))?;
    // RFC 3986 section 3.2.2: a host is the same in whatever case.
    let host = uri.host().as_str().to_ascii_lowercase();
    if uri.has_wildcard() && !loosened.wildcards {
        return Err((
            "must not have a wildcard, which is not permitted here: register each address by itself",
            EXACT_MATCHING,
        ));
    }
    if uri.has_wildcard() && RedirectPattern::of(&uri).is_none() {
        let rule = "must have wildcards only in the path without dot segments, and in the host only left of a written-out domain of two labels";
        return Err((rule, EXACT_MATCHING));
    }
    // OIDC Registration section 2: what has tokens in its redirects stays with `https` in any case.
    let is_any_scheme = loosened.any_scheme && !(is_implicit && of == ApplicationType::Web);
    let is_loopback = matches!(&*host, "localhost" | "127.0.0.1" | "[::1]");
    match (uri.kind(), of) {
        (RedirectKind::Never, _) => {
            Err(("must be https: this scheme a browser runs or opens itself", "RFC 8252 section 7.1"))
        }
        _ if is_any_scheme => Ok(uri),
        (RedirectKind::Https, ApplicationType::Native) if is_loopback => {
            Err(("must not be https on a loopback host", OIDC))
        }
        (RedirectKind::Https, ApplicationType::Web) if is_implicit && is_loopback => {
            Err(("must not be on a loopback host, because the response types have tokens", OIDC))
        }
        (RedirectKind::Https, _)
        | (RedirectKind::HttpLoopback | RedirectKind::PrivateUse, ApplicationType::Native) => Ok(uri),
        (RedirectKind::HttpLoopback, ApplicationType::Web) if loosened.http_loopback && !is_implicit => {
            Ok(uri)
        }
        (RedirectKind::HttpLoopback, ApplicationType::Web) => Err((
            "must be https; http on a loopback host needs application_type native, or chancery.http_loopback_redirects \
             (in Rust `.on_loopback()`) while the application is being developed",
            "RFC 9700 section 2.6",
        )),
        (RedirectKind::HttpRemote, _) => {
            let rule = "must be https; http is for loopback hosts alone: localhost, 127.0.0.1 and [::1]";
            Err((rule, "RFC 9700 section 2.6"))
        }
        (RedirectKind::PrivateUse, ApplicationType::Web) => {
            Err(("needs application_type native for its scheme", OIDC))
        }
        (RedirectKind::Other, _) => {
            Err(("must be https, or for a native client a scheme with a dot", "RFC 8252 section 7.1"))
        }
    }
}

fn scopes(from: &mut Reader<'_>) -> Option<Scopes> {
    let text = from.string("scope")?;
    let scopes = Scopes::parse(&text);
    scopes
        .map_err(|_| {
            from.complain_by("scope", "must be scope tokens with spaces between", "RFC 6749 section 3.3")
        })
        .ok()
}

/// `scope` is one space-separated string (RFC 7591 section 2).
mod scope {
    use chancery_types::Scopes;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    #[expect(clippy::ref_option, reason = "serde wants it")]
    pub(super) fn serialize<S: Serializer>(
        scopes: &Option<Scopes>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        scopes.as_ref().map(ToString::to_string).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Scopes>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| Scopes::parse(&text).map_err(D::Error::custom)).transpose()
    }
}
