//! How configurations and clients fare against RFC 9700, OAuth 2.1 and the FAPI profiles.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::time::Duration;

use chancery_core::client::{RegistrationRules, register};
use chancery_core::config::Config;
use chancery_core::model::Client;
use chancery_core::offered::PkceOptional;
use chancery_core::profile::Profile;
use chancery_core::report::{Graded, Level, Report, Standard};
use chancery_jose::{PrivateKey, SigningAlgorithm, SystemRandom};
use chancery_types::{Issuer, Scope, Timestamp};
use serde_json::{Value, json};

const SECONDS: Duration = Duration::from_secs(1);

fn read() -> Scope {
    Scope::parse("read").unwrap()
}

/// A client that is registered with a server of the baseline that offers everything.
fn client(metadata: &Value) -> Arc<Client> {
    let mut config = Config::default();
    let to = &mut config.compatibility;
    (to.implicit, to.hybrid, to.wildcard_redirect_uris, to.unsigned_id_token) = (true, true, true, true);
    config.response_modes.jwt = true;
    config.mtls.self_signed_tls_client_auth = true;
    config.mtls.certificate_bound_access_tokens = true;
    config.pushed_requests.offered = true;
    let offered = config.offered();
    let rules = RegistrationRules::new(&offered, &SigningAlgorithm::ALL, Timestamp::from_secs(1_800_000_000));
    let made = register(metadata.to_string().as_bytes(), &SystemRandom, &rules);
    Arc::new(made.unwrap_or_else(|wrong| panic!("{metadata}: {wrong:?}")).client)
}

/// A client with a key of its own, and what else is said.
fn with_key(more: &Value) -> Arc<Client> {
    let key = PrivateKey::generate(SigningAlgorithm::Es256).unwrap();
    let jwk: Value = serde_json::from_str(&key.public_jwk().to_json()).unwrap();
    let mut metadata = json!({"client_id": "bank", "jwks": {"keys": [jwk]},
        "token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256",
        "authorization_signed_response_alg": "ES256",
        "redirect_uris": ["https://bank.example/cb"], "grant_types": ["authorization_code", "refresh_token"]});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client(&metadata)
}

fn graded(config: &Config, clients: &[Arc<Client>], standard: Standard) -> Report {
    let issuer = Issuer::parse("https://id.example").unwrap();
    Report::of(standard, &Graded { config, issuer: &issuer, resource_servers: &[], clients })
}

/// The sections that are not met, and by what.
fn unmet(report: &Report) -> Vec<(&str, Vec<String>)> {
    let unmet = report.grades.iter().filter(|grade| !grade.is_met);
    unmet
        .map(|grade| {
            let by = grade.breaches.iter().map(|breach| match &breach.client {
                Some(client) => format!("{client} {}", breach.setting),
                None => breach.setting.clone(),
            });
            (grade.section, by.collect())
        })
        .collect()
}

/// A client that is held to a profile meets all of it, whether by the server or by itself, and also what the other
/// standards demand.
#[test]
fn whoever_is_held_to_a_profile_meets_it() {
    for profile in [Profile::Fapi1Advanced, Profile::Fapi2Security, Profile::Fapi2MessageSigning] {
        let types = if profile == Profile::Fapi1Advanced { "code id_token" } else { "code" };
        let own = json!({"response_types": [types], "chancery": {"profile": profile.as_str()}});
        let plain = json!({"response_types": [types]});
        for (server, clients) in
            [(profile, vec![with_key(&plain)]), (Profile::Baseline, vec![with_key(&own)]), (profile, vec![])]
        {
            let config = Config { profile: server, ..Config::default() };
            for standard in [Standard::Bcp, Standard::OAuth21, Standard::Profile(profile)] {
                let report = graded(&config, &clients, standard);
                assert_eq!(unmet(&report), [], "{server:?} {profile:?} {standard:?}");
                assert!(report.count(Level::Required).1 >= 6);
            }
        }
    }
}

