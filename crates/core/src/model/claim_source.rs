//! Claims that others assert about a person: aggregated and distributed claims (OIDC Core section 5.6.2).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_jose::json::Object;
use chancery_types::{Malformed, RedirectKind, RedirectUri};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::model::ClaimName;

/// How the value of a claim can be represented (OIDC Core section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimType {
    /// The provider asserts it itself.
    Normal,
    /// Somebody else asserts it, in a JWT that the provider hands on.
    Aggregated,
    /// Somebody else asserts it, and the provider says where.
    Distributed,
}

impl ClaimType {
    /// As `claim_types_supported` names it (OIDC Discovery section 3).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Aggregated => "aggregated",
            Self::Distributed => "distributed",
        }
    }
}

/// A source of claims other than the provider: one member of `_claim_sources` (OIDC Core section 5.6.2).
///
/// ```
/// # mod chancery {
/// #     pub use chancery_core::model::Claims;
/// #     pub mod model { pub use chancery_core::model::ClaimSource; }
/// # }
/// use chancery::Claims;
/// use chancery::model::ClaimSource;
/// let mut claims = Claims::default();
/// let bank = ClaimSource::distributed(&["credit_score"], "https://bank.example/claims", Some("ksj3n283dke"));
/// claims.add_source(bank?);
/// assert_eq!(
///     serde_json::to_string(&claims)?,
///     concat!(
///         r#"{"_claim_names":{"credit_score":"src1"},"#,
///         r#""_claim_sources":{"src1":{"access_token":"ksj3n283dke","endpoint":"https://bank.example/claims"}}}"#,
///     ),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ClaimSource {
    claims: Vec<Box<str>>,
    at: Place,
}

/// Where the values are.
#[derive(Clone)]
enum Place {
    Jwt(Box<str>),
    Endpoint { url: Box<str>, access_token: Option<Box<str>> },
}

const NO_JWT: Malformed =
    Malformed::new("a signed JWT", "it has three parts with dots between them, two of them JSON");

const NO_ENDPOINT: Malformed = Malformed::new(
    "a source of claims",
    "its endpoint is https, its access token can stand in a header, and its claims are about a person",
);

const NO_CLAIMS: Malformed = Malformed::new("a source of claims", "it says nothing about a person");

impl ClaimSource {
    /// Aggregated claims: a JWT that the source has signed. It is handed on as it is, and only to a client
    /// that may see everything that it says about the person; whoever can get a JWT with just the claims of
    /// [`ClaimsQuery::names`](crate::ports::ClaimsQuery::names) should.
    ///
    /// Its signature is not verified: the client does that, with the keys of the source.
    ///
    /// # Errors
    /// [`Malformed`] for what is not a signed JWT, or one that says nothing about a person.
    pub fn aggregated(jwt: &str) -> Result<Self, Malformed> {
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| NO_JWT);
        let mut parts = jwt.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NO_JWT);
        };
        if signature.is_empty() || decode(signature).is_err() {
            return Err(NO_JWT);
        }
        Object::parse(&decode(header)?).map_err(|_| NO_JWT)?;
        let payload = decode(payload)?;
        let claims = Object::parse(&payload).map_err(|_| NO_JWT)?;
        let about_person = claims.iter().map(|(name, _)| name).filter(|name| is_about_a_person(name));
        Self::of(about_person, Place::Jwt(jwt.into()))
    }

    /// Distributed claims: where a client gets them, and with which access token, if the client does not have
    /// one. Like a JWT, an endpoint with its token is told only to a client that may see all claims that are
    /// named here; without a token, the names are left out that the client may not see.
    ///
    /// # Errors
    /// [`Malformed`] for an endpoint that is not an `https` URL, an access token that cannot be in a header
    /// (RFC 6750 section 2.1), and for no claim, or one that only the provider sets.
    pub fn distributed(
        claims: &[&str],
        endpoint: &str,
        access_token: Option<&str>,
    ) -> Result<Self, Malformed> {
        let is_https = RedirectUri::parse(endpoint)?.kind() == RedirectKind::Https;
        let is_ours = claims.iter().any(|name| !is_about_a_person(name));
        if !is_https || is_ours || access_token.is_some_and(|token| !is_bearer_token(token)) {
            return Err(NO_ENDPOINT);
        }
        let place = Place::Endpoint { url: endpoint.into(), access_token: access_token.map(Box::from) };
        Self::of(claims.iter().copied(), place)
    }

    fn of<'a>(claims: impl Iterator<Item = &'a str>, at: Place) -> Result<Self, Malformed> {
        let claims: Vec<Box<str>> = claims.map(Box::from).collect();
        if claims.is_empty() { Err(NO_CLAIMS) } else { Ok(Self { claims, at }) }
    }

    /// The claims that it has.
    pub fn claims(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().map(|name| &**name)
    }

    /// What of it may be told to a client that may see these claims. Whatever opens the claims by itself is
    /// told whole or not at all.
    pub(super) fn said(&self, may_see: impl Fn(&str) -> bool) -> Option<Self> {
        let opens = !matches!(self.at, Place::Endpoint { access_token: None, .. });
        let claims: Vec<Box<str>> = self.claims.iter().filter(|name| may_see(name)).cloned().collect();
        let is_told = !claims.is_empty() && (!opens || claims.len() == self.claims.len());
        is_told.then(|| Self { claims, at: self.at.clone() })
    }
}

