//! OpenID Connect Core 1.0 sections 2, 3.1.3.6, 3.2.2.10, 3.3.2.11 and 12.2, CIBA Core section 10.3.1: the ID token.
//! Config     `[id_token]`, `[compatibility] unsigned_id_token`
//! Discovery  id_token_signing_alg_values_supported

use std::time::Duration;

use chancery_jose::{ClaimsWriter, EncodedHeader, SigningAlgorithm, assemble, unsecured};
use chancery_types::iana::ErrorCode;
use chancery_types::{Scope, Scopes, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Draft, TokenIssuer};
use crate::client::signing_hmac_key;
use crate::context::{Call, Env};
use crate::error::{Complaint, Failure, Reason, SectionCheck};
use crate::model::{Authentication, Claims, Client, Holder, Target};
use crate::policy::TokenKind;

/// `[id_token]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IdTokenConfig {
    /// How long an ID token proves the login.
    #[serde(with = "crate::duration")]
    pub lifetime: Duration,
}

impl Default for IdTokenConfig {
    fn default() -> Self {
        Self { lifetime: Duration::from_secs(3600) }
    }
}

impl IdTokenConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        SectionCheck::of("id_token").lifetimes(&[("lifetime", self.lifetime)]).complaints()
    }
}

reasons! {
    /// The client secret that signs this client's ID tokens has expired, so the client could not verify them
    /// (RFC 7591 section 3.2.1).
    pub SECRET_ENDED = Reason {
        name: "client_secret_ended",
        code: ErrorCode::InvalidClient,
        description: "the client secret that signs for this client has expired",
        section: "OIDC Core section 10.1",
    };
    /// The client is registered for ID tokens without a signature, which are not permitted any more.
    pub UNSIGNED = Reason {
        name: "id_token_unsigned",
        code: ErrorCode::UnauthorizedClient,
        description: "ID tokens without a signature are not issued here",
        section: "RFC 8725 section 3.2",
    };
}

/// What an ID token is issued with, and vouches for by a hash.
#[derive(Clone, Copy, Default)]
pub(super) struct Beside<'a> {
    /// The access token of the same response.
    pub(super) access_token: Option<&'a str>,
    /// The code of the same response, for which another ID token will be issued.
    pub(super) code: Option<&'a str>,
    /// The `state` of the same response, if the ID token vouches for it (FAPI 1.0 part 2 section 5.2.2.1).
    pub(super) state: Option<&'a str>,
    /// What it is sent with to a client that did not ask for it in the same exchange.
    pub(super) pushed: Option<Pushed<'a>>,
}

/// What an ID token that is sent to its client vouches for besides (CIBA Core section 10.3.1).
#[derive(Clone, Copy)]
pub(super) struct Pushed<'a> {
    /// The request that it answers.
    pub(super) auth_req_id: &'a str,
    /// The refresh token that is sent along.
    pub(super) refresh_token: Option<&'a str>,
}

impl Beside<'_> {
    /// Whether the claims of scopes are left out, because the client gets them elsewhere: from UserInfo if that
    /// accepts the access token (OIDC Core section 5.4), unless the client is registered to get them twice, or
    /// from the ID token that it exchanges the code for, which no browser sees (section 3.3.3.6).
    fn leads_to_claims(self, target: &Target, client: &Client) -> bool {
        let wants_them_twice = client.metadata().own.scope_claims_in_id_token;
        let from_userinfo = self.access_token.is_some() && target.is_for_userinfo();
        self.code.is_some() || (from_userinfo && !wants_them_twice)
    }
}

impl TokenIssuer {
    /// The signed ID token, encrypted for a client that wants it so, if `openid` is among the scopes of this
    /// response.
    ///
    /// Claims of scopes are left out if the client gets them elsewhere. What the `claims` parameter requests for
    /// the ID token is always included (OIDC Core section 5.5).
    pub(super) async fn id_token(
        &self,
        draft: &Draft<'_>,
        beside: Beside<'_>,
    ) -> Result<Option<String>, Failure> {
        let Draft { call, env, client, what, .. } = *draft;
        let Holder::Person(granted) = &what.holder else { return Ok(None) };
        if !what.target.scopes.contains(Scope::OPENID) {
            return Ok(None);
        }
        let alg = client.metadata().openid.id_token_signed_response_alg.signed();
        // OIDC Core section 2: never from the authorization endpoint, which registration sees to as well.
        let may_be_unsigned =
            self.unsigned_id_tokens && beside.code.is_none() && beside.access_token.is_some();
        if alg.is_none() && !may_be_unsigned {
            return UNSIGNED.refused();
        }
        let is_led = beside.leads_to_claims(&what.target, client);
        let for_claims = if is_led { Scopes::default() } else { what.target.scopes.clone() };
        let asked = (&*granted.claims.id_token, granted.claims.locales.as_deref());
        let person = self.claims.about(env, client.id(), granted.account(), &for_claims, asked).await?;
        let wants_sid = client.metadata().logout.is_told() || granted.claims.of_id_token("sid").is_some();
        let subject = self.subjects.of(client, granted.account());
        let facts = Facts {
            issuer: env.issuer.as_str(),
            subject: subject.as_str(),
            audience: client.id().as_str(),
            issued_at: call.now,
            expires_at: call.now + self.id_token_lifetime(draft),
            sid: Some(&*granted.sid).filter(|sid| wants_sid && !sid.is_empty()),
            authentication: &granted.authentication,
            nonce: what.nonce.as_deref(),
            at_hash: alg.zip(beside.access_token).map(|(alg, token)| alg.hash().left_half(token)),
            c_hash: alg.zip(beside.code).map(|(alg, code)| alg.hash().left_half(code)),
            s_hash: alg.zip(beside.state).map(|(alg, state)| alg.hash().left_half(state)),
            auth_req_id: beside.pushed.map(|pushed| pushed.auth_req_id),
            rt_hash: alg
                .zip(beside.pushed.and_then(|pushed| pushed.refresh_token))
                .map(|(alg, token)| alg.hash().left_half(token)),
        };
        let payload = facts.payload(&person);
        let Some(alg) = alg else { return Ok(Some(unsecured(payload.as_bytes()))) };
        let signed = self.sign_for(call, env, client, alg, &payload).await?;
        let encryption = client.metadata().openid.id_token_encryption();
        self.encrypt_for(call, env, client, encryption, signed).await.map(Some)
    }

