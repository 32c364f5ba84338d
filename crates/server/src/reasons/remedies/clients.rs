//! What is to be done about reasons for which it is not clear who the client is.

use super::Remedy;

/// What is to be done where a client has used another method to authenticate than the one that it is registered for.
pub(crate) fn of_methods(used: &str, registered: &str) -> String {
    let sends_secret = |method: &str| matches!(method, "client_secret_basic" | "client_secret_post");
    match (used, registered) {
        (used, "none") if sends_secret(used) => "the client is a program in the browser or on a person's device, which has no secret, and \
             sends one: it leaves out `client_secret`. A program on a server that has one is added by `chancery client add --kind web`"
            .to_owned(),
        ("none", registered) if sends_secret(registered) => "the client has a secret and does not send it. A program on a server sends it as \
             `client_secret`, in the body or in the header `Authorization`; for a program in the browser, `chancery client add --kind spa` \
             adds one without, for a person's device --kind native"
            .to_owned(),
        (used, registered) if sends_secret(used) && sends_secret(registered) => format!(
            "the client sends its secret by {used}, and may do so by {registered} alone: `client_authentication.secret_method` or \
             `chancery.secret_method` of the client says so"
        ),
        (used, registered) => format!(
            "the client proves itself by {}, and is registered for {registered}: it changes to that, where the metadata has it in \
             `token_endpoint_auth_methods_supported`, or `chancery client update ID JSON` changes `token_endpoint_auth_method`",
            if used == "another" { "a way that no client can be registered for" } else { used }
        ),
    }
}

