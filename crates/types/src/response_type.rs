//! RFC 6749 section 3.1.1 and OAuth 2.0 Multiple Response Types: the response types.

use std::fmt;

use crate::iana::ResponseMode;

/// What the authorization endpoint is asked to answer with. There are exactly the combinations that the
/// standards define.
///
/// ```
/// # mod chancery { pub mod client { pub use chancery_types::iana::ResponseType; } }
/// use chancery::client::ResponseType;
///
/// assert_eq!(ResponseType::parse("id_token code"), Some(ResponseType::CodeIdToken));
/// assert_eq!(ResponseType::parse("code none"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum ResponseType {
    /// RFC 6749 section 4.1.1.
    #[serde(rename = "code")]
    Code,
    /// Multiple Response Types section 3.
    #[serde(rename = "id_token")]
    IdToken,
    /// Multiple Response Types section 5.
    #[serde(rename = "id_token token")]
    IdTokenToken,
    /// Multiple Response Types section 5.
    #[serde(rename = "code id_token")]
    CodeIdToken,
    /// Multiple Response Types section 5.
    #[serde(rename = "code token")]
    CodeToken,
    /// Multiple Response Types section 5.
    #[serde(rename = "code id_token token")]
    CodeIdTokenToken,
    /// RFC 6749 section 4.2.1. It is known only so that it can be refused in the fragment: no setting offers
    /// it.
    #[serde(rename = "token")]
    Token,
    /// Multiple Response Types section 4.
    #[serde(rename = "none")]
    None,
}

impl ResponseType {
    /// Every value.
    pub const ALL: &'static [Self] = &[
        Self::Code,
        Self::IdToken,
        Self::IdTokenToken,
        Self::CodeIdToken,
        Self::CodeToken,
        Self::CodeIdTokenToken,
        Self::Token,
        Self::None,
    ];

    /// The value as it is registered.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::IdToken => "id_token",
            Self::IdTokenToken => "id_token token",
            Self::CodeIdToken => "code id_token",
            Self::CodeToken => "code token",
            Self::CodeIdTokenToken => "code id_token token",
            Self::Token => "token",
            Self::None => "none",
        }
    }

    /// Reads words with one space between them. Their order does not matter (RFC 6749 section 3.1.1), nor how
    /// often one is repeated.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mut code, mut id_token, mut token, mut none) = (false, false, false, false);
        for word in text.split(' ') {
            match word {
                "code" => code = true,
                "id_token" => id_token = true,
                "token" => token = true,
                "none" => none = true,
                _ => return None,
            }
        }
        match (code, id_token, token, none) {
            (true, false, false, false) => Some(Self::Code),
            (false, true, false, false) => Some(Self::IdToken),
            (false, true, true, false) => Some(Self::IdTokenToken),
            (true, true, false, false) => Some(Self::CodeIdToken),
            (true, false, true, false) => Some(Self::CodeToken),
            (true, true, true, false) => Some(Self::CodeIdTokenToken),
            (false, false, true, false) => Some(Self::Token),
            (false, false, false, true) => Some(Self::None),
            _ => None,
        }
    }

    /// Whether the answer has a code.
    #[must_use]
    pub const fn has_code(self) -> bool {
        matches!(self, Self::Code | Self::CodeIdToken | Self::CodeToken | Self::CodeIdTokenToken)
    }

    /// Whether the answer has an ID token.
    #[must_use]
    pub const fn has_id_token(self) -> bool {
        matches!(self, Self::IdToken | Self::IdTokenToken | Self::CodeIdToken | Self::CodeIdTokenToken)
    }

    /// Whether the answer has an access token.
    #[must_use]
    pub const fn has_token(self) -> bool {
        matches!(self, Self::Token | Self::IdTokenToken | Self::CodeToken | Self::CodeIdTokenToken)
    }

    /// Whether tokens of either kind go through the browser.
    #[must_use]
    pub const fn is_front_channel(self) -> bool {
        self.has_id_token() || self.has_token()
    }
}

impl fmt::Display for ResponseType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a response stands on its way to the client: a response mode but for whether the response is a JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseEncoding {
    /// In the query of the redirect URI.
    Query,
    /// In the fragment of the redirect URI.
    Fragment,
    /// In a form that the user agent posts to the redirect URI.
    FormPost,
    /// In a message to the window that asks.
    WebMessage,
}

impl ResponseEncoding {
    /// The default of the response type with these words, even of one that nobody knows: whoever asks for tokens
    /// reads the fragment (Multiple Response Types sections 2.1 to 5).
    #[must_use]
    pub fn default_of(response_type: &str) -> Self {
        let has_token = response_type.split(' ').any(|word| matches!(word, "token" | "id_token"));
        if has_token { Self::Fragment } else { Self::Query }
    }

