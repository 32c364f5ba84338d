//! The values of the IANA "OAuth Parameters" registries and of OpenID Connect that this build knows. Their
//! wire strings stand here and nowhere else.

pub use crate::grant_type::{ExtensionGrantName, GrantType};
pub use crate::response_type::{ResponseEncoding, ResponseType};

macro_rules! registry {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $wire:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $wire)] $variant,)*
        }

        impl $name {
            /// Every value, in the order of the registry.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The value as it is written on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $wire,)* }
            }

            /// Reads the wire form, byte for byte; `None` for a value that this build does not know.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($wire => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

registry! {
    /// Subject identifier types (OIDC Core section 8).
    SubjectType {
        /// The same `sub` for every client.
        Public = "public",
        /// Another `sub` for each sector, so that clients cannot correlate what a person does.
        Pairwise = "pairwise",
    }
}

registry! {
    /// Error codes: RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3.1, RFC 7009 section 2.2.1, OIDC
    /// Core section 3.1.2.6, RFC 7591 section 3.2.2, RFC 9101 section 7, RFC 8628 section 3.5, RFC 9396 section 5, RFC 9449 section 12.2, CIBA Core
    /// sections 12 and 13, and `unmet_authentication_requirements` of the specification of that name.
    ErrorCode {
        /// The person or the server refused the request (RFC 6749 section 4.1.2.1).
        AccessDenied = "access_denied",
        /// Several accounts are signed in, and no page may ask which one to use (OIDC Core section 3.1.2.6).
        AccountSelectionRequired = "account_selection_required",
        /// The person has not decided yet (RFC 8628 section 3.5).
        AuthorizationPending = "authorization_pending",
        /// Consent is missing, and no page may ask for it (OIDC Core section 3.1.2.6).
        ConsentRequired = "consent_required",
        /// The `login_hint_token` has expired (CIBA Core section 13).
        ExpiredLoginHintToken = "expired_login_hint_token",
        /// The device code has expired (RFC 8628 section 3.5).
        ExpiredToken = "expired_token",
        /// The scope of the token does not cover what the resource demands (RFC 6750 section 3.1).
        InsufficientScope = "insufficient_scope",
        /// The authentication behind the token is not what the resource demands (RFC 9470 section 3).
        InsufficientUserAuthentication = "insufficient_user_authentication",
        /// Something is needed of the person, and no page may ask for it (OIDC Core section 3.1.2.6).
        InteractionRequired = "interaction_required",
        /// The authorization details are unknown, malformed or too wide (RFC 9396 section 5).
        InvalidAuthorizationDetails = "invalid_authorization_details",
        /// The binding message cannot be shown (CIBA Core section 13).
        InvalidBindingMessage = "invalid_binding_message",
        /// Client authentication failed (RFC 6749 section 5.2).
        InvalidClient = "invalid_client",
        /// A member of the client's metadata is not valid (RFC 7591 section 3.2.2).
        InvalidClientMetadata = "invalid_client_metadata",
        /// The DPoP proof is not valid, or there is none (RFC 9449 section 5).
        InvalidDpopProof = "invalid_dpop_proof",
        /// The code or refresh token is invalid, expired, revoked, or another client's (RFC 6749 section
        /// 5.2).
        InvalidGrant = "invalid_grant",
        /// A redirect URI is not valid (RFC 7591 section 3.2.2).
        InvalidRedirectUri = "invalid_redirect_uri",
        /// The request is malformed (RFC 6749 sections 4.1.2.1 and 5.2).
        InvalidRequest = "invalid_request",
        /// The request object is invalid (RFC 9101 section 7).
        InvalidRequestObject = "invalid_request_object",
        /// There is no valid request object at `request_uri` (RFC 9101 section 7).
        InvalidRequestUri = "invalid_request_uri",
        /// The scope is unknown, malformed or too wide (RFC 6749 sections 4.1.2.1 and 5.2).
        InvalidScope = "invalid_scope",
        /// The software statement is not valid (RFC 7591 section 3.2.2).
        InvalidSoftwareStatement = "invalid_software_statement",
        /// The requested resource server is unknown, missing or malformed, or may not be asked for (RFC 8707 section
        /// 2).
        InvalidTarget = "invalid_target",
        /// The access token is malformed, expired or revoked (RFC 6750 section 3.1).
        InvalidToken = "invalid_token",
        /// The person's user code is wrong (CIBA Core section 13).
        InvalidUserCode = "invalid_user_code",
        /// Nobody is signed in, and no login page may be shown (OIDC Core section 3.1.2.6).
        LoginRequired = "login_required",
        /// The person has a user code, which is missing (CIBA Core section 13).
        MissingUserCode = "missing_user_code",
        /// The `registration` parameter is not supported (OIDC Core section 3.1.2.6).
        RegistrationNotSupported = "registration_not_supported",
        /// The `request` parameter is not supported (OIDC Core section 3.1.2.6).
        RequestNotSupported = "request_not_supported",
        /// The `request_uri` parameter is not supported (OIDC Core section 3.1.2.6).
        RequestUriNotSupported = "request_uri_not_supported",
        /// The server failed (RFC 6749 section 4.1.2.1).
        ServerError = "server_error",
        /// The person has not decided yet, and the device asks too often (RFC 8628 section 3.5).
        SlowDown = "slow_down",
        /// The server is too busy at the moment (RFC 6749 section 4.1.2.1).
        TemporarilyUnavailable = "temporarily_unavailable",
        /// The transaction was not completed (CIBA Core section 12).
        TransactionFailed = "transaction_failed",
        /// The client may not do this (RFC 6749 sections 4.1.2.1 and 5.2).
        UnauthorizedClient = "unauthorized_client",
        /// The server has no software statements of this issuer (RFC 7591 section 3.2.2).
        UnapprovedSoftwareStatement = "unapproved_software_statement",
        /// Nobody is known whom the hint names (CIBA Core section 13).
        UnknownUserId = "unknown_user_id",
        /// The demanded authentication cannot be provided (OpenID Connect Core Error Code
        /// unmet_authentication_requirements section 2).
        UnmetAuthenticationRequirements = "unmet_authentication_requirements",
        /// The grant type is not supported (RFC 6749 section 5.2).
        UnsupportedGrantType = "unsupported_grant_type",
        /// The response mode is not supported (OAuth 2.0 Multiple Response Types section 2.1).
        UnsupportedResponseMode = "unsupported_response_mode",
        /// The response type is not supported (RFC 6749 section 4.1.2.1).
        UnsupportedResponseType = "unsupported_response_type",
        /// Tokens of this type cannot be revoked (RFC 7009 section 2.2.1).
        UnsupportedTokenType = "unsupported_token_type",
        /// The DPoP proof has no nonce of this server, or an old one (RFC 9449 section 8).
        UseDpopNonce = "use_dpop_nonce",
    }
}
registry! {
    /// Response modes (OAuth 2.0 Multiple Response Types section 2.1, Form Post Response Mode section 2, JARM section
    /// 2.3).
    ResponseMode {
        /// In the query of the redirect URI.
        Query = "query",
        /// In the fragment of the redirect URI.
        Fragment = "fragment",
        /// In a form that the user agent posts to the redirect URI.
        FormPost = "form_post",
        /// In a message to the window that asks (draft-sakimura-oauth-wmrm section 4.1).
        WebMessage = "web_message",
        /// As a JWT, in the query or the fragment: where the response type has its responses (JARM section 2.3.4).
        Jwt = "jwt",
        /// As a JWT in the query of the redirect URI (JARM section 2.3.1).
        QueryJwt = "query.jwt",
        /// As a JWT in the fragment of the redirect URI (JARM section 2.3.2).
        FragmentJwt = "fragment.jwt",
        /// As a JWT in a form that the user agent posts to the redirect URI (JARM section 2.3.3).
        FormPostJwt = "form_post.jwt",
        /// As a JWT in a message to the window that asks. No standard has it; it is `web_message` secured as the
        /// others are.
        WebMessageJwt = "web_message.jwt",
    }
}
registry! {
    /// Client authentication methods (RFC 7591 section 2).
    ClientAuthenticationMethod {
        /// A public client.
        None = "none",
        /// Secret in the Authorization header (RFC 6749 section 2.3.1).
        ClientSecretBasic = "client_secret_basic",
        /// Secret in the body (RFC 6749 section 2.3.1).
        ClientSecretPost = "client_secret_post",
        /// An assertion with an HMAC whose key is the secret (OIDC Core section 9, RFC 7523 section 2.2).
        ClientSecretJwt = "client_secret_jwt",
        /// An assertion signed with a key of the client (OIDC Core section 9, RFC 7523 section 2.2).
        PrivateKeyJwt = "private_key_jwt",
        /// A certificate that an authority vouches for (RFC 8705 section 2.1).
        TlsClientAuth = "tls_client_auth",
        /// A certificate that the client has registered (RFC 8705 section 2.2).
        SelfSignedTlsClientAuth = "self_signed_tls_client_auth",
    }
}
registry! {
    /// How a client gets what a person has decided at another device (CIBA Core section 5).
    BackchannelTokenDeliveryMode {
        /// The client polls the token endpoint.
        Poll = "poll",
        /// The client is told when it can ask the token endpoint; it may poll as well.
        Ping = "ping",
        /// The tokens are sent to the client.
        Push = "push",
    }
}
registry! {
    /// Values of `display` (OIDC Core section 3.1.2.1).
    Display {
        /// A full page.
        Page = "page",
        /// A small window.
        Popup = "popup",
        /// A touch device.
        Touch = "touch",
        /// A feature phone.
        Wap = "wap",
    }
}
registry! {
    /// Code challenge methods (RFC 7636 section 4.2).
    CodeChallengeMethod {
        /// SHA-256 of the verifier.
        S256 = "S256",
        /// The verifier itself; it is known only so that it can be refused by name.
        Plain = "plain",
    }
}