    /// How long the ID token proves the login.
    pub(super) fn id_token_lifetime(&self, draft: &Draft<'_>) -> Duration {
        self.policy.lifetime(TokenKind::IdToken, draft.what, draft.client, self.id_token.lifetime)
    }

    /// Signs a JWT for this client: with its own secret and no `kid` if the algorithm is symmetric (OIDC Core
    /// section 10.1), otherwise with the key that signs now.
    pub(crate) async fn sign_for(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        alg: SigningAlgorithm,
        payload: &str,
    ) -> Result<String, Failure> {
        self.sign_typed(call, env, client, (alg, None), payload).await
    }

    /// The same with a `typ` in the header (RFC 8725 section 3.11).
    pub(crate) async fn sign_typed(
        &self,
        call: &Call,
        env: &Env,
        client: &Client,
        (alg, typ): (SigningAlgorithm, Option<&str>),
        payload: &str,
    ) -> Result<String, Failure> {
        if !alg.is_symmetric() {
            return Ok(self.keys.sign_jwt(env, call.now, alg, typ, payload.as_bytes()).await?);
        }
        let Some(key) = signing_hmac_key(client, alg, &self.keys, call.now)? else {
            return SECRET_ENDED.refused();
        };
        let input = EncodedHeader::new(alg, None, typ).signing_input(payload.as_bytes());
        let signature = key.sign(input.as_bytes());
        Ok(assemble(input, &signature))
    }
}

/// The claims that the protocol sets.
struct Facts<'a> {
    issuer: &'a str,
    subject: &'a str,
    audience: &'a str,
    issued_at: Timestamp,
    expires_at: Timestamp,
    authentication: &'a Authentication,
    nonce: Option<&'a str>,
    at_hash: Option<String>,
    c_hash: Option<String>,
    s_hash: Option<String>,
    auth_req_id: Option<&'a str>,
    rt_hash: Option<String>,
    sid: Option<&'a str>,
}

impl Facts<'_> {
    /// The payload, with the claims of the protocol first. Nothing that accounts provide can change them.
    fn payload(&self, person: &Claims) -> String {
        let mut claims = ClaimsWriter::new();
        claims
            .string("iss", self.issuer)
            .string("sub", self.subject)
            .string("aud", self.audience)
            .date("exp", self.expires_at)
            .date("iat", self.issued_at);
        self.authentication.write(&mut claims);
        claims
            .string_if("nonce", self.nonce)
            .string_if("at_hash", self.at_hash.as_deref())
            .string_if("c_hash", self.c_hash.as_deref())
            .string_if("s_hash", self.s_hash.as_deref())
            .string_if("urn:openid:params:jwt:claim:auth_req_id", self.auth_req_id)
            .string_if("urn:openid:params:jwt:claim:rt_hash", self.rt_hash.as_deref())
            .string_if("sid", self.sid);
        person.write(&mut claims);
        claims.finish()
    }
}

#[cfg(test)]
mod tests {
    use chancery_types::AccountId;

    use super::*;
    use crate::model::Account;

    /// CLAIM-12, CLAIM-13, CLAIM-14, CLAIM-20: names, order and form of the claims, and that accounts cannot
    /// change them.
    #[test]
    fn golden() {
        let alice = Account::new(AccountId::parse("alice").unwrap(), "Alice");
        let facts = Facts {
            issuer: "https://op.example",
            subject: "alice",
            audience: "app",
            issued_at: Timestamp::from_secs(100),
            expires_at: Timestamp::from_secs(3700),
            authentication: &Authentication::by_password(&alice, Timestamp::from_secs(90)),
            nonce: Some("n"),
            at_hash: Some("h".to_owned()),
            c_hash: Some("c".to_owned()),
            s_hash: Some("t".to_owned()),
            auth_req_id: None,
            rt_hash: None,
            sid: Some("s"),
        };
        let mut person = Claims::default();
        person.set("email", "a@example.org").set("iss", "https://evil.example").set("azp", "evil");
        assert_eq!(
            facts.payload(&person),
            concat!(
                r#"{"iss":"https://op.example","sub":"alice","aud":"app","exp":3700,"iat":100,"auth_time":90,"#,
                r#""acr":"urn:chancery:acr:password","amr":["pwd"],"nonce":"n","at_hash":"h","c_hash":"c","s_hash":"t","sid":"s","#,
                r#""email":"a@example.org"}"#
            )
        );
        let authentication =
            &Authentication { acr: None, ..Authentication::by_password(&alice, Timestamp::from_secs(90)) };
        let bare = Facts { authentication, nonce: None, sid: None, c_hash: None, s_hash: None, ..facts };
        let bare = bare.payload(&Claims::default());
        assert_eq!(
            bare,
            concat!(
                r#"{"iss":"https://op.example","sub":"alice","aud":"app","exp":3700,"iat":100,"auth_time":90,"#,
                r#""amr":["pwd"],"at_hash":"h"}"#
            )
        );
    }
}
