//! Every member of client metadata that is read, for people: `docs/clients.md` is made from it, and suggestions for
//! misspelt names. A test compares it with what is read.

use chancery_types::nearest::did_you_mean;

#[cfg(test)]
mod tests;

/// A member of client metadata.
#[derive(Clone, Copy, Debug)]
pub struct ClientMember {
    /// Its name; those of the member `chancery` have that in front, with a dot.
    pub name: &'static str,
    /// What its value is.
    pub value: &'static str,
    /// What counts if it is left out; empty if that is nothing.
    pub default: &'static str,
    /// Its meaning, in one or two sentences.
    pub meaning: &'static str,
    /// The section that defines it.
    pub section: &'static str,
}

impl ClientMember {
    /// Members by purpose, in the order in which they are explained.
    pub const GROUPS: &[(&str, &[Self])] = &[
        ("What people are told", TOLD),
        ("Who it is, and how it logs in", IDENTITY),
        ("What it may ask for", FLOW),
        ("ID tokens and UserInfo", OPENID),
        ("Logout", LOGOUT),
        ("Requests and responses that are JWTs", JWTS),
        ("Another device (CIBA)", CIBA),
        ("What the operator decides", OWN),
    ];

    /// All members.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        Self::GROUPS.iter().flat_map(|(_, members)| *members)
    }

    /// Suggests a member for a name that is none, as the end of a sentence.
    pub(crate) fn suggestion(prefix: &str, name: &str) -> String {
        let names = Self::all().filter_map(|member| member.name.strip_prefix(prefix));
        did_you_mean(name, names.filter(|name| !name.contains('.')))
    }
}

const fn member(
    name: &'static str,
    value: &'static str,
    default: &'static str,
    meaning: &'static str,
    section: &'static str,
) -> ClientMember {
    ClientMember { name, value, default, meaning, section }
}

const RFC7591: &str = "RFC 7591 section 2";
const OIDC: &str = "OIDC Registration section 2";

const TOLD: &[ClientMember] = &[
    member(
        "client_name",
        "text",
        "",
        "Its name. Also in several languages: `client_name#de`. So can the four members below.",
        RFC7591,
    ),
    member("client_uri", "URL", "", "Its home page.", RFC7591),
    member("logo_uri", "URL", "", "Its logo, which pages show with `pages.client_logos`.", RFC7591),
    member("policy_uri", "URL", "", "Its privacy policy, which pages link.", RFC7591),
    member("tos_uri", "URL", "", "Its terms, which pages link.", RFC7591),
    member("contacts", "list of e-mail addresses", "", "Who is responsible for it.", RFC7591),
    member(
        "software_id",
        "text",
        "",
        "Identifies the software, the same for all of its registrations.",
        RFC7591,
    ),
    member("software_version", "text", "", "The software's version.", RFC7591),
];

const IDENTITY: &[ClientMember] = &[
    member(
        "client_id",
        "text",
        "made",
        "Its id, 1 to 255 printable ASCII characters. It cannot be changed.",
        RFC7591,
    ),
    member(
        "client_secret",
        "text",
        "made",
        "Its secret, at least 32 characters. Leave it out and a good one is made and printed once.",
        RFC7591,
    ),
    member(
        "client_secret_expires_at",
        "seconds since 1970",
        "0",
        "When the secret ends; 0 for never.",
        "RFC 7591 section 3.2.1",
    ),
    member(
        "application_type",
        "`web`, `native`",
        "web",
        "`native` runs on a person's device, and may have `http` redirect URIs on loopback addresses and schemes of its own.",
        OIDC,
    ),
    member(
        "token_endpoint_auth_method",
        "`client_secret_basic`, `client_secret_post`, `client_secret_jwt`, `private_key_jwt`, `tls_client_auth`, `self_signed_tls_client_auth`, `none`",
        "client_secret_basic",
        "How it authenticates. `none` is for programs that cannot keep a secret: in a browser, on a person's device.",
        RFC7591,
    ),
    member(
        "token_endpoint_auth_signing_alg",
        "algorithm",
        "",
        "What its assertions are signed with; without it, any algorithm of its method.",
        OIDC,
    ),
    member("jwks", "JWK Set", "", "Its public keys. Either these or `jwks_uri`.", RFC7591),
    member("jwks_uri", "https URL", "", "Where it publishes its public keys.", RFC7591),
    member(
        "tls_client_auth_subject_dn",
        "distinguished name",
        "",
        "The subject of its certificate, for `tls_client_auth`. Exactly one of these five.",
        "RFC 8705 section 2.1.2",
    ),
    member(
        "tls_client_auth_san_dns",
        "host name",
        "",
        "A DNS name of its certificate.",
        "RFC 8705 section 2.1.2",
    ),
    member("tls_client_auth_san_uri", "URI", "", "A URI of its certificate.", "RFC 8705 section 2.1.2"),
    member(
        "tls_client_auth_san_ip",
        "IP address",
        "",
        "An address of its certificate.",
        "RFC 8705 section 2.1.2",
    ),
    member(
        "tls_client_auth_san_email",
        "e-mail address",
        "",
        "An e-mail address of its certificate.",
        "RFC 8705 section 2.1.2",
    ),
    member(
        "use_mtls_endpoint_aliases",
        "boolean",
        "false",
        "Whether it calls the `mtls_endpoint_aliases`. It says so for its own sake.",
        "FAPI 2.0 Security Profile section 8.1.1",
    ),
];

