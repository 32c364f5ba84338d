//! FAPI 1.0 part 2 (Advanced), FAPI 2.0 Security Profile and FAPI 2.0 Message Signing: what their servers have to
//! demand.

use std::time::Duration;

use chancery_jose::SigningAlgorithm;
use chancery_types::RedirectKind;
use chancery_types::iana::{ClientAuthenticationMethod, ResponseType};

use super::{Among, BindingMethod, Demand, Demands, Response};

const fn of<T>(what: T, section: &'static str) -> Option<Demand<T>> {
    Some(Demand { what, section })
}

/// Nothing that a client shares with the server.
const OWN_KEYS: &[ClientAuthenticationMethod] = &[
    ClientAuthenticationMethod::PrivateKeyJwt,
    ClientAuthenticationMethod::TlsClientAuth,
    ClientAuthenticationMethod::SelfSignedTlsClientAuth,
];

const HOUR: Duration = Duration::from_secs(60 * 60);

/// FAPI 1.0 part 2, and what of part 1 applies with it (its section 5.2.2).
pub(super) fn advanced() -> Demands {
    Demands {
        authentication: Among::these(OWN_KEYS, "FAPI 1.0 part 2 section 5.2.2-14"),
        algorithms: Among::these(
            &[SigningAlgorithm::Ps256, SigningAlgorithm::Es256],
            "FAPI 1.0 part 2 section 8.6",
        ),
        rsa_bits: of(2048, "FAPI 1.0 part 1 section 5.2.2-5"),
        curve_bits: of(160, "FAPI 1.0 part 1 section 5.2.2-6"),
        signed: Some("FAPI 1.0 part 2 section 5.2.2-1"),
        signed_backchannel: Some("FAPI-CIBA section 5.2.2-6"),
        no_push: Some("FAPI-CIBA section 5.2.2-3"),
        object_alone: Some("FAPI 1.0 part 2 section 5.2.2-10"),
        object_lifetime: of(HOUR, "FAPI 1.0 part 2 section 5.2.2-13"),
        pkce_if_pushed: Some("FAPI 1.0 part 2 section 5.2.2-18"),
        nonce: Some("FAPI 1.0 part 1 section 5.2.2.2-1"),
        state: Some("FAPI 1.0 part 1 section 5.2.2.3-1"),
        redirect_uri_sent: Some("FAPI 1.0 part 1 section 5.2.2-9"),
        redirects: Among::these(&[RedirectKind::Https], "FAPI 1.0 part 1 section 5.2.2-20"),
        exact_redirects: Some("FAPI 1.0 part 1 section 5.2.2-10"),
        s_hash: Some("FAPI 1.0 part 2 section 5.2.2.1-5"),
        bindings: Among::these(&[BindingMethod::Certificate], "FAPI 1.0 part 2 section 5.2.2-5"),
        header_tokens: Some("FAPI 1.0 part 1 section 6.2.1-3"),
        responses: Among::these(
            &[
                Response { response_type: ResponseType::CodeIdToken, is_signed: false },
                Response { response_type: ResponseType::Code, is_signed: true },
            ],
            "FAPI 1.0 part 2 section 5.2.2-2",
        ),
        ..Demands::default()
    }
}

/// FAPI 2.0 Security Profile. What Message Signing says about request objects is demanded of those that a client
/// of this profile sends on its own account as well.
pub(super) fn security() -> Demands {
    Demands {
        authentication: Among::these(OWN_KEYS, "FAPI 2.0 Security Profile section 5.3.2.1-6"),
        sole_audience: Some("FAPI 2.0 Security Profile section 5.3.2.1-8"),
        algorithms: Among::these(
            &[
                SigningAlgorithm::Ps256,
                SigningAlgorithm::Es256,
                SigningAlgorithm::EdDsa,
                SigningAlgorithm::Ed25519,
            ],
            "FAPI 2.0 Security Profile section 5.4.1-1",
        ),
        rsa_bits: of(2048, "FAPI 2.0 Security Profile section 5.4.1-2"),
        curve_bits: of(224, "FAPI 2.0 Security Profile section 5.4.1-3"),
        pushed: Some("FAPI 2.0 Security Profile section 5.3.2.2-3"),
        pushed_lifetime: of(Duration::from_secs(599), "FAPI 2.0 Security Profile section 5.3.2.2-12"),
        signed_backchannel: Some("FAPI-CIBA section 5.2.2-6"),
        no_push: Some("FAPI-CIBA section 5.2.2-3"),
        object_alone: Some("RFC 9101 section 6.3"),
        object_lifetime: of(HOUR, "FAPI 2.0 Message Signing section 5.3.1-4"),
        pkce: Some("FAPI 2.0 Security Profile section 5.3.2.2-5"),
        redirect_uri_sent: Some("FAPI 2.0 Security Profile section 5.3.2.2-6"),
        redirects: Among::these(
            &[RedirectKind::Https, RedirectKind::HttpLoopback, RedirectKind::PrivateUse],
            "FAPI 2.0 Security Profile section 5.3.2.2-8",
        ),
        exact_redirects: Some("RFC 9700 section 2.1"),
        response_iss: Some("FAPI 2.0 Security Profile section 5.3.2.2-7"),
        code_lifetime: of(Duration::from_secs(60), "FAPI 2.0 Security Profile section 5.3.2.1-11"),
        bindings: Among::these(
            &[BindingMethod::Certificate, BindingMethod::Key],
            "FAPI 2.0 Security Profile section 5.3.2.1-4",
        ),
        no_rotation: Some("FAPI 2.0 Security Profile section 5.3.2.1-9"),
        header_tokens: Some("FAPI 2.0 Security Profile section 5.3.4-2"),
        responses: Among::these(
            &[Response { response_type: ResponseType::Code, is_signed: false }],
            "FAPI 2.0 Security Profile section 5.3.2.2-1",
        ),
        ..Demands::default()
    }
}

/// FAPI 2.0 Message Signing, with signed requests and signed responses.
pub(super) fn message_signing() -> Demands {
    security().and(Demands {
        signed: Some("FAPI 2.0 Message Signing section 5.3.1-1"),
        responses: Among::these(
            &[Response { response_type: ResponseType::Code, is_signed: true }],
            "FAPI 2.0 Message Signing section 5.4.1-1",
        ),
        ..Demands::default()
    })
}