/// The defaults meet all that RFC 9700 and OAuth 2.1 require; what they only advise is up to the clients.
#[test]
fn the_defaults_meet_what_is_required() {
    let plain = json!({"client_id": "web", "redirect_uris": ["https://web.example/cb"]});
    for standard in [Standard::Bcp, Standard::OAuth21] {
        let report = graded(&Config::default(), &[client(&plain)], standard);
        let (met, all) = report.count(Level::Required);
        assert_eq!(met, all, "{:?}", unmet(&report));
        let (met, all) = report.count(Level::Recommended);
        assert!(met < all);
    }
}

/// Each setting that loosens something is named where it does so, and nowhere else.
#[test]
fn a_setting_breaks_what_it_loosens() {
    type Change = fn(&mut Config);
    let rows: [(&str, Change, &str); 6] = [
        ("any_redirect_scheme", |to| to.compatibility.any_redirect_scheme = true, "RFC 9700 section 2.6"),
        ("implicit", |to| to.compatibility.implicit = true, ""),
        (
            "normalised_redirect_match",
            |to| to.compatibility.normalised_redirect_match = true,
            "RFC 9700 section 2.1",
        ),
        (
            "pkce_optional",
            |to| to.compatibility.pkce_optional = PkceOptional::Always,
            "RFC 9700 section 2.1.1",
        ),
        ("query_access_token", |to| to.compatibility.query_access_token = true, "RFC 9700 section 4.3.2"),
        (
            "wildcard_redirect_uris",
            |to| to.compatibility.wildcard_redirect_uris = true,
            "RFC 9700 section 2.1",
        ),
    ];
    for (setting, change, section) in rows {
        let mut config = Config::default();
        change(&mut config);
        let report = graded(&config, &[], Standard::Bcp);
        let found = unmet(&report);
        match section {
            "" => assert_eq!(found, [], "{setting}: no client has its response types"),
            section => assert_eq!(found, [(section, vec![format!("compatibility.{setting}")])]),
        }
    }
}

/// Sender-constrained tokens and keys of one's own are demanded in whatever form the standard knows: by mutual TLS as by
/// signatures.
#[test]
fn mutual_tls_is_a_key_of_their_own() {
    let client = with_key(&json!({"token_endpoint_auth_method": "self_signed_tls_client_auth",
        "tls_client_certificate_bound_access_tokens": true}));
    for standard in [Standard::Bcp, Standard::OAuth21] {
        assert_eq!(unmet(&graded(&Config::default(), std::slice::from_ref(&client), standard)), []);
    }
}

/// FAPI 2.0 Security Profile sections 5.3.2.1-11 and 5.3.2.2-12, RFC 9700 sections 2.3 and 4.14.2: what lives too long, or
/// is for nobody in particular, is measured by the settings and the clients that there are.
#[test]
fn lifetimes_and_audiences_are_compared_with_the_settings() {
    type Change = fn(&mut Config);
    let (plain, held) = (json!({}), json!({"chancery": {"profile": "fapi2-security"}}));
    let machine = json!({"grant_types": ["client_credentials"], "response_types": [], "redirect_uris": []});
    let addressed = json!({"chancery": {"default_resource": "https://api.example"}});
    let (fapi2, bcp) = (Standard::Profile(Profile::Fapi2Security), Standard::Bcp);
    let rows: [(Change, &Value, Standard, &str, Option<&str>); 13] = [
        (|_| {}, &plain, fapi2, "5.3.2.2-12", None),
        (|to| to.pushed_requests.lifetime = SECONDS * 599, &plain, fapi2, "5.3.2.2-12", None),
        (
            |to| to.pushed_requests.lifetime = SECONDS * 600,
            &plain,
            fapi2,
            "5.3.2.2-12",
            Some("pushed_requests.lifetime"),
        ),
        (|to| to.pushed_requests.lifetime = SECONDS * 600, &held, fapi2, "5.3.2.2-12", None),
        (
            |to| to.authorization_code.lifetime = SECONDS * 61,
            &plain,
            fapi2,
            "5.3.2.1-11",
            Some("authorization_code.lifetime"),
        ),
        (|to| to.authorization_code.lifetime = SECONDS * 61, &held, fapi2, "5.3.2.1-11", None),
        (|_| {}, &plain, bcp, "4.14.2", None),
        (
            |to| to.refresh_token.idle = to.refresh_token.absolute,
            &plain,
            bcp,
            "4.14.2",
            Some("refresh_token.idle"),
        ),
        (|_| {}, &plain, bcp, "2.3", None),
        (|to| to.scopes.extra = vec![read()], &plain, bcp, "2.3", Some("chancery.default_resource")),
        (|to| to.scopes.extra = vec![read()], &addressed, bcp, "2.3", None),
        (|_| {}, &machine, bcp, "2.3", Some("chancery.default_resource")),
        (|_| {}, &plain, fapi2, "5.3.2.2-7", None),
    ];
    for (change, metadata, standard, section, breach) in rows {
        let mut config = Config::default();
        change(&mut config);
        let report = graded(&config, &[with_key(metadata)], standard);
        let grade =
            report.grades.iter().find(|grade| grade.section.ends_with(&format!(" {section}"))).unwrap();
        let found: Vec<&str> = grade.breaches.iter().map(|breach| &*breach.setting).collect();
        assert_eq!(found, breach.into_iter().collect::<Vec<_>>(), "{metadata} {section}");
    }
}

