//! `id_token_hint`: an ID token of ours, which proves a past login (OIDC Core section 3.1.2.1, OIDC RP-Initiated
//! Logout section 2).

use chancery_jose::{Compact, JwtClaims};
use chancery_types::{ClientId, Issuer};

use crate::client::past_hmac_keys;
use crate::keys::KeySet;
use crate::model::Client;

/// A login of the past, as an ID token proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastLogin {
    /// Who, as the client knows the person.
    pub(crate) subject: Box<str>,
    /// In which session, as the client knows it; not every client does.
    pub(crate) sid: Option<Box<str>>,
}

impl PastLogin {
    /// Reads an ID token that this issuer made for this client, expired or not, and also when the key that
    /// signed it has made way for another: it is about a session, which lives longer.
    pub(crate) fn read(token: &str, client: &Client, keys: &KeySet, issuer: &Issuer) -> Option<Self> {
        let compact = Compact::parse(token).ok()?;
        let verified = match client.metadata().hmac_algorithm() {
            Some(alg) if compact.header().alg.is_symmetric() => {
                compact.verify_any(past_hmac_keys(client, alg, keys)).ok()?
            }
            _ => keys.verify_past_login(compact).ok()?,
        };
        // An access token (`at+jwt`) or any other typed token is no ID token (RFC 8725 section 3.11).
        if verified.header().typ.as_deref().is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return None;
        }
        let claims = verified.claims().ok()?;
        let is_ours = claims.iss.as_deref() == Some(issuer.as_str()) && claims.is_for(client.id().as_str());
        // Every ID token of ours says when the person logged in, and a signed UserInfo answer, which has the
        // same issuer, audience and no type of its own (OIDC Core section 5.3.2), never does.
        let is_id_token = claims.exp.is_some() && claims.iat.is_some() && claims.raw("auth_time").is_some();
        let sid = claims.string("sid").ok()?.map(String::into_boxed_str);
        let subject = claims.sub.filter(|_| is_ours && is_id_token)?.into_boxed_str();
        Some(Self { subject, sid })
    }
}

/// The client that a hint names, before anything was verified: it only says whose keys to try.
pub(crate) fn claimed_client(token: &str) -> Option<ClientId> {
    let compact = Compact::parse(token).ok()?;
    match JwtClaims::parse(compact.unverified_payload()).ok()?.aud.as_slice() {
        [only] => ClientId::parse(only).ok(),
        _ => None,
    }
}
