//! The closed list of things worth knowing afterwards. Log, metrics and the application's sink all read it.
//!
//! No event carries a handle, secret, token or password.

use std::time::Duration;

use chancery_types::iana::GrantType;
use chancery_types::{AccountId, ClientId, Scopes};

pub use crate::offered::Endpoint;

use crate::error::{Fault, Reason};

/// Names one request in logs and on error pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub Box<str>);

/// Why a grant ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantEnd {
    /// Its code was shown twice.
    CodeReplayed,
    /// A refresh token that was replaced was shown again.
    RefreshTokenReplayed,
    /// The client revoked its refresh token.
    RevokedByClient,
    /// The person withdrew the consent.
    ConsentWithdrawn,
}

/// Whom a login was meant for, and where it came from (OWASP ASVS 5.0 section 16.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAttempt {
    /// Who was meant, where that is known.
    pub account: Option<AccountId>,
    /// What stands for the typed name: the same for the same name. Never the name itself, because people type passwords
    /// into the wrong field.
    pub name_digest: Box<str>,
    /// Who asked for the login.
    pub client: ClientId,
    /// Where it came from, as guessing is counted.
    pub network: Option<Box<str>>,
}

/// The client of a request that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusedClient {
    /// It has proved who it is.
    Authenticated(ClientId),
    /// The request says so, and nothing proves it: client authentication failed, the client is public, or a browser
    /// carried the request.
    Claimed(ClientId),
}

impl RefusedClient {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &ClientId {
        match self {
            Self::Authenticated(id) | Self::Claimed(id) => id,
        }
    }

    /// Whether it has proved who it is.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        matches!(self, Self::Authenticated(_))
    }
}

/// Something worth knowing afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An authorization response with a code was made.
    AuthorizationGranted {
        /// Who got it.
        client: ClientId,
        /// For whom.
        account: AccountId,
    },
    /// A person consented.
    ConsentGiven {
        /// To whom.
        client: ClientId,
        /// Who.
        account: AccountId,
    },
    /// A person declined, at a login or a consent.
    Declined {
        /// What the person did not want.
        client: ClientId,
    },
    /// Something broke here; the peer got `server_error` or 503.
    Faulted {
        /// Where it entered.
        endpoint: Endpoint,
        /// What broke.
        fault: Fault,
    },
    /// A grant and all that hangs on it ended.
    GrantEnded {
        /// Whose.
        client: ClientId,
        /// Why.
        why: GrantEnd,
    },
    /// An introspection was answered.
    Introspected {
        /// Who asked.
        client: ClientId,
        /// Whether the answer was `active`.
        active: bool,
    },
    /// A login was not looked at, because there is too much work at this moment.
    LoginBusy {
        /// Whose.
        attempt: LoginAttempt,
    },
    /// A wrong name or password.
    LoginFailed {
        /// Whose.
        attempt: LoginAttempt,
        /// Why: the name of a [`LoginRefusal`](crate::ports::LoginRefusal), or of what the session was refused for.
        reason: &'static str,
    },
    /// A person authenticated.
    LoginSucceeded {
        /// Who.
        account: AccountId,
    },
    /// A login was not looked at, because there were too many failures before it.
    LoginThrottled {
        /// Whose.
        attempt: LoginAttempt,
        /// For how long it would not have been looked at.
        wait: Duration,
    },
    /// A request came without the address of its peer. Recorded once by each service, because it is the fault of the
    /// program around it.
    PeerUnknown {
        /// What is wrong, and how it is mended.
        advice: &'static str,
    },
    /// A person has to act; a page was shown.
    PromptShown {
        /// Who asked.
        client: ClientId,
        /// Name of the prompt, then the name of the reason.
        prompt: &'static str,
    },
    /// A peer was told no.
    Refused {
        /// Where it entered.
        endpoint: Endpoint,
        /// Why.
        reason: &'static Reason,
        /// Which client it was, or said it was. `None` also where no client has the id that it said: what stands there
        /// may be a secret in the wrong place.
        client: Option<RefusedClient>,
        /// Where it came from, as guessing is counted.
        network: Option<Box<str>>,
    },
    /// Scopes that nobody knows were asked for, and ignored.
    ScopesIgnored {
        /// Who asked.
        client: ClientId,
        /// Which; the first ten.
        scopes: Scopes,
    },
    /// A session ended.
    SessionEnded {
        /// Whose.
        account: AccountId,
    },
    /// A token was revoked by its client.
    TokenRevoked {
        /// Whose.
        client: ClientId,
    },
    /// Tokens were issued.
    TokensIssued {
        /// To whom.
        client: ClientId,
        /// On what ground.
        grant_type: GrantType,
        /// For whom; absent for client credentials.
        account: Option<AccountId>,
    },
    /// UserInfo was answered.
    UserInfoServed {
        /// Who asked.
        client: ClientId,
    },
}

impl Event {
    /// As logs and metrics name it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AuthorizationGranted { .. } => "authorization_granted",
            Self::ConsentGiven { .. } => "consent_given",
            Self::Declined { .. } => "declined",
            Self::Faulted { .. } => "faulted",
            Self::GrantEnded { .. } => "grant_ended",
            Self::Introspected { .. } => "introspected",
            Self::LoginBusy { .. } => "login_busy",
            Self::LoginFailed { .. } => "login_failed",
            Self::LoginSucceeded { .. } => "login_succeeded",
            Self::LoginThrottled { .. } => "login_throttled",
            Self::PeerUnknown { .. } => "peer_unknown",
            Self::PromptShown { .. } => "prompt_shown",
            Self::Refused { .. } => "refused",
            Self::ScopesIgnored { .. } => "scopes_ignored",
            Self::SessionEnded { .. } => "session_ended",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::TokensIssued { .. } => "tokens_issued",
            Self::UserInfoServed { .. } => "userinfo_served",
        }
    }
}
