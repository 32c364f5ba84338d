//! What is explained, and what is to be done about it.

use super::remedies::{DEVELOPERS, NOBODYS, OPERATORS, Remedy};
use super::*;
use crate::arguments::Arguments;
use clap::CommandFactory as _;
use std::collections::BTreeSet;
use std::path::Path;

/// After a change, replace the end of the page by the output of `chancery reasons --markdown`.
#[test]
fn the_committed_page_has_every_reason() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reasons.md");
    assert!(std::fs::read_to_string(path).unwrap().contains(table().trim_end()));
}

#[test]
fn whatever_the_log_says_is_explained() {
    for (code, said) in [
        ("pkce_missing", "code_challenge is required"),
        ("login_throttled", "too many had failed"),
        ("client_updated", "changed or removed itself"),
        ("wrong_password", "wrong_password\n    the password is not that of the person"),
        ("unknown_name", "nobody has the name"),
        ("disabled", "a value of login_failed (docs/events.md)"),
        ("name_taken", "a value of sign_up_refused"),
        ("not_ready", "what to do: as message says: make room"),
        ("login_throttled", "what to do: one person waits for wait_seconds"),
        ("client_keys_unavailable", "fetch.allow_hosts"),
        ("client_keys_unavailable", "the peer gets invalid_client"),
        ("tokens_issued", "what to do: nothing"),
        ("client_unknown", "what to do: look in the client's own configuration"),
        ("form_too_old", "what to do: nothing: the page says so"),
        ("form_of_another_origin", "what to do: compare the line's origin with its own_origin"),
        ("not_of_front_end", "interaction.location"),
    ] {
        let text = explain(code).unwrap();
        assert!(text.contains(said), "{code}: {text}");
    }
    for (code, near) in [
        ("pkce_mising", "pkce_missing"),
        ("login_faild", "login_failed"),
        ("client_disable", "client_disabled"),
        ("wrong_pasword", "wrong_password"),
        ("not_redy", "not_ready"),
    ] {
        assert!(explain(code).unwrap_err().contains(&format!("did you mean {near}?")), "{code}");
    }
    assert!(explain("`").is_err() && explain("").is_err());
}

