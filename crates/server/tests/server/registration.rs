//! What an operator does about clients that register themselves.

use std::fs;

use crate::support::{done, initialised, refused, rows, run};

fn add<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&["registration-token", "add"], rest].concat()
}

/// Tokens are made, listed and removed; a policy that is not configured and a name that is taken are refused.
#[test]
fn registration_tokens_are_made_listed_and_removed() {
    let folder = initialised();
    let settings = folder.join("chancery.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text + "\n[[registration_policy]]\nname = \"partners\"\n").unwrap();
    let token =
        done(&folder, &add(&["acme", "--policy", "partners", "--count", "3", "--lifetime", "7d"]), "");
    assert!(token.starts_with("ia_") && token.trim_end().len() == 49, "{token}");
    done(&folder, &add(&["everybody"]), "");
    let listed = rows(&folder, &["registration-token", "list"]);
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.iter().map(|line| line[0]).collect::<Vec<_>>(), ["acme", "everybody"]);
    assert_eq!((&lines[0][2..], &lines[1][2..]), (&["3", "partners"][..], &["any number", "-"][..]));
    assert!(!listed.contains(token.trim_end()), "{listed}");
    for (rest, said) in [
        (vec!["acme"], "there is a token of this name"),
        (
            vec!["other", "--policy", "nobody"],
            "there is no [[registration_policy]] \"nobody\"; there are partners, default\n",
        ),
        (vec!["other", "--policy", "partner"], "there are partners, default; did you mean partners?"),
        (vec!["other", "--lifetime", "soon"], "--lifetime"),
        (vec!["other", "--count", "0"], "--count"),
        (vec![""], "name"),
    ] {
        let refused = refused(&folder, &add(&rest), "");
        assert!(refused.contains(said), "{rest:?}: {refused}");
    }
    assert_eq!(done(&folder, &["registration-token", "remove", "acme"], ""), "removed\n");
    assert!(refused(&folder, &["registration-token", "remove", "acme"], "").contains("no such token"));
    assert_eq!(rows(&folder, &["registration-token", "list"]).lines().count(), 1);
}

/// Anybody may register any number of clients: that is said.
#[test]
fn check_names_open_registration_without_a_quota() {
    let folder = initialised();
    let open = ["check", "--set", "registration.access=open"];
    assert!(!done(&folder, &open, "").contains("loosened"));
    let without = [&open[..], &["--set", "registration.network_quota=0"]].concat();
    let said = done(&folder, &without, "");
    assert!(said.contains("loosened: registration.network_quota (RFC 7591 section 5)"), "{said}");
    assert!(refused(&folder, &[&without[..], &["--strict"]].concat(), "").contains("network_quota"));
}

/// GAP-09: A client gets another secret; which clients have none, and what is no duration, is said.
#[test]
fn secrets_of_clients_are_rotated() {
    let folder = initialised();
    let client = r#"{"client_id":"web","redirect_uris":["https://web.example/cb"]}"#;
    let public = r#"{"client_id":"app","redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"none"}"#;
    let secret = |said: &str| said.split('"').nth(7).map(str::to_owned);
    let first = done(&folder, &["client", "add", "--file", "-"], client);
    done(&folder, &["client", "add", "--file", "-"], public);
    let rotate = ["client", "secret", "rotate"];
    let second = done(&folder, &[&rotate[..], &["web", "--overlap", "1d"]].concat(), "");
    assert!(
        secret(&first).is_some() && secret(&second).is_some() && secret(&first) != secret(&second),
        "{second}"
    );
    // Until when the former one is good is said to people and to programs.
    let output = run(&folder, &[&rotate[..], &["web", "--overlap", "1d"]].concat(), "");
    let said = String::from_utf8(output.stderr).unwrap();
    let until = said
        .strip_prefix("the former secret is good until ")
        .and_then(|rest| rest.split(';').next())
        .unwrap();
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains(&format!("\"former_secret_good_until\":\"{until}\""))
    );
    let output = run(&folder, &[&rotate[..], &["web", "--overlap", "0s"]].concat(), "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("the former secret is good no longer"), "{said}");
    let output = run(&folder, &[&rotate[..], &["web", "--json"]].concat(), "");
    assert!(output.stderr.is_empty(), "{output:?}");
    for (rest, said) in [
        (
            &["app"][..],
            "app: has no secret to replace: it authenticates by `token_endpoint_auth_method` none",
        ),
        (&["nobody"], "no such client"),
        (&["web", "--overlap", "soon"], "--overlap"),
    ] {
        let refused = refused(&folder, &[&rotate[..], rest].concat(), "");
        assert!(refused.contains(said), "{rest:?}: {refused}");
    }
}
