//! OpenID Connect CIBA Core 1.0 section 7.1: the parameters that only this endpoint knows.
//! Config     `[ciba]`
//! Discovery  none

use std::time::Duration;

use chancery_types::Params;
use chancery_types::iana::{BackchannelTokenDeliveryMode, ErrorCode};

use super::CibaConfig;
use super::hint::ClientHint;
use crate::error::{Reason, Refusal};

const SECTION: &str = "CIBA Core section 7.1";

const fn invalid(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidRequest, description, section: SECTION }
}

const fn invalid_message(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidBindingMessage, description, section: SECTION }
}

reasons! {
    /// The request says nothing about whom it is for.
    pub HINT_MISSING = invalid(
        "backchannel_hint_missing",
        "one of login_hint, login_hint_token and id_token_hint is required",
    );
    /// The request has more than one hint.
    pub SEVERAL_HINTS = invalid(
        "backchannel_hints_several",
        "only one of login_hint, login_hint_token and id_token_hint can be sent",
    );
    /// The client gets its answers at its notification endpoint, and has sent no token for that.
    pub NOTIFICATION_TOKEN_MISSING = invalid(
        "client_notification_token_missing",
        "missing required parameter client_notification_token",
    );
    /// The notification token is no bearer token, or longer than 1024 characters.
    pub NOTIFICATION_TOKEN_MALFORMED = invalid(
        "client_notification_token_malformed",
        "client_notification_token must be a bearer token of at most 1024 characters",
    );
    /// `requested_expiry` is not a positive number of seconds.
    pub EXPIRY_MALFORMED =
        invalid("requested_expiry_malformed", "requested_expiry must be a positive integer");
    /// The binding message is longer than `ciba.binding_message_length`, has blanks at its ends, or characters that are
    /// not printable ASCII.
    pub BINDING_MESSAGE_UNFIT = invalid_message(
        "binding_message_unfit",
        "the binding_message must be short, and of printable ASCII characters",
    );
    /// The request has no binding message, and `ciba.binding_message_required` demands one.
    pub BINDING_MESSAGE_MISSING =
        invalid_message("binding_message_missing", "a binding_message is required");
}

/// What is not kept once the request was accepted: it has served its purpose, or has a place of its own.
pub(super) const SERVED: &[&str] = &[
    "binding_message",
    "client_notification_token",
    "id_token_hint",
    "login_hint",
    "login_hint_token",
    "request_context",
    "requested_expiry",
    "user_code",
];

/// The longest `client_notification_token`.
const LONGEST_TOKEN: usize = 1024;

/// What the request says besides what every request says. It has no `Debug`, because it holds secrets.
pub(super) struct Parameters<'p> {
    /// Whom it is for.
    pub(super) hint: ClientHint<'p>,
    /// The code of the person that the client has asked for.
    pub(super) user_code: Option<&'p str>,
    /// What the person compares.
    pub(super) binding_message: Option<&'p str>,
    /// What the client knows us by when it is told; `None` for one that only polls, whatever it has sent.
    pub(super) client_notification_token: Option<&'p str>,
    /// For how long the client is interested.
    pub(super) requested_expiry: Option<Duration>,
}

impl<'p> Parameters<'p> {
    pub(super) fn read(
        params: &'p Params<'_>,
        mode: BackchannelTokenDeliveryMode,
        config: &CibaConfig,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            hint: hint(params)?,
            user_code: params.one("user_code")?,
            binding_message: binding_message(params.one("binding_message")?, config)?,
            client_notification_token: match mode {
                BackchannelTokenDeliveryMode::Poll => None,
                BackchannelTokenDeliveryMode::Ping | BackchannelTokenDeliveryMode::Push => {
                    Some(notification_token(params.one("client_notification_token")?)?)
                }
            },
            requested_expiry: params.one("requested_expiry")?.map(expiry).transpose()?,
        })
    }
}

/// One, and only one.
fn hint<'p>(params: &'p Params<'_>) -> Result<ClientHint<'p>, Refusal> {
    match (params.one("login_hint")?, params.one("login_hint_token")?, params.one("id_token_hint")?) {
        (Some(hint), None, None) => Ok(ClientHint::Login(hint)),
        (None, Some(token), None) => Ok(ClientHint::LoginToken(token)),
        (None, None, Some(token)) => Ok(ClientHint::IdToken(token)),
        (None, None, None) => HINT_MISSING.refused(),
        _ => SEVERAL_HINTS.refused(),
    }
}

/// "Relatively short" and of "a limited set of plain text characters".
fn binding_message<'p>(text: Option<&'p str>, config: &CibaConfig) -> Result<Option<&'p str>, Refusal> {
    let Some(text) = text else {
        return if config.binding_message_required { BINDING_MESSAGE_MISSING.refused() } else { Ok(None) };
    };
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if is_plain && text.trim_matches(' ') == text && text.len() <= config.binding_message_length {
        return Ok(Some(text));
    }
    BINDING_MESSAGE_UNFIT.refused()
}

/// RFC 6750 section 2.1: `b64token`.
fn notification_token(text: Option<&str>) -> Result<&str, Refusal> {
    let text = text.ok_or(&NOTIFICATION_TOKEN_MISSING)?;
    let is_of_token =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
    let characters = text.trim_end_matches('=');
    if !characters.is_empty() && characters.bytes().all(is_of_token) && text.len() <= LONGEST_TOKEN {
        return Ok(text);
    }
    NOTIFICATION_TOKEN_MALFORMED.refused()
}

/// A positive number of seconds in decimal digits.
fn expiry(text: &str) -> Result<Duration, Refusal> {
    let is_decimal = text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds: &u64| is_decimal && *seconds > 0);
    seconds.map(Duration::from_secs).ok_or_else(|| (&EXPIRY_MALFORMED).into())
}
