//! The lines of the log.

use chancery_core::error::{Fault, FaultKind};
use chancery_core::event::{ClientMethods, Event, LoginAttempt, NotificationFailure, Origins, RefusedClient};
use chancery_types::AccountId;

use super::fields::Fields;
use super::{Content, Entry, Format, Level};
use crate::trace::Trace;

/// Appends the line of an entry.
pub(super) fn append(text: &mut String, format: Format, entry: &Entry) {
    let name = match &entry.content {
        Content::Process { event, .. } => event,
        Content::Request { event, .. } => event.name(),
    };
    let mut line = Fields::begin(format, &entry.at.rfc3339(), entry.level, name);
    match &entry.content {
        Content::Process { about, message, .. } => {
            if let Some((name, value)) = about {
                line.string(name, value);
            }
            line.message(message);
        }
        Content::Request { request, network, trace, event } => {
            // What is no request has the name of its task instead.
            if !matches!(event, Event::TaskFaulted { .. }) {
                line.request(&request.0);
            }
            line.string_if("trace_id", trace.as_ref().map(Trace::id));
            describe(event, &mut line);
            line.network(network.map(|network| network.to_string()).as_deref());
        }
    }
    if entry.dropped_before > 0 {
        line.integer("dropped_before", i64::try_from(entry.dropped_before).unwrap_or(i64::MAX));
    }
    line.end(text);
}

/// The level of an event.
pub(super) fn level(event: &Event) -> Level {
    match event {
        Event::Faulted { .. } | Event::TaskFaulted { .. } => Level::Error,
        Event::ClientKeysUnavailable { .. }
        | Event::RequestObjectUnavailable { .. }
        | Event::LoginBusy { .. }
        | Event::LoginFailed { .. }
        | Event::LoginThrottled { .. }
        | Event::MountedElsewhere { .. }
        | Event::PasswordChangeRefused { .. }
        | Event::PeerUnknown { .. }
        | Event::Refused { .. }
        | Event::ScopesIgnored { .. }
        | Event::ScopesWithheld { .. }
        | Event::SectorUnavailable { .. } => Level::Warn,
        _ => Level::Info,
    }
}

