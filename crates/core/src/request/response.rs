//! The authorization response (RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207), and the response mode that it goes by
//! (OAuth 2.0 Multiple Response Types section 2.1, JARM section 2.3).

use std::sync::Arc;

use chancery_types::iana::{ErrorCode, ResponseEncoding, ResponseMode, ResponseType};
use chancery_types::{Params, RedirectUri};

use crate::error::{Reason, Refusal};
use crate::model::Client;
use crate::offered::Offered;
use crate::profile::Demands;
use crate::request::validated::RESPONSE_UNSIGNED;

reasons! {
    /// This provider does not offer the response mode.
    pub RESPONSE_MODE_UNSUPPORTED = Reason {
        name: "response_mode_unsupported",
        code: ErrorCode::UnsupportedResponseMode,
        description: "unsupported response_mode requested",
        section: "OAuth 2.0 Multiple Response Types section 2.1",
    };
    /// The response has tokens, and the request wants it in the query, which ends up in logs and histories.
    pub RESPONSE_MODE_UNSAFE = Reason {
        name: "response_mode_unsafe",
        code: ErrorCode::InvalidRequest,
        description: "requested response_mode is not allowed for the requested response_type",
        section: "OAuth 2.0 Multiple Response Types section 5",
    };
    /// The response has tokens, the request wants it as a JWT in the query, which ends up in logs and histories, and
    /// the client is not registered for encrypted responses.
    pub RESPONSE_MODE_UNENCRYPTED = Reason {
        name: "response_mode_unencrypted",
        code: ErrorCode::InvalidRequest,
        description: "requested response_mode is not allowed for the requested response_type unless encrypted",
        section: "JARM section 2.3.1",
    };
    /// The client is registered for other response modes.
    pub RESPONSE_MODE_UNREGISTERED = Reason {
        name: "response_mode_unregistered",
        code: ErrorCode::InvalidRequest,
        description: "requested response_mode is not allowed for this client",
        section: "RFC 7591 section 2",
    };
}

/// How a response is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) encoding: ResponseEncoding,
    /// Whether it is a JWT (JARM section 2.1).
    pub(super) is_jwt: bool,
}

impl Carried {
    /// What the request asks for, or else the default, if it is offered, safe, and registered for the client.
    pub(super) fn asked(params: &Params<'_>, client: &Client, offered: &Offered) -> Result<Self, Refusal> {
        let Some(text) = params.one("response_mode")? else {
            return Self::by_default(params, client, offered).checked(params, client);
        };
        let unsupported =
            || RESPONSE_MODE_UNSUPPORTED.unlike(offered.response_modes.iter().map(|mode| mode.as_str()));
        let mode = ResponseMode::parse(text).ok_or_else(unsupported)?;
        let carried = Self::of(mode, default_encoding(params));
        if offered.response_modes.contains(&mode) {
            return carried.checked(params, client);
        }
        match mode {
            // They are missing only where a profile wants signed responses.
            ResponseMode::Query | ResponseMode::Fragment | ResponseMode::FormPost => {
                carried.checked(params, client)?;
                RESPONSE_UNSIGNED.refused()
            }
            _ => Err(unsupported()),
        }
    }

    /// The default of the response type that is asked for, known or not. A client that is not registered for it,
    /// but for JWTs, has the first mode of these that fits: it may believe nothing that is not signed.
    pub(super) fn by_default(params: &Params<'_>, client: &Client, offered: &Offered) -> Self {
        let encoding = default_encoding(params);
        let plain = Self { encoding, is_jwt: false };
        if client.may_use(plain.mode(), encoding) {
            return plain;
        }
        let mut registered = client.metadata().flow.response_modes.iter().flatten().copied();
        let jwt = registered.find(|mode| {
            let is_good = Self::of(*mode, encoding).checked(params, client).is_ok();
            mode.is_jwt() && !mode.is_message() && is_good && offered.response_modes.contains(mode)
        });
        jwt.map_or(plain, |mode| Self::of(mode, encoding))
    }

    /// This, or the same as a JWT if the client is to have no response that is not one: the response mode that it has
    /// asked for stands in a request object that does not count.
    pub(super) fn demanded(self, client: &Client, demands: &Demands, offered: &Offered) -> Self {
        let jwt = Self { is_jwt: true, ..self };
        let is_plain = |value: &ResponseType| demands.forbids_response(*value, false).is_none();
        let is_possible =
            offered.response_modes.contains(&jwt.mode()) && client.may_use(jwt.mode(), self.encoding);
        if client.metadata().flow.response_types.iter().any(is_plain) || !is_possible { self } else { jwt }
    }

    fn of(mode: ResponseMode, by_default: ResponseEncoding) -> Self {
        Self { encoding: mode.encoding(by_default), is_jwt: mode.is_jwt() }
    }

    fn mode(self) -> ResponseMode {
        if self.is_jwt { self.encoding.jwt() } else { self.encoding.plain() }
    }

    /// Tokens never go into a query, which ends up in logs and histories (OAuth 2.0 Multiple Response Types sections
    /// 3 and 5), unless nobody can read them there (JARM section 2.3.1).
    fn checked(self, params: &Params<'_>, client: &Client) -> Result<Self, Refusal> {
        let by_default = default_encoding(params);
        if self.encoding == ResponseEncoding::Query && by_default != ResponseEncoding::Query {
            if !self.is_jwt {
                return RESPONSE_MODE_UNSAFE.refused();
            }
            if client.metadata().authorization_responses.encryption().is_none() {
                return RESPONSE_MODE_UNENCRYPTED.refused();
            }
        }
        if client.may_use(self.mode(), by_default) { Ok(self) } else { RESPONSE_MODE_UNREGISTERED.refused() }
    }
}

fn default_encoding(params: &Params<'_>) -> ResponseEncoding {
    let response_type = params.one("response_type").ok().flatten();
    response_type.map_or(ResponseEncoding::Query, ResponseEncoding::default_of)
}

/// What a client is to be told, through a redirect URI that was verified. The browser does not get it yet:
/// how it is sent is settled when it becomes an [`AuthorizationResponse`].
#[derive(Clone)]
pub struct Unsealed {
    pub(crate) client: Arc<Client>,
    pub(crate) uri: RedirectUri,
    pub(crate) encoding: ResponseEncoding,
    /// Whether it is to become a JWT (JARM section 2.1).
    pub(crate) is_jwt: bool,
    pub(crate) parameters: Vec<(&'static str, String)>,
    /// Whether this answers an OpenID request (OIDC Core section 3.1.2.1: the scope `openid`).
    pub(crate) is_openid: bool,
}

/// An answer to a client, as the browser carries it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationResponse {
    pub(crate) uri: RedirectUri,
    pub(crate) encoding: ResponseEncoding,
    pub(crate) parameters: Vec<(&'static str, String)>,
}

impl AuthorizationResponse {
    /// Where it goes.
    #[must_use]
    pub fn uri(&self) -> &RedirectUri {
        &self.uri
    }

    /// How it is carried (OAuth 2.0 Multiple Response Types section 2.1).
    #[must_use]
    pub fn encoding(&self) -> ResponseEncoding {
        self.encoding
    }

    /// Its parameters in order: of a JWT-secured response one alone, `response` (JARM section 2.3).
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.parameters.iter().map(|(name, value)| (*name, value.as_str()))
    }
}
