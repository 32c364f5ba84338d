//! The claims of a JWT (RFC 7519 section 4).

use std::fmt;

use chancery_types::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{Error, json::Object};

/// The claims set of a JWT: the registered claims by name, all others as they were written.
///
/// ```
/// # mod chancery { pub use chancery_types::Timestamp; pub mod jose { pub use chancery_jose::JwtClaims; } }
/// use chancery::Timestamp;
/// use chancery::jose::JwtClaims;
/// let claims = JwtClaims::parse(br#"{"aud":"https://rs.example","exp":1300819380.5,"x":{"y":1}}"#)?;
/// assert!(claims.is_for("https://rs.example"));
/// assert_eq!(claims.exp, Some(Timestamp::from_millis(1_300_819_380_500)));
/// assert_eq!(claims.raw("x").map(|value| value.get()), Some(r#"{"y":1}"#));
/// # Ok::<(), chancery_jose::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct JwtClaims {
    /// The issuer.
    pub iss: Option<String>,
    /// The subject.
    pub sub: Option<String>,
    /// The audiences; a single string is read as a list of one (RFC 7519 section 4.1.3).
    pub aud: Vec<String>,
    /// Whether the audience is a single string rather than an array.
    pub is_aud_string: bool,
    /// The time from which on it must not be accepted any more.
    pub exp: Option<Timestamp>,
    /// The time before which it must not be accepted.
    pub nbf: Option<Timestamp>,
    /// When it was issued.
    pub iat: Option<Timestamp>,
    /// Its identifier.
    pub jti: Option<String>,
    /// The nonce of the request (OpenID Connect Core 1.0 section 2).
    pub nonce: Option<String>,
    /// All other members, sorted by name.
    others: Vec<(Box<str>, Box<RawValue>)>,
}

impl JwtClaims {
    /// Reads a claims set.
    ///
    /// # Errors
    /// [`Error::Json`], [`Error::DuplicateMember`] (at every depth), [`Error::TooDeep`],
    /// [`Error::MemberType`], [`Error::NumericDate`].
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        let object = Object::parse(json)?;
        let date = |name| object.raw(name).map(numeric_date).transpose();
        Ok(Self {
            iss: object.string("iss")?,
            sub: object.string("sub")?,
            aud: object.raw("aud").map_or(Ok(Vec::new()), audience)?,
            is_aud_string: object.raw("aud").is_some_and(|aud| aud.get().starts_with('"')),
            exp: date("exp")?,
            nbf: date("nbf")?,
            iat: date("iat")?,
            jti: object.string("jti")?,
            nonce: object.string("nonce")?,
            others: object
                .iter()
                .filter(|(name, _)| !REGISTERED.contains(name))
                .map(|(name, value)| (name.into(), value.to_owned()))
                .collect(),
        })
    }

    /// Whether `audience` is one of its audiences.
    #[must_use]
    pub fn is_for(&self, audience: &str) -> bool {
        self.aud.iter().any(|one| one == audience)
    }

    /// A member that has no field here, as it was written.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&RawValue> {
        let at = self.others.binary_search_by(|(other, _)| other.as_ref().cmp(name)).ok()?;
        self.others.get(at).map(|(_, value)| value.as_ref())
    }

    /// A string member that has no field here.
    ///
    /// # Errors
    /// [`Error::MemberType`] when it is present and something else.
    pub fn string(&self, name: &str) -> Result<Option<String>, Error> {
        self.raw(name)
            .map(|value| serde_json::from_str(value.get()).map_err(|_| Error::MemberType))
            .transpose()
    }

    /// A date that has no field here.
    ///
    /// # Errors
    /// [`Error::MemberType`], [`Error::NumericDate`] when it is present and something else.
    pub fn date(&self, name: &str) -> Result<Option<Timestamp>, Error> {
        self.raw(name).map(numeric_date).transpose()
    }

    /// Name and value of the other members, sorted by name.
    pub fn others(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.others.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

const REGISTERED: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce"];

/// 9999-12-31T23:59:59Z
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Seconds since 1970, whole or not (RFC 7519 section 2, NumericDate).
fn numeric_date(value: &RawValue) -> Result<Timestamp, Error> {
    let seconds: f64 = serde_json::from_str(value.get()).map_err(|_| Error::MemberType)?;
    if !(0.0..=LAST_SECOND).contains(&seconds) {
        return Err(Error::NumericDate);
    }
    // The last second is below 2^53 milliseconds, up to which an f64 represents every whole number.
    Ok(Timestamp::from_millis((seconds * 1000.0).round() as i64))
}

/// A string or an array of strings (RFC 7519 section 4.1.3).
fn audience(value: &RawValue) -> Result<Vec<String>, Error> {
    let audience: Audience = serde_json::from_str(value.get()).map_err(|_| Error::MemberType)?;
    Ok(audience.0)
}

struct Audience(Vec<String>);

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AudienceVisitor)
    }
}

