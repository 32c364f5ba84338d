//! The catalogue against the structs, and how settings are read.

use std::collections::BTreeMap;

use chancery_core::client::{RegistrationPolicy, StatementIssuer};
use chancery_core::model::TokenFormat;
use serde_json::{Value, json};

use super::catalogue::{ALL, Form};
use super::*;

const MINIMAL: &str = "issuer = 'https://id.example'\n[http]\nlisten = ['127.0.0.1:8080']\n";

fn settings(text: &str, variables: &[(&str, &str)], flags: &[&str]) -> Result<Settings, Vec<String>> {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
    let read = read(text, variables, &flags, Path::new("/etc/chancery/chancery.toml"));
    read.good().map_err(|complaints| complaints.iter().map(ToString::to_string).collect())
}

#[test]
fn the_file_is_overridden_by_variables_and_those_by_flags() {
    let text = [MINIMAL, "[session]\nidle = '1d'\nabsolute = '2d'\n[refresh_token]\nidle = '1d'\n"].concat();
    let variables = [("CHANCERY_SESSION_IDLE", "2h"), ("CHANCERY_SESSION_ABSOLUTE", "3h")];
    let settings = settings(&text, &variables, &["session.absolute=4h"]).unwrap();
    let hours = |duration: std::time::Duration| duration.as_secs() / 3600;
    assert_eq!(hours(settings.engine.session.idle), 2);
    assert_eq!(hours(settings.engine.session.absolute), 4);
    assert_eq!(hours(settings.engine.refresh_token.idle), 24);
}

#[test]
fn paths_are_meant_from_the_folder_of_the_file() {
    let text = [
        MINIMAL,
        "[store]\nsqlite = 'a.db'\n[keys]\nwrapping_key = '/run/key'\n[passwords]\nblocklist = 'b.txt'\n",
    ]
    .concat();
    let settings = settings(&text, &[], &[]).unwrap();
    let Store::Sqlite { path, wrapping_key, .. } = settings.store else { panic!("memory") };
    assert_eq!((path.to_str(), wrapping_key.to_str()), (Some("/etc/chancery/a.db"), Some("/run/key")));
    assert_eq!(settings.passwords.blocklist.as_deref(), Some(Path::new("/etc/chancery/b.txt")));
}

#[test]
fn resource_servers_stand_in_the_file() {
    let text =
        [MINIMAL, "[[resource_server]]\nuri = 'https://api.example'\nscopes = ['read']\nformat = 'jwt'\n"]
            .concat();
    let servers = settings(&text, &[], &[]).unwrap().resource_servers;
    assert_eq!(servers.len(), 1);
    assert!(servers.iter().all(|server| server.format == TokenFormat::Jwt && server.scopes.contains("read")));
}

/// CONF-01, CONF-02, CONF-05: one mistake does not hide another.
#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text = "issuer = 'https://id.example/'\nisuer = 1\n[http]\nlisten = ['nowhere']\n[session]\nidle = 600\n\
                [tls]\nlisten = ['[::]:443']\n[store]\nsqlite = 'a'\n[[resource_server]]\nuri = 1\n";
    let complaints = settings(text, &[("CHANCERY_REALMS", "1")], &["http.lisen=x"]).err().unwrap();
    for begin in [
        "isuer: ",
        "CHANCERY_REALMS: ",
        "http.lisen: ",
        "issuer: ",
        "http.listen: ",
        "session.idle: ",
        "tls.certificate: ",
        "keys.wrapping_key: ",
        "resource_server: ",
    ] {
        assert!(
            complaints.iter().any(|complaint| complaint.starts_with(begin)),
            "{begin} in {complaints:#?}"
        );
    }
    assert_eq!(complaints.len(), 9, "{complaints:#?}");
}

/// RFC 8705 section 5: aliases are optional, so that the listener that asks for certificates can be the only one.
#[test]
fn mutual_tls_on_the_only_listener() {
    let text = "issuer = 'https://id.example'\n[tls]\nmtls_listen = ['127.0.0.1:8443']\ncertificate = 'a'\nkey = 'b'\n\
                [mtls]\nself_signed_tls_client_auth = true\ncertificate_bound_access_tokens = true\n";
    let settings = settings(text, &[], &[]).unwrap();
    assert!(settings.engine.mtls.endpoint_aliases.is_empty() && settings.engine.complaints().is_empty());
}

