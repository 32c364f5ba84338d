//! The catalogue of all settings with their keys, forms, defaults and meanings. The schema, the reference
//! page, the commented configuration of `init`, the names of the environment variables and the check for
//! unknown keys are made from it; a test compares it with the structs that hold the values.

use std::sync::LazyLock;

use chancery_core::offered::{Endpoint, Switch};

mod compatibility;
use compatibility::COMPATIBILITY;

mod client_authentication;
use client_authentication::CLIENT_AUTHENTICATION;

mod ciba;
use ciba::CIBA;

mod device_authorization;
use device_authorization::DEVICE_AUTHORIZATION;

mod discovery;
use discovery::DISCOVERY;

mod dpop;
use dpop::DPOP;

mod pages;
use pages::PAGES;

mod registration;
use registration::REGISTRATION;

mod requests;
use requests::REQUESTS;

mod supervision;
use supervision::SUPERVISION;

mod throttle;
use throttle::THROTTLE;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its key in the file: `section.key`, or `section[].key` in a repeated section.
    pub(crate) key: &'static str,
    /// The form of its value.
    pub(crate) form: Form,
    /// The default as it would be written in a file; empty if there is none.
    pub(crate) default: &'static str,
    /// Its meaning in one or two sentences.
    meaning: &'static str,
    /// Whether a change counts after a restart alone, and not when the configuration is reloaded.
    pub(crate) waits_for_restart: bool,
}

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    /// A list; comma-separated in a variable or a flag.
    Texts,
    Number,
    /// `true` or `false`.
    Switch,
    /// `"90s"`, `"10m"`, `"1h30m"`, `"14d"`.
    Duration,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A table with free keys and strings as values, which only the file can have.
    TextByName,
    /// A table with free keys and lists of strings as values, which only the file can have.
    TextsByName,
}

impl Setting {
    /// Its meaning, and whether a change waits for a restart.
    pub(crate) fn meaning(&self) -> String {
        let waits = if self.waits_for_restart { " A change waits for a restart." } else { "" };
        [self.meaning, waits].concat()
    }

    /// A change counts after a restart alone.
    const fn at_restart(self) -> Self {
        Self { waits_for_restart: true, ..self }
    }

    /// The environment variable that overrides it; tables and keys of repeated sections have none.
    pub(crate) fn variable(&self) -> Option<String> {
        let is_single = !self.key.contains("[]") && !self.is_table();
        is_single.then(|| self.as_variable())
    }

    /// Whether it is a table, which only the file can have.
    fn is_table(&self) -> bool {
        matches!(self.form, Form::TextByName | Form::TextsByName)
    }

    fn as_variable(&self) -> String {
        format!("CHANCERY_{}", self.key.replace('.', "_").to_uppercase())
    }

    /// Whether it is a table that somebody names by its key or as a variable.
    pub(crate) fn is_table_of(&self, name: &str) -> bool {
        self.is_table() && !self.key.contains("[]") && (self.key == name || self.as_variable() == name)
    }

    /// The default, if there is one.
    pub(crate) fn default_value(&self) -> Option<toml::Value> {
        format!("default = {}", self.default).parse::<toml::Table>().ok()?.remove("default")
    }

    /// The sections that contain it, the outermost first, and its name in the innermost.
    pub(crate) fn path(&self) -> (Vec<&'static str>, &'static str) {
        match self.key.rsplit_once('.') {
            None => (Vec::new(), self.key),
            Some((sections, name)) => (sections.split('.').collect(), name),
        }
    }
}

const fn setting(key: &'static str, form: Form, default: &'static str, meaning: &'static str) -> Setting {
    Setting { key, form, default, meaning, waits_for_restart: false }
}

