//! CIBA Core sections 10.2, 10.3 and 12: what a client is told of a decision, or gets for it. The outbox sends it.
//!
//! Tokens that are sent are made before the decision is written, and leave in one step with it: whoever loses that
//! step has made tokens that nobody has seen, below a grant that is taken back. So they are made once, however often
//! they have to be sent.
//! Config     `[ciba]`
//! Discovery  none

use chancery_jose::ClaimsWriter;
use chancery_store::Record;
use chancery_types::iana::{ErrorCode, GrantType};
use chancery_types::{Key, Timestamp};

use super::Interactions;
use crate::context::{Call, Env};
use crate::error::{Failure, Fault, Reason};
use crate::issue::{Issuance, TokenResponse};
use crate::keys::{open, seal};
use crate::model::{Client, Entitlement, GrantId, Granted};
use crate::policy;
use crate::records::{
    BackchannelAuthenticationBody, ClientMessage, DeliveryBody, Found, Notice, NotificationSecrets,
};
use crate::rule::resource;

/// What has come of a request.
pub(super) enum Answer<'a> {
    /// A yes. The tokens stand here, and their grant, if the client gets them sent.
    Yes(Option<(&'a TokenResponse, GrantId)>),
    /// A no, or a reason why it cannot be.
    No(&'static Reason),
}

/// The tokens of a client that gets them sent, for which its request was approved; `None` if another request with the
/// same approval has made them.
///
/// # Errors
/// Why the client cannot have them, or a fault; then nothing was made.
pub(super) async fn tokens(
    by: &Interactions,
    (call, env): (&Call, &Env),
    client: &Client,
    found: &Found<BackchannelAuthenticationBody>,
    (granted, nonce, approval): (&Granted, Option<&str>, Key),
) -> Result<Option<TokenResponse>, Failure> {
    let target = resource::target((env, client), granted, (None, &granted.scopes)).await?;
    let (granted, nonce) = (granted.clone(), nonce.map(Box::from));
    let mut entitled = Entitlement::of_approval(GrantType::Ciba, granted, target, nonce, approval);
    by.issuer.give_details(&mut entitled, &[], client)?;
    let told = found.body.client_notification.as_ref();
    let binding = told.map(|told| told.binding).unwrap_or_default();
    let secrets = secrets(by, env, found)?;
    let cleared = policy::clear(env, client, entitled).await?;
    let pushed = (binding, secrets.auth_req_id.as_str());
    match by.issuer.pushed_tokens(call, env, client, cleared, pushed).await? {
        Issuance::Issued(response) => Ok(Some(response)),
        Issuance::Lost(_) => Ok(None),
    }
}

/// The notice for the client, to be written in one step with the decision; none for a client that only polls.
pub(super) fn notice(
    by: &Interactions,
    (call, env): (&Call, &Env),
    client: &Client,
    found: &Found<BackchannelAuthenticationBody>,
    (answer, until): (&Answer<'_>, Timestamp),
) -> Result<Option<Record>, Fault> {
    let body = &found.body;
    let Some(told) = &body.client_notification else { return Ok(None) };
    let secrets = secrets(by, env, found)?;
    let mut members = ClaimsWriter::new();
    members.string("auth_req_id", &secrets.auth_req_id);
    let mut grant = None;
    if told.is_push {
        match answer {
            Answer::Yes(Some((tokens, of))) => {
                tokens.write(&mut members);
                grant = Some(*of);
            }
            Answer::Yes(None) => return Err(Fault::internal("an approval without the tokens that are sent")),
            Answer::No(reason) => {
                members.string("error", push_error(reason)).string("error_description", reason.description);
            }
        }
    }
    let message = ClientMessage {
        client_notification_token: secrets.client_notification_token,
        document: members.finish(),
    };
    let message = seal(env, by.keys(), ClientMessage::KIND, &message)?.into();
    let notice = Notice::Decision { message, grant };
    DeliveryBody::due(call, env, found.key.partition(), (client, &body.account), (notice, until)).map(Some)
}

/// Section 12 knows three codes.
fn push_error(reason: &Reason) -> &'static str {
    match reason.code {
        ErrorCode::AccessDenied => "access_denied",
        ErrorCode::ExpiredToken => "expired_token",
        _ => "transaction_failed",
    }
}

fn secrets(
    by: &Interactions,
    env: &Env,
    found: &Found<BackchannelAuthenticationBody>,
) -> Result<NotificationSecrets, Fault> {
    let sealed = found.body.client_notification.as_ref().map(|told| &*told.secrets);
    let opened = sealed.and_then(|sealed| open(env, by.keys(), NotificationSecrets::KIND, sealed));
    opened.ok_or_else(|| {
        Fault::internal("the secrets of a backchannel request were sealed by a key that is gone")
    })
}
