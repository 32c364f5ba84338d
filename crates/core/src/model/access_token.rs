//! An access token as the resource server that it is for sees it, in whatever form it came.

use chancery_jose::{Error, JwtClaims};
use chancery_types::{ClientId, Scopes, Timestamp};
use serde_json::value::RawValue;

use super::{Acr, Amr, Claims, TokenBinding};

/// An access token that is good: who gave it, to whom, and for what. It is in the extensions of a request that has passed the
/// layer of its resource. A handler of axum has it within the argument `chancery::axum::Token`, or without the feature `axum` as
/// `Extension<AccessToken>`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AccessToken {
    /// Whom it stands for, by the name that this resource server knows; the client itself if nobody gave it (RFC 9068
    /// section 2.2).
    pub subject: Box<str>,
    /// The client that uses it.
    pub client: ClientId,
    /// What may be done with it.
    pub scopes: Scopes,
    /// The resource servers that it is for.
    pub audience: Vec<String>,
    /// When it was issued, if that is known.
    pub issued_at: Option<Timestamp>,
    /// When it ends, if that is known.
    pub expires_at: Option<Timestamp>,
    /// When the person authenticated (RFC 9068 section 2.2.1), if that is told.
    pub authenticated_at: Option<Timestamp>,
    /// The class of this authentication, if that is told.
    pub acr: Option<Acr>,
    /// Its methods.
    pub amr: Vec<Amr>,
    /// In whose hands it is good.
    pub binding: TokenBinding,
    /// Its own name, if it has one.
    pub jti: Option<Box<str>>,
    /// Everything else that is said in it.
    pub claims: Claims,
}

/// The members that have a field of their own, beside those of [`JwtClaims`]; `active` and `token_type` say nothing else.
const FIELDS: &[&str] =
    &["acr", "active", "amr", "auth_time", "client_id", "cnf", "scope", "token_type", "username"];

impl AccessToken {
    /// Reads the claims of a JWT (RFC 9068 section 2.2) or the members of an introspection response (RFC 7662 section
    /// 2.2), which are called alike. Nothing is checked about whom it is for and when it is good.
    ///
    /// # Errors
    /// [`Error::MissingMember`] without `client_id`; [`Error::MemberType`] for one that is something else, and for a
    /// confirmation that is not understood, which is not taken for none (RFC 7800 section 3.1).
    pub fn of_claims(claims: JwtClaims) -> Result<Self, Error> {
        let client = claims.string("client_id")?.ok_or(Error::MissingMember)?;
        let scopes = claims.string("scope")?;
        let acr = claims.string("acr")?;
        let binding = claims.raw("cnf").map(read::<TokenBinding>).transpose()?.unwrap_or_default();
        let amr = claims.raw("amr").map(read::<Vec<Amr>>).transpose()?.unwrap_or_default();
        let authenticated_at = claims.date("auth_time")?;
        let mut others = Claims::default();
        for (name, value) in claims.others().filter(|(name, _)| FIELDS.binary_search(name).is_err()) {
            others.set_raw(name, value.to_owned());
        }
        let JwtClaims { sub, aud, exp, iat, jti, .. } = claims;
        Ok(Self {
            subject: sub.map_or_else(|| client.as_str().into(), String::into_boxed_str),
            client: ClientId::parse(&client).map_err(|_| Error::MemberType)?,
            scopes: Scopes::parse(scopes.as_deref().unwrap_or("")).map_err(|_| Error::MemberType)?,
            audience: aud,
            issued_at: iat,
            expires_at: exp,
            authenticated_at,
            acr: acr.map(|acr| Acr(acr.into())),
            amr,
            binding,
            jti: jti.map(String::into_boxed_str),
            claims: others,
        })
    }

    /// Whether nobody but the client itself stands behind it (RFC 9068 section 5).
    #[must_use]
    pub fn is_of_client(&self) -> bool {
        *self.subject == *self.client.as_str()
    }
}

fn read<'j, T: serde::Deserialize<'j>>(value: &'j RawValue) -> Result<T, Error> {
    serde_json::from_str(value.get()).map_err(|_| Error::MemberType)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Thumbprint;

    fn of(json: &str) -> Result<AccessToken, Error> {
        AccessToken::of_claims(JwtClaims::parse(json.as_bytes()).unwrap())
    }

    /// RFC 9068 section 2.2 and RFC 7662 section 2.2: what there is has a field, and everything else is kept.
    #[test]
    fn every_member_is_somewhere() {
        let token = of(concat!(
            r#"{"iss":"https://id.example","sub":"alice","aud":["https://api.example"],"client_id":"app","exp":3,"#,
            r#""iat":1,"jti":"j","scope":"a b","auth_time":2,"acr":"gold","amr":["pwd","otp"],"active":true,"#,
            r#""cnf":{"jkt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},"groups":["x"],"token_type":"DPoP"}"#
        ))
        .unwrap();
        assert_eq!(
            (&*token.subject, token.client.as_str(), &*token.audience[0]),
            ("alice", "app", "https://api.example")
        );
        assert_eq!(token.scopes, Scopes::parse("a b").unwrap());
        assert_eq!(
            [token.issued_at, token.authenticated_at, token.expires_at],
            [1, 2, 3].map(|at| Some(Timestamp::from_secs(at)))
        );
        assert_eq!(
            (token.acr, token.amr),
            (Some(Acr("gold".into())), vec![Amr::PASSWORD, Amr::ONE_TIME_PASSWORD])
        );
        assert_eq!(
            (token.binding, token.jti.as_deref()),
            (TokenBinding::Key(Thumbprint::new([0; 32])), Some("j"))
        );
        assert_eq!(token.claims.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["groups"]);
    }

    #[test]
    fn without_a_person_the_subject_is_the_client() {
        let token = of(r#"{"client_id":"app"}"#).unwrap();
        assert!(token.is_of_client() && &*token.subject == "app" && token.scopes.is_empty());
        assert!(!of(r#"{"client_id":"app","sub":"alice"}"#).unwrap().is_of_client());
    }

    #[test]
    fn what_cannot_be_read_is_not_passed_over() {
        for json in [
            "{}",
            r#"{"client_id":7}"#,
            r#"{"client_id":""}"#,
            r#"{"client_id":"a","scope":["a"]}"#,
            r#"{"client_id":"a","scope":"a\u0000"}"#,
            r#"{"client_id":"a","acr":1}"#,
            r#"{"client_id":"a","amr":"pwd"}"#,
            r#"{"client_id":"a","auth_time":"1"}"#,
            r#"{"client_id":"a","cnf":null}"#,
            r#"{"client_id":"a","cnf":{}}"#,
            r#"{"client_id":"a","cnf":{"jwk":{}}}"#,
            r#"{"client_id":"a","cnf":{"jkt":"AAAA"}}"#,
            r#"{"client_id":"a","cnf":{"x5t#S256":7}}"#,
        ] {
            assert!(of(json).is_err(), "{json}");
        }
    }
}
