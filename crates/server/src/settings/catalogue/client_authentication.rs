//! How clients authenticate, and how their certificates come in (RFC 8705).

use super::{Form, Setting, setting};

pub(super) const CLIENT_AUTHENTICATION: &[Setting] = &[
    setting(
        "client_authentication.assertion_algorithms",
        Form::Texts,
        "[\"RS256\", \"RS384\", \"RS512\", \"PS256\", \"PS384\", \"PS512\", \"ES256\", \"ES384\", \"ES512\", \"EdDSA\", \"Ed25519\", \"HS256\", \"HS384\", \"HS512\"]",
        "What clients may sign their assertions with (RFC 7523). Without an HS algorithm there is no `client_secret_jwt`, and without any other one no `private_key_jwt`.",
    ),
    setting(
        "client_authentication.secret_method",
        Form::Choice(&["either", "registered"]),
        "\"either\"",
        "How a client with a secret may send it: in the header or in the body, or only in the way that it is registered with. A client can be restricted by itself (`secret_method` below `chancery` in its metadata).",
    ),
    setting(
        "http.client_certificate",
        Form::Choice(&["none", "rfc9440", "envoy", "nginx"]),
        "\"none\"",
        "How the proxies of `http.client_certificate_proxies` hand on the certificates of clients: in `Client-Cert` and `Client-Cert-Chain` (RFC 9440), in Envoy's `X-Forwarded-Client-Cert`, or as nginx's `$ssl_client_escaped_cert`. From anybody else, a request with such a header field is refused.",
    ),
    setting(
        "http.client_certificate_header",
        Form::Text,
        "\"X-SSL-Client-Cert\"",
        "The header field in which nginx hands on certificates.",
    ),
    setting(
        "http.client_certificate_proxies",
        Form::Texts,
        "[]",
        "Networks such as `10.0.0.0/8` of the proxies that hand on certificates. Name only proxies that set or remove the header field in each request: **whoever can send a request from there can be any client.** It is another list than `http.trusted_proxies`, which is for addresses.",
    ),
    setting(
        "tls.mtls_listen",
        Form::Texts,
        "[]",
        "Addresses and ports at which the handshake asks for a client's certificate and takes any, or none. `tls.listen` never asks, so that browsers do not show a choice of certificates.",
    ).at_restart(),
    setting(
        "tls.client_authorities",
        Form::Texts,
        "[]",
        "Files (PEM) with the certificate authorities that vouch for clients (`mtls.tls_client_auth`). Name those only whose names you trust: whoever gets a certificate with a client's name from them is that client.",
    ),
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
        "mtls.certificate_bound_access_tokens",
        Form::Switch,
        "false",
        "Whether clients may be registered for access tokens that are bound to their certificate (`tls_client_certificate_bound_access_tokens`): whoever steals one cannot use it.",
    ),
    setting(
        "mtls.endpoint_aliases",
        Form::Text,
        "\"\"",
        "The URL that stands in the place of the issuer for those who call with a certificate, such as `https://mtls.example.org` (`mtls_endpoint_aliases`). Its handshake asks for one, so that browsers are not asked at the issuer's own.",
    ),
];
