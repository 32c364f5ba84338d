//! Registration: what is taken, what is refused, what is left out; and the stored form.

use std::sync::LazyLock;

use chancery_jose::{SigningAlgorithm, SystemRandom};
use chancery_store::Revision;
use chancery_types::Timestamp;
use chancery_types::iana::{ClientAuthenticationMethod, GrantType, ResponseMode, ResponseType};
use serde_json::{Value, json};

use super::{Registered, RegistrationRules, register};
use crate::error::Complaints;
use crate::keys::KeySet;
use crate::model::{ApplicationType, Client, ConsentMode, IdTokenAlgorithm, RefreshTokens, SecretMethod};
use crate::offered::{CompatibilityConfig, Endpoint, EndpointSet, Offered};

mod encryption;
mod generated;
mod keys;
mod secrets;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

mod new_client;
mod response_types;

static OFFERED: LazyLock<Offered> = LazyLock::new(Offered::default);

const ALGORITHMS: &[SigningAlgorithm] =
    &[SigningAlgorithm::Rs256, SigningAlgorithm::Es256, SigningAlgorithm::EdDsa];

fn rules(keys: Option<&KeySet>) -> RegistrationRules<'_> {
    RegistrationRules {
        keys,
        can_fetch: true,
        ..RegistrationRules::new(&OFFERED, ALGORITHMS, Timestamp::from_secs(7))
    }
}

fn registered(json: &str) -> Result<Registered, Complaints> {
    register(json.as_bytes(), &SystemRandom, &rules(None))
}

fn stored(client: &Client) -> String {
    String::from_utf8(client.to_stored().unwrap().to_vec()).unwrap()
}

fn good(json: &str) -> Registered {
    registered(json).unwrap_or_else(|complaints| panic!("{json}: {complaints:?}"))
}

/// When each of the client's secrets ends.
fn ends(client: &Client) -> Vec<Option<Timestamp>> {
    client.secrets().iter().map(|secret| secret.ends).collect()
}

