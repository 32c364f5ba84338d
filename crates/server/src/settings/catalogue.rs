//! Every setting: its key, its form, its default and what it means. The schema, the reference page, the commented
//! configuration of `init`, the names of the environment's variables and the check for unknown keys all read this table;
//! a test compares it with the structs that take the values.

use std::sync::LazyLock;

use chancery_core::offered::Endpoint;

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its place in the file: `section.key`; `section[].key` for a key of a repeated section.
    pub(crate) key: &'static str,
    /// What its value looks like.
    pub(crate) form: Form,
    /// What holds when it is not given, as it stands in a file; empty when nothing does.
    pub(crate) default: &'static str,
    /// One sentence or two.
    pub(crate) meaning: &'static str,
}

/// What a value looks like.
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
    /// A table whose keys are free and whose values are texts; only in the file.
    TextByName,
    /// A table whose keys are free and whose values are lists of texts; only in the file.
    TextsByName,
}

impl Setting {
    /// The variable that overrides it; keys of repeated sections have none.
    pub(crate) fn variable(&self) -> Option<String> {
        let is_table = matches!(self.form, Form::TextByName | Form::TextsByName);
        let is_single = !self.key.contains("[]") && !is_table;
        is_single.then(|| format!("CHANCERY_{}", self.key.replace('.', "_").to_uppercase()))
    }

    /// Its sections from the outside in, and its last name.
    pub(crate) fn path(&self) -> (Vec<&'static str>, &'static str) {
        match self.key.rsplit_once('.') {
            None => (Vec::new(), self.key),
            Some((sections, name)) => (sections.split('.').collect(), name),
        }
    }
}

const fn setting(key: &'static str, form: Form, default: &'static str, meaning: &'static str) -> Setting {
    Setting { key, form, default, meaning }
}

/// What a section is for, in the order in which they are written.
pub(crate) const SECTIONS: &[(&str, &str)] = &[
    ("", "Who speaks"),
    ("http", "Plain HTTP: for loopback, or behind a proxy that ends TLS"),
    ("tls", "HTTPS. The files are read again on SIGHUP; no connection is dropped"),
    ("management", "`/livez` and `/readyz`, for whoever supervises the process"),
    ("store", "Where everything is kept"),
    ("keys", "How private keys are kept"),
    (
        "passwords",
        "How much work passwords may make: some 30 ms each. A thread takes 19 MiB for its first password and keeps them",
    ),
    ("pages", "What people see"),
    ("log", "One JSON line for each event, on the standard output"),
    ("routes", "The paths of the endpoints, below the issuer's own path"),
    (
        "endpoints",
        "Which endpoints are on. What is off has no path, is not announced, and no client can be registered for it",
    ),
    ("session", "How long people stay signed in"),
    ("interaction", "The pages that a person sees on the way"),
    ("throttle", "Against guessing passwords. Only failures are counted"),
    ("client_authentication", "How clients prove who they are"),
    ("authorization_code", "Codes, and the grants that they begin"),
    ("access_token", "Access tokens"),
    ("refresh_token", "Refresh tokens"),
    ("id_token", "ID tokens"),
    ("scopes", "Which scopes there are, beside `openid`, `offline_access` and those of `[claims]`"),
    ("claims", "Which claims there are"),
    ("discovery", "More for the metadata"),
    ("resource_server[]", "Those who take access tokens; once for each"),
];

/// OIDC Core section 5.4, as it stands in a file.
const CLAIMS_OF_SCOPES: &str = "{ address = [\"address\"], email = [\"email\", \"email_verified\"], \
    phone = [\"phone_number\", \"phone_number_verified\"], profile = [\"name\", \"family_name\", \"given_name\", \
    \"middle_name\", \"nickname\", \"preferred_username\", \"profile\", \"picture\", \"website\", \"gender\", \"birthdate\", \
    \"zoneinfo\", \"locale\", \"updated_at\"] }";

/// Every setting, section by section.
pub(crate) static ALL: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let described = Endpoint::ALL.iter().map(|endpoint| endpoint.describe());
    let of_endpoint = described.flat_map(|endpoint| {
        // Both live as long as the table, which is made once.
        let named = |section: &str| -> &'static str { format!("{section}.{}", endpoint.name).leak() };
        let quoted = |path: &str| -> &'static str { format!("\"{path}\"").leak() };
        let route = endpoint.path.map(|path| setting(named("routes"), Form::Text, quoted(path), endpoint.purpose));
        let switch = || setting(named("endpoints"), Form::Switch, "true", endpoint.purpose);
        route.into_iter().chain(endpoint.is_optional.then(switch))
    });
    WRITTEN.iter().copied().chain(of_endpoint).collect()
});