    /// The response mode whose responses stand here without a signature.
    #[must_use]
    pub const fn plain(self) -> ResponseMode {
        match self {
            Self::Query => ResponseMode::Query,
            Self::Fragment => ResponseMode::Fragment,
            Self::FormPost => ResponseMode::FormPost,
            Self::WebMessage => ResponseMode::WebMessage,
        }
    }

    /// The response mode whose responses stand here as JWTs.
    #[must_use]
    pub const fn jwt(self) -> ResponseMode {
        match self {
            Self::Query => ResponseMode::QueryJwt,
            Self::Fragment => ResponseMode::FragmentJwt,
            Self::FormPost => ResponseMode::FormPostJwt,
            Self::WebMessage => ResponseMode::WebMessageJwt,
        }
    }
}

impl ResponseMode {
    /// Where responses of this mode stand if this is the default of their response type.
    #[must_use]
    pub const fn encoding(self, by_default: ResponseEncoding) -> ResponseEncoding {
        match self {
            Self::Query | Self::QueryJwt => ResponseEncoding::Query,
            Self::Fragment | Self::FragmentJwt => ResponseEncoding::Fragment,
            Self::FormPost | Self::FormPostJwt => ResponseEncoding::FormPost,
            Self::WebMessage | Self::WebMessageJwt => ResponseEncoding::WebMessage,
            Self::Jwt => by_default,
        }
    }

    /// Whether its responses are JWTs (JARM section 2.3).
    #[must_use]
    pub const fn is_jwt(self) -> bool {
        match self {
            Self::Query | Self::Fragment | Self::FormPost | Self::WebMessage => false,
            Self::Jwt | Self::QueryJwt | Self::FragmentJwt | Self::FormPostJwt | Self::WebMessageJwt => true,
        }
    }

    /// Whether its responses go to whatever window has opened the page, so that nobody has it unless they are
    /// registered for it.
    #[must_use]
    pub const fn is_message(self) -> bool {
        matches!(self, Self::WebMessage | Self::WebMessageJwt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AUTHZ-06: every order and repetition of every value is read, and written in one way.
    #[test]
    fn order_and_repetition_do_not_matter() {
        for value in ResponseType::ALL {
            let mut words: Vec<&str> = value.as_str().split(' ').collect();
            words.reverse();
            let first = words[0];
            let repeated = format!("{} {first}", words.join(" "));
            for text in [value.as_str(), &words.join(" "), &repeated] {
                assert_eq!(ResponseType::parse(text), Some(*value), "{text}");
            }
            let json = serde_json::to_string(value).unwrap();
            assert_eq!(json, format!("{:?}", value.as_str()));
            assert_eq!(serde_json::from_str::<ResponseType>(&json).unwrap(), *value);
        }
    }

    #[test]
    fn the_parts_are_those_of_the_words() {
        for value in ResponseType::ALL {
            let has = |part: &str| value.as_str().split(' ').any(|word| word == part);
            assert_eq!(value.has_code(), has("code"), "{value}");
            assert_eq!(value.has_id_token(), has("id_token"), "{value}");
            assert_eq!(value.has_token(), has("token"), "{value}");
            let expected =
                if value.is_front_channel() { ResponseEncoding::Fragment } else { ResponseEncoding::Query };
            assert_eq!(ResponseEncoding::default_of(value.as_str()), expected, "{value}");
        }
    }

    #[test]
    fn everything_else_is_unknown() {
        for bad in [
            "",
            " ",
            "code ",
            " code",
            "code  id_token",
            "Code",
            "code,id_token",
            "code none",
            "none token",
            "none id_token",
            "id_token\ttoken",
            "code\u{a0}token",
            "code id_token token none",
            "device",
        ] {
            assert_eq!(ResponseType::parse(bad), None, "{bad:?}");
        }
        assert_eq!(ResponseEncoding::default_of("foo id_token"), ResponseEncoding::Fragment);
        assert_eq!(ResponseEncoding::default_of("foo my_token"), ResponseEncoding::Query);
    }

    /// JARM-02: every mode is one encoding with or without a JWT, and `jwt` is that of the response type.
    #[test]
    fn a_mode_is_an_encoding_with_or_without_a_jwt() {
        for mode in ResponseMode::ALL {
            for by_default in [ResponseEncoding::Query, ResponseEncoding::Fragment] {
                let encoding = mode.encoding(by_default);
                let same = if mode.is_jwt() { encoding.jwt() } else { encoding.plain() };
                let meant = if *mode == ResponseMode::Jwt { by_default.jwt() } else { *mode };
                assert_eq!(same, meant, "{mode}");
                assert_eq!(mode.is_jwt(), mode.as_str().ends_with("jwt"), "{mode}");
            }
        }
    }
}