/// Whether this is a claim of the kind that a source can have, rather than one about the JWT.
fn is_about_a_person(name: &str) -> bool {
    !name.is_empty() && !ClaimName::of(name).is_of_protocol()
}

/// RFC 6750 section 2.1, `b64token`.
fn is_bearer_token(token: &str) -> bool {
    let token = token.trim_end_matches('=').as_bytes();
    !token.is_empty() && token.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte))
}

impl Serialize for ClaimSource {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let json = match &self.at {
            Place::Jwt(jwt) => json!({ "JWT": jwt }),
            Place::Endpoint { url, access_token: None } => json!({ "endpoint": url }),
            Place::Endpoint { url, access_token: Some(token) } => {
                json!({ "endpoint": url, "access_token": token })
            }
        };
        json.serialize(to)
    }
}

impl fmt::Debug for ClaimSource {
    /// Without the JWT and the access token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimSource").field("claims", &self.claims).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use chancery_seeded::Seeded;

    use super::*;

    fn jwt(payload: &str) -> String {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#), URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_jwt_says_itself_which_claims_it_has() {
        let source = ClaimSource::aggregated(&jwt(
            r#"{"iss":"https://a.example","sub":"x","iat":1,"address":{},"name#de":"A"}"#,
        ))
        .unwrap();
        assert_eq!(source.claims().collect::<Vec<_>>(), ["address", "name#de"]);
        assert!(!format!("{source:?}").contains("c2ln"), "{source:?}");
    }

    /// 100,000 JWTs with a damaged byte: what is still one has no claim that only the provider sets.
    #[test]
    fn a_damaged_jwt_is_none_or_another() {
        let whole = jwt(r#"{"iss":"https://a.example","sub":"x","address":{"country":"DE"},"name#de":"A"}"#);
        let mut seeded = Seeded::new(1);
        let mut below = |limit: usize| seeded.below(limit);
        let mut read = 0;
        for _ in 0..100_000 {
            let mut damaged = whole.clone().into_bytes();
            let at = below(damaged.len());
            damaged[at] = u8::try_from(below(128)).unwrap();
            let Ok(source) = ClaimSource::aggregated(str::from_utf8(&damaged).unwrap()) else { continue };
            assert!(source.claims().all(is_about_a_person), "{source:?}");
            let json = serde_json::to_string(&source).unwrap();
            assert!(!json.contains(['<', '\\', ' ', '\n']), "{json}");
            read += 1;
        }
        assert!(read > 1_000, "{read}");
    }

    #[test]
    fn what_is_no_source() {
        let [header, _, signature] = ["eyJhbGciOiJFUzI1NiJ9", "", "c2ln"];
        let payload = URL_SAFE_NO_PAD.encode(r#"{"a":1}"#);
        assert!(ClaimSource::aggregated(&format!("{header}.{payload}.{signature}")).is_ok());
        for bad in [
            String::new(),
            "a.b.c".to_owned(),
            "\"}.e30.c2ln".to_owned(),
            format!("{header}.{payload}"),
            format!("{header}.{payload}."),
            format!("{header}.{payload}.{signature}.{signature}"),
            format!("{header}.{payload}.{signature}=="),
            format!("{header}.{payload}.{signature}\n"),
            format!("W10.{payload}.{signature}"),
            jwt("[]"),
            jwt("{}"),
            jwt(r#"{"iss":"https://a.example","sub":"x"}"#),
            jwt(r#"{"a":1,"a":2}"#),
            jwt(r#"{"_claim_sources":{}}"#),
        ] {
            assert!(ClaimSource::aggregated(&bad).is_err(), "{bad:?}");
        }
        let at = "https://a.example/claims";
        assert!(ClaimSource::distributed(&["a"], at, Some("A1-._~+/==")).is_ok());
        for (claims, at, token) in [
            (&[][..], at, None),
            (&[""], at, None),
            (&["a", "sub"], at, None),
            (&["iss#de"], at, None),
            (&["_claim_names"], at, None),
            (&["a"], "http://a.example/claims", None),
            (&["a"], "https://user@a.example/claims", None),
            (&["a"], "https://a.example/claims#x", None),
            (&["a"], "https:///claims", None),
            (&["a"], "javascript:alert(1)", None),
            (&["a"], "/claims", None),
            (&["a"], at, Some("")),
            (&["a"], at, Some("=")),
            (&["a"], at, Some("a b")),
            (&["a"], at, Some("a\r\nX: y")),
            (&["a"], at, Some("a=b")),
            (&["a"], at, Some("ä")),
        ] {
            assert!(ClaimSource::distributed(claims, at, token).is_err(), "{claims:?} {at} {token:?}");
        }
    }
}
