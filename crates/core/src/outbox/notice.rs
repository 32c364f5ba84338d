//! What each kind of notice is: to whom it goes, what is sent, and what the log says of it.

use std::time::Duration;

use chancery_types::{Key, params};

use super::Outcome;
use super::lanes::Receiver;
use crate::context::{Call, Env};
use crate::error::{Failure, Fault};
use crate::event::{Event, GrantEnd, NotificationFailure};
use crate::fetch::FetchRequest;
use crate::issue::{TokenIssuer, end_grant};
use crate::keys::open;
use crate::model::Client;
use crate::notifier::{ApprovalRequest, Notifying};
use crate::records::{BackchannelAuthenticationBody, ClientMessage, DeliveryBody, Notice};

/// To whom it goes.
pub(super) fn receiver(body: &DeliveryBody) -> Receiver {
    match &body.notice {
        Notice::Decision { .. } | Notice::Logout { .. } => Receiver::Client(body.client.clone()),
        Notice::Approval { .. } => Receiver::Notifier,
    }
}

/// It was heard.
pub(super) fn told(body: &DeliveryBody) -> Event {
    let (client, account) = (body.client.clone(), body.account.clone());
    match &body.notice {
        Notice::Decision { .. } => Event::DecisionNotified { client, account },
        Notice::Logout { .. } => Event::LogoutNotified { client, account },
        Notice::Approval { .. } => Event::ApprovalNotified { client, account },
    }
}

/// It was not heard, and is tried again after this time, or not any more.
pub(super) fn failed(body: &DeliveryBody, why: NotificationFailure, retry_in: Option<Duration>) -> Event {
    let (client, account) = (body.client.clone(), body.account.clone());
    match &body.notice {
        Notice::Decision { .. } => Event::DecisionNotificationFailed { client, account, why, retry_in },
        Notice::Logout { .. } => Event::LogoutNotificationFailed { client, account, why, retry_in },
        Notice::Approval { .. } => Event::ApprovalNotificationFailed { client, account, why, retry_in },
    }
}

/// It is not tried any more: tokens that have not arrived are known to nobody, and end.
pub(super) async fn given_up(call: &Call, env: &Env, body: &DeliveryBody) -> Result<(), Fault> {
    match body.notice {
        Notice::Decision { grant: Some(grant), .. } => {
            end_grant(call, env, (grant, &body.client, Some(&body.account)), GrantEnd::TokensUndelivered)
                .await
        }
        Notice::Decision { grant: None, .. } | Notice::Logout { .. } | Notice::Approval { .. } => Ok(()),
    }
}

/// One attempt. A client that has gone, or was registered anew, is told nothing.
pub(super) async fn send(
    call: &Call,
    env: &Env,
    issuer: &TokenIssuer,
    body: &DeliveryBody,
) -> Result<Outcome, Fault> {
    let client = env.registry.client(&env.realm, &body.client).await?;
    let is_same = |client: &Client| client.registration() == body.registration && client.is_enabled();
    let Some(client) = client.filter(|client| is_same(client)) else { return Ok(Outcome::Over(None)) };
    match &body.notice {
        Notice::Decision { message, .. } => decision(env, issuer, &client, message).await,
        Notice::Logout { sid } => logout(call, env, issuer, &client, (body, sid)).await,
        Notice::Approval { request, link } => approval(call, env, issuer, &client, (*request, link)).await,
    }
}

/// CIBA Core sections 10.2, 10.3.1 and 12: what the client gets to where it is registered now, as often as it has to be
/// sent the same.
async fn decision(env: &Env, issuer: &TokenIssuer, client: &Client, message: &str) -> Result<Outcome, Fault> {
    let ciba = &client.metadata().ciba;
    let Some(uri) = ciba.backchannel_client_notification_endpoint.as_deref() else {
        return Ok(Outcome::Over(None));
    };
    let Some(message) = open::<ClientMessage>(env, &issuer.keys, ClientMessage::KIND, message) else {
        let gone = Fault::internal("the message was sealed by a key that is gone");
        return Ok(Outcome::Over(Some(NotificationFailure::Unreachable(gone))));
    };
    let bearer = format!("Bearer {}", message.client_notification_token);
    let request = FetchRequest::post_json(uri, &message.document).authorized(&bearer);
    Ok(answered(env, &request.of_stranger(client.is_dynamic())).await)
}