/// Everything that a profile demands has a row, and no two rows of a standard have the same section, by which breaches
/// find their row.
#[test]
fn every_demand_has_a_row_of_its_own() {
    for standard in Standard::ALL {
        let report = graded(&Config::default(), &[], standard);
        let mut sections: Vec<&str> = report.grades.iter().map(|grade| grade.section).collect();
        let all = sections.len();
        sections.sort_unstable();
        sections.dedup();
        // One section requires PKCE of public clients and advises it for others; one encrypts endpoints and redirects.
        let twice = match standard {
            Standard::Bcp => 1,
            Standard::OAuth21 => 2,
            _ => 0,
        };
        assert_eq!(sections.len(), all - twice, "{standard:?}");
        let Standard::Profile(profile) = standard else { continue };
        let demands = format!("{:?}", profile.demands());
        let is_of_it = |part: &&str| part.contains(" section ") && !part.contains(':');
        for section in demands.split('"').filter(is_of_it) {
            let is_of_message_signing = section.ends_with("Message Signing section 5.3.1-4");
            let is_graded = sections.contains(&section);
            assert!(is_graded || is_of_message_signing, "{standard:?} {section}");
        }
    }
}

/// What a client is registered for, and what nothing holds its requests to.
#[test]
fn a_client_breaks_what_it_is_registered_for() {
    // Nothing binds the tokens of any of them.
    let bearer = (
        "RFC 9700 section 2.2.1",
        "bank dpop_bound_access_tokens or tls_client_certificate_bound_access_tokens",
    );
    let rows = [
        (json!({}), vec![]),
        (json!({"response_types": ["code token"]}), vec![("RFC 9700 section 2.1.2", "bank response_types")]),
        (
            json!({"chancery": {"pkce_optional": true}}),
            vec![("RFC 9700 section 2.1.1", "bank chancery.pkce_optional")],
        ),
        (
            json!({"redirect_uris": ["https://bank.example/*"]}),
            vec![("RFC 9700 section 2.1", "bank redirect_uris")],
        ),
    ];
    for (metadata, expected) in rows {
        let report = graded(&Config::default(), &[with_key(&metadata)], Standard::Bcp);
        let found = unmet(&report);
        let found = found.iter().flat_map(|(section, by)| by.iter().map(|by| (*section, &**by)));
        let found: Vec<_> = found.filter(|found| *found != bearer).collect();
        assert_eq!(found, expected, "{metadata}");
    }
    // The issuer is plain HTTP on a machine of one's own.
    let (config, issuer) = (Config::default(), Issuer::parse("http://localhost:3000").unwrap());
    let graded = Graded { config: &config, issuer: &issuer, resource_servers: &[], clients: &[] };
    let report = Report::of(Standard::Profile(Profile::Fapi2Security), &graded);
    assert_eq!(unmet(&report), [("FAPI 2.0 Security Profile section 5.2.1-1", vec!["issuer".to_owned()])]);
}
