//! Registration for response types, their grant types and redirect URIs.

use chancery_jose::{SigningAlgorithm, SystemRandom};
use chancery_types::Timestamp;
use chancery_types::iana::{GrantType, ResponseType};

use crate::client::{Registered, RegistrationRules, register};
use crate::error::Complaints;
use crate::offered::{CompatibilityConfig, EndpointSet, Offered};

/// Registered where the implicit and the hybrid flow are on.
fn registered(members: &str) -> Result<Registered, Complaints> {
    let compatibility =
        CompatibilityConfig { implicit: true, hybrid: true, ..CompatibilityConfig::default() };
    let offered = Offered::at(EndpointSet::default(), &compatibility);
    let rules = RegistrationRules::new(&offered, &SigningAlgorithm::ALL, Timestamp::from_secs(7));
    let uris = r#""redirect_uris":["https://app.example/cb"],"#;
    let uris = if members.contains("redirect_uris") { "" } else { uris };
    let metadata = format!("{{{uris}{members}}}");
    register(metadata.as_bytes(), &SystemRandom, &rules)
}

/// CMETA-07, META-10: the same words are one type, whatever their order; each type brings its grant types, and a
/// grant type that no type needs is left out.
#[test]
fn grant_types_follow_response_types() {
    use GrantType::{AuthorizationCode, Implicit, RefreshToken};
    let rows: &[(&str, &[ResponseType], &[GrantType])] = &[
        (r#""response_types":["id_token"]"#, &[ResponseType::IdToken], &[Implicit]),
        (
            r#""response_types":["token id_token","id_token token","code"]"#,
            &[ResponseType::IdTokenToken, ResponseType::Code],
            &[AuthorizationCode, Implicit],
        ),
        (
            r#""response_types":["token code"],"grant_types":["refresh_token"]"#,
            &[ResponseType::CodeToken],
            &[AuthorizationCode, Implicit, RefreshToken],
        ),
        (
            r#""response_types":["token code id_token"],"grant_types":["implicit","authorization_code"]"#,
            &[ResponseType::CodeIdTokenToken],
            &[Implicit, AuthorizationCode],
        ),
        (
            r#""response_types":["code"],"grant_types":["authorization_code","implicit"]"#,
            &[ResponseType::Code],
            &[AuthorizationCode],
        ),
        (r#""grant_types":["authorization_code","implicit"]"#, &[ResponseType::Code], &[AuthorizationCode]),
        (
            r#""response_types":["id_token"],"grant_types":["authorization_code","implicit"]"#,
            &[ResponseType::IdToken],
            &[Implicit],
        ),
        (r#""response_types":["none"],"grant_types":["authorization_code"]"#, &[ResponseType::None], &[]),
    ];
    for (members, types, grants) in rows {
        let client = registered(members).ok().unwrap().client;
        let flow = &client.metadata().flow;
        assert_eq!((&*flow.response_types, &*flow.grant_types), (*types, *grants), "{members}");
    }
}

/// CMETA-05, CMETA-06, CMETA-10, META-10: OIDC Registration section 2. One row per complaint.
#[test]
fn what_is_wrong_is_refused() {
    for (setting, members) in [
        ("response_types", r#""grant_types":["implicit"]"#),
        ("response_types", r#""response_types":["token"]"#),
        ("response_types", r#""response_types":["code","code  id_token"]"#),
        ("response_types", r#""response_types":["none code"]"#),
        ("redirect_uris", r#""response_types":["none"],"redirect_uris":[]"#),
        ("redirect_uris", r#""response_types":["id_token"],"redirect_uris":[]"#),
        ("redirect_uris", r#""response_types":["id_token"],"redirect_uris":["https://localhost/cb"]"#),
        ("redirect_uris", r#""response_types":["code token"],"redirect_uris":["https://LOCALHOST:1/cb"]"#),
        ("redirect_uris", r#""response_types":["id_token token"],"redirect_uris":["https://127.0.0.1/cb"]"#),
        ("redirect_uris", r#""response_types":["code id_token"],"redirect_uris":["https://[::1]/cb"]"#),
        ("redirect_uris", r#""response_types":["id_token"],"redirect_uris":["http://app.example/cb"]"#),
        ("redirect_uris", r#""response_types":["id_token"],"redirect_uris":["http://localhost/cb"]"#),
    ] {
        let complaints = registered(members).err().unwrap_or_else(|| panic!("{members} was taken"));
        let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
        assert!(settings.contains(&setting), "{members}: {settings:?}");
    }
    let good = r#""response_types":["code"],"redirect_uris":["https://localhost/cb"]"#;
    assert!(registered(good).is_ok(), "a code is useless without its verifier");
    let cases = r#""application_type":"native","redirect_uris":["https://LocalHost/cb"]"#;
    assert!(registered(cases).is_err(), "case does not matter");
    let native = r#""application_type":"native","response_types":["id_token"],"redirect_uris":["http://localhost/cb"]"#;
    assert!(registered(native).is_ok());
}