/// Writes the fields of an event. Events carry no secrets.
fn describe(event: &Event, line: &mut Fields) {
    match event {
        Event::ApprovalNotified { client, account }
        | Event::AuthorizationGranted { client, account }
        | Event::BackchannelAuthenticationAsked { client, account }
        | Event::ConsentGiven { client, account }
        | Event::ConsentWithdrawn { client, account }
        | Event::DecisionNotified { client, account }
        | Event::LoginSucceeded { client, account }
        | Event::LogoutNotified { client, account }
        | Event::SignedUp { client, account }
        | Event::UserInfoServed { client, account } => {
            line.string("client_id", client.as_str()).string("account", account.as_str());
        }
        Event::ClientKeysUnavailable { client, fault }
        | Event::RequestObjectUnavailable { client, fault } => {
            line.string("client_id", client.as_str()).string("cause", &fault.to_string());
        }
        Event::ClientRegistered { client, initial_access_token } => {
            line.string("client_id", client.as_str())
                .string_if("initial_access_token", initial_access_token.as_deref());
        }
        Event::ClientExpired { client }
        | Event::ClientRemoved { client }
        | Event::ClientUpdated { client }
        | Event::RequestPushed { client }
        | Event::DeviceAsked { client } => {
            line.string("client_id", client.as_str());
        }
        Event::Declined { client, account } | Event::TokenRevoked { client, account } => {
            line.string("client_id", client.as_str());
            describe_account(account.as_ref(), line);
        }
        Event::Faulted { endpoint, fault, client } => {
            describe_fault(fault, line.string("endpoint", endpoint.as_str()));
            describe_client(client.as_ref(), line);
        }
        Event::TaskFaulted { task, fault } => describe_fault(fault, line.string("task", task.as_str())),
        Event::GrantEnded { client, account, why } => {
            line.string("client_id", client.as_str()).string("why", why.as_str());
            describe_account(account.as_ref(), line);
        }
        Event::Introspected { client, active } => {
            line.string("client_id", client.as_str()).boolean("active", *active);
        }
        Event::LoginBusy { attempt } => describe_login(attempt, line),
        Event::LoginFailed { attempt, reason } => {
            describe_login(attempt, line);
            line.string("reason", reason);
        }
        Event::LoginThrottled { attempt, wait } => {
            describe_login(attempt, line);
            line.integer("wait_seconds", i64::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX));
        }
        Event::SignUpRefused { client, reason } => {
            line.string("client_id", client.as_str()).string("reason", reason);
        }
        Event::PasswordChanged { account, keeps_others } => {
            line.string("account", account.as_str()).boolean("keeps_others", *keeps_others);
        }
        Event::PasswordChangeRefused { account, reason } => {
            line.string("account", account.as_str()).string("reason", reason);
        }
        Event::SessionEnded { account, client } => {
            line.string("account", account.as_str())
                .string_if("client_id", client.as_ref().map(|client| client.as_str()));
        }
        Event::ApprovalNotificationFailed { client, account, why, retry_in }
        | Event::DecisionNotificationFailed { client, account, why, retry_in }
        | Event::LogoutNotificationFailed { client, account, why, retry_in } => {
            line.string("client_id", client.as_str()).string("account", account.as_str());
            match why {
                NotificationFailure::Status(status) => line.integer("status", i64::from(*status)),
                NotificationFailure::Unreachable(fault) => line.string("message", &fault.to_string()),
                NotificationFailure::Unsigned(reason) => line.string("reason", reason.name),
                _ => line,
            };
            line.boolean("given_up", retry_in.is_none());
        }
        Event::MountedElsewhere { advice } => {
            line.string("message", advice);
        }
        Event::PeerUnknown { advice } => {
            line.string("message", advice);
        }
        Event::PromptShown { client, prompt, account } => {
            line.string("client_id", client.as_str()).string("prompt", prompt);
            describe_account(account.as_ref(), line);
        }
        Event::Refused { endpoint, reason, client, redirect_uri, origins, methods } => {
            line.string("endpoint", endpoint.as_str())
                .string("reason", reason.name)
                .string("section", reason.section);
            describe_client(client.as_ref(), line);
            line.string_if("redirect_uri", redirect_uri.as_deref());
            if let Some(Origins { sent, own }) = origins {
                line.string_if("origin", sent.as_deref()).string("own_origin", own);
            }
            if let Some(ClientMethods { used, registered }) = methods {
                line.string("used", used.map_or("another", |used| used.as_str()))
                    .string("registered", registered.as_str());
            }
        }
        Event::SectorUnavailable { fault } => {
            line.string("cause", &fault.to_string());
        }
        Event::ScopesIgnored { client, scopes } | Event::ScopesWithheld { client, scopes } => {
            line.string("client_id", client.as_str()).string("scope", &scopes.to_string());
        }
        Event::TokensIssued { client, grant_type, account } => {
            line.string("client_id", client.as_str()).string("grant_type", grant_type.as_str());
            describe_account(account.as_ref(), line);
        }
        // The engine may have new events, which are logged by name only until they have an arm here.
        _ => {}
    }
}

fn describe_fault(fault: &Fault, line: &mut Fields) {
    let kind = match fault.kind() {
        FaultKind::Unavailable => "unavailable",
        FaultKind::Internal => "internal",
    };
    line.string("fault", kind).string("message", &fault.to_string());
}

/// The account and the client of a login attempt.
fn describe_login(attempt: &LoginAttempt, line: &mut Fields) {
    describe_account(attempt.account.as_ref(), line);
    line.string("name_digest", &attempt.name_digest).string("client_id", attempt.client.as_str());
}

fn describe_account(account: Option<&AccountId>, line: &mut Fields) {
    line.string_if("account", account.map(AccountId::as_str));
}

/// The client that a request came from or claimed to come from.
fn describe_client(client: Option<&RefusedClient>, line: &mut Fields) {
    if let Some(client) = client {
        line.string("client_id", client.id().as_str())
            .boolean("client_authenticated", client.is_authenticated());
    }
}
