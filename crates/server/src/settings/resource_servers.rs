//! `[[resource_server]]`: what can be read of it, and the checks that do not depend on keys and clients.

use chancery_core::config::Config;
use chancery_core::error::Complaint;
use chancery_core::model::{ResourceServer, TokenFormat};
pub(super) use chancery_core::provider::resource_servers::{ambiguous, complaints, forbidden};
use chancery_types::ResourceUri;
use toml::{Table, Value};

use super::scopes;
use super::section::{place_of, plain};
use super::values::displayed;

const SECTION: &str = "resource_server";

/// Takes out each block that cannot be read, and says which it is and why.
pub(super) fn strike_unreadable(table: &mut Table, complaints: &mut Vec<Complaint>) {
    let Some(Value::Array(blocks)) = table.get_mut(SECTION) else { return };
    let mut place = 0;
    blocks.retain(|block| {
        place += 1;
        let uri = block.get("uri").and_then(Value::as_str);
        let no_scopes: Vec<String> = block.get("scopes").into_iter().flat_map(scopes::wrong).collect();
        let (rule, section) = match uri.filter(|uri| ResourceUri::parse(uri).is_ok()) {
            None => (wrong_uri(block.get("uri")), "RFC 8707 section 2"),
            Some(_) => match block.clone().try_into::<ResourceServer>() {
                Ok(server) => {
                    if let Some(rule) = idle_algorithm(block, &server) {
                        complaints.push(Complaint::new(SECTION, rule, "RFC 9068 section 2.1"));
                    }
                    return true;
                }
                Err(_) if !no_scopes.is_empty() => {
                    (format!("scopes: {}", no_scopes.join("; ")), "RFC 6749 section 3.3")
                }
                Err(error) => (unread(block, &error), "docs/configuration.md"),
            },
        };
        let which = uri.filter(|uri| ResourceUri::parse(uri).is_ok());
        let which = which.map_or_else(|| format!("number {place}"), str::to_owned);
        complaints.push(Complaint::new(SECTION, format!("{which}: {rule}"), section));
        false
    });
}

/// What is said of a URI that is none.
fn wrong_uri(uri: Option<&Value>) -> String {
    let Some(uri) = uri else {
        return "uri is missing: give the URI by which clients ask for tokens for it, such as \"https://api.example.org\"".to_owned();
    };
    let rule = "uri must be an absolute URI of at most 512 characters without a fragment, such as \"https://api.example.org\"";
    format!("{rule}; it is {}", displayed(uri))
}

/// What is said of an algorithm that would sign nothing.
fn idle_algorithm(block: &Value, server: &ResourceServer) -> Option<String> {
    let alg = block.get("alg").filter(|_| server.format == TokenFormat::Opaque)?;
    Some(format!(
        "{}: alg needs format = \"jwt\", because nobody signs an opaque token: add that, or leave alg out; it is {}",
        server.uri.as_str(),
        displayed(alg)
    ))
}

/// What is wrong, and where. The value is shown, unless the library has shown it.
fn unread(block: &Value, error: &toml::de::Error) -> String {
    let rule = plain(error.message());
    let Some(place) = place_of(error) else { return rule };
    let value = place.split('.').try_fold(block, |value, name| value.get(name));
    let shown =
        |value: &String| rule.contains(value) || rule.contains(&format!("`{}`", value.trim_matches('"')));
    match value.map(displayed).filter(|value| !shown(value)) {
        Some(value) => format!("{place}: {rule}; it is {value}"),
        None => format!("{place}: {rule}"),
    }
}

/// Complains about resource servers that clients are told of and that are not there, so that nobody could get a token for
/// them.
pub(super) fn announced(servers: &[ResourceServer], engine: &Config) -> Vec<Complaint> {
    let is_unknown = |uri: &&ResourceUri| !servers.iter().any(|server| server.uri == **uri);
    let complaint = |uri: &ResourceUri| {
        let rule = format!("{} must be the uri of a [[resource_server]]", uri.as_str());
        Complaint::new("discovery.protected_resources", rule, "RFC 9728 section 4")
    };
    engine.discovery.protected_resources.iter().filter(is_unknown).map(complaint).collect()
}

