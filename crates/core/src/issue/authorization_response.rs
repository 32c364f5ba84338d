//! RFC 6749 sections 4.1.2 and 4.2.2, OAuth 2.0 Multiple Response Types sections 2 to 5: what a person's yes
//! becomes, and the response that the browser carries; JARM section 2: that response as a JWT.
//! Config     `[response_modes] jwt`
//! Discovery  authorization_signing_alg_values_supported authorization_encryption_alg_values_supported
//!            authorization_encryption_enc_values_supported

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::{ClaimsWriter, SigningAlgorithm};
use chancery_store::Record;
use chancery_types::handle::{AuthorizationCode, Handle};
use chancery_types::iana::ErrorCode;
use chancery_types::{Key, Timestamp};

use super::TokenIssuer;
use super::id_token::SECRET_ENDED;
use crate::client::{PROFILE_BROKEN, signing_hmac_key};
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, Reason, Refusal};
use crate::event::{Endpoint, RefusedClient};
use crate::model::{
    Access, Authentication, AuthorizationDetail, ClaimsRequest, Client, Entitlement, GrantId, Granted,
    ResourceServer, Target,
};
use crate::policy::TokenKind;
use crate::records::GrantBody;
use crate::request::{Addressed, Asked, AuthorizationResponse, Unsealed, error_code};
use crate::session::sid;

reasons! {
    /// No key signs the client's ID tokens, or its responses that are JWTs, at this moment.
    pub NOTHING_SIGNS = Reason {
        name: "nothing_signs",
        code: ErrorCode::TemporarilyUnavailable,
        description: "no key signs for this client at this moment",
        section: "RFC 6749 section 4.1.2.1",
    };
}

/// How long a response that is a JWT can be used. JARM section 2.1 recommends 10 minutes at most; the browser takes it
/// to the client at once.
const LIFETIME: Duration = Duration::from_secs(120);

/// The response parameters that are numbers (RFC 6749 section 4.2.2).
const NUMBERS: [&str; 1] = ["expires_in"];

/// A person's approval, about to become a grant.
pub(crate) struct Yes<'a> {
    /// The session in which it was given.
    pub(crate) session: Key,
    /// How the person authenticated.
    pub(crate) authentication: &'a Authentication,
    /// The scopes and the access to resource servers that were approved.
    pub(crate) access: Access,
    /// The authorization details that were approved.
    pub(crate) details: Vec<AuthorizationDetail>,
    /// The single claims that were approved.
    pub(crate) claims: ClaimsRequest,
    /// The name of the grant, in the session's partition.
    pub(crate) grant: GrantId,
    /// The code for the client, in the same partition, if the response type has one.
    pub(crate) code: Handle<AuthorizationCode>,
}

/// A response and the records that make it valid.
pub(crate) struct Drafted {
    /// The grant, the code and the tokens, to be written in one step of the session's partition.
    pub(crate) records: Vec<Record>,
    /// What the client is told.
    pub(crate) parameters: Vec<(&'static str, String)>,
}

/// What is granted, and the code of the yes.
pub(super) fn granted(
    now: Timestamp,
    client: &Client,
    asked: &Asked,
    yes: Yes<'_>,
) -> (Granted, Handle<AuthorizationCode>) {
    let granted = Granted {
        client: client.id().clone(),
        registration: client.registration(),
        grant: yes.grant,
        granted_at: now,
        authentication: yes.authentication.clone(),
        sid: sid(&yes.session, client.id()),
        scopes: asked.scopes.filtered(|scope| yes.access.contains(scope.as_str())),
        resources: yes.access.resources,
        details: yes.details,
        claims: yes.claims,
    };
    (granted, yes.code)
}

impl TokenIssuer {
    /// Drafts the grant and whatever of it the response carries. The grant lives as long as its longest-lived
    /// token can, and ends with the session unless `offline_access` was granted (OIDC Core section 11).
    ///
    /// # Errors
    /// A refusal of the gate, if the response has tokens; a fault of the signer or of the accounts.
    pub(crate) async fn draft_response(
        &self,
        (call, env): (&Call, &Env),
        addressed: &Addressed<'_>,
        asked: &Asked,
        yes: Yes<'_>,
    ) -> Result<Drafted, Failure> {
        let client = &*addressed.client;
        if addressed.is_jwt {
            // Nothing is made for a client that could not be told.
            self.can_seal((call, env), client).await?;
        }
        let session = yes.session;
        let (granted, code) = granted(call.now, client, asked, yes);
        let code = asked.response_type.has_code().then_some(&code);
        let revealed = code.map(Handle::reveal);
        let beside = (revealed.as_deref(), addressed.state.as_deref());
        let front = self.front_channel(call, env, client, (asked, &granted), beside).await?;

        let (what, life) = self.first_entitlement(client, asked, &granted, |target| match code {
            Some(code) => Entitlement::of_code(granted.clone(), target, None, code.key(&env.realm)),
            None => Entitlement::of_front_channel(granted.clone(), target, None),
        });
        let code = code.map(|code| self.draft_code(env, call.now, (addressed, asked), (&what, life), code));
        let (code, code_end) = code.transpose()?.unzip();
        let parent = self.policy.session_bound(&what, client).then_some(session);
        let records = env.records();
        // Tagged with the account only: each tag costs another write, and nothing is listed by the others.
        let tags = records.tags(Some(granted.account()), None, None);
        let end = code_end.max(front.end).unwrap_or(call.now);
        let grant = records.new(granted.grant.key(&env.realm), parent, tags, end, &GrantBody { granted })?;

        let code_parameter = revealed.map(|code| ("code", code));
        Ok(Drafted {
            records: [grant].into_iter().chain(code).chain(front.records).collect(),
            parameters: code_parameter.into_iter().chain(front.parameters).collect(),
        })
    }