/// META-08, META-10, META-12, META-14, META-17, META-25
#[test]
fn little_is_needed() {
    let Registered { client, secret_to_show, notices } =
        good(r#"{"redirect_uris":["https://app.example/cb"]}"#);
    assert_eq!(client.id().as_str().len(), 22);
    assert_eq!(secret_to_show.unwrap().len(), 43);
    assert!(notices.is_empty());
    let metadata = client.metadata();
    assert_eq!(metadata.flow.application_type, ApplicationType::Web);
    assert_eq!(metadata.flow.response_types, [ResponseType::Code]);
    assert_eq!(metadata.flow.grant_types, [GrantType::AuthorizationCode]);
    let rs256 = IdTokenAlgorithm::Signed(SigningAlgorithm::Rs256);
    assert_eq!(metadata.openid.id_token_signed_response_alg, rs256);
    assert!(client.is_enabled() && !client.is_pkce_optional() && !client.is_public());
}

/// META-03, META-04, META-05, META-11, META-13, META-19, META-26, META-27, META-29, META-32, CMETA-03, CMETA-04, and
/// our own settings: what is registered can be shown again as it was registered (RFC 7591 section 3.2.1).
#[test]
fn all_that_is_known_is_kept() {
    let metadata = json!({
        "client_name": "App",
        "client_uri": "https://app.example/#top",
        "logo_uri": "https://app.example/logo.png",
        "policy_uri": "https://app.example/policy",
        "tos_uri": "https://app.example/terms",
        "contacts": ["a@example.org"],
        "software_id": "app",
        "software_version": "1.0",
        "application_type": "native",
        "token_endpoint_auth_method": "client_secret_post",
        "redirect_uris": ["http://127.0.0.1/cb", "com.example.app:/cb"],
        "response_types": ["code"],
        "response_modes": ["query"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid email",
        "id_token_signed_response_alg": "ES256",
        "userinfo_signed_response_alg": "EdDSA",
        "default_max_age": 60,
        "require_auth_time": true,
        "default_acr_values": ["a", "b"],
        "subject_type": "public",
        "initiate_login_uri": "https://app.example/login",
        "backchannel_logout_uri": "https://app.example/out",
        "backchannel_logout_session_required": true,
        "frontchannel_logout_uri": "http://127.0.0.1/leave",
        "frontchannel_logout_session_required": true,
        "post_logout_redirect_uris": ["com.example.app:/bye"],
        "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "kid": "one", "x5t": "kept",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]},
        "chancery": {
            "assertion_audience": "endpoints",
            "consent": "implied",
            "default_resource": "https://api.example",
            "enabled": false,
            "introspects": ["other"],
            "pkce_optional": true,
            "refresh_tokens": "always",
            "secret_method": "registered",
        },
    });
    let mut asked = metadata.clone();
    asked["client_id"] = json!("app");
    asked["client_secret"] = json!(SECRET);
    asked["client_secret_expires_at"] = json!(100);
    asked["redirect_uris"] = json!(["http://127.0.0.1/cb", "com.example.app:/cb", "http://127.0.0.1/cb"]);
    let Registered { client, secret_to_show, notices } = good(&asked.to_string());
    assert!(secret_to_show.is_none() && notices.is_empty(), "{notices:?}");
    assert_eq!(serde_json::to_value(client.metadata()).unwrap(), metadata, "once each");
    assert_eq!(
        (client.registered_at(), ends(&client)),
        (Timestamp::from_secs(7), vec![Some(Timestamp::from_secs(100))])
    );
    let own = &client.metadata().own;
    assert_eq!((own.refresh_tokens, own.consent), (RefreshTokens::Always, ConsentMode::Implied));
    assert_eq!(own.secret_method, SecretMethod::Registered);
    assert!(client.is_pkce_optional() && client.metadata().logout.is_told() && !client.is_enabled());
    assert!(!stored(&client).contains(SECRET));

    let again = Client::from_stored(&client.to_stored().unwrap(), Revision(3)).unwrap();
    assert_eq!((again.revision(), stored(&again)), (Revision(3), stored(&client)));
    assert_eq!(again.metadata(), client.metadata());
}

/// What is not given is not kept as if it were: neither `null` nor empty (RFC 7591 section 3.2.1).
#[test]
fn what_is_absent_stays_absent() {
    let client =
        good(r#"{"token_endpoint_auth_method":"none","redirect_uris":["https://app.example/cb"]}"#).client;
    let Value::Object(metadata) = serde_json::to_value(client.metadata()).unwrap() else {
        panic!("no object")
    };
    let names: Vec<&str> = metadata.keys().map(String::as_str).collect();
    let expected = [
        "application_type",
        "chancery",
        "grant_types",
        "id_token_signed_response_alg",
        "redirect_uris",
        "response_types",
        "subject_type",
        "token_endpoint_auth_method",
    ];
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, expected);
}

/// Texts are shown to people, on pages and in terminals: nothing in them may change how the rest is read.
#[test]
fn texts_do_not_mislead() {
    let misleading = [
        ("a line break", r"A\nB"),
        ("a carriage return", r"A\rB"),
        ("a tabulator", r"A\tB"),
        ("NUL", r"A\u0000B"),
        ("an escape sequence", r"A\u001b[2JB"),
        ("a backspace", r"A\u0008B"),
        ("DEL", r"A\u007fB"),
        ("a control sequence of C1", r"A\u009b2JB"),
        ("NEL", r"A\u0085B"),
        ("a line separator", r"A\u2028B"),
        ("a paragraph separator", r"A\u2029B"),
        ("a right-to-left override", r"A\u202eB"),
        ("a left-to-right embedding", r"A\u202aB"),
        ("an isolate", r"A\u2066B\u2069"),
        ("a right-to-left mark", r"A\u200fB"),
        ("an Arabic letter mark", r"A\u061cB"),
        ("a byte order mark", r"\ufeffA"),
        ("an interlinear annotation", r"A\ufff9B"),
        ("a tag", r"A\udb40\udc41B"),
        ("a space of no width", r"A\u200bB"),
        ("a soft hyphen", r"A\u00adB"),
        ("a filler", r"A\u3164B"),
    ];
    for (what, text) in misleading {
        for (setting, member) in [
            ("client_name", format!(r#""client_name":"{text}""#)),
            ("software_id", format!(r#""software_id":"{text}""#)),
            ("software_version", format!(r#""software_version":"{text}""#)),
            ("contacts", format!(r#""contacts":["a@example.org","{text}@example.org"]"#)),
            ("default_acr_values", format!(r#""default_acr_values":["{text}"]"#)),
            ("client_uri", format!(r#""client_uri":"https://app.example/{text}""#)),
            ("scope", format!(r#""scope":"{text}""#)),
            ("client_id", format!(r#""client_id":"{text}""#)),
            ("client_secret", format!(r#""client_secret":"{text}""#)),
        ] {
            let complaints =
                registered(&format!(r#"{{"redirect_uris":["https://app.example/cb"],{member}}}"#));
            let complaints = complaints.err().unwrap_or_else(|| panic!("{setting} was taken with {what}"));
            let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
            assert_eq!(settings, [setting], "{what}");
            assert!(!complaints[0].to_string().chars().any(|character| character.is_control()), "{what}");
        }
    }
    // Names of other scripts, joiners and emoji are names.
    for name in [
        "App",
        "\u{41f}\u{440}\u{438}\u{43b}\u{43e}\u{436}\u{435}\u{43d}\u{438}\u{435}",
        "\u{627}\u{644}\u{62a}\u{637}\u{628}\u{64a}\u{642}",
        "\u{915}\u{94d}\u{200d}\u{937}",
        "\u{1f468}\u{200d}\u{1f469}",
        "Caf\u{e9} \u{2013} \u{201c}Nord\u{201d}",
    ] {
        let json = json!({ "client_name": name, "redirect_uris": ["https://app.example/cb"] }).to_string();
        assert_eq!(good(&json).client.name(), Some(name));
    }
    // An unknown name is reported in a form that can be displayed.
    let json =
        r#"{"redirect_uris":["https://app.example/cb"],"a\u001b[2J\u202e":1,"chancery":{"b\u001b[2J":1}}"#;
    let complaints = registered(json).err().unwrap();
    assert!(
        complaints.iter().all(|complaint| complaint.setting.starts_with(r"chancery.b\u{1b}[2J")),
        "{complaints:?}"
    );
    let notices = good(&json.replace(r#","chancery":{"b\u001b[2J":1}"#, "")).notices;
    assert_eq!(notices, [r"a\u{1b}[2J\u{202e} is not used here and was left out"]);
}

/// One row per complaint. CMETA-03, CMETA-05, CMETA-06, CMETA-10, CMETA-11, CMETA-14,
/// META-01, META-06, META-07, META-18, META-23, META-24, META-28, META-29, META-34, META-35
#[test]
fn what_is_wrong_is_refused() {
    let rows = [
        ("client_id", r#""client_id":"b\u00e4r""#),
        ("client_id", r#""client_id":"""#),
        ("client_id", r#""client_id":7"#),
        ("client_secret", r#""client_secret":"short""#),
        ("client_secret", "\"client_secret\":\"\u{e4}123456789abcdef0123456789abcdef0123456789abcdef\""),
        (
            "client_secret",
            r#""client_secret":"0123456789abcdef0123456789abcdef","id_token_signed_response_alg":"HS512""#,
        ),
        ("client_secret_expires_at", r#""client_secret_expires_at":-1"#),
        ("client_name", r#""client_name":"""#),
        ("client_uri", r#""client_uri":"javascript:alert(1)""#),
        ("logo_uri", r#""logo_uri":"data:image/png;base64,AA""#),
        ("policy_uri", r#""policy_uri":"ftp://app.example""#),
        ("tos_uri", r#""tos_uri":["https://app.example"]"#),
        ("initiate_login_uri", r#""initiate_login_uri":"http://app.example""#),
        ("contacts", r#""contacts":["nobody"]"#),
        ("application_type", r#""application_type":"mobile""#),
        ("token_endpoint_auth_method", r#""token_endpoint_auth_method":"attest_jwt_client_auth""#),
        (
            "token_endpoint_auth_method",
            r#""token_endpoint_auth_method":"none","id_token_signed_response_alg":"HS256""#,
        ),
        ("grant_types", r#""grant_types":["authorization_code","password"]"#),
        (
            "grant_types",
            r#""token_endpoint_auth_method":"none","grant_types":["authorization_code","client_credentials"]"#,
        ),
        ("response_types", r#""response_types":["code","id_token"]"#),
        ("response_modes", r#""response_modes":[]"#),
        ("response_modes", r#""response_modes":["jwt"]"#),
        ("scope", r#""scope":"a\"b""#),
        ("default_max_age", r#""default_max_age":-1"#),
        ("require_auth_time", r#""require_auth_time":"true""#),
        ("default_acr_values", r#""default_acr_values":"a""#),
        ("id_token_signed_response_alg", r#""id_token_signed_response_alg":"none""#),
        ("id_token_signed_response_alg", r#""id_token_signed_response_alg":"PS256""#),
        ("userinfo_signed_response_alg", r#""userinfo_signed_response_alg":"none""#),
        (
            "userinfo_signed_response_alg",
            r#""userinfo_signed_response_alg":"HS384","id_token_signed_response_alg":"HS256""#,
        ),
        ("introspection_signed_response_alg", r#""introspection_signed_response_alg":"none""#),
        ("authorization_signed_response_alg", r#""authorization_signed_response_alg":"none""#),
        ("subject_type", r#""subject_type":"ephemeral""#),
        ("require_pushed_authorization_requests", r#""require_pushed_authorization_requests":true"#),
        ("request_uris", r#""request_uris":["http://app.example/r"]"#),
        ("request_uris", r#""request_uris":["javascript:alert(1)"]"#),
        ("request_uris", r#""request_uris":"https://app.example/r""#),
        ("require_signed_request_object", r#""require_signed_request_object":"true""#),
        ("request_object_signing_alg", r#""request_object_signing_alg":"none""#),
        ("request_object_signing_alg", r#""request_object_signing_alg":"RS1""#),
        (
            "token_endpoint_auth_method",
            r#""token_endpoint_auth_method":"none","request_object_signing_alg":"HS256""#,
        ),
        (
            "client_secret",
            r#""client_secret":"0123456789abcdef0123456789abcdef","request_object_signing_alg":"HS512""#,
        ),
        ("dpop_bound_access_tokens", r#""dpop_bound_access_tokens":true"#),
        (
            "tls_client_certificate_bound_access_tokens",
            r#""tls_client_certificate_bound_access_tokens":true"#,
        ),
        ("chancery.assertion_audience", r#""chancery":{"assertion_audience":"any"}"#),
        ("backchannel_logout_uri", r#""backchannel_logout_uri":"app:/out""#),
        ("chancery", r#""chancery":true"#),
        ("chancery.pkce_optional", r#""chancery":{"pkce_optional":1}"#),
        (
            "chancery.pkce_optional",
            r#""token_endpoint_auth_method":"none","chancery":{"pkce_optional":true}"#,
        ),
        (
            "chancery.pkce_optional",
            r#""chancery":{"pkce_optional":true},"application_type":"native","token_endpoint_auth_method":"none""#,
        ),
        ("chancery.refresh_tokens", r#""chancery":{"refresh_tokens":"never"}"#),
        ("chancery.consent", r#""chancery":{"consent":"none"}"#),
        ("chancery.secret_method", r#""chancery":{"secret_method":"any"}"#),
        ("chancery.default_resource", r#""chancery":{"default_resource":"api"}"#),
        ("chancery.introspects", r#""chancery":{"introspects":"app"}"#),
        ("chancery.pkce", r#""chancery":{"pkce":true}"#),
    ];
    for (setting, members) in rows {
        let json = format!(r#"{{"redirect_uris":["https://app.example/cb"],{members}}}"#);
        let complaints = registered(&json).err().unwrap_or_else(|| panic!("{members} was taken"));
        assert_eq!(
            complaints.iter().map(|complaint| &*complaint.setting).collect::<Vec<_>>(),
            [setting],
            "{members}"
        );
    }
    for json in ["", "[]", "7", r#"{"a":1,"a":2}"#] {
        assert_eq!(registered(json).err().unwrap()[0].setting, "metadata", "{json}");
    }
}

/// META-09, CMETA-05, CMETA-06
#[test]
fn redirect_uris_are_judged_by_type_of_application() {
    let rows = [
        ("https://app.example/cb", true, true),
        ("https://app.example", true, true),
        ("http://127.0.0.1:8080/cb", false, true),
        ("http://[::1]/cb", false, true),
        ("http://localhost/cb", false, true),
        ("https://localhost/cb", true, false),
        ("http://app.example/cb", false, false),
        ("com.example.app:/cb", false, true),
        ("app:/cb", false, false),
        ("javascript:alert(1)", false, false),
        ("vbscript:x", false, false),
        ("data:text/html,x", false, false),
        ("blob:https://app.example/x", false, false),
        ("file:///etc/passwd", false, false),
        ("about:blank", false, false),
        ("https://app.example/cb#", false, false),
        ("https://app.example/cb#x", false, false),
        ("https://user@app.example/cb", false, false),
        ("//app.example/cb", false, false),
        ("https:///cb", false, false),
        ("https://app.example\\@evil.example/", false, false),
    ];
    for (uri, web, native) in rows {
        for (application_type, expected) in [("web", web), ("native", native)] {
            let uri = uri.replace('\\', "\\\\");
            let json = format!(r#"{{"application_type":"{application_type}","redirect_uris":["{uri}"]}}"#);
            assert_eq!(registered(&json).is_ok(), expected, "{application_type} {uri}");
        }
    }
    assert!(registered("{}").is_err() && registered(r#"{"redirect_uris":[]}"#).is_err());
}

/// All at once.
#[test]
fn every_complaint_is_said() {
    let json = r#"{"client_name":"","redirect_uris":["app:/cb"],"subject_type":"","chancery":{"x":1}}"#;
    let complaints = registered(json).err().unwrap();
    let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
    assert_eq!(settings, ["client_name", "chancery.x", "redirect_uris", "subject_type"]);
}

/// META-02, META-40
#[test]
fn what_merely_describes_is_left_out_with_a_notice() {
    let members = [
        r#""software_statement":"a.b.c""#,
        r#""client_id_issued_at":1"#,
        r##""contacts#de":["a@b.example"]"##,
        r#""favourite_colour":{"deep":[1]}"#,
    ];
    for member in members {
        let Registered { client, notices, .. } =
            good(&format!(r#"{{"redirect_uris":["https://app.example/cb"],{member}}}"#));
        let name = member.trim_start_matches('"').split('"').next().unwrap();
        assert!(matches!(notices.as_slice(), [notice] if notice.starts_with(name)), "{member}: {notices:?}");
        assert!(!stored(&client).contains(name));
    }
}

/// CMETA-07
#[test]
fn grant_types_follow_response_types() {
    use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
    let rows: [(&str, &[GrantType], usize); 4] = [
        (r#""grant_types":["client_credentials"]"#, &[ClientCredentials], 0),
        (
            r#""grant_types":["refresh_token"],"response_types":["code"]"#,
            &[AuthorizationCode, RefreshToken],
            1,
        ),
        (
            r#""grant_types":["authorization_code","client_credentials"],"response_types":[]"#,
            &[ClientCredentials],
            0,
        ),
        (r#""response_types":["code"]"#, &[AuthorizationCode], 1),
    ];
    for (members, grants, types) in rows {
        let client = good(&format!(r#"{{"redirect_uris":["https://app.example/cb"],{members}}}"#)).client;
        let flow = &client.metadata().flow;
        assert_eq!((flow.grant_types.as_slice(), flow.response_types.len()), (grants, types), "{members}");
    }
}

/// What version 1 wrote is read for ever; and while version 1 is the newest, it is also what is written.
#[test]
fn version_one_decodes() {
    let golden = ["\u{1}", include_str!("client.v1.json").trim_end()].concat();
    let client = Client::from_stored(golden.as_bytes(), Revision(1)).unwrap();
    assert_eq!(stored(&client), golden);
    assert_eq!((client.id().as_str(), client.name()), ("app", Some("App")));
    assert_eq!(ends(&client), [Some(Timestamp::from_millis(5000)), None]);
    assert_eq!(client.scopes().unwrap().to_string(), "openid email");
    for damaged in ["\u{1}", "\u{1}{}", "\u{2}{}", "{}", "", &golden[1..], &golden[..golden.len() - 1]] {
        assert!(Client::from_stored(damaged.as_bytes(), Revision(1)).is_err(), "{damaged}");
    }
}

/// What the provider does not offer, nobody is registered for.
#[test]
fn what_is_off_cannot_be_registered_for() {
    let mut endpoints = EndpointSet::default();
    endpoints.switch(Endpoint::Introspection, false);
    let mut offered = Offered::at(endpoints, &CompatibilityConfig::default());
    offered.grant_types.retain(|grant_type| *grant_type != GrantType::ClientCredentials);
    offered.response_modes.retain(|mode| *mode != ResponseMode::FormPost);
    offered.authentication_methods.retain(|method| *method != ClientAuthenticationMethod::ClientSecretPost);
    let offered = offered.with_assertion_algorithms(&[SigningAlgorithm::Es256]);
    let rules = RegistrationRules { offered: &offered, can_fetch: false, ..rules(None) };
    let rows = [
        ("chancery.introspects", r#""chancery":{"introspects":["other"]}"#),
        ("grant_types", r#""grant_types":["authorization_code","client_credentials"]"#),
        ("response_modes", r#""response_modes":["query","form_post"]"#),
        ("token_endpoint_auth_method", r#""token_endpoint_auth_method":"client_secret_post""#),
        ("token_endpoint_auth_method", r#""token_endpoint_auth_method":"client_secret_jwt""#),
        ("jwks_uri", r#""jwks_uri":"https://app.example/jwks""#),
    ];
    for (setting, member) in rows {
        let json = format!(r#"{{"redirect_uris":["https://app.example/cb"],{member}}}"#);
        let complaints = register(json.as_bytes(), &SystemRandom, &rules).err().unwrap_or_default();
        let named: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
        assert_eq!(named, [setting]);
        assert!(register(json.as_bytes(), &SystemRandom, &self::rules(None)).is_ok(), "{setting}");
    }
    // What is on can be registered for, value by value.
    for member in [
        r#""grant_types":["authorization_code","refresh_token"]"#,
        r#""response_modes":["query","fragment"]"#,
        r#""response_types":["code"]"#,
        r#""token_endpoint_auth_method":"client_secret_basic""#,
    ] {
        let json = format!(r#"{{"redirect_uris":["https://app.example/cb"],{member}}}"#);
        assert!(register(json.as_bytes(), &SystemRandom, &rules).is_ok(), "{member}");
    }
}