const FLOW: &[ClientMember] = &[
    member(
        "redirect_uris",
        "list of URIs",
        "",
        "Where the browser may be sent after a login. A request has to name one of them, byte for byte; of a native client, the port of `127.0.0.1` and `[::1]` may differ.",
        RFC7591,
    ),
    member(
        "grant_types",
        "list of `authorization_code`, `refresh_token`, `client_credentials`, `implicit`, `urn:ietf:params:oauth:grant-type:device_code`, `urn:openid:params:grant-type:ciba`",
        "[\"authorization_code\"]",
        "What it may ask the token endpoint for. `response_types` and this complete each other.",
        RFC7591,
    ),
    member(
        "response_types",
        "list of `code`, `id_token` and the like",
        "[\"code\"]",
        "What it may ask the authorization endpoint for; `[]` for a client that has nothing to do with people.",
        RFC7591,
    ),
    member(
        "response_modes",
        "list of `query`, `fragment`, `form_post` and the like",
        "",
        "The response modes that it may use; without it, all but those that send messages.",
        "OAuth 2.0 Multiple Response Types section 2.1",
    ),
    member(
        "scope",
        "scopes with spaces between",
        "",
        "The scopes that it may ask for; without it, all.",
        RFC7591,
    ),
    member(
        "authorization_details_types",
        "list of texts",
        "",
        "The types of authorization details that it may ask for; without it, all.",
        "RFC 9396 section 10",
    ),
    member(
        "require_pushed_authorization_requests",
        "boolean",
        "false",
        "Whether its requests are refused unless it has pushed them. Needs `pushed_requests.offered`.",
        "RFC 9126 section 6",
    ),
    member(
        "dpop_bound_access_tokens",
        "boolean",
        "false",
        "Whether its token requests are refused unless they have a DPoP proof. Needs `dpop.offered`.",
        "RFC 9449 section 5.2",
    ),
    member(
        "tls_client_certificate_bound_access_tokens",
        "boolean",
        "false",
        "Whether its access tokens are bound to its certificate. Needs `mtls.certificate_bound_access_tokens`.",
        "RFC 8705 section 3.4",
    ),
    member("initiate_login_uri", "https URL", "", "Where a login can be started.", "OIDC Core section 4"),
];

const OPENID: &[ClientMember] = &[
    member(
        "subject_type",
        "`public`, `pairwise`",
        "public",
        "Whether the person has the same `sub` at every client, or one for each sector. Needs `subjects.types`.",
        OIDC,
    ),
    member(
        "sector_identifier_uri",
        "https URL",
        "",
        "A document that lists the redirect URIs of a sector; it is fetched once.",
        "OIDC Core section 8.1",
    ),
    member(
        "id_token_signed_response_alg",
        "algorithm",
        "RS256",
        "What ID tokens are signed with: one for which `chancery keys list` has a key, or an HMAC with the secret.",
        OIDC,
    ),
    member(
        "id_token_encrypted_response_alg",
        "algorithm",
        "",
        "How the client learns the key of an encrypted ID token; without it, they are not encrypted.",
        OIDC,
    ),
    member(
        "id_token_encrypted_response_enc",
        "algorithm",
        "A128CBC-HS256",
        "How ID tokens are encrypted.",
        OIDC,
    ),
    member(
        "userinfo_signed_response_alg",
        "algorithm",
        "",
        "What UserInfo answers are signed with; without it, they are plain JSON.",
        OIDC,
    ),
    member(
        "userinfo_encrypted_response_alg",
        "algorithm",
        "",
        "How the client learns the key of an encrypted UserInfo answer.",
        OIDC,
    ),
    member(
        "userinfo_encrypted_response_enc",
        "algorithm",
        "A128CBC-HS256",
        "How UserInfo answers are encrypted.",
        OIDC,
    ),
    member(
        "default_max_age",
        "seconds",
        "",
        "A login that is older is repeated, unless the request says otherwise.",
        OIDC,
    ),
    member(
        "require_auth_time",
        "boolean",
        "false",
        "Whether ID tokens always say when the person has authenticated.",
        OIDC,
    ),
    member(
        "default_acr_values",
        "list of texts",
        "",
        "The authentication classes that are asked for, unless the request says otherwise.",
        OIDC,
    ),
];

