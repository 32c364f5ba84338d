//! OpenID Connect Core 1.0 section 5.3, UserInfo; RFC 6750 sections 2 and 3, use of the bearer token; RFC 9449
//! section 7, use of a token that is bound to a key.
//! Config     `[userinfo]`, `[compatibility] query_access_token`
//! Discovery  userinfo_endpoint userinfo_signing_alg_values_supported
//!            userinfo_encryption_alg_values_supported userinfo_encryption_enc_values_supported

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::ClaimsWriter;
use chancery_types::iana::ErrorCode;
use chancery_types::{Params, Scope, Timestamp};

use crate::client::meets;
use crate::context::{Call, Env};
use crate::endpoint::{BearerEndpoint, ClientRequest, ClientResponse};
use crate::error::{Failure, Reason, Refusal, Remedy};
use crate::event::Event;
use crate::issue::TokenIssuer;
use crate::issue::access_token::LiveAccessToken;
use crate::issue::encrypted::announce_encryption;
use crate::model::Possession;
use crate::offered::{Component, Endpoint};
use crate::policy::{Authority, Gate, gate};
use crate::ports::BoxFuture;
use crate::rule::bearer::{
    SEVERAL_TOKENS, Scheme, TOKEN_CLIENT_DISABLED, TOKEN_FOR_ANOTHER, TOKEN_IN_QUERY, TOKEN_MISSING,
    TOKEN_UNKNOWN, TOKEN_WITHDRAWN,
};
use crate::rule::claims::ClaimsRule;
use crate::rule::dpop::{Dpop, Proof};
use crate::rule::step_up::RequiredAuthentication;

reasons! {
    /// The access token was issued without the scope `openid`, so UserInfo does not accept it.
    pub NO_OPENID = Reason {
        name: "openid_scope_missing",
        code: ErrorCode::InsufficientScope,
        description: "access token missing openid scope",
        section: "OIDC Core section 5.3",
    };
}

/// What UserInfo answers (OIDC Core section 5.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserInfo {
    /// A JSON object.
    Json(String),
    /// A signed JWT, for a client registered with `userinfo_signed_response_alg`; encrypted for one that is
    /// registered with `userinfo_encrypted_response_alg`, too.
    Jwt(String),
}

/// The UserInfo endpoint.
pub struct UserInfoEndpoint {
    /// Signs answers.
    pub issuer: Arc<TokenIssuer>,
    /// The claims that each scope stands for.
    pub claims: Arc<ClaimsRule>,
    /// Reads proofs of possession.
    pub(crate) dpop: Arc<Dpop>,
    /// What is demanded of the person's authentication (RFC 9470).
    pub authentication: RequiredAuthentication,
    /// Whether the access token may be in the query (RFC 6750 section 2.3).
    pub may_token_be_in_query: bool,
}