/// What the developer of the client compares: which client it is, how it proves itself, and how it was registered.
pub(crate) const CLIENTS: &[Remedy] = &[
    // Which client?
    (
        "look in the client's own configuration for the client_id that it sends, and compare it with `chancery client list`; it may be \
         registered at another provider or in another realm",
        &["client_unknown", "logout_client_unknown"],
    ),
    (
        "ask whoever runs the application for the client_id that it sends, which the log does not have because a secret may stand in its \
         place (the page of a development provider shows it), and compare it with `chancery client list`",
        &["authorization_client_unknown"],
    ),
    (
        "ask whoever runs the application, and compare what it sends with `chancery client list`: the request does not say by \
         `client_id` which client it is",
        &["client_id_missing", "logout_client_missing"],
    ),
    (
        "compare the `client_id` in the body with the client of the Authorization header or of the assertion: it is the same, or left \
         out",
        &["client_id_mismatch"],
    ),
    (
        "compare the line's origin, that of the page that calls, with its own_origin, the scheme, host and port of the client's \
         redirect_uris (`chancery client show ID`): scripts from there may call, and no others; http://localhost:5173 is \
         another one than http://127.0.0.1:5173. `chancery client update ID` with --redirect-uri for each of all its addresses adds one. Without own_origin it is a \
         machine, whose secret is nothing for a page: that needs a client of its own, `chancery client add --kind spa`",
        &["origin_not_allowed"],
    ),
    // How does it prove itself?
    (
        "compare how the client proves itself with its token_endpoint_auth_method (`chancery client show ID`). A program in the browser \
         or on a person's device is `none` and sends no client_secret: `chancery client add --kind spa` or --kind native. A program on a \
         server sends its client_secret, in the header or in the body as that member says",
        &["client_authentication_method_unregistered"],
    ),
    (
        "compare the client_secret that the client sends with the one that was printed: it may be another client's, or be cut off, or \
         have a blank or the end of a line with it. Nobody can read it here; `chancery client secret rotate ID` makes another one",
        &["client_secret_wrong"],
    ),
    (
        "compare the client's secret with its good ones, of which `chancery client show ID` tells how long they are good: `chancery client \
         secret rotate ID` makes another one, which the client is to be given",
        &["client_secret_expired", "client_secret_ended"],
    ),
    (
        "compare the request with token_endpoint_auth_method (`chancery client show ID`): the client proves itself in one way, and \
         leaves out the others (the header `Authorization`, `client_secret`, `client_assertion`)",
        &["several_authentication_mechanisms", "assertion_not_alone"],
    ),
    (
        "compare the request with token_endpoint_auth_method (`chancery client show ID`): a client without a secret sends its \
         `client_id` in the body, and any other proves itself as that member says; a proxy in between may have dropped the header \
         `Authorization`",
        &["no_authentication_mechanism"],
    ),
    (
        "compare the request with RFC 7521 section 4.2: `client_assertion` comes with `client_assertion_type`, which is \
         urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        &["assertion_parameters_incomplete"],
    ),
    (
        "compare the header with `Basic` and the base64 of client_id:client_secret, of which both are form-urlencoded before (RFC 6749 \
         section 2.3.1); a client without a secret sends no header, but its `client_id` in the body",
        &[
            "authorization_header_malformed",
            "authorization_header_encoding",
            "authorization_header_without_secret",
        ],
    ),
    // By an assertion
    (
        "compare `client_assertion` with a signed JWT: three parts with dots between, of at most 16 KiB, whose header `typ` is \
         missing, JWT or client-authentication+jwt",
        &["assertion_malformed", "assertion_type_wrong"],
    ),
    (
        "compare `alg` of the assertion's header with the client's token_endpoint_auth_method and token_endpoint_auth_signing_alg \
         (`chancery client show ID`), and with `client_authentication.assertion_algorithms`",
        &["assertion_algorithm_wrong"],
    ),
    (
        "compare the assertion's `iss` and `sub` with the client_id: both are that",
        &["assertion_issuer_wrong", "assertion_subject_wrong"],
    ),
    (
        "compare the assertion's `aud` with `issuer` in the metadata, which it has to be alone; `chancery.assertion_audience` of the \
         client permits the URL of the token endpoint, too",
        &["assertion_audience_wrong"],
    ),
    (
        "compare the assertion's claims with those that it needs: `iss`, `sub`, `aud`, `exp` and `jti`",
        &["assertion_without_expiry", "assertion_without_jti"],
    ),
    (
        "compare the assertion's `exp`, `iat` and `nbf` with the clocks of both machines: it is made for one request, and good for some \
         minutes",
        &["assertion_expired", "assertion_not_yet_valid", "assertion_lifetime_too_long"],
    ),
    (
        "compare the key that the client signs with, its `kid` and its `alg`, with the public ones of its `jwks` or behind its \
         `jwks_uri` (`chancery client show ID`); with client_secret_jwt, the key is the client_secret",
        &[
            "assertion_key_unknown",
            "assertion_signature_wrong",
            "request_object_key_unknown",
            "request_object_signature_wrong",
        ],
    ),
    (
        "compare the `jti` of two requests: each has an assertion, a proof or a signed request of its own, also one that is sent again",
        &["assertion_replayed", "dpop_proof_replayed", "signed_request_replayed"],
    ),
    // By a certificate
    (
        "compare where the client calls with `mtls_endpoint_aliases` in the metadata and with `tls.mtls_listen`, which alone ask for \
         a certificate; behind a proxy, with `http.client_certificate` and `http.client_certificate_proxies`",
        &["certificate_missing", "client_certificate_missing"],
    ),
    (
        "compare what `openssl x509 -in FILE -noout -text` reads in the client's certificate with its use: a leaf, for clientAuth if it \
         says for what; the client gets another one",
        &["certificate_malformed", "certificate_not_for_clients"],
    ),
    (
        "compare `openssl x509 -in FILE -noout -dates` of the client's certificate and of its chain with the clock of this machine; \
         where it is over, the client gets another one",
        &["certificate_expired", "certificate_not_yet_valid"],
    ),
    (
        "compare the issuer of the client's certificate with the authorities in `tls.client_authorities`; the client sends those in \
         between along",
        &["certificate_untrusted"],
    ),
    (
        "compare the subject and the names of the client's certificate with its `tls_client_auth_` members (`chancery client show ID`)",
        &["certificate_subject_wrong"],
    ),
    (
        "compare the client's certificate with those in its `jwks` or behind its `jwks_uri` (`chancery client show ID`): as `x5c`",
        &["certificate_unregistered"],
    ),
    // How is it registered?
    (
        "compare the metadata with docs/registration.md; what is permitted here is in [registration] and [[registration_policy]], and \
         error_description, which the client got, says which member is wrong",
        &["client_metadata_invalid", "client_redirect_uri_invalid", "client_registration_malformed"],
    ),
    (
        "compare the software statement with [[software_statement_issuer]] of the configuration: its `iss`, its `alg`, its `kid` and \
         its `software_id`",
        &[
            "software_statement_missing",
            "software_statement_malformed",
            "software_statement_algorithm_wrong",
            "software_statement_type_wrong",
            "software_statement_key_unknown",
            "software_statement_signature_wrong",
            "software_statement_issuer_unknown",
            "software_statement_software_unknown",
            "software_statement_issuer_changed",
        ],
    ),
    (
        "compare `aud`, `exp`, `nbf` and `iat` of the software statement with the issuer and with the clocks; its issuer makes another \
         one",
        &[
            "software_statement_audience_wrong",
            "software_statement_expired",
            "software_statement_not_yet_valid",
        ],
    ),
    (
        "compare the client's keys, in its `jwks` or behind its `jwks_uri`, with the encryption that it is registered for (`chancery \
         client show ID`): one of them has to be for that algorithm",
        &["encryption_key_missing"],
    ),
];
