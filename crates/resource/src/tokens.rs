//! Who says whether a token is good: the provider in this program, or an issuer over the network.

use std::sync::Arc;

use chancery_core::context::{Call, RequestId};
use chancery_core::error::{Failure, Reason};
use chancery_core::model::AccessToken;
use chancery_core::provider::Provider;
use chancery_core::rule::bearer::TOKEN_UNKNOWN;
use chancery_types::iana::ErrorCode;
use chancery_types::{Issuer, Timestamp};

use crate::introspection::Introspection;
use crate::issuer::TrustedIssuer;
use crate::jwt::Expected;

chancery_core::reasons! {
    /// The access token is no JWT, and this API asks nobody about others: give the resource server at the provider
    /// `format = "jwt"`, or have the API ask with `.introspecting(…)`.
    NO_JWT = Reason {
        name: "access_token_no_jwt_and_no_introspection",
        code: ErrorCode::InvalidToken,
        description: TOKEN_UNKNOWN.description,
        section: "RFC 9068 section 4",
    };
}

pub(crate) enum Tokens {
    /// By its keys and its store.
    OfProvider(Arc<Provider>),
    /// By its published keys, and by introspection if there is one.
    OfIssuer { issuer: Box<TrustedIssuer>, introspection: Option<Introspection> },
}

impl Tokens {
    pub(crate) fn issuer(&self) -> &Issuer {
        match self {
            Self::OfProvider(provider) => provider.issuer(),
            Self::OfIssuer { issuer, .. } => &issuer.issuer,
        }
    }

    /// The token, if it is good.
    pub(crate) async fn find(
        &self,
        text: &str,
        expected: &Expected,
        now: Timestamp,
    ) -> Result<AccessToken, Failure> {
        match self {
            Self::OfProvider(provider) => {
                let call = Call::new(now, RequestId("resource".into()));
                provider.access_token(&call, &expected.audience, text).await
            }
            Self::OfIssuer { issuer, introspection } => {
                let is_jwt = text.bytes().filter(|byte| *byte == b'.').count() == 2;
                match introspection {
                    Some(asked) if !is_jwt || asked.is_asked_about_jwts() => {
                        asked.token(text, issuer, expected, now).await
                    }
                    None if !is_jwt => NO_JWT.refused(),
                    _ => expected.jwt(text, issuer, now).await,
                }
            }
        }
    }
}
