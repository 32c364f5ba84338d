//! The closed list of events. Logs, metrics and the application's sink all receive them.
//!
//! No event carries a handle, secret, token or password.

use std::time::Duration;

use chancery_types::iana::GrantType;
use chancery_types::{AccountId, ClientId, Network, Scopes, Timestamp};

pub use crate::offered::Endpoint;

use crate::error::{Fault, Reason};

mod refused;
pub use refused::{ClientMethods, Origins, RefusedClient};

/// Names one request in logs and on error pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub Box<str>);

/// When and where an event happened: what is known of every event, whatever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occasion<'a> {
    /// When the request arrived.
    pub at: Timestamp,
    /// The request; or `outbox`, `sweep`, `refresh` or `work` for what nobody has asked for.
    pub request_id: &'a RequestId,
    /// The network that the request came from, in the form in which guessing is counted.
    pub network: Option<Network>,
}

impl<'a> Occasion<'a> {
    /// What is known of a request from an unknown network.
    #[must_use]
    pub const fn new(at: Timestamp, request_id: &'a RequestId) -> Self {
        Self { at, request_id, network: None }
    }
}

/// Why a grant ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GrantEnd {
    /// Its authorization code was presented twice.
    CodeReplayed,
    /// A refresh token that had been replaced was presented again.
    RefreshTokenReplayed,
    /// The client revoked its refresh token.
    RevokedByClient,
    /// The person withdrew the consent.
    ConsentWithdrawn,
    /// Its tokens were to be sent to the client, which has never taken them.
    TokensUndelivered,
}

impl GrantEnd {
    /// As logs and metrics name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeReplayed => "code_replayed",
            Self::RefreshTokenReplayed => "refresh_token_replayed",
            Self::RevokedByClient => "revoked_by_client",
            Self::ConsentWithdrawn => "consent_withdrawn",
            Self::TokensUndelivered => "tokens_undelivered",
        }
    }
}

/// Why a login has failed: [`Accounts::find`](crate::ports::Accounts::find) does not know who has signed in.
pub const ACCOUNT_MISSING: &str = "account_missing";

/// Why a login has failed: the account has another epoch than that in which its person has signed in.
pub const ACCOUNT_CHANGED: &str = "account_changed";

/// Why a login has failed: the account is disabled, whether its password or something else has proved the person.
pub const DISABLED: &str = "disabled";

/// Why a login has failed: nobody can sign in with a password, because
/// [`Accounts::authenticate`](crate::ports::Accounts::authenticate) is not implemented.
pub const PASSWORDS_UNSUPPORTED: &str = "passwords_unsupported";

/// Why a login has failed: its form has no field `username` or no field `password`, and
/// [`Accounts::known`](crate::ports::Accounts::known) knew nobody.
pub const FIELDS_MISSING: &str = "fields_missing";

/// Which account a login was for, and where it came from (OWASP ASVS 5.0 section 16.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAttempt {
    /// The account, if it is known.
    pub account: Option<AccountId>,
    /// A digest of the typed name, the same each time for the same name. The name itself is never recorded,
    /// because people type passwords into the wrong field. Empty where no name was typed.
    pub name_digest: Box<str>,
    /// The client that requested the login.
    pub client: ClientId,
}

/// Why a client could not be told something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotificationFailure {
    /// It answered with this status.
    Status(u16),
    /// It did not answer, or something broke here.
    Unreachable(Fault),
    /// Nothing signs for it.
    Unsigned(&'static Reason),
}

/// What the provider does although nobody has asked for it at that moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BackgroundTask {
    /// It looks whether keys, clients or people have changed ([`Provider::refresh`](crate::provider::Provider::refresh)).
    Refresh,
    /// It removes what has expired, and sends what is due to clients.
    Work,
}