const LOGOUT: &[ClientMember] = &[
    member(
        "post_logout_redirect_uris",
        "list of URIs",
        "",
        "Where the browser may be sent after a logout, byte for byte.",
        "OIDC RP-Initiated Logout section 3.1",
    ),
    member(
        "backchannel_logout_uri",
        "URL",
        "",
        "Is called when a session ends.",
        "OIDC Back-Channel Logout section 2.2",
    ),
    member(
        "backchannel_logout_session_required",
        "boolean",
        "false",
        "Whether it needs `sid` there, which it gets anyway.",
        "OIDC Back-Channel Logout section 2.2",
    ),
    member(
        "frontchannel_logout_uri",
        "URL",
        "",
        "Is loaded by the browser when a person logs out.",
        "OIDC Front-Channel Logout section 2",
    ),
    member(
        "frontchannel_logout_session_required",
        "boolean",
        "false",
        "Whether it needs `iss` and `sid` there, which it gets anyway.",
        "OIDC Front-Channel Logout section 2",
    ),
];

const JWTS: &[ClientMember] = &[
    member(
        "request_object_signing_alg",
        "algorithm",
        "",
        "What its request objects are signed with; without it, any algorithm of its own keys.",
        OIDC,
    ),
    member(
        "request_object_encryption_alg",
        "algorithm",
        "",
        "By which algorithm it may encrypt request objects.",
        OIDC,
    ),
    member("request_object_encryption_enc", "algorithm", "A128CBC-HS256", "How it may encrypt them.", OIDC),
    member(
        "require_signed_request_object",
        "boolean",
        "false",
        "Whether its requests are refused unless they are signed.",
        "RFC 9101 section 10.5",
    ),
    member("request_uris", "list of https URLs", "", "Where it publishes request objects.", OIDC),
    member(
        "authorization_signed_response_alg",
        "algorithm",
        "RS256",
        "What authorization responses are signed with, for the response modes with `jwt`. Needs `response_modes.jwt`.",
        "JARM section 3",
    ),
    member(
        "authorization_encrypted_response_alg",
        "algorithm",
        "",
        "How the client learns the key of an encrypted one.",
        "JARM section 3",
    ),
    member(
        "authorization_encrypted_response_enc",
        "algorithm",
        "A128CBC-HS256",
        "How they are encrypted.",
        "JARM section 3",
    ),
    member(
        "introspection_signed_response_alg",
        "algorithm",
        "",
        "What introspection answers are signed with; without it, they are plain JSON.",
        "RFC 9701 section 6",
    ),
    member(
        "introspection_encrypted_response_alg",
        "algorithm",
        "",
        "How the client learns the key of an encrypted one.",
        "RFC 9701 section 6",
    ),
    member(
        "introspection_encrypted_response_enc",
        "algorithm",
        "A128CBC-HS256",
        "How they are encrypted.",
        "RFC 9701 section 6",
    ),
];

const CIBA: &[ClientMember] = &[
    member(
        "backchannel_token_delivery_mode",
        "`poll`, `ping`, `push`",
        "",
        "How it gets the answer. Needs `ciba.offered`.",
        "CIBA Core section 4",
    ),
    member(
        "backchannel_client_notification_endpoint",
        "https URL",
        "",
        "Where it is told of the answer, or gets it.",
        "CIBA Core section 4",
    ),
    member(
        "backchannel_authentication_request_signing_alg",
        "algorithm",
        "",
        "What it signs its requests with; without it, it does not sign them.",
        "CIBA Core section 4",
    ),
    member(
        "backchannel_user_code_parameter",
        "boolean",
        "false",
        "Whether it asks people for their user code.",
        "CIBA Core section 4",
    ),
];

