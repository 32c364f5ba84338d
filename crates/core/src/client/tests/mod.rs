//! Registration: what is taken, what is refused, what is left out; and the stored form.

use chancery_jose::{RootSecret, SigningAlgorithm, SystemRandom};
use chancery_store::Revision;
use chancery_types::iana::{GrantType, ResponseType};
use chancery_types::{RealmId, Timestamp};
use zeroize::Zeroizing;

use super::{Registered, RegistrationRules, from_stored, register, replace_secret};
use crate::error::Complaint;
use crate::model::{ApplicationType, Client, ClientCredential, ConsentMode, RefreshTokens};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn wrapping() -> RootSecret {
    RootSecret::new(Zeroizing::new([7; 32]))
}

fn with_rules<T>(then: impl FnOnce(&RegistrationRules<'_>) -> T) -> T {
    then(&RegistrationRules {
        realm: &RealmId::parse("test").unwrap(),
        wrapping: &wrapping(),
        algorithms: Some(&[SigningAlgorithm::Rs256, SigningAlgorithm::Es256, SigningAlgorithm::EdDsa]),
        are_weak_secrets_allowed: false,
        now: Timestamp::from_secs(7),
    })
}

fn registered(json: &str) -> Result<Registered, Vec<Complaint>> {
    with_rules(|rules| register(json.as_bytes(), &SystemRandom, rules))
}

fn good(json: &str) -> Registered {
    registered(json).unwrap_or_else(|complaints| panic!("{json}: {complaints:?}"))
}

fn secrets(client: &Client) -> Vec<Option<Timestamp>> {
    match &client.credential {
        ClientCredential::Public => Vec::new(),
        ClientCredential::Secret { secrets, .. } => secrets.iter().map(|(_, ends)| *ends).collect(),
    }
}

/// META-08, META-10, META-12, META-14, META-17, META-25
#[test]
fn little_is_needed() {
    let Registered { client, secret_to_show, notices } = good(r#"{"redirect_uris":["https://app.example/cb"]}"#);
    assert_eq!(client.id.as_str().len(), 22);
    assert_eq!(secret_to_show.unwrap().len(), 43);
    assert!(notices.is_empty());
    assert_eq!(client.application_type, ApplicationType::Web);
    assert_eq!(client.response_types, [ResponseType::Code]);
    assert_eq!(client.grant_types, [GrantType::AuthorizationCode]);
    assert_eq!(client.id_token_signed_response_alg, SigningAlgorithm::Rs256);
    assert!(client.is_enabled && !client.is_pkce_optional && !client.is_public());
}

/// META-03, META-04, META-05, META-11, META-13, META-19, META-26, META-27, META-32, CMETA-03, and our own settings.
#[test]
fn all_that_is_known_is_kept() {
    let json = format!(
        r#"{{"client_id":"app","client_secret":"{SECRET}","client_secret_expires_at":100,"client_name":"App",
        "client_uri":"https://app.example/#top","application_type":"native","grant_types":["authorization_code",
        "refresh_token"],"redirect_uris":["http://127.0.0.1/cb","com.example.app:/cb","http://127.0.0.1/cb"],
        "response_modes":["query"],"scope":"openid email","default_max_age":60,"default_acr_values":["a","b"],
        "backchannel_logout_uri":"https://app.example/out","userinfo_signed_response_alg":"ES256","chancery":{{"pkce_optional":true,"refresh_tokens":"always",
        "default_resource":"https://api.example","introspects":["other"],"consent":"implied","enabled":false}}}}"#
    );
    let Registered { client, secret_to_show, notices } = good(&json);
    assert!(secret_to_show.is_none() && notices.is_empty(), "{notices:?}");
    assert_eq!(client.redirect_uris.len(), 2);
    assert_eq!(secrets(&client), [Some(Timestamp::from_secs(100))]);
    assert_eq!(client.userinfo_signed_response_alg, Some(SigningAlgorithm::Es256));
    assert_eq!((client.refresh_tokens, client.consent), (RefreshTokens::Always, ConsentMode::Implied));
    assert_eq!(client.default_resource.as_ref().unwrap().as_str(), "https://api.example");
    assert_eq!(client.introspects.len(), 1);
    assert!(client.is_pkce_optional && client.has_logout_uri && !client.is_enabled);
    assert!(!String::from_utf8_lossy(&client.stored).contains(SECRET));

    let again = from_stored(&client.stored, Revision(3), &RealmId::parse("test").unwrap(), &wrapping()).unwrap();
    assert_eq!((again.revision, &again.stored), (Revision(3), &client.stored));
}

