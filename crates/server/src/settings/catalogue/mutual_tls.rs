//! The settings of certificates of clients (RFC 8705).

use super::{Form, Setting, setting};

/// `[mtls]`
pub(super) const MUTUAL_TLS: &[Setting] = &[
    setting(
        "mtls.tls_client_auth",
        Form::Switch,
        "false",
        "Whether clients may authenticate by a certificate for which one of `tls.client_authorities` vouches, and which has the name that they are registered with (`tls_client_auth`).",
    ),
    setting(
        "mtls.self_signed_tls_client_auth",
        Form::Switch,
        "false",
        "Whether clients may authenticate by a certificate that they have registered or publish (`self_signed_tls_client_auth`).",
    ),
    setting(
        "mtls.endpoint_aliases",
        Form::Text,
        "\"\"",
        "The URL that stands in the place of the issuer for those who call with a certificate, such as `https://mtls.example.org` (`mtls_endpoint_aliases`). Its handshake asks for one, so that browsers are not asked at the issuer's own.",
    ),
];