const OWN: &[ClientMember] = &[
    member(
        "chancery.enabled",
        "boolean",
        "true",
        "Whether the client may be used at all. `client disable` and `enable` write it.",
        "",
    ),
    member(
        "chancery.consent",
        "`ask`, `implied`",
        "ask",
        "`implied` for the operator's own application: people are not asked for consent.",
        "",
    ),
    member(
        "chancery.refresh_tokens",
        "`offline`, `always`",
        "offline",
        "Whether refresh tokens need the scope `offline_access`. They need the grant type `refresh_token` anyway.",
        "",
    ),
    member(
        "chancery.default_resource",
        "URI",
        "",
        "The resource server that its access tokens are for if its request names none.",
        "",
    ),
    member(
        "chancery.resources",
        "list of URIs",
        "[]",
        "The resource servers that it may ask for with the parameter `resource` (RFC 8707), besides its `default_resource`.",
        "",
    ),
    member(
        "chancery.introspects",
        "list of client ids",
        "[]",
        "The clients whose tokens it may introspect, besides its own.",
        "",
    ),
    member(
        "chancery.profile",
        "`baseline`, `fapi1-advanced`, `fapi2-security`, `fapi2-message-signing`",
        "baseline",
        "What it is held to, besides what the server's `profile` demands of every client.",
        "",
    ),
    member(
        "chancery.secret_method",
        "`either`, `registered`",
        "either",
        "`registered`: it may send its secret only in the way that it is registered with (`token_endpoint_auth_method`).",
        "",
    ),
    member(
        "chancery.any_loopback_port",
        "boolean",
        "false",
        "Whether its requests may name any port of `localhost`, `127.0.0.1` or `[::1]`, whichever its redirect URIs there have, as those of a native application do (RFC 8252 section 7.3). For applications that are being developed; a public client with it is asked for consent each time. This deviates from RFC 9700 section 2.1.",
        "",
    ),
    member(
        "chancery.any_redirect_scheme",
        "boolean",
        "false",
        "Whether its redirect URIs may be of any scheme but those that a browser runs or opens itself. This deviates from OIDC Registration section 2.",
        "",
    ),
    member(
        "chancery.assertion_audience",
        "`issuer`, `endpoints`",
        "issuer",
        "Whom its assertions may be for (`aud`). `endpoints`: also the URL of the token endpoint or of the endpoint that is called. This deviates from draft-ietf-oauth-rfc7523bis section 4.",
        "",
    ),
    member(
        "chancery.empty_scope_members",
        "boolean",
        "false",
        "Whether it gets `\"scope\": \"\"` where nothing was granted, instead of no `scope`. This deviates from RFC 6749 section 3.3.",
        "",
    ),
    member(
        "chancery.http_loopback_redirects",
        "boolean",
        "false",
        "Whether its redirect URIs may be `http` on a loopback host although it is no native client: while the application is being developed. A provider whose own issuer is `http` on a loopback host takes them from every client; in a program, `MemoryRegistry` knows the issuer only by `.offering(config.offered_at(&issuer))`, and `.on_loopback()` sets this member. This deviates from RFC 9700 section 2.6.",
        "",
    ),
    member(
        "chancery.normalised_redirect_match",
        "boolean",
        "false",
        "Whether its requests may spell a redirect URI differently from the registered one. This deviates from RFC 9700 section 2.1.",
        "",
    ),
    member(
        "chancery.pkce_optional",
        "boolean",
        "false",
        "Whether a client that authenticates may omit PKCE. This deviates from RFC 9700 section 2.1.1. A public client may not.",
        "",
    ),
    member(
        "chancery.pkce_plain",
        "boolean",
        "false",
        "Whether it may use the code challenge method `plain`. This deviates from RFC 9700 section 2.1.1.",
        "",
    ),
    member(
        "chancery.scope_claims_in_id_token",
        "boolean",
        "false",
        "Whether the claims of scopes are in its ID tokens although it can get them from UserInfo, for clients that never ask there. This deviates from OIDC Core section 5.4.",
        "",
    ),
    member(
        "chancery.wildcard_redirect_uris",
        "boolean",
        "false",
        "Whether `*` in its redirect URIs is a wildcard. This deviates from RFC 9700 section 2.1.",
        "",
    ),
];