/// One row per complaint. CMETA-03, CMETA-05, CMETA-06, CMETA-08, CMETA-09, CMETA-10, CMETA-11, CMETA-14, META-01,
/// META-06, META-07, META-16, META-18, META-23, META-24, META-28, META-29, META-34, META-35
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
        ("token_endpoint_auth_method", r#""token_endpoint_auth_method":"private_key_jwt""#),
        ("token_endpoint_auth_method", r#""token_endpoint_auth_method":"client_secret_jwt""#),
        ("token_endpoint_auth_method", r#""token_endpoint_auth_method":"tls_client_auth""#),
        ("token_endpoint_auth_method", r#""token_endpoint_auth_method":"none","id_token_signed_response_alg":"HS256""#),
        ("grant_types", r#""grant_types":["authorization_code","implicit"]"#),
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
        ("subject_type", r#""subject_type":"pairwise""#),
        ("id_token_encrypted_response_alg", r#""id_token_encrypted_response_alg":"RSA-OAEP""#),
        ("userinfo_encrypted_response_enc", r#""userinfo_encrypted_response_enc":"A128GCM""#),
        ("require_pushed_authorization_requests", r#""require_pushed_authorization_requests":true"#),
        ("require_signed_request_object", r#""require_signed_request_object":true"#),
        ("dpop_bound_access_tokens", r#""dpop_bound_access_tokens":true"#),
        ("tls_client_certificate_bound_access_tokens", r#""tls_client_certificate_bound_access_tokens":true"#),
        ("jwks", r#""jwks":{"keys":[]},"jwks_uri":"https://app.example/jwks""#),
        ("jwks", r#""jwks":{"keys":[{"kty":"oct","k":"AA"}]}"#),
        ("jwks", r#""jwks":7"#),
        ("backchannel_logout_uri", r#""backchannel_logout_uri":"app:/out""#),
        ("chancery", r#""chancery":true"#),
        ("chancery.pkce_optional", r#""chancery":{"pkce_optional":1}"#),
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
        assert_eq!(complaints.iter().map(|complaint| &*complaint.setting).collect::<Vec<_>>(), [setting], "{members}");
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
    let json = r#"{"client_name":"","redirect_uris":["app:/cb"],"subject_type":"pairwise","chancery":{"x":1}}"#;
    let complaints = registered(json).err().unwrap();
    let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
    assert_eq!(settings, ["client_name", "redirect_uris", "redirect_uris", "subject_type", "chancery.x"]);
}

/// CMETA-04, CMETA-08, CMETA-09, META-02, META-15, META-16, META-40
#[test]
fn what_merely_describes_is_left_out_with_a_notice() {
    let members = [
        r#""jwks":{"keys":[]}"#,
        r#""jwks_uri":"https://app.example/jwks""#,
        r#""software_id":"x""#,
        r#""software_statement":"a.b.c""#,
        r#""contacts":["a@example.org"]"#,
        r#""token_endpoint_auth_signing_alg":"ES256""#,
        r#""request_object_signing_alg":"ES256""#,
        r#""introspection_signed_response_alg":"RS256""#,
        r#""post_logout_redirect_uris":["https://app.example/"]"#,
        r#""client_id_issued_at":1"#,
        r##""client_name#de":"Ding""##,
        r#""favourite_colour":{"deep":[1]}"#,
    ];
    for member in members {
        let Registered { client, notices, .. } =
            good(&format!(r#"{{"redirect_uris":["https://app.example/cb"],{member}}}"#));
        let name = member.trim_start_matches('"').split('"').next().unwrap();
        assert!(matches!(notices.as_slice(), [notice] if notice.starts_with(name)), "{member}: {notices:?}");
        assert!(!String::from_utf8_lossy(&client.stored).contains(name));
    }
}

/// CMETA-07
#[test]
fn grant_types_follow_response_types() {
    use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
    let rows: [(&str, &[GrantType], usize); 4] = [
        (r#""grant_types":["client_credentials"]"#, &[ClientCredentials], 0),
        (r#""grant_types":["refresh_token"],"response_types":["code"]"#, &[AuthorizationCode, RefreshToken], 1),
        (r#""grant_types":["authorization_code","client_credentials"],"response_types":[]"#, &[ClientCredentials], 0),
        (r#""response_types":["code"]"#, &[AuthorizationCode], 1),
    ];
    for (members, grants, types) in rows {
        let client = good(&format!(r#"{{"redirect_uris":["https://app.example/cb"],{members}}}"#)).client;
        assert_eq!((client.grant_types.as_slice(), client.response_types.len()), (grants, types), "{members}");
    }
}

/// JOSE-08: the secret of a client that is registered for an HMAC comes back from under its seal, and from no other.
#[test]
fn secrets_for_an_hmac_are_sealed() {
    let json =
        r#"{"client_id":"app","redirect_uris":["https://app.example/cb"],"id_token_signed_response_alg":"HS512"}"#;
    let Registered { client, secret_to_show, .. } = good(json);
    let secret = secret_to_show.unwrap();
    assert!(secret.len() >= 64);
    assert!(!String::from_utf8_lossy(&client.stored).contains(secret.as_str()));
    let expected = chancery_jose::HmacKey::new(SigningAlgorithm::Hs512, secret.as_bytes()).unwrap().sign(b"x");
    assert_eq!(client.hmac_key.as_ref().unwrap().sign(b"x"), expected);

    let realm = RealmId::parse("test").unwrap();
    let other = RealmId::parse("other").unwrap();
    assert!(from_stored(&client.stored, Revision(1), &realm, &wrapping()).is_ok());
    assert!(from_stored(&client.stored, Revision(1), &other, &wrapping()).is_err());
    let foreign = RootSecret::new(Zeroizing::new([8; 32]));
    assert!(from_stored(&client.stored, Revision(1), &realm, &foreign).is_err());
    let renamed = String::from_utf8(client.stored.to_vec()).unwrap().replace("\"app\"", "\"apq\"");
    assert!(from_stored(renamed.as_bytes(), Revision(1), &realm, &wrapping()).is_err());
}

/// CAUTH-14: while one secret replaces the other, both are good.
#[test]
fn a_secret_is_replaced() {
    let first = good(r#"{"client_id":"app","redirect_uris":["https://app.example/cb"]}"#).client;
    let end = Timestamp::from_secs(50);
    let second = with_rules(|rules| replace_secret(&first, end, &SystemRandom, rules)).unwrap();
    assert_eq!(secrets(&second.client), [Some(end), None]);
    assert!(second.secret_to_show.is_some());
}

/// What version 1 wrote is read for ever.
#[test]
fn version_one_decodes() {
    let golden = concat!(
        "\u{1}",
        r#"{"client_id":"app","client_name":"App","application_type":"native","#,
        r#""token_endpoint_auth_method":"client_secret_post","secrets":[{"digest":"#,
        r#""hmac-sha256:BwcHBwcHBwcHBwcHBwcHBw:0123456789abcdef0123456789abcdef0123456789A","ends":5000}],"#,
        r#""enabled":true,"redirect_uris":["com.example.app:/cb"],"response_types":["code"],"response_modes":["query"],"#,
        r#""grant_types":["authorization_code","refresh_token"],"scope":["openid","email"],"default_max_age":60,"#,
        r#""require_auth_time":true,"default_acr_values":["a"],"id_token_signed_response_alg":"ES256","#,
        r#""userinfo_signed_response_alg":"EdDSA","backchannel_logout_uri":"https://app.example/out","#,
        r#""pkce_optional":true,"refresh_tokens":"always","default_resource":"https://api.example","#,
        r#""introspects":["other"],"consent":"implied"}"#
    );
    let realm = RealmId::parse("test").unwrap();
    let client = from_stored(golden.as_bytes(), Revision(1), &realm, &wrapping()).unwrap();
    assert_eq!(client.name(), Some("App"));
    assert_eq!(secrets(&client), [Some(Timestamp::from_millis(5000))]);
    assert_eq!(client.scopes.as_ref().unwrap().to_string(), "openid email");
    assert_eq!(client.userinfo_signed_response_alg, Some(SigningAlgorithm::EdDsa));
    assert!(client.has_logout_uri && client.is_pkce_optional);
    assert!(from_stored(b"\x02{}", Revision(1), &realm, &wrapping()).is_err());
}