#[cfg(test)]
mod tests {
    use chancery_core::profile::Profile;
    use chancery_types::Issuer;

    use super::*;

    /// AT-07, CONF-05
    #[test]
    fn one_row_per_rule() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let wrong = |json: &str| {
            let servers: Vec<ResourceServer> = serde_json::from_str(json).unwrap();
            complaints(&servers, Some(&issuer)).len() + ambiguous(&servers, &Config::default()).len()
        };
        assert_eq!(wrong(r#"[{"uri":"https://a.example","format":"jwt"},{"uri":"https://b.example"}]"#), 0);
        assert_eq!(
            wrong(r#"[{"uri":"https://a.example","alg":"HS256"}]"#),
            0,
            "nobody signs an opaque token"
        );
        assert_eq!(wrong(r#"[{"uri":"https://a.example"},{"uri":"https://a.example"}]"#), 1);
        assert_eq!(wrong(r#"[{"uri":"https://a.example","lifetime":"0s"}]"#), 1);
        assert_eq!(wrong(r#"[{"uri":"https://id.example"}]"#), 1);
        assert_eq!(wrong(r#"[{"uri":"https://a.example","scopes":["read","email","openid"]}]"#), 2);
        assert_eq!(wrong(r#"[{"uri":"https://a.example","format":"jwt","alg":"HS256"}]"#), 1);
    }

    /// RFC 9728 section 4: clients are told of those that are there.
    #[test]
    fn who_is_announced_is_there() {
        let servers: Vec<ResourceServer> =
            serde_json::from_str(r#"[{"uri":"https://a.example"},{"uri":"https://b.example/v1"}]"#).unwrap();
        for (named, unknown) in [
            (r#"[]"#, &[][..]),
            (r#"["https://b.example/v1","https://a.example"]"#, &[]),
            (r#"["https://a.example/"]"#, &["https://a.example/"]),
            (r#"["https://b.example","https://a.example","urn:x"]"#, &["https://b.example", "urn:x"]),
        ] {
            let discovery = format!(r#"{{"protected_resources":{named}}}"#);
            let engine = Config { discovery: serde_json::from_str(&discovery).unwrap(), ..Config::default() };
            let complaints = announced(&servers, &engine);
            let rules: Vec<_> = complaints.iter().map(|complaint| &*complaint.rule).collect();
            let expected: Vec<_> =
                unknown.iter().map(|uri| format!("{uri} must be the uri of a [[resource_server]]")).collect();
            assert_eq!(rules, expected, "{named}");
        }
    }

    /// AT-07, FAPI-04
    #[test]
    fn a_profile_limits_the_algorithms() {
        use Profile::{Baseline, Fapi1Advanced, Fapi2MessageSigning, Fapi2Security};
        for (format, alg, forbidding) in [
            ("jwt", "RS256", &[Fapi1Advanced, Fapi2Security, Fapi2MessageSigning][..]),
            ("jwt", "EdDSA", &[Fapi1Advanced]),
            ("jwt", "PS256", &[]),
            ("jwt", "ES256", &[]),
            ("opaque", "RS256", &[]),
        ] {
            let json = format!(r#"[{{"uri":"https://a.example","format":"{format}","alg":"{alg}"}}]"#);
            let servers: Vec<ResourceServer> = serde_json::from_str(&json).unwrap();
            for profile in [Baseline, Fapi1Advanced, Fapi2Security, Fapi2MessageSigning] {
                let engine = Config { profile, ..Config::default() };
                let is_forbidden = !forbidden(&servers, &engine).is_empty();
                assert_eq!(is_forbidden, forbidding.contains(&profile), "{format} {alg} {profile:?}");
            }
        }
    }
}