struct AudienceVisitor;

impl<'de> Visitor<'de> for AudienceVisitor {
    type Value = Audience;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }
    fn visit_str<E>(self, one: &str) -> Result<Audience, E> {
        Ok(Audience(vec![one.to_owned()]))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Audience, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = seq.next_element()? {
            all.push(one);
        }
        Ok(Audience(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7519 section 3.1.
    #[test]
    fn the_example_of_the_standard() {
        let json = br#"{"iss":"joe",
      "exp":1300819380,
      "http://example.com/is_root":true}"#;
        let claims = JwtClaims::parse(json).unwrap();
        assert_eq!(claims.iss.as_deref(), Some("joe"));
        assert_eq!(claims.exp, Some(Timestamp::from_secs(1_300_819_380)));
        assert_eq!(claims.raw("http://example.com/is_root").unwrap().get(), "true");
        assert_eq!(claims.others().count(), 1);
        assert!(claims.aud.is_empty());
    }

    #[test]
    fn what_is_refused() {
        for (json, want) in [
            (r#"{"iss":"a","iss":"a"}"#, Error::DuplicateMember),
            (r#"{"x":{"a":1,"a":2}}"#, Error::DuplicateMember),
            (r#"{"iss":1}"#, Error::MemberType),
            (r#"{"sub":null}"#, Error::MemberType),
            (r#"{"aud":1}"#, Error::MemberType),
            (r#"{"aud":["a",1]}"#, Error::MemberType),
            (r#"{"aud":{"a":"b"}}"#, Error::MemberType),
            (r#"{"jti":["a"]}"#, Error::MemberType),
            (r#"{"nonce":7}"#, Error::MemberType),
            (r#"{"exp":"1300819380"}"#, Error::MemberType),
            (r#"{"exp":true}"#, Error::MemberType),
            (r#"{"exp":-1}"#, Error::NumericDate),
            (r#"{"nbf":1e300}"#, Error::NumericDate),
            (r#"{"iat":1300819380000}"#, Error::NumericDate),
            (r#"{"iat":1e999}"#, Error::Json),
            (r#"["iss"]"#, Error::Json),
            (r#"{"iss":"a"} "a""#, Error::Json),
            ("", Error::Json),
        ] {
            assert_eq!(JwtClaims::parse(json.as_bytes()).err(), Some(want), "{json}");
        }
    }

    #[test]
    fn dates_and_audiences() {
        let claims =
            JwtClaims::parse(br#"{"exp":253402300799,"nbf":0,"iat":1.5e9,"aud":["a","b"]}"#).unwrap();
        assert_eq!(claims.exp, Some(Timestamp::from_secs(253_402_300_799)));
        assert_eq!(claims.nbf, Some(Timestamp::from_secs(0)));
        assert_eq!(claims.iat, Some(Timestamp::from_secs(1_500_000_000)));
        assert!(claims.is_for("a") && claims.is_for("b") && !claims.is_for("A"));
    }
}