impl BackgroundTask {
    /// Its name in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::Work => "work",
        }
    }
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An authorization response with a code was issued.
    AuthorizationGranted {
        /// Who got it.
        client: ClientId,
        /// For whom.
        account: AccountId,
    },
    /// The keys of a client could not be fetched from its `jwks_uri`. The last good ones are used for a day.
    ClientKeysUnavailable {
        /// Whose.
        client: ClientId,
        /// Why.
        fault: Fault,
    },
    /// A client that registered itself was removed because it was never used.
    ClientExpired {
        /// The client.
        client: ClientId,
    },
    /// A client registered itself.
    ClientRegistered {
        /// The client.
        client: ClientId,
        /// The name of the initial access token, if there was one.
        initial_access_token: Option<Box<str>>,
    },
    /// A client removed itself.
    ClientRemoved {
        /// The client.
        client: ClientId,
    },
    /// A client changed its registration.
    ClientUpdated {
        /// The client.
        client: ClientId,
    },
    /// A person consented.
    ConsentGiven {
        /// The client.
        client: ClientId,
        /// Who.
        account: AccountId,
    },
    /// A person has withdrawn what they had agreed to.
    ConsentWithdrawn {
        /// The client.
        client: ClientId,
        /// Who.
        account: AccountId,
    },
    /// A person declined, at a login or a consent.
    Declined {
        /// The client that the person declined.
        client: ClientId,
        /// Who, if somebody was signed in.
        account: Option<AccountId>,
    },
    /// Something broke here; the peer got `server_error` or 503.
    Faulted {
        /// The endpoint that was called.
        endpoint: Endpoint,
        /// What broke.
        fault: Fault,
        /// The client that the request came from or claimed to come from, if that was known by then.
        client: Option<RefusedClient>,
    },
    /// Something broke in a task of the provider, which is no request; it is tried again.
    TaskFaulted {
        /// Which.
        task: BackgroundTask,
        /// What broke.
        fault: Fault,
    },
    /// A grant and everything below it ended.
    GrantEnded {
        /// Whose.
        client: ClientId,
        /// Who had given it, if it is a person's.
        account: Option<AccountId>,
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
    /// A login was not checked because the server is overloaded at the moment.
    LoginBusy {
        /// Whose.
        attempt: LoginAttempt,
    },
    /// A wrong name or password, or a login that is good for nothing.
    LoginFailed {
        /// Whose.
        attempt: LoginAttempt,
        /// The name of a [`LoginRefusal`](crate::ports::LoginRefusal), or why no session was begun after it:
        /// `account_missing`, `account_changed`, `disabled` or `login_too_old`; or `fields_missing`.
        reason: &'static str,
    },
    /// A person authenticated.
    LoginSucceeded {
        /// Who.
        account: AccountId,
        /// The client that requested the login.
        client: ClientId,
    },
    /// A login was not checked because there had been too many failures before it.
    LoginThrottled {
        /// Whose.
        attempt: LoginAttempt,
        /// How long logins are refused unchecked.
        wait: Duration,
    },
    /// A person has changed their password on the account page.
    PasswordChanged {
        /// Who.
        account: AccountId,
        /// Whether everything that they had elsewhere goes on.
        keeps_others: bool,
    },
    /// A password was not changed.
    PasswordChangeRefused {
        /// Whose.
        account: AccountId,
        /// Why not.
        reason: &'static str,
    },
    /// A request came of which nobody knows the peer. Recorded once per service and cause, because the mistake is in
    /// the program that mounts it, or in a proxy.
    PeerUnknown {
        /// What is wrong, and how to fix it.
        advice: &'static str,
    },
    /// A request came for an endpoint, but below another path than the issuer's. Recorded once per service, because the
    /// mistake is in the program that mounts it, or in a proxy.
    MountedElsewhere {
        /// What is wrong, and how to fix it.
        advice: String,
    },
    /// A person, or whoever tells them, was told that something waits for their approval (CIBA Core section 8).
    ApprovalNotified {
        /// Who asks.
        client: ClientId,
        /// Who is asked.
        account: AccountId,
    },
    /// Nobody could be told that something waits for a person's approval.
    ApprovalNotificationFailed {
        /// Who asks.
        client: ClientId,
        /// Who is asked.
        account: AccountId,
        /// Why.
        why: NotificationFailure,
        /// When it is tried again; `None` when it is given up.
        retry_in: Option<Duration>,
    },
    /// A client was told that its person has decided, or got what came of it (CIBA Core sections 10.2 and 10.3).
    DecisionNotified {
        /// Who was told.
        client: ClientId,
        /// Who has decided.
        account: AccountId,
    },
    /// A client could not be told that its person has decided.
    DecisionNotificationFailed {
        /// Who was to be told.
        client: ClientId,
        /// Who has decided.
        account: AccountId,
        /// Why.
        why: NotificationFailure,
        /// When it is tried again; `None` when it is given up.
        retry_in: Option<Duration>,
    },
    /// A client was told that a session has ended (OIDC Back-Channel Logout section 2.5).
    LogoutNotified {
        /// Who was told.
        client: ClientId,
        /// Whose session it was.
        account: AccountId,
    },
    /// A client could not be told that a session has ended.
    LogoutNotificationFailed {
        /// Who was to be told.
        client: ClientId,
        /// Whose session it was.
        account: AccountId,
        /// Why.
        why: NotificationFailure,
        /// When it is tried again; `None` when it is given up.
        retry_in: Option<Duration>,
    },
    /// A person has to act; a page was shown.
    PromptShown {
        /// Who asked.
        client: ClientId,
        /// Name of the prompt.
        prompt: Box<str>,
        /// Who is asked, if somebody is signed in.
        account: Option<AccountId>,
    },
    /// A request was refused.
    Refused {
        /// The endpoint that was called.
        endpoint: Endpoint,
        /// Why.
        reason: &'static Reason,
        /// The client that the request came from or claimed to come from. `None` also if no client has the
        /// claimed id: the value may be a secret in the wrong place.
        client: Option<RefusedClient>,
        /// The redirect URI, or that of a logout, that a person's browser came with, if the client has not registered it:
        /// scheme, host, port and path, of 200 characters at most. A stranger may have chosen it.
        redirect_uri: Option<Box<str>>,
        /// Where it came from, if that is why.
        origins: Option<Origins>,
        /// How its client has authenticated, if that is why.
        methods: Option<ClientMethods>,
    },
    /// A request object could not be fetched from its `request_uri`.
    RequestObjectUnavailable {
        /// Whose it is.
        client: ClientId,
        /// The cause.
        fault: Fault,
    },
    /// A client has pushed an authorization request.
    RequestPushed {
        /// The client.
        client: ClientId,
    },
    /// A client has asked for a person at another device.
    BackchannelAuthenticationAsked {
        /// The client.
        client: ClientId,
        /// The person.
        account: AccountId,
    },
    /// A device has asked for its person.
    DeviceAsked {
        /// Its client.
        client: ClientId,
    },
    /// Unknown scopes were requested and ignored.
    ScopesIgnored {
        /// Who asked.
        client: ClientId,
        /// The first ten of them.
        scopes: Scopes,
    },
    /// Scopes were requested that are known here, but of no use to the client: `offline_access` by one that gets no refresh
    /// tokens, or what is about a person where there is none.
    ScopesWithheld {
        /// Who asked.
        client: ClientId,
        /// Which.
        scopes: Scopes,
    },
    /// The document of a client's `sector_identifier_uri` could not be fetched, so the client was not registered.
    SectorUnavailable {
        /// Why.
        fault: Fault,
    },
    /// Somebody has made an account.
    SignedUp {
        /// On whose login page.
        client: ClientId,
        /// The new account.
        account: AccountId,
    },
    /// An account was not made.
    SignUpRefused {
        /// On whose login page.
        client: ClientId,
        /// Why not.
        reason: &'static str,
    },
    /// A session ended.
    SessionEnded {
        /// Whose.
        account: AccountId,
        /// The client whose request ended it, if one did.
        client: Option<ClientId>,
    },
    /// A token was revoked by its client.
    TokenRevoked {
        /// Whose.
        client: ClientId,
        /// For whom it was issued; absent for the client's own tokens, and for a JWT.
        account: Option<AccountId>,
    },
    /// Tokens were issued.
    TokensIssued {
        /// The client.
        client: ClientId,
        /// The grant type that was used.
        grant_type: GrantType,
        /// For whom; absent for client credentials.
        account: Option<AccountId>,
    },
    /// UserInfo was answered.
    UserInfoServed {
        /// Who asked.
        client: ClientId,
        /// About whom.
        account: AccountId,
    },
}

