//! What the engine's events count.

use chancery_core::error::FaultKind;
use chancery_core::event::{
    ACCOUNT_CHANGED, ACCOUNT_MISSING, DISABLED, Endpoint, Event, FIELDS_MISSING, GrantEnd,
};
use chancery_types::iana::GrantType;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use super::add;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    event: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    endpoint: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Faulted {
    endpoint: &'static str,
    fault: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Login {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Issued {
    grant_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    why: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Notice {
    about: &'static str,
    outcome: &'static str,
}

/// The counters. Those whose first count an alert must not miss begin with zero.
pub(super) struct Heard {
    events: Family<Named, Counter>,
    refusals: Family<Refused, Counter>,
    faults: Family<Faulted, Counter>,
    logins: Family<Login, Counter>,
    tokens: Family<Issued, Counter>,
    grants_ended: Family<Ended, Counter>,
    notices: Family<Notice, Counter>,
}

impl Heard {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let heard = Self {
            events: add(registry, "events", "Events, by the names of docs/events.md"),
            refusals: add(registry, "refusals", "Refused requests, by the reasons of docs/reasons.md"),
            faults: add(registry, "faults", "Requests that failed because of us"),
            logins: add(registry, "logins", "Attempts to sign in with a password"),
            tokens: add(registry, "tokens_issued", "Token responses"),
            grants_ended: add(registry, "grants_ended", "Grants that ended before their time"),
            notices: add(registry, "notices", "Notices to clients and to those who tell people"),
        };
        for endpoint in Endpoint::ALL.iter().map(|endpoint| endpoint.as_str()) {
            for fault in [FaultKind::Unavailable, FaultKind::Internal].map(name_of) {
                let _zero = heard.faults.get_or_create(&Faulted { endpoint, fault });
            }
        }
        for outcome in [
            "succeeded",
            "unknown_name",
            "wrong_password",
            DISABLED,
            ACCOUNT_MISSING,
            ACCOUNT_CHANGED,
            FIELDS_MISSING,
            "login_too_old",
            "throttled",
            "busy",
        ] {
            let _zero = heard.logins.get_or_create(&Login { outcome });
        }
        for grant_type in GrantType::ALL.iter().map(name) {
            let _zero = heard.tokens.get_or_create(&Issued { grant_type });
        }
        for why in [
            GrantEnd::CodeReplayed,
            GrantEnd::RefreshTokenReplayed,
            GrantEnd::RevokedByClient,
            GrantEnd::ConsentWithdrawn,
        ] {
            let _zero = heard.grants_ended.get_or_create(&Ended { why: why.as_str() });
        }
        for about in ["approval", "decision", "logout"] {
            for outcome in ["delivered", "failed", "given_up"] {
                let _zero = heard.notices.get_or_create(&Notice { about, outcome });
            }
        }
        heard
    }

    pub(super) fn count(&self, event: &Event) {
        self.events.get_or_create(&Named { event: event.name() }).inc();
        let login = |outcome| {
            self.logins.get_or_create(&Login { outcome }).inc();
        };
        let notice = |about, outcome| {
            self.notices.get_or_create(&Notice { about, outcome }).inc();
        };
        let failed = |is_retried: bool| if is_retried { "failed" } else { "given_up" };
        match event {
            Event::LoginSucceeded { .. } => login("succeeded"),
            Event::LoginFailed { reason, .. } => login(reason),
            Event::LoginThrottled { .. } => login("throttled"),
            Event::LoginBusy { .. } => login("busy"),
            Event::TokensIssued { grant_type, .. } => {
                self.tokens.get_or_create(&Issued { grant_type: name(grant_type) }).inc();
            }
            Event::GrantEnded { why, .. } => {
                self.grants_ended.get_or_create(&Ended { why: why.as_str() }).inc();
            }
            Event::Refused { endpoint, reason, .. } => {
                let refused = Refused { endpoint: endpoint.as_str(), reason: reason.name };
                self.refusals.get_or_create(&refused).inc();
            }
            Event::Faulted { endpoint, fault, .. } => {
                let faulted = Faulted { endpoint: endpoint.as_str(), fault: name_of(fault.kind()) };
                self.faults.get_or_create(&faulted).inc();
            }
            Event::ApprovalNotified { .. } => notice("approval", "delivered"),
            Event::DecisionNotified { .. } => notice("decision", "delivered"),
            Event::LogoutNotified { .. } => notice("logout", "delivered"),
            Event::ApprovalNotificationFailed { retry_in, .. } => {
                notice("approval", failed(retry_in.is_some()));
            }
            Event::DecisionNotificationFailed { retry_in, .. } => {
                notice("decision", failed(retry_in.is_some()));
            }
            Event::LogoutNotificationFailed { retry_in, .. } => {
                notice("logout", failed(retry_in.is_some()));
            }
            _ => {}
        }
    }
}

const fn name_of(kind: FaultKind) -> &'static str {
    match kind {
        FaultKind::Unavailable => "unavailable",
        FaultKind::Internal => "internal",
    }
}

/// Short, and the same for all that this program does not know by itself.
fn name(grant_type: &GrantType) -> &'static str {
    match grant_type {
        GrantType::AuthorizationCode => "authorization_code",
        GrantType::Implicit => "implicit",
        GrantType::ClientCredentials => "client_credentials",
        GrantType::RefreshToken => "refresh_token",
        GrantType::DeviceCode => "device_code",
        GrantType::Ciba => "ciba",
        GrantType::Extension(_) => "extension",
    }
}