/// The sections with their purposes, in the order in which they are written.
pub(crate) const SECTIONS: &[(&str, &str)] = &[
    ("", "The identity of the provider"),
    ("http", "Plain HTTP, for loopback or behind a proxy that terminates TLS"),
    ("tls", "HTTPS. SIGHUP reloads the files without dropping a connection"),
    (
        "management",
        "`/livez`, `/readyz` and `/metrics`, for whoever supervises the process, on an address that the public does not reach",
    ),
    ("store", "Where all data is stored"),
    ("keys", "How private keys are protected"),
    (
        "passwords",
        "The hashing of passwords, which takes some 30 ms each. A thread allocates 19 MiB for its first password and keeps them",
    ),
    ("pages", "The pages that people see"),
    (
        "fetch",
        "Requests to other servers, for what clients have published there. They are made over HTTPS, to public addresses only",
    ),
    ("log", "The log: one line per event, on the standard output"),
    (
        "traces",
        "Spans of requests for an OpenTelemetry collector, by a binary that was built with `--features opentelemetry`",
    ),
    ("routes", "The paths of the endpoints, below the issuer's own path"),
    (
        "endpoints",
        "Which endpoints are on. One that is off has no path and is not in the metadata, and no client can be registered for it",
    ),
    ("session", "How long people stay signed in"),
    ("interaction", "The login and consent pages"),
    ("throttle", "Limits guesses at passwords. Only failures are counted"),
    (
        "account",
        "The pages on which people see and end what they have here: sessions, applications, their password. `endpoints.account` switches them off",
    ),
    ("sign_up", "Accounts that people make for themselves (Initiating User Registration via OpenID Connect)"),
    ("client_authentication", "How clients authenticate"),
    (
        "dpop",
        "Tokens that are bound to a key of the client (RFC 9449, DPoP): whoever steals one cannot use it",
    ),
    (
        "mtls",
        "Certificates of clients (RFC 8705). They come by `tls.mtls_listen`, or by a proxy (`http.client_certificate`)",
    ),
    ("request_objects", "Authorization requests that are JWTs (RFC 9101)"),
    (
        "pushed_requests",
        "Authorization requests that clients send by themselves before they send the person (RFC 9126)",
    ),
    ("authorization_details", "What clients may ask for in detail (RFC 9396)"),
    (
        "ciba",
        "Clients that ask a person at another device, and not in the browser in which the person uses them (OpenID CIBA): each person decides at `/approvals`. The pages are on the issuer's own origin, so that `interaction.location` must not be set",
    ),
    (
        "device_authorization",
        "Devices without a browser: their person decides at another device (RFC 8628). The pages are on the issuer's own origin, so that `interaction.location` must not be set",
    ),
    (
        "client_defaults",
        "Members of client metadata for clients that leave them out, whoever registers them (RFC 7591 section 2)",
    ),
    (
        "response_modes",
        "How authorization responses reach clients, besides `query`, `fragment` and `form_post`",
    ),
    (
        "compatibility",
        "What is loosened for clients that cannot do without it. Each setting leaves a recommendation of its standard; `chancery check` names the section",
    ),
    ("authorization_code", "Authorization codes, and the grants that they start"),
    ("access_token", "Access tokens"),
    ("refresh_token", "Refresh tokens"),
    ("id_token", "ID tokens"),
    (
        "registration",
        "Clients that register themselves (RFC 7591, OpenID Connect Dynamic Client Registration)",
    ),
    ("scopes", "Scopes besides `openid`, `offline_access` and those of `[claims]`"),
    ("claims", "Claims"),
    ("subjects", "How people are named to clients (OIDC Core section 8)"),
    (
        "userinfo",
        "What UserInfo demands of the person's authentication. Otherwise it answers `insufficient_user_authentication`, and the client sends the person once more with what is demanded (RFC 9470)",
    ),
    ("discovery", "Additional metadata"),
    (
        "registration_policy[]",
        "What clients that register themselves may register for; repeat the section for each policy",
    ),
    (
        "software_statement_issuer[]",
        "Somebody who vouches for clients that register themselves, by software statements (RFC 7591 section 2.3); repeat the section for each",
    ),
    ("resource_server[]", "A resource server that accepts access tokens; repeat the section for each"),
];

/// The scopes of OIDC Core section 5.4, as they would be written in a file.
const CLAIMS_OF_SCOPES: &str = "{ address = [\"address\"], email = [\"email\", \"email_verified\"], \
    phone = [\"phone_number\", \"phone_number_verified\"], profile = [\"name\", \"family_name\", \"given_name\", \
    \"middle_name\", \"nickname\", \"preferred_username\", \"profile\", \"picture\", \"website\", \"gender\", \"birthdate\", \
    \"zoneinfo\", \"locale\", \"updated_at\"] }";

/// Every setting, section by section.
pub(crate) static ALL: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let described = Endpoint::ALL.iter().map(|endpoint| endpoint.describe());
    let of_endpoint = described.flat_map(|endpoint| {
        // The leaked strings live as long as the table, which is made once.
        let named = |section: &str| -> &'static str { format!("{section}.{}", endpoint.name).leak() };
        let quoted = |path: &str| -> &'static str { format!("\"{path}\"").leak() };
        let route =
            endpoint.path.map(|path| setting(named("routes"), Form::Text, quoted(path), endpoint.purpose));
        let switch = || setting(named("endpoints"), Form::Switch, "true", endpoint.purpose);
        route.into_iter().chain((endpoint.switch == Switch::Endpoints).then(switch))
    });
    WRITTEN
        .iter()
        .chain(PAGES)
        .chain(SUPERVISION)
        .chain(THROTTLE)
        .chain(DPOP)
        .chain(REQUESTS)
        .chain(CIBA)
        .chain(DISCOVERY)
        .chain(DEVICE_AUTHORIZATION)
        .chain(REGISTRATION)
        .chain(COMPATIBILITY)
        .chain(CLIENT_AUTHENTICATION)
        .copied()
        .chain(of_endpoint)
        .collect()
});