/// What could not be bound is found before the server is started.
#[test]
fn no_address_is_given_twice() {
    for (flags, expected) in [
        (
            &["management.listen=127.0.0.1:8080"][..],
            "management.listen: 127.0.0.1:8080 is taken by 127.0.0.1:8080 of http.listen",
        ),
        (
            &["management.listen=0.0.0.0:8080"],
            "management.listen: 0.0.0.0:8080 is taken by 127.0.0.1:8080 of http.listen",
        ),
        (
            &["http.listen=127.0.0.1:9090"],
            "management.listen: 127.0.0.1:9090 is taken by 127.0.0.1:9090 of http.listen",
        ),
        (&["http.listen=127.0.0.1:80,127.0.0.1:80"], "http.listen: 127.0.0.1:80 is there twice: remove one"),
        (
            &["tls.listen=0.0.0.0:443", "tls.mtls_listen=127.0.0.1:443", "tls.certificate=c", "tls.key=k"],
            "tls.mtls_listen: 127.0.0.1:443 is taken by 0.0.0.0:443 of tls.listen",
        ),
    ] {
        let complaints = settings(MINIMAL, &[], flags).err().unwrap();
        let [told] = complaints.as_slice() else { panic!("{flags:?}: {complaints:?}") };
        assert!(
            told.starts_with(expected)
                && (told.contains("twice") || told.contains("give one of the two another port")),
            "{flags:?}: {told}"
        );
    }
    for good in
        ["http.listen=127.0.0.1:0,127.0.0.1:0", "http.listen=127.0.0.1:80,[::1]:80", "management.listen="]
    {
        assert!(settings(MINIMAL, &[], &[good]).is_ok(), "{good}");
    }
}