    /// Of the entitlements that the client can have, one for each resource server, the first, and how long the
    /// longest-lived access token of any of them lives. The policy is asked the same questions each time.
    pub(super) fn first_entitlement(
        &self,
        client: &Client,
        asked: &Asked,
        granted: &Granted,
        entitled: impl Fn(Target) -> Entitlement,
    ) -> (Entitlement, Duration) {
        let servers = asked.resources.granted(granted);
        let at = |server: Option<&Arc<ResourceServer>>| entitled(Target::of_grant(granted, server.cloned()));
        let life = |what: &Entitlement| {
            self.policy.lifetime(TokenKind::AccessToken, what, client, self.access_token.lifetime(what))
        };
        let first = at(servers.first());
        let others = servers.iter().skip(1).map(|server| life(&at(Some(server))));
        let longest = others.fold(life(&first), Duration::max);
        (first, longest)
    }

    /// Finishes the response: as it is, or as a JWT beside which nothing stands (JARM section 2.3). If there is no key
    /// for the JWT, its client hears so in plain text, and of the response nothing but `state` and `iss`.
    ///
    /// # Errors
    /// A fault of the signer.
    pub(crate) async fn authorization_response(
        &self,
        call: &Call,
        env: &Env,
        unsealed: Unsealed,
    ) -> Result<AuthorizationResponse, Fault> {
        let parameters = match unsealed.is_jwt {
            false => unsealed.parameters,
            // Boxed, so that the future of a plain response has no room for what only a JWT needs.
            true => match Box::pin(self.seal(call, env, &unsealed)).await {
                Ok(jwt) => vec![("response", jwt)],
                Err(Failure::Refused(why)) => refused_in_plain(call, env, &unsealed, why),
                Err(Failure::Broken(fault)) => return Err(fault),
            },
        };
        Ok(AuthorizationResponse { uri: unsealed.uri, encoding: unsealed.encoding, parameters })
    }

    /// The JWT: signed, and for a client that wants it so encrypted (JARM sections 2.1 and 2.2).
    async fn seal(&self, call: &Call, env: &Env, response: &Unsealed) -> Result<String, Failure> {
        let wanted = &response.client.metadata().authorization_responses;
        let alg = self.response_algorithm(&response.client, call.now)?;
        let payload = payload(call, env, response);
        let signed = self.sign_for(call, env, &response.client, alg, &payload).await?;
        self.encrypt_for(call, env, &response.client, wanted.encryption(), signed).await
    }

    /// What the client's JWTs are signed with. A client that names no algorithm and is older than the profile that it is
    /// held to has one that this may forbid.
    fn response_algorithm(&self, client: &Client, now: Timestamp) -> Result<SigningAlgorithm, Refusal> {
        let alg = client.metadata().authorization_responses.signing_algorithm();
        if !client.demands(&self.floor).algorithms.has(&alg) {
            return PROFILE_BROKEN.refused();
        }
        if !alg.is_symmetric() && !self.keys.can_sign(alg, now) {
            return NOTHING_SIGNS.refused();
        }
        Ok(alg)
    }

    /// Whether the client has, at this moment, what its JWTs are made with.
    async fn can_seal(&self, (call, env): (&Call, &Env), client: &Client) -> Result<(), Failure> {
        let wanted = &client.metadata().authorization_responses;
        let alg = self.response_algorithm(client, call.now)?;
        if alg.is_symmetric() && signing_hmac_key(client, alg, &self.keys, call.now)?.is_none() {
            return SECRET_ENDED.refused();
        }
        if let Some(encryption) = wanted.encryption() {
            self.key_for(call, env, client, encryption).await?;
        }
        Ok(())
    }
}

/// JARM section 2.1. The parameter `iss` of RFC 9207 is the claim; of a name the writer keeps the first value.
fn payload(call: &Call, env: &Env, response: &Unsealed) -> String {
    let mut claims = ClaimsWriter::new();
    claims
        .string("iss", env.issuer.as_str())
        .string("aud", response.client.id().as_str())
        .date("exp", call.now + LIFETIME);
    for (name, value) in &response.parameters {
        match value.parse() {
            Ok(number) if NUMBERS.contains(name) => claims.integer(name, number),
            _ => claims.string(name, value),
        };
    }
    claims.finish()
}

/// What a client is told that cannot be sent a JWT.
fn refused_in_plain(
    call: &Call,
    env: &Env,
    response: &Unsealed,
    why: Refusal,
) -> Vec<(&'static str, String)> {
    let mut parameters = vec![
        ("error", error_code(why.reason).as_str().to_owned()),
        ("error_description", why.reason.description.to_owned()),
    ];
    let kept = response.parameters.iter().filter(|(name, _)| matches!(*name, "state" | "iss"));
    parameters.extend(kept.cloned());
    // What was about to be told was recorded when it was refused.
    let is_recorded = response
        .parameters
        .iter()
        .any(|told| *told == ("error_description", why.reason.description.to_owned()));
    if !is_recorded {
        let client = RefusedClient::Claimed(response.client.id().clone());
        env.record_failure(call, Endpoint::Authorization, Some(client), &why.into());
    }
    parameters
}