/// OIDC Back-Channel Logout section 2.5: a new logout token, with a `jti` of its own, to where the client is
/// registered now.
async fn logout(
    call: &Call,
    env: &Env,
    issuer: &TokenIssuer,
    client: &Client,
    (body, sid): (&DeliveryBody, &str),
) -> Result<Outcome, Fault> {
    let Some(uri) = client.metadata().logout.backchannel_logout_uri.as_deref() else {
        return Ok(Outcome::Over(None));
    };
    let token = match issuer.logout_token(call, env, client, (&body.account, sid)).await {
        Ok(token) => token,
        Err(Failure::Refused(refusal)) => {
            return Ok(Outcome::Failed(NotificationFailure::Unsigned(refusal.reason)));
        }
        Err(Failure::Broken(fault)) => return Ok(Outcome::Failed(NotificationFailure::Unreachable(fault))),
    };
    let form = params::encode([("logout_token", token.as_str())].into_iter());
    let request = FetchRequest::post(uri, &form).of_stranger(client.is_dynamic());
    Ok(answered(env, &request).await)
}

/// CIBA Core section 8: what waits for the person, as long as it waits.
async fn approval(
    call: &Call,
    env: &Env,
    issuer: &TokenIssuer,
    client: &Client,
    (request, link): (Key, &str),
) -> Result<Outcome, Fault> {
    let found = env.records().get::<BackchannelAuthenticationBody>(call.now, request).await?;
    let waits = |body: &BackchannelAuthenticationBody| {
        body.awaited.decision.is_none() && body.awaited.deadline > call.now
    };
    let Some(body) = found.map(|found| found.body).filter(waits) else { return Ok(Outcome::Over(None)) };
    let request = ApprovalRequest {
        realm: &env.realm,
        account: &body.account,
        client: client.id(),
        client_name: client.name().unwrap_or(client.id().as_str()),
        binding_message: body.binding_message.as_deref(),
        link,
        expires_at: body.awaited.deadline,
    };
    let told = match &env.notifying {
        Notifying::Nobody => return Ok(Outcome::Over(None)),
        Notifying::Application(notifier) => notifier.notify(&request).await,
        Notifying::WebHook(url) => match issuer.approval_notice(call, env, url, &request).await {
            Ok(notice) => {
                let form = params::encode([("approval_request", notice.as_str())].into_iter());
                return Ok(answered(env, &FetchRequest::post(url, &form)).await);
            }
            Err(fault) => Err(fault),
        },
    };
    Ok(match told {
        Ok(()) => Outcome::Told,
        Err(fault) => Outcome::Failed(NotificationFailure::Unreachable(fault)),
    })
}

/// Posts it. What the status says of another attempt is the same for every notice: a redirect is an answer like any other
/// that says no, because its receiver must not give one and it is not followed (CIBA Core sections 10.2 and 10.3.1), and a
/// logout that has failed is a 400 (OIDC Back-Channel Logout section 2.8).
async fn answered(env: &Env, request: &FetchRequest<'_>) -> Outcome {
    match env.fetch.fetch(request).await.map(|answer| answer.status()) {
        Ok(200..=299) => Outcome::Told,
        // RFC 9110 section 15.5.9, RFC 6585 section 4: come back later.
        Ok(status @ (408 | 429)) => Outcome::Failed(NotificationFailure::Status(status)),
        Ok(status @ 300..=499) => Outcome::Over(Some(NotificationFailure::Status(status))),
        Ok(status) => Outcome::Failed(NotificationFailure::Status(status)),
        Err(fault) => Outcome::Failed(NotificationFailure::Unreachable(fault)),
    }
}