/// The complaint names the setting and the value, and says what to write instead.
#[test]
fn a_wrong_algorithm_is_named() {
    for (flag, expected) in [
        ("dpop.algorithms=[]", "dpop.algorithms: is empty: name "),
        ("dpop.algorithms=", "dpop.algorithms: is empty: name "),
        (r#"dpop.algorithms=["ES256","X"]"#, r#"dpop.algorithms: "X" is none of RS256, "#),
        ("dpop.algorithms=[ES256]", r#"dpop.algorithms: "[ES256]" is none of RS256, "#),
        ("dpop.algorithms=ES256,HS256", "dpop.algorithms: must not name HS256, an HMAC, "),
        (
            "client_authentication.assertion_algorithms=es256",
            r#"client_authentication.assertion_algorithms: "es256" is none of "#,
        ),
        (
            "request_objects.encryption_algorithms=RSA1_5",
            r#"request_objects.encryption_algorithms: "RSA1_5" is none of "#,
        ),
        (
            "client_defaults.id_token_signed_response_alg=none",
            r#"client_defaults.id_token_signed_response_alg: "none" is none of "#,
        ),
    ] {
        // The engine's own complaints are told beside others.
        let complaints = settings(MINIMAL, &[], &[flag, "http.lisen=x"]).err().unwrap();
        assert!(complaints.iter().any(|told| told.starts_with(expected)), "{flag}: {complaints:?}");
    }
}

/// The keys of a value in the catalogue's notation.
fn keys(prefix: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    let is_leaf = ALL.iter().any(|setting| setting.key == prefix);
    match value {
        Value::Object(members) if !is_leaf => {
            let separator = if prefix.is_empty() { "" } else { "." };
            members
                .iter()
                .for_each(|(name, value)| keys(&format!("{prefix}{separator}{name}"), value, found));
        }
        value => drop(found.insert(prefix.to_owned(), value.clone())),
    }
}

/// The catalogue agrees with the engine about its sections.
#[test]
fn the_catalogue_has_the_engine_s_settings_and_defaults() {
    let mut engine = BTreeMap::new();
    keys("", &serde_json::to_value(Config::default()).unwrap(), &mut engine);
    let is_ours = |key: &str| OURS.iter().any(|ours| key.split(['.', '[']).next() == Some(ours));
    let catalogue: BTreeMap<String, Value> = ALL
        .iter()
        .filter(|setting| !is_ours(setting.key) && !setting.key.contains("[]"))
        .map(|setting| {
            let table: Table = format!("default = {}", setting.default).parse().unwrap();
            (setting.key.to_owned(), serde_json::to_value(table.get("default")).unwrap())
        })
        .collect();
    assert_eq!(catalogue, engine);
}

/// The catalogue agrees with the engine about its repeated section.
#[test]
fn the_catalogue_has_the_settings_of_a_registration_policy() {
    let policy = serde_json::to_value(RegistrationPolicy::default()).unwrap();
    let written = |key: &str| ALL.iter().any(|setting| setting.key == format!("registration_policy[].{key}"));
    assert!(policy.as_object().unwrap().keys().all(|key| written(key)), "{policy}");
    let documented = ALL.iter().filter_map(|setting| setting.key.strip_prefix("registration_policy[]."));
    assert_eq!(documented.count(), policy.as_object().unwrap().len());
    let table = "[[registration_policy]]\nname = 'partners'\ngrant_types = ['client_credentials']\n\
        redirect_hosts = ['*.example.org']\nauthentication_methods = ['none']\nsecret_lifetime = '90d'";
    let read = settings(&format!("{MINIMAL}{table}"), &[], &[]).unwrap();
    assert_eq!(&*read.engine.registration_policy[0].name, "partners");
}

/// The same for its other repeated section, and for what clients are registered for if they do not say.
#[test]
fn the_catalogue_has_the_settings_of_an_issuer_of_statements() {
    let issuer = serde_json::to_value(StatementIssuer::default()).unwrap();
    let written =
        |key: &str| ALL.iter().any(|setting| setting.key == format!("software_statement_issuer[].{key}"));
    assert!(issuer.as_object().unwrap().keys().all(|key| written(key)), "{issuer}");
    let table = "[[software_statement_issuer]]\nissuer = 'https://publisher.example'\njwks = '{\"keys\":[]}'\n\
        algorithms = ['EdDSA']\npolicies = ['default']\nsoftware_ids = ['x']\n\
        [client_defaults]\ntoken_endpoint_auth_method = 'none'\ngrant_types = ['authorization_code', 'refresh_token']";
    let read = settings(&format!("{MINIMAL}{table}"), &[], &[]).unwrap();
    assert_eq!(&*read.engine.software_statement_issuer[0].issuer, "https://publisher.example");
    assert_eq!(read.engine.client_defaults.grant_types.len(), 2);
}

/// The catalogue and the server's structs have the same settings: serde names the fields that it expects.
#[test]
fn the_catalogue_has_the_server_s_settings() {
    let expected = |name: &str, value: Value| -> Vec<String> {
        let error = serde_json::from_value::<Written>(json!({ name: value })).err().unwrap().to_string();
        error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    };
    for section in OURS.iter().filter(|name| !["issuer", "realm"].contains(name)) {
        let (fields, prefix) = match *section {
            "resource_server" => (expected(section, json!([{ "?": 1 }])), "resource_server[].".to_owned()),
            section => (expected(section, json!({ "?": 1 })), format!("{section}.")),
        };
        let mut fields = fields;
        fields.sort();
        let mut known: Vec<&str> =
            ALL.iter().filter_map(|setting| setting.key.strip_prefix(&prefix)?.split('.').next()).collect();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known, fields, "{section}");
    }
}

/// Setting a default explicitly changes nothing.
#[test]
fn defaults_of_the_catalogue_are_accepted() {
    for setting in ALL.iter().filter(|setting| !setting.default.is_empty() && !setting.key.contains("[]")) {
        if matches!(setting.form, Form::TextByName | Form::TextsByName) || setting.key == "http.listen" {
            continue;
        }
        let plain = setting.default.trim_matches(['[', ']']).replace('"', "");
        let flag = format!("{}={plain}", setting.key);
        assert!(settings(MINIMAL, &[], &[&flag]).is_ok(), "{flag}");
    }
}

/// The file that `init` writes means the same as one with the given settings only.
#[test]
fn the_commented_configuration_is_good() {
    let listen = ("http.listen", "[\"127.0.0.1:8080\"]".to_owned());
    let text = template(&[("issuer", "\"https://id.example\"".to_owned()), listen]);
    let read = settings(&text, &[], &[]).unwrap();
    assert_eq!(read.engine, Config::default());
    // So does one with everything uncommented that has a default.
    let all = text.lines().map(|line| match line.strip_prefix("# ") {
        Some(setting) if setting.contains(" = ") && !setting.contains(" = \"\"") => setting,
        _ => line,
    });
    let all: Vec<&str> = all.collect();
    let end = all.iter().position(|line| line.starts_with("# [[")).unwrap();
    assert_eq!(settings(&all[..end].join("\n"), &[], &[]).unwrap().engine, Config::default());
}

fn committed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    std::fs::read_to_string(path).unwrap().replace("\r\n", "\n")
}

/// A22: the printed schema is the committed one. After a change:
/// `chancery schema > docs/configuration.schema.json`.
#[test]
fn the_committed_schema_is_this_one() {
    assert_eq!(committed("configuration.schema.json"), schema());
}

/// After a change, replace the end of the page by the output of `chancery schema --markdown`.
#[test]
fn the_committed_page_has_every_setting() {
    assert!(committed("configuration.md").contains(template::reference().trim_end()));
}