/// All settings but those of `[compatibility]`, and those of `[routes]` and `[endpoints]`, which are made from the endpoints' descriptions.
const WRITTEN: &[Setting] = &[
    setting(
        "issuer",
        Form::Text,
        "",
        "The issuer identifier and base of all URLs: `https` without a trailing slash, or `http` on loopback. Required.",
    ),
    setting(
        "realm",
        Form::Text,
        "\"main\"",
        "Names this issuer's data in the store. Never change it, because data stored under another name is not found.",
    ),
    setting(
        "profile",
        Form::Choice(&["baseline", "fapi1-advanced", "fapi2-security", "fapi2-message-signing"]),
        "\"baseline\"",
        "What every client is held to, besides RFC 9700: FAPI 1.0 part 2 (Advanced), the FAPI 2.0 Security Profile, or that and FAPI 2.0 Message Signing. Registrations and requests that fall short are refused. A client can be held to more by itself (`profile` below `chancery` in its metadata), never to less.",
    ),
    setting("http.listen", Form::Texts, "[]", "Addresses and ports, such as `127.0.0.1:8080`.").at_restart(),
    setting(
        "http.trusted_proxies",
        Form::Texts,
        "[]",
        "Networks such as `10.0.0.0/8` whose `X-Forwarded-For` is trusted. Name your proxies only: everybody in these networks can choose the address that throttles see.",
    ),
    setting(
        "http.connections",
        Form::Number,
        "4096",
        "How many connections may be open, including those of `[tls]`; further ones are closed at once. The operating system's limit of open files must be higher.",
    ).at_restart(),
    setting(
        "http.connections_per_network",
        Form::Number,
        "256",
        "How many of these one network may have, which is an IPv4 address or an IPv6 /64. Loopback and `http.trusted_proxies` are not limited.",
    ).at_restart(),
    setting(
        "http.header_timeout",
        Form::Duration,
        "\"10s\"",
        "How long a request's header may take, counted from its first byte, or from the start of the connection for the first request.",
    ).at_restart(),
    setting("http.body_timeout", Form::Duration, "\"30s\"", "How long a request's body may take.").at_restart(),
    setting(
        "http.idle_timeout",
        Form::Duration,
        "\"75s\"",
        "How long a connection may be idle. It must be longer than the idle timeout of the proxy in front, which is usually 60s, and 10m for Google's load balancers.",
    ).at_restart(),
    setting("tls.listen", Form::Texts, "[]", "Addresses and ports, such as `0.0.0.0:443`.").at_restart(),
    setting(
        "tls.certificate",
        Form::Text,
        "",
        "The file with the certificate chain (PEM), the server's own certificate first. One that clients refuse is refused here: it has ended or not begun, has an RSA key of fewer than 2048 bits, or is signed with SHA-1.",
    ).at_restart(),
    setting("tls.key", Form::Text, "", "The file with the certificate's private key (PEM).").at_restart(),
    setting(
        "store.sqlite",
        Form::Text,
        "",
        "The SQLite file, which `chancery init` makes. Without it, all data is kept in memory and lost at the end.",
    ).at_restart(),
    setting(
        "store.group_access",
        Form::Switch,
        "false",
        "Whether the group of the SQLite file and of its folder may read and write them, whoever owns them, as on a volume that Kubernetes mounts with `fsGroup`. Nobody else ever may.",
    ).at_restart(),
    setting(
        "keys.wrapping_key",
        Form::Text,
        "",
        "The file with the key that seals private keys: 32 bytes in base64url. Its mode is 0600, or 0440 if root owns it. Required with `store.sqlite`.",
    ).at_restart(),
    setting(
        "passwords.threads",
        Form::Number,
        "2",
        "How many passwords are hashed at once, 1024 at most. The server grows by 19 MiB for each.",
    ).at_restart(),
    setting(
        "passwords.blocklist",
        Form::Text,
        "",
        "A file of passwords that are refused, one per line. It replaces the built-in list of common passwords.",
    ).at_restart(),
    setting(
        "passwords.queue",
        Form::Number,
        "32",
        "How many passwords may wait, 100000 at most. Further logins are asked to try again later.",
    ).at_restart(),
    setting(
        "fetch.extra_roots",
        Form::Texts,
        "[]",
        "Files (PEM) with certificate authorities that are trusted besides the public ones, which are built in.",
    ),
    setting(
        "fetch.allow_hosts",
        Form::Texts,
        "[]",
        "Hosts that may have addresses of the internal network: `host` for port 443, or `host:port`. They are asked for clients that an operator has registered; see `allow_hosts_for`.",
    ),
    setting(
        "fetch.allow_hosts_for",
        Form::Choice(&["operators", "everybody"]),
        "\"operators\"",
        "For whose clients the hosts of `allow_hosts` are asked. With `\"everybody\"` also for those that have registered themselves: then a stranger can make the server send requests to them, and `chancery check` says so.",
    ),
    setting("session.idle", Form::Duration, "\"14d\"", "A session ends when it is not used for this long."),
    setting(
        "session.absolute",
        Form::Duration,
        "\"90d\"",
        "A session ends this long after the login, even if it is used.",
    ),
    setting(
        "session.management",
        Form::Switch,
        "false",
        "Whether clients' pages can watch whether the person is still signed in (OpenID Connect Session Management): every response to a client has a `session_state`, and there is a frame that compares it with a cookie which scripts can read. Browsers that keep cookies from frames of other sites let it work for pages of the same site only.",
    ),
    setting(
        "interaction.lifetime",
        Form::Duration,
        "\"1h\"",
        "How long a person has to complete the pages, counted from the first one.",
    ),
    setting("interaction.consent", Form::Duration, "\"365d\"", "How long a consent is remembered."),
    setting(
        "interaction.location",
        Form::Text,
        "\"\"",
        "The URL of pages of your own on another origin of the issuer's site, which ask the server for what they show and send what the person enters ([own-pages.md](own-pages.md)). The built-in pages are not shown then, except for errors and logout.",
    ),
    setting(
        "interaction.acr_values_are_essential",
        Form::Switch,
        "false",
        "Whether `acr_values` of a request are as binding as an essential `acr`: whoever has not reached one of them signs in again, and where none can be reached the request fails with `unmet_authentication_requirements` (RFC 9470 section 5). Otherwise they are a wish, as in OIDC Core section 3.1.2.1.",
    ),
    setting(
        "interaction.anonymous_limit",
        Form::Number,
        "1000",
        "How many requests each node stores for such pages at most, of those that are too long for a URL; a quarter of them for one network. Whoever comes when it is full has to come again later.",
    ),
    setting(
        "account.fresh_login",
        Form::Duration,
        "\"15m\"",
        "How long ago a person may have signed in to end something on the account page. Who has signed in before that does it again.",
    ),
    setting(
        "sign_up.offered",
        Form::Switch,
        "false",
        "Whether the login page leads to a page on which everybody can make an account, and clients can ask for it with `prompt=create`.",
    ),
    setting(
        "sign_up.network_quota",
        Form::Number,
        "20",
        "How many names one network can try within an hour, counted by each node. The page has to say that a name is taken, so that attempts that fail count like those that succeed.",
    ),
    setting(
        "authorization_code.lifetime",
        Form::Duration,
        "\"1m\"",
        "How long a code can be redeemed; at most 10m.",
    ),
    setting(
        "authorization_code.remembered",
        Form::Duration,
        "\"1h\"",
        "How long a redeemed code is remembered, so that a replay ends its grant and tokens.",
    ),
    setting(
        "authorization_code.grant",
        Form::Duration,
        "\"91d\"",
        "How long a grant with refresh tokens lives; any other grant ends with its code and access token.",
    ),
    setting("access_token.opaque", Form::Duration, "\"1h\"", "The lifetime of an opaque token for a person."),
    setting(
        "access_token.jwt",
        Form::Duration,
        "\"5m\"",
        "The lifetime of a JWT. It is short, because resource servers that verify a JWT offline do not learn of its revocation.",
    ),
    setting(
        "access_token.client_credentials",
        Form::Duration,
        "\"10m\"",
        "The lifetime of an opaque token for the client itself.",
    ),
    setting("refresh_token.idle", Form::Duration, "\"14d\"", "How long a refresh token may be unused."),
    setting(
        "refresh_token.absolute",
        Form::Duration,
        "\"90d\"",
        "The longest lifetime of a family of refresh tokens, however often it is used.",
    ),
    setting(
        "refresh_token.grace",
        Form::Duration,
        "\"30s\"",
        "How long a used refresh token can be used again, by a client that did not get the answer; at most 5m.",
    ),
    setting("id_token.lifetime", Form::Duration, "\"1h\"", "The lifetime of an ID token."),
    setting(
        "subjects.types",
        Form::Texts,
        "[\"public\", \"pairwise\"]",
        "What clients may be registered for as `subject_type`: `public`, the same `sub` for every client, or `pairwise`, another one for each sector. The first one is for clients that do not say; those that are registered already keep theirs.",
    ),
    setting("scopes.extra", Form::Texts, "[]", "Scopes of your own that belong to no resource server."),
    setting(
        "scopes.unknown",
        Form::Choice(&["ignore", "refuse"]),
        "\"ignore\"",
        "What happens to an unknown scope: it is left out with the event `scopes_ignored`, or the request is refused with `invalid_scope`.",
    ),
    setting(
        "response_modes.jwt",
        Form::Switch,
        "false",
        "Whether responses can be JWTs (JARM): the response modes `jwt`, `query.jwt`, `fragment.jwt` and `form_post.jwt`, and `web_message.jwt` beside `web_message`. They are signed, and encrypted for clients that are registered for it.",
    ),
    setting(
        "response_modes.web_message",
        Form::Switch,
        "false",
        "Whether clients whose `response_modes` name it may have responses as a message to the window that has opened or framed the authorization request (draft-sakimura-oauth-wmrm, simple mode). Any page of the origin of such a client's redirect URI can get them, and frame the answer.",
    ),
    setting(
        "claims.scopes",
        Form::TextsByName,
        CLAIMS_OF_SCOPES,
        "The claims of each scope. The default is OIDC Core section 5.4; a value replaces it entirely.",
    ),
    setting(
        "claims.extra",
        Form::Texts,
        "[]",
        "Claims that can only be requested individually, by the `claims` parameter.",
    ),
    setting(
        "claims.locales",
        Form::Texts,
        "[]",
        "The languages in which people have claims such as `name#de` (BCP 47 tags), announced as `claims_locales_supported`.",
    ),
    setting(
        "resource_server[].uri",
        Form::Text,
        "",
        "Its identifier, which is the `aud` of its tokens (RFC 9068 section 3). Required.",
    ),
    setting(
        "resource_server[].name",
        Form::Text,
        "",
        "What people are told it is called; its `uri` stands beside it.",
    ),
    setting("resource_server[].scopes", Form::Texts, "[]", "The scopes that it knows."),
    setting(
        "resource_server[].any_client",
        Form::Switch,
        "false",
        "Whether every client may ask people for access to it, and not only those that name it in `default_resource` or `resources`. For tokens of its own a client always has to name it.",
    ),
    setting(
        "resource_server[].format",
        Form::Choice(&["opaque", "jwt"]),
        "\"opaque\"",
        "`opaque` for a token that it introspects, or `jwt` for one that it verifies itself.",
    ),
    setting(
        "resource_server[].lifetime",
        Form::Duration,
        "",
        "The lifetime of its tokens; the default is that of `[access_token]` for the format.",
    ),
    setting("resource_server[].alg", Form::Text, "\"ES256\"", "The algorithm that signs its JWTs; it needs `format = \"jwt\"`."),
    setting(
        "resource_server[].encryption",
        Form::TextByName,
        "",
        "Encrypts its JWTs after signing: `alg`, `enc` (default `A128CBC-HS256`) and `key`, its public JWK as JSON. Only it can read them then: they cannot be introspected or revoked as they are, and UserInfo does not accept them.",
    ),
    setting(
        "resource_server[].introspected_by",
        Form::Texts,
        "[]",
        "The `client_id`s that may introspect its tokens.",
    ),
    setting(
        "resource_server[].authentication",
        Form::Switch,
        "true",
        "Whether its tokens tell how and when the person authenticated: `auth_time`, `acr` and `amr` of a JWT (RFC 9068 section 2.2.1), `auth_time` and `acr` of an introspection (RFC 9470 section 6.2).",
    ),
    setting(
        "resource_server[].userinfo",
        Form::Switch,
        "true",
        "Whether UserInfo accepts its tokens, too, if `openid` was granted together with its scopes.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_stands_in_a_section_that_is_described() {
        for setting in ALL.iter() {
            let (sections, _) = setting.path();
            let section = sections.first().copied().unwrap_or_default();
            assert!(SECTIONS.iter().any(|(name, _)| *name == section), "{}", setting.key);
        }
    }

    #[test]
    fn variables_are_unambiguous() {
        let variables: Vec<String> = ALL.iter().filter_map(Setting::variable).collect();
        let distinct: std::collections::BTreeSet<&String> = variables.iter().collect();
        assert_eq!(variables.len(), distinct.len());
    }
}