/// All but those of `[routes]` and `[endpoints]`, which follow from the endpoints' descriptions.
const WRITTEN: &[Setting] = &[
    setting(
        "issuer",
        Form::Text,
        "",
        "The issuer identifier and base of all URLs: `https`, without a slash at its end; `http` only on loopback. Required.",
    ),
    setting(
        "realm",
        Form::Text,
        "\"main\"",
        "Names this issuer's world in the store. Never change it: what is stored under another name is not found.",
    ),
    setting("http.listen", Form::Texts, "[]", "Addresses and ports, such as `127.0.0.1:8080`."),
    setting(
        "http.trusted_proxies",
        Form::Texts,
        "[]",
        "Networks such as `10.0.0.0/8` whose `X-Forwarded-For` is believed. Only the proxies: whoever is in one chooses the address that throttles see.",
    ),
    setting(
        "http.connections",
        Form::Number,
        "4096",
        "How many connections may be open, those of `[tls]` included; further ones are closed at once. The system's limit of open files has to be higher.",
    ),
    setting(
        "http.connections_per_network",
        Form::Number,
        "256",
        "How many of them one network may have: an IPv4 /24, an IPv6 /64. Loopback and `http.trusted_proxies` are not bounded.",
    ),
    setting(
        "http.header_timeout",
        Form::Duration,
        "\"10s\"",
        "How long a request's header may take, from its first byte on; the first request's, from the connection's begin on.",
    ),
    setting("http.body_timeout", Form::Duration, "\"30s\"", "How long a request's body may take."),
    setting(
        "http.idle_timeout",
        Form::Duration,
        "\"75s\"",
        "How long a connection may stay without a request. Has to be longer than the proxy in front keeps its own: usually 60s, Google's load balancers 10m.",
    ),
    setting("tls.listen", Form::Texts, "[]", "Addresses and ports, such as `0.0.0.0:443`."),
    setting(
        "tls.certificate",
        Form::Text,
        "",
        "The file with the certificate chain (PEM), the server's own certificate first.",
    ),
    setting("tls.key", Form::Text, "", "The file with the certificate's private key (PEM)."),
    setting("management.listen", Form::Text, "\"127.0.0.1:9090\"", "Address and port; empty for none."),
    setting(
        "store.sqlite",
        Form::Text,
        "",
        "The SQLite file, which `chancery init` makes. Without it everything is kept in memory and gone at the end.",
    ),
    setting(
        "store.group_access",
        Form::Switch,
        "false",
        "Whether the group of the SQLite file and of its folder may read and write them, as on a volume that Kubernetes mounts with `fsGroup`. Everybody else never may.",
    ),
    setting(
        "keys.wrapping_key",
        Form::Text,
        "",
        "The file with 32 bytes in base64url under which private keys are sealed; of mode 0600, or 0440 where root owns it. Required with `store.sqlite`.",
    ),
    setting(
        "passwords.threads",
        Form::Number,
        "2",
        "How many passwords are hashed at once: the server grows by 19 MiB for each, and no further.",
    ),
    setting(
        "passwords.blocklist",
        Form::Text,
        "",
        "A file of passwords that nobody may take, one on each line, instead of the built-in list of those that are tried first.",
    ),
    setting("passwords.queue", Form::Number, "32", "How many may wait. Further logins are told to come back."),
    setting(
        "pages.templates",
        Form::Text,
        "",
        "A folder of templates that replace the built-in ones of the same names.",
    ),
    setting(
        "pages.locale",
        Form::Choice(&["en", "de"]),
        "\"en\"",
        "The language of people whose browser wants none that we have.",
    ),
    setting("session.idle", Form::Duration, "\"14d\"", "A session ends when it was not used for so long."),
    setting("session.absolute", Form::Duration, "\"90d\"", "A session ends so long after the login, used or not."),
    setting(
        "interaction.lifetime",
        Form::Duration,
        "\"1h\"",
        "How long a person has to answer, from the first page on.",
    ),
    setting("interaction.consent", Form::Duration, "\"365d\"", "How long a consent is remembered."),
    setting(
        "throttle.failures",
        Form::Number,
        "5",
        "Failures of one name from one network, or from a browser that is known for it, before its next attempt from there has to wait.",
    ),
    setting(
        "throttle.name_failures",
        Form::Number,
        "100",
        "Failures of one name from anywhere before attempts with it are looked at one per `first_wait`. Browsers that are known for the name are not counted.",
    ),
    setting(
        "throttle.network_failures",
        Form::Number,
        "50",
        "Failures from one network before attempts from it are looked at one per `first_wait`. Browsers that are known for a name are not counted.",
    ),
    setting("throttle.first_wait", Form::Duration, "\"1s\"", "The first wait; each further failure doubles it."),
    setting(
        "throttle.longest_wait",
        Form::Duration,
        "\"15m\"",
        "The longest wait for a name from a network, and how long failures are remembered after a wait. What strangers can cause is at most 30s at a time.",
    ),
    setting(
        "client_authentication.secret_method",
        Form::Choice(&["either", "registered"]),
        "\"either\"",
        "How a client may send its secret: in the header or in the body, whichever of the two it is registered with; or only as registered. A client can have the stricter for itself (`secret_method` below `chancery` in its metadata).",
    ),
    setting("authorization_code.lifetime", Form::Duration, "\"1m\"", "How long a code can be exchanged; at most 10m."),
    setting(
        "authorization_code.remembered",
        Form::Duration,
        "\"1h\"",
        "How long a code that was used is remembered, so that showing it again ends what came of it.",
    ),
    setting(
        "authorization_code.grant",
        Form::Duration,
        "\"91d\"",
        "How long a grant lives from which refresh tokens can come; any other ends with its code and access token.",
    ),
    setting("access_token.opaque", Form::Duration, "\"1h\"", "How long an opaque one lives that stands for a person."),
    setting(
        "access_token.jwt",
        Form::Duration,
        "\"5m\"",
        "How long a JWT lives. Short, because who verifies it offline learns of a revocation only by its end.",
    ),
    setting(
        "access_token.client_credentials",
        Form::Duration,
        "\"10m\"",
        "How long an opaque one lives that stands for the client itself.",
    ),
    setting("refresh_token.idle", Form::Duration, "\"14d\"", "How long it may lie unused."),
    setting(
        "refresh_token.absolute",
        Form::Duration,
        "\"90d\"",
        "How long its family lives at most, however often it is used.",
    ),
    setting(
        "refresh_token.grace",
        Form::Duration,
        "\"30s\"",
        "How long after its use it can be shown again, by a client that did not get the answer; at most 5m.",
    ),
    setting("id_token.lifetime", Form::Duration, "\"1h\"", "How long it can be used as proof of the login."),
    setting("scopes.extra", Form::Texts, "[]", "Scopes of your own that belong to no resource server."),
    setting(
        "scopes.unknown",
        Form::Choice(&["ignore", "refuse"]),
        "\"ignore\"",
        "What happens to a scope that nobody knows: it is left out, with the event `scopes_ignored`, or `invalid_scope`.",
    ),
    setting(
        "claims.scopes",
        Form::TextsByName,
        CLAIMS_OF_SCOPES,
        "Which claims a scope stands for. By default those of OIDC Core section 5.4; given, it replaces them all.",
    ),
    setting("claims.extra", Form::Texts, "[]", "Claims that can be asked for one by one only."),
    setting(
        "discovery.extra",
        Form::TextByName,
        "{}",
        "Members for the metadata, such as `service_documentation`, `op_policy_uri` or `op_tos_uri`.",
    ),
    setting(
        "resource_server[].uri",
        Form::Text,
        "",
        "Its identifier, the `aud` of its tokens (RFC 9068 section 3). Required.",
    ),
    setting("resource_server[].scopes", Form::Texts, "[]", "The scopes that it knows."),
    setting(
        "resource_server[].format",
        Form::Choice(&["opaque", "jwt"]),
        "\"opaque\"",
        "A handle that it introspects, or a JWT that it verifies itself.",
    ),
    setting(
        "resource_server[].lifetime",
        Form::Duration,
        "",
        "How long its tokens live; else as `[access_token]` says for the format.",
    ),
    setting("resource_server[].alg", Form::Text, "\"ES256\"", "What its JWTs are signed with."),
    setting("resource_server[].introspected_by", Form::Texts, "[]", "The `client_id`s that may introspect its tokens."),
    setting(
        "resource_server[].userinfo",
        Form::Switch,
        "true",
        "Whether UserInfo takes its tokens, too, when `openid` was granted with its scopes.",
    ),
    setting("log.level", Form::Choice(&["info", "warn"]), "\"info\"", "`warn`: only refusals and faults."),
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
