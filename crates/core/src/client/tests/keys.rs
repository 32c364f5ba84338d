//! Public keys and assertions in client metadata.

use chancery_jose::{PrivateKey, SigningAlgorithm};
use serde_json::{Value, json};

use super::{good, registered, stored};

/// One row per complaint. CMETA-08, CMETA-09, META-15, META-16
#[test]
fn what_is_wrong_is_refused() {
    let rows = [
        ("jwks", r#""token_endpoint_auth_method":"private_key_jwt""#),
        ("jwks", r#""token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[]}"#),
        ("token_endpoint_auth_signing_alg", r#""token_endpoint_auth_signing_alg":"none""#),
        (
            "token_endpoint_auth_signing_alg",
            r#""token_endpoint_auth_method":"none","token_endpoint_auth_signing_alg":"RS1""#,
        ),
        (
            "token_endpoint_auth_signing_alg",
            r#""token_endpoint_auth_method":"client_secret_jwt","token_endpoint_auth_signing_alg":"ES256""#,
        ),
        (
            "token_endpoint_auth_signing_alg",
            r#""token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://app.example/jwks","token_endpoint_auth_signing_alg":"HS256""#,
        ),
        (
            "token_endpoint_auth_signing_alg",
            r#""token_endpoint_auth_method":"private_key_jwt","jwks_uri":"https://app.example/jwks","token_endpoint_auth_signing_alg":"none""#,
        ),
        (
            "client_secret",
            r#""token_endpoint_auth_method":"client_secret_jwt","client_secret":"0123456789abcdef0123456789abcde""#,
        ),
        (
            "client_secret",
            r#""token_endpoint_auth_method":"client_secret_jwt","token_endpoint_auth_signing_alg":"HS384","client_secret":"0123456789abcdef0123456789abcdef""#,
        ),
        ("jwks", r#""jwks":{"keys":[]},"jwks_uri":"https://app.example/jwks""#),
        ("jwks", r#""jwks":{"keys":[{"kty":"oct","k":"AA"}]}"#),
        ("jwks", r#""jwks":{"keys":[{"kty":"RSA","d":"AA"}]}"#),
        ("jwks", r#""jwks":{"keys":[{"kty":"AKP","priv":"AA"}]}"#),
        ("jwks", r#""jwks":{"keys":{}}"#),
        ("jwks", r#""jwks":{}"#),
        ("jwks", r#""jwks":null"#),
        ("jwks", r#""jwks":7"#),
        ("jwks_uri", r#""jwks_uri":"http://app.example/jwks""#),
        ("jwks_uri", r#""jwks_uri":"https://user:word@app.example/jwks""#),
        ("jwks_uri", r#""jwks_uri":"https://app.example/jwks#keys""#),
        ("jwks_uri", r#""jwks_uri":"file:///etc/passwd""#),
        ("jwks_uri", r#""jwks_uri":["https://app.example/jwks"]"#),
    ];
    for (setting, members) in rows {
        let json = format!(r#"{{"redirect_uris":["https://app.example/cb"],{members}}}"#);
        let complaints = registered(&json).err().unwrap_or_else(|| panic!("{members} was taken"));
        let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
        assert_eq!(settings, [setting], "{members}");
    }
}

fn public(alg: SigningAlgorithm) -> Value {
    serde_json::from_str(&PrivateKey::generate(alg).unwrap().public_jwk().to_json()).unwrap()
}

fn with_keys(keys: &[Value], more: Value) -> String {
    let mut metadata = json!({"redirect_uris": ["https://app.example/cb"], "jwks": {"keys": keys},
        "token_endpoint_auth_method": "private_key_jwt"});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

/// META-15, META-16, CMETA-08: the keys have to fit what the client wants to sign with.
#[test]
fn a_client_has_a_key_for_its_assertions() {
    let (es256, rs256) = (public(SigningAlgorithm::Es256), public(SigningAlgorithm::Rs256));
    let registers = |keys: &[Value], alg: Option<&str>| {
        let more = alg.map_or(json!({}), |alg| json!({"token_endpoint_auth_signing_alg": alg}));
        registered(&with_keys(keys, more)).is_ok()
    };
    let both = [es256.clone(), rs256.clone()];
    for (keys, alg, is_good) in [
        (&both[..], None, true),
        (&both[..1], Some("ES256"), true),
        (&both[..1], Some("RS256"), false),
        (&both[1..], Some("RS256"), true),
        (&both[1..], Some("ES384"), false),
        (&both[..], Some("ES384"), false),
    ] {
        assert_eq!(registers(keys, alg), is_good, "{alg:?} with {} keys", keys.len());
    }
}

/// RFC 7517 section 5, CMETA-09: keys of other kinds, and RSA keys of other sizes, are left out with a notice.
/// They are shown again as they were registered, and count against the most that a client may have.
#[test]
fn other_keys_are_left_out() {
    let es256 = public(SigningAlgorithm::Es256);
    let rsa = |bytes: usize| {
        let n = chancery_jose::base64url::encode(vec![0xff; bytes]);
        json!({"kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256"})
    };
    let others = [
        json!({"kty": "NEW", "x": "AA"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!({"kty": "OKP", "crv": "Ed448", "x": "AA"}),
        json!({"kty": "EC", "crv": "P-256"}),
        json!({"kty": "EC", "crv": "P-256", "x": es256["x"], "y": es256["x"]}),
        json!({"kty": "EC", "crv": "P-256", "x": es256["x"], "y": es256["y"], "alg": "RS256"}),
        json!({"alg": "none"}),
        json!(7),
        rsa(128),
        rsa(255),
        rsa(1025),
        rsa(2048),
    ];
    for other in &others {
        let registered = good(&with_keys(&[es256.clone(), other.clone()], json!({})));
        assert_eq!(registered.notices, ["jwks: 1 of its keys cannot be used here"], "{other}");
        let shown = serde_json::to_value(registered.client.metadata()).unwrap();
        assert_eq!(shown["jwks"], json!({"keys": [es256, other]}));
        assert!(super::registered(&with_keys(std::slice::from_ref(other), json!({}))).is_err(), "{other}");
    }
    let encrypts = json!({"kty": "EC", "crv": "P-256", "x": es256["x"], "y": es256["y"], "use": "enc"});
    assert!(good(&with_keys(&[es256.clone(), encrypts.clone()], json!({}))).notices.is_empty());
    assert!(registered(&with_keys(&[encrypts], json!({}))).is_err(), "it signs nothing");
    let many = |n: usize| [vec![es256.clone()], vec![others[0].clone(); n - 1]].concat();
    assert!(registered(&with_keys(&many(32), json!({}))).is_ok());
    assert!(registered(&with_keys(&many(33), json!({}))).is_err());
    let long = json!({"kty": "NEW", "x": "A".repeat(64 * 1024)});
    assert!(registered(&with_keys(&[es256, long], json!({}))).is_err());
}

/// OIDC Core section 10.1: a client that signs with a key of its own has a secret only for an HMAC of its ID
/// tokens, and one that signs with its secret has one that is sealed.
#[test]
fn who_has_a_secret() {
    let es256 = public(SigningAlgorithm::Es256);
    let signs = good(&with_keys(std::slice::from_ref(&es256), json!({})));
    assert!(signs.secret_to_show.is_none() && signs.client.secrets().is_empty() && !signs.client.is_public());
    let given = json!({"client_secret": "0123456789abcdef0123456789abcdef"});
    let given = good(&with_keys(std::slice::from_ref(&es256), given));
    assert!(given.client.secrets().is_empty() && given.notices[0].starts_with("client_secret is not used"));
    let hs256 = json!({"id_token_signed_response_alg": "HS256"});
    let hs256 = good(&with_keys(&[es256], hs256));
    assert!(hs256.secret_to_show.is_some() && hs256.client.secrets()[0].hmac.is_some());
    let shares = good(
        r#"{"redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"client_secret_jwt"}"#,
    );
    assert!(shares.client.secrets()[0].hmac.is_some(), "kept for the HMAC");
    assert_eq!(shares.secret_to_show.unwrap().len(), 86, "long enough for every HMAC");
    let uri = r#"{"redirect_uris":["https://app.example/cb"],"token_endpoint_auth_method":"private_key_jwt",
        "jwks_uri":"https://app.example/jwks"}"#;
    assert!(stored(&good(uri).client).contains(r#""jwks_uri":"https://app.example/jwks""#));
}