impl UserInfoEndpoint {
    /// Returns the consented claims about the person. `query` may only have a token
    /// if a compatibility setting permits it; `form` is the body of a POST, and empty otherwise.
    ///
    /// # Errors
    /// A refusal of RFC 6750 section 3.1, or a fault.
    pub async fn respond(
        &self,
        call: &Call,
        env: &Env,
        query: &Params<'_>,
        form: &Params<'_>,
    ) -> Result<UserInfo, Failure> {
        let (scheme, text) = self.presented(call, query, form)?;
        let proof = self.proof(call, scheme, text)?;
        let shown = Possession { key: proof.as_ref().map(Proof::key), certificate: call.shown_certificate() };
        let found = LiveAccessToken::find(call, env, &self.issuer, text).await?;
        let token = found.ok_or(&TOKEN_UNKNOWN)?;
        scheme.admits(token.binding, &shown)?;
        // RFC 9068 section 4: the audience is checked first. Without `openid`, a resource server's token is
        // for that server alone.
        let server = match &token.resource {
            Some(uri) => match env.registry.resource_server(&env.realm, uri).await? {
                Some(server) if server.is_for_userinfo() && token.scopes.contains(Scope::OPENID) => {
                    Some(server)
                }
                _ => return TOKEN_FOR_ANOTHER.refused(),
            },
            None => None,
        };
        if !token.scopes.contains(Scope::OPENID) {
            let remedy = Some(Remedy::Scope(Scope::OPENID.into()));
            return Err(Refusal { reason: &NO_OPENID, remedy }.into());
        }
        let granted = token.holder.granted().ok_or(&TOKEN_WITHDRAWN)?;
        let client = env.registry.client(&env.realm, &granted.client).await?.ok_or(&TOKEN_WITHDRAWN)?;
        if !client.is_enabled() {
            return TOKEN_CLIENT_DISABLED.refused();
        }
        let demands = client.demands(&self.issuer.floor);
        if query.has("access_token") && demands.header_tokens.is_some() {
            return TOKEN_IN_QUERY.refused();
        }
        // Both can be older than the demands.
        if !token.binding.meets(demands) || meets(&client, demands).is_err() {
            return TOKEN_WITHDRAWN.refused();
        }
        let authority =
            Authority { holder: &token.holder, scopes: &token.scopes, resource: server.as_deref() };
        let scopes = match gate(env, &client, &authority).await? {
            Gate::Open(scopes) if scopes.contains(Scope::OPENID) => scopes,
            Gate::Open(..) | Gate::Closed(_) => return TOKEN_WITHDRAWN.refused(),
        };
        let how = &granted.authentication;
        self.authentication.met((how.acr.as_ref(), Some(how.time())), call.now, Duration::ZERO)?;
        if let Some(proof) = proof {
            proof.use_up(call, env, demands).await?;
        }

        let asked = self.claims.registered(granted.claims.clone(), &client);
        let account = granted.account();
        let asked = (&*asked.userinfo, asked.locales.as_deref());
        let person = self.claims.about(env, client.id(), account, &scopes, asked).await?;
        let mut answer = ClaimsWriter::new();
        let alg = client.metadata().openid.userinfo_signed_response_alg;
        if alg.is_some() {
            // OIDC Core section 5.3.2: a signed response names its issuer and audience.
            answer
                .string("iss", env.issuer.as_str())
                .string("aud", client.id().as_str())
                .date("iat", call.now)
                .date("exp", token.expires_at);
        }
        answer.string("sub", self.issuer.subjects.of(&client, account).as_str());
        person.write(&mut answer);
        let json = answer.finish();
        let answer = match alg {
            Some(alg) => {
                let signed = self.issuer.sign_for(call, env, &client, alg, &json).await?;
                let encryption = client.metadata().openid.userinfo_encryption();
                UserInfo::Jwt(self.issuer.encrypt_for(call, env, &client, encryption, signed).await?)
            }
            None => UserInfo::Json(json),
        };
        let (client, account) = (client.id().clone(), account.clone());
        env.record(call, &Event::UserInfoServed { client, account });
        Ok(answer)
    }

    /// The token, from exactly one place (RFC 6750 section 2), and the scheme for which it has to be good.
    fn presented<'a>(
        &self,
        call: &'a Call,
        query: &'a Params<'_>,
        form: &'a Params<'_>,
    ) -> Result<(Scheme, &'a str), Refusal> {
        if query.has("access_token") && !self.may_token_be_in_query {
            return TOKEN_IN_QUERY.refused();
        }
        match (call.authorization.as_deref(), form.one("access_token")?, query.one("access_token")?) {
            (None, None, None) => TOKEN_MISSING.refused(),
            (None, Some(token), None) | (None, None, Some(token)) => Ok((Scheme::Bearer, token)),
            (Some(header), None, None) => Scheme::of(header, self.dpop.is_offered()),
            _ => SEVERAL_TOKENS.refused(),
        }
    }

    /// The proof that comes with a token of the scheme `DPoP`, and with no other (RFC 9449 section 7.1).
    fn proof(&self, call: &Call, scheme: Scheme, token: &str) -> Result<Option<Proof>, Refusal> {
        let has_proof = self.dpop.is_offered() && call.dpop.is_some();
        match scheme.needs_proof(has_proof)? {
            true => self.dpop.proof(call, Endpoint::UserInfo, Some(token)),
            false => Ok(None),
        }
    }
}

impl BearerEndpoint for UserInfoEndpoint {
    fn answer<'a>(
        &'a self,
        call: &'a Call,
        env: &'a Env,
        request: &'a ClientRequest<'_>,
    ) -> BoxFuture<'a, Result<ClientResponse, Failure>> {
        Box::pin(async move {
            Ok(match self.respond(call, env, &request.query, &request.form).await? {
                UserInfo::Json(claims) => ClientResponse::Json(claims),
                UserInfo::Jwt(jwt) => ClientResponse::Jwt { media_type: "application/jwt", jwt },
            })
        })
    }
}

impl Component for UserInfoEndpoint {
    fn announce(&self, now: Timestamp, metadata: &mut ClaimsWriter) {
        let algorithms = self.issuer.algorithms(now);
        metadata.strings("userinfo_signing_alg_values_supported", algorithms.iter().map(|alg| alg.name()));
        announce_encryption(
            metadata,
            ["userinfo_encryption_alg_values_supported", "userinfo_encryption_enc_values_supported"],
        );
    }
}
