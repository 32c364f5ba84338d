//! The settings about clients that register themselves, and what clients are registered for if they do not say.

use super::{Form, Setting, setting};

pub(super) const REGISTRATION: &[Setting] = &[
    setting(
        "registration.access",
        Form::Choice(&["off", "token", "open"]),
        "\"off\"",
        "Who may register clients: nobody, whoever has an initial access token (`chancery registration-token`), or anybody.",
    ),
    setting(
        "registration.management",
        Form::Switch,
        "false",
        "Whether clients that registered themselves may read, change and remove themselves (RFC 7592).",
    ),
    setting(
        "registration.network_quota",
        Form::Number,
        "20",
        "How many clients one network may register within an hour without an initial access token, on each node; 0 for any number.",
    ),
    setting(
        "registration.total_quota",
        Form::Number,
        "1000",
        "How many clients all networks together may register within an hour without an initial access token, on each node; 0 for any number.",
    ),
    setting(
        "registration.unused_lifetime",
        Form::Duration,
        "\"30d\"",
        "When a client that registered itself is removed if nobody has ever used it. It was used when somebody has allowed it something, or when it got a token.",
    ),
    setting(
        "registration.policies",
        Form::Texts,
        "[\"default\"]",
        "The policies that clients are held to, all at once, unless their initial access token names others. Without a `[[registration_policy]]` of this name, `default` is one with the defaults below.",
    ),
    setting("registration_policy[].name", Form::Text, "\"default\"", "Its name."),
    setting(
        "registration_policy[].grant_types",
        Form::Texts,
        "[\"authorization_code\", \"refresh_token\", \"implicit\"]",
        "The grant types that may be registered. Not among the default are `client_credentials`, because nobody consents to it, and `urn:ietf:params:oauth:grant-type:device_code`, because anybody can be talked into entering a code of a stranger (RFC 10027).",
    ),
    setting(
        "registration_policy[].redirect_hosts",
        Form::Texts,
        "[]",
        "The hosts of redirect and post-logout redirect URIs, besides loopback; `*.example.org` for everything below `example.org`. Empty for all.",
    ),
    setting(
        "registration_policy[].authentication_methods",
        Form::Texts,
        "[]",
        "The values of `token_endpoint_auth_method`; empty for all.",
    ),
    setting(
        "registration_policy[].secret_lifetime",
        Form::Duration,
        "",
        "How long secrets are good (`client_secret_expires_at`); for ever without it.",
    ),
    setting(
        "registration_policy[].network_quota",
        Form::Number,
        "0",
        "How many clients one network may register within an hour, on each node; 0 for any number.",
    ),
    setting(
        "registration_policy[].software_statement",
        Form::Switch,
        "false",
        "Whether clients need a software statement of a `[[software_statement_issuer]]`.",
    ),
    setting("software_statement_issuer[].issuer", Form::Text, "", "The `iss` of its statements. Required."),
    setting(
        "software_statement_issuer[].jwks",
        Form::Text,
        "",
        "Its public keys: a JWK Set as JSON. This or `jwks_uri` is required.",
    ),
    setting("software_statement_issuer[].jwks_uri", Form::Text, "", "Where it publishes its public keys."),
    setting(
        "software_statement_issuer[].algorithms",
        Form::Texts,
        "[\"RS256\", \"PS256\", \"ES256\"]",
        "What it signs with.",
    ),
    setting(
        "software_statement_issuer[].policies",
        Form::Texts,
        "[]",
        "The policies that its clients are held to, all at once and beside those of an initial access token; empty for those of `[registration]`.",
    ),
    setting(
        "software_statement_issuer[].software_ids",
        Form::Texts,
        "[]",
        "The software (`software_id`) that it may vouch for; empty for any.",
    ),
    setting(
        "client_defaults.token_endpoint_auth_method",
        Form::Choice(&[
            "client_secret_basic",
            "client_secret_post",
            "client_secret_jwt",
            "private_key_jwt",
            "tls_client_auth",
            "self_signed_tls_client_auth",
            "none",
        ]),
        "\"client_secret_basic\"",
        "How clients authenticate.",
    ),
    setting(
        "client_defaults.id_token_signed_response_alg",
        Form::Text,
        "\"RS256\"",
        "What their ID tokens are signed with. For a client whose profile does not permit it: the first that is permitted and that the server has a key for.",
    ),
    setting(
        "client_defaults.grant_types",
        Form::Texts,
        "[]",
        "The grant types of clients that name neither grant types nor response types; empty for `authorization_code`.",
    ),
    setting(
        "client_defaults.scope",
        Form::Text,
        "\"\"",
        "The scopes that they may ask for, with spaces between; empty for all.",
    ),
    setting("client_defaults.default_acr_values", Form::Texts, "[]", "The `acr_values` of their requests."),
    setting(
        "client_defaults.require_auth_time",
        Form::Switch,
        "false",
        "Whether they are registered for `auth_time`, which every ID token has anyway.",
    ),
];