impl Event {
    /// The client that it is about, if it is about one and that is known.
    #[must_use]
    pub const fn client(&self) -> Option<&ClientId> {
        match self {
            Self::ApprovalNotificationFailed { client, .. }
            | Self::ApprovalNotified { client, .. }
            | Self::AuthorizationGranted { client, .. }
            | Self::BackchannelAuthenticationAsked { client, .. }
            | Self::ClientExpired { client }
            | Self::ClientKeysUnavailable { client, .. }
            | Self::ClientRegistered { client, .. }
            | Self::ClientRemoved { client }
            | Self::ClientUpdated { client }
            | Self::ConsentGiven { client, .. }
            | Self::ConsentWithdrawn { client, .. }
            | Self::DecisionNotificationFailed { client, .. }
            | Self::DecisionNotified { client, .. }
            | Self::Declined { client, .. }
            | Self::DeviceAsked { client }
            | Self::GrantEnded { client, .. }
            | Self::Introspected { client, .. }
            | Self::LoginSucceeded { client, .. }
            | Self::LogoutNotificationFailed { client, .. }
            | Self::LogoutNotified { client, .. }
            | Self::PromptShown { client, .. }
            | Self::RequestObjectUnavailable { client, .. }
            | Self::RequestPushed { client }
            | Self::ScopesIgnored { client, .. }
            | Self::ScopesWithheld { client, .. }
            | Self::SignUpRefused { client, .. }
            | Self::SignedUp { client, .. }
            | Self::TokenRevoked { client, .. }
            | Self::TokensIssued { client, .. }
            | Self::UserInfoServed { client, .. } => Some(client),
            Self::LoginBusy { attempt }
            | Self::LoginFailed { attempt, .. }
            | Self::LoginThrottled { attempt, .. } => Some(&attempt.client),
            Self::SessionEnded { client, .. } => client.as_ref(),
            Self::Faulted { client: Some(client), .. } | Self::Refused { client: Some(client), .. } => {
                Some(client.id())
            }
            Self::Faulted { client: None, .. }
            | Self::MountedElsewhere { .. }
            | Self::PasswordChangeRefused { .. }
            | Self::PasswordChanged { .. }
            | Self::PeerUnknown { .. }
            | Self::Refused { client: None, .. }
            | Self::SectorUnavailable { .. }
            | Self::TaskFaulted { .. } => None,
        }
    }