/// Whoever is in a hurry pastes what is in front of them.
#[test]
fn a_whole_line_and_a_request_id_are_understood() {
    let line = r#"{"time":"2026-11-27T12:00:00.000Z","level":"warn","event":"refused","request_id":"Qb0c2vJt8mW1xY7kR4sZ9g",
        "endpoint":"authorization","reason":"redirect_uri_unregistered","section":"RFC 9700 section 2.1"}"#;
    let said = explain(line).unwrap();
    assert!(
        said.contains("refused\n    a request was refused") && said.contains("`chancery client show ID`"),
        "{said}"
    );
    let line = r#"{"event":"login_failed","reason":"wrong_password"}"#;
    assert!(explain(line).unwrap().contains("the password is not that of the person"));
    assert!(explain(r#"{"event":"started","message":"version 1"}"#).unwrap().contains("what to do: nothing"));
    let line = "Nov 27 12:00:00 id chancery[7]: 2026-11-27T12:00:00.000Z WARN  login_failed request_id=x reason=wrong_password";
    assert!(explain(line).unwrap().starts_with("wrong_password\n    the password is not that of the person"));
    assert!(
        explain(&format!("id chancery[7]: {}", r#"{"event":"started"}"#)).unwrap().starts_with("started")
    );
    assert!(explain(r#"{"level":"warn"}"#).unwrap_err().contains("`event`"));
    assert!(explain(r#"{"event":"login_faild"}"#).unwrap_err().contains("did you mean login_failed?"));
    for id in ["Qb0c2vJt8mW1xY7kR4sZ9g", "c6b0a0ae-6a6e-4d8f-9d5e-0d9a4c7f7a11"] {
        assert!(explain(id).unwrap().contains(&format!("| grep {id}`")), "{id}");
    }
}

/// What is said of a line is about its endpoint, and of an event that asks for something, what that is.
#[test]
fn each_event_says_what_to_do_at_its_endpoint() {
    let at = |endpoint: &str, reason: &str| {
        explain(&format!(r#"{{"event":"refused","endpoint":"{endpoint}","reason":"{reason}"}}"#)).unwrap()
    };
    for endpoint in ["token", "introspection"] {
        let said = at(endpoint, "several_authentication_mechanisms");
        assert!(!said.contains("interaction") && !said.contains("a person"), "{said}");
        assert_eq!(said.matches("what to do: ").count(), 1, "{said}");
    }
    assert!(
        at("authorization", "several_authentication_mechanisms")
            .contains("opens the application and begins again")
    );
    for row in EVENTS.rows() {
        assert!(row.remedy.is_some_and(|remedy| !remedy.is_empty()), "{}", row.named);
    }
}

/// The names in the sources, where each stands after its level.
#[test]
fn every_line_of_the_server_is_explained_and_every_explained_line_is_written() {
    let mut written = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let is_test = entry.ends_with("tests.rs") || entry.ends_with("reasons.rs");
            if entry.is_dir() {
                folders.push(entry);
            } else if !is_test {
                written.extend(names_after_a_level(&std::fs::read_to_string(entry).unwrap()));
            }
        }
    }
    assert!(written.len() > 20, "{written:?}");
    let explained: BTreeSet<String> = LINES.rows().flat_map(|row| row.names()).map(str::to_owned).collect();
    assert_eq!(written, explained, "docs/events.md, \"Lines of the server\"");
}

fn names_after_a_level(source: &str) -> Vec<String> {
    let source = source.split("mod tests {").next().unwrap();
    let source = source.replace(".answer(", ".say(");
    let said = source.split(".say").filter_map(|rest| rest.strip_prefix('(').or(rest.strip_prefix("_of(")));
    let names = said.filter_map(|rest| {
        let (_, name) = rest.trim_start().strip_prefix("Level::")?.split_once('"')?;
        Some(name.split('"').next()?.to_owned())
    });
    names.collect()
}

/// Every value that the engine can write is explained.
#[test]
fn every_value_is_explained() {
    use chancery_core::event::GrantEnd::*;
    let whys = [CodeReplayed, RefreshTokenReplayed, RevokedByClient, ConsentWithdrawn, TokensUndelivered];
    for value in whys.map(|why| why.as_str()) {
        assert!(VALUES.rows().any(|row| row.has(value)), "{value}");
    }
    // What the rows of the events name as reasons.
    for row in EVENTS.rows().filter(|row| row.text.contains("the reason is")) {
        let (_, listed) = row.text.split_once("the reason is").unwrap();
        let listed = listed.split(". ").next().unwrap();
        for value in listed.split('`').skip(1).step_by(2) {
            assert!(VALUES.rows().any(|row| row.has(value)), "{value}");
        }
    }
}

#[test]
fn one_is_found_by_its_name() {
    assert!(list(Some("pkce_missing")).unwrap().contains("code_challenge is required"));
    assert!(list(Some("pkce")).is_err());
    let event = list(Some("scopes_ignored")).unwrap_err();
    assert!(
        event.contains("`chancery log explain scopes_ignored`") && !event.contains("did you mean"),
        "{event}"
    );
}

/// Whose mistake it is has to compare something, and these are told what.
#[test]
fn a_remedy_fits_its_reason() {
    for (reason, said) in [
        ("code_verifier", "`code_verifier`"),
        ("code_redirect_uri", "letter by letter"),
        ("code_expired", "`authorization_code.lifetime`"),
        ("origin_not_allowed", "redirect_uris"),
        ("grant_type_unregistered", "`chancery client add --kind machine`"),
        ("client_credentials_of_a_public_client", "--kind machine"),
        ("client_secret_wrong", "`chancery client secret rotate ID`"),
        ("certificate_missing", "tls.mtls_listen"),
        ("dpop_target_wrong", "`htu`"),
        ("scope_nothing", "`scopes.extra`"),
    ] {
        let text = explain(reason).unwrap();
        let (_, remedy) = text.split_once(REMEDY).unwrap();
        assert!(remedy.contains(said), "{reason}: {remedy}");
    }
    for reason in
        ["grant_type_unregistered", "origin_not_allowed", "assertion_expired", "certificate_expired"]
    {
        assert!(!explain(reason).unwrap().contains("secret rotate"), "{reason}");
    }
}

/// A reason is the client's developer's, the operator's or nobody's, and the first of these is told what to compare.
#[test]
fn every_reason_has_one_remedy() {
    let of_all: Vec<&Remedy> = DEVELOPERS.into_iter().chain([OPERATORS, NOBODYS]).flatten().collect();
    let mut named: Vec<&str> = of_all.iter().flat_map(|(_, reasons)| *reasons).copied().collect();
    let mut known: Vec<&str> = chancery_http::reasons().map(|known| known.reason.name).collect();
    named.sort_unstable();
    known.sort_unstable();
    assert_eq!(named, known, "crates/server/src/reasons/remedies.rs has each reason once");
    for (what, reasons) in DEVELOPERS.into_iter().flatten() {
        assert!(what.contains("compare "), "{reasons:?}: {what}");
    }
    for (what, reasons) in NOBODYS {
        assert!(what.starts_with("nothing: "), "{reasons:?}: {what}");
    }
}

/// Commands, settings and members that a remedy names exist.
#[test]
fn a_remedy_names_what_exists() {
    let (settings, members) =
        (include_str!("../../../../docs/configuration.md"), include_str!("../../../../docs/clients.md"));
    for (what, _) in DEVELOPERS.into_iter().chain([OPERATORS, NOBODYS]).flatten() {
        for named in what.split('`').skip(1).step_by(2) {
            if let Some(typed) = named.strip_prefix("chancery ") {
                let mut within = &Arguments::command();
                for word in typed.split(' ') {
                    within = within.find_subcommand(word).unwrap_or(within);
                    let is_known =
                        |flag: &str| within.get_arguments().any(|known| known.get_long() == Some(flag));
                    assert!(word.strip_prefix("--").is_none_or(is_known), "{named}");
                }
                assert!(within.get_name() != "chancery" && !within.has_subcommands(), "{named}");
            } else if named.contains('.') && !named.contains(['/', '(', '[']) {
                let row = format!("| `{}", named.replace("resource_server.", "resource_server[]."));
                assert!(settings.contains(&row) || members.contains(&row), "{named}");
            }
        }
    }
}

/// What is told to a client that sends a secret and has none is the opposite of what is told to one that has and sends none.
#[test]
fn each_direction_of_a_wrong_method_has_its_remedy() {
    let said = |used: &str, registered: &str| {
        let reason = "client_authentication_method_unregistered";
        let line = format!(
            r#"{{"event":"refused","endpoint":"token","reason":"{reason}","used":"{used}","registered":"{registered}"}}"#
        );
        let text = explain(&line).unwrap();
        let words =
            format!("12:00 WARN  refused endpoint=token reason={reason} used={used} registered={registered}");
        assert_eq!(explain(&words).unwrap(), text);
        text
    };
    for (used, registered, expected) in [
        ("client_secret_post", "none", "it leaves out `client_secret`"),
        ("client_secret_basic", "none", "`chancery client add --kind web`"),
        ("none", "client_secret_basic", "`chancery client add --kind spa`"),
        ("client_secret_post", "client_secret_basic", "`chancery.secret_method`"),
        ("private_key_jwt", "none", "by private_key_jwt, and is registered for none"),
        ("another", "private_key_jwt", "a way that no client can be registered for"),
    ] {
        let text = said(used, registered);
        assert!(text.contains(expected), "{used}, {registered}: {text}");
        assert_eq!(text.matches(REMEDY).count(), 1, "{text}");
    }
}