    /// Its name in logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AuthorizationGranted { .. } => "authorization_granted",
            Self::ClientExpired { .. } => "client_expired",
            Self::ClientKeysUnavailable { .. } => "client_keys_unavailable",
            Self::ClientRegistered { .. } => "client_registered",
            Self::ClientRemoved { .. } => "client_removed",
            Self::ClientUpdated { .. } => "client_updated",
            Self::ConsentGiven { .. } => "consent_given",
            Self::ConsentWithdrawn { .. } => "consent_withdrawn",
            Self::Declined { .. } => "declined",
            Self::Faulted { .. } => "faulted",
            Self::TaskFaulted { .. } => "task_faulted",
            Self::GrantEnded { .. } => "grant_ended",
            Self::Introspected { .. } => "introspected",
            Self::LoginBusy { .. } => "login_busy",
            Self::LoginFailed { .. } => "login_failed",
            Self::LoginSucceeded { .. } => "login_succeeded",
            Self::LoginThrottled { .. } => "login_throttled",
            Self::ApprovalNotified { .. } => "approval_notified",
            Self::ApprovalNotificationFailed { .. } => "approval_notification_failed",
            Self::DecisionNotified { .. } => "decision_notified",
            Self::DecisionNotificationFailed { .. } => "decision_notification_failed",
            Self::LogoutNotified { .. } => "logout_notified",
            Self::LogoutNotificationFailed { .. } => "logout_notification_failed",
            Self::MountedElsewhere { .. } => "mounted_elsewhere",
            Self::PasswordChanged { .. } => "password_changed",
            Self::PasswordChangeRefused { .. } => "password_change_refused",
            Self::PeerUnknown { .. } => "peer_unknown",
            Self::PromptShown { .. } => "prompt_shown",
            Self::Refused { .. } => "refused",
            Self::RequestObjectUnavailable { .. } => "request_object_unavailable",
            Self::RequestPushed { .. } => "request_pushed",
            Self::BackchannelAuthenticationAsked { .. } => "backchannel_authentication_asked",
            Self::DeviceAsked { .. } => "device_asked",
            Self::ScopesIgnored { .. } => "scopes_ignored",
            Self::ScopesWithheld { .. } => "scopes_withheld",
            Self::SectorUnavailable { .. } => "sector_unavailable",
            Self::SessionEnded { .. } => "session_ended",
            Self::SignUpRefused { .. } => "sign_up_refused",
            Self::SignedUp { .. } => "signed_up",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::TokensIssued { .. } => "tokens_issued",
            Self::UserInfoServed { .. } => "userinfo_served",
        }
    }
}
