//! Encryption in client metadata: which pairs and keys are taken.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chancery_jose::{
    ContentEncryptionAlgorithm, DecryptionKey, EncryptionKeyType, KeyManagementAlgorithm, SystemRandom,
};
use chancery_types::{RealmId, Timestamp};
use serde_json::{Value, json};

use super::{SECRET, good, registered, rules, stored};
use crate::client::{RegistrationRules, register, shared_key};
use crate::documents::MemoryKeys;
use crate::keys::KeySet;
use crate::model::client::Encryption;
use crate::offered::Offered;

/// A set with one key of this type, and one more member in it.
fn jwks(key_type: EncryptionKeyType, name: &str, value: &str) -> Value {
    let key = DecryptionKey::generate(key_type).unwrap();
    let mut key: Value = serde_json::from_str(&key.public_jwk().to_json()).unwrap();
    key[name] = json!(value);
    json!({ "keys": [key] })
}

fn metadata(more: Value) -> String {
    let mut all = json!({"redirect_uris": ["https://app.example/cb"]});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    all.to_string()
}

/// CMETA-11, META-18: what is registered is shown again, the default of `enc` too.
#[test]
fn pairs_are_kept() {
    let rsa = jwks(EncryptionKeyType::Rsa, "use", "enc");
    for (given, want) in
        [(None, "A128CBC-HS256"), (Some("A256GCM"), "A256GCM"), (Some("A192CBC-HS384"), "A192CBC-HS384")]
    {
        let mut more = json!({
            "jwks": rsa, "userinfo_signed_response_alg": "ES256",
            "id_token_encrypted_response_alg": "RSA-OAEP", "userinfo_encrypted_response_alg": "RSA-OAEP-256",
        });
        for member in ["id_token_encrypted_response_enc", "userinfo_encrypted_response_enc"] {
            if let Some(given) = given {
                more[member] = json!(given);
            }
        }
        let client = good(&metadata(more)).client;
        let shown = serde_json::to_value(client.metadata()).unwrap();
        assert_eq!(shown["id_token_encrypted_response_alg"], "RSA-OAEP");
        assert_eq!(shown["userinfo_encrypted_response_alg"], "RSA-OAEP-256");
        assert_eq!(shown["id_token_encrypted_response_enc"], want);
        assert_eq!(shown["userinfo_encrypted_response_enc"], want);
        let openid = &client.metadata().openid;
        let enc = ContentEncryptionAlgorithm::parse(want).unwrap();
        let alg = KeyManagementAlgorithm::RsaOaep;
        assert_eq!(openid.id_token_encryption(), Some(Encryption { alg, enc }));
    }
    let client = good(&metadata(json!({}))).client;
    assert_eq!(client.metadata().openid.id_token_encryption(), None);
    assert!(!stored(&client).contains("encrypted"));
}

/// CMETA-08, CMETA-11: one row per complaint.
#[test]
fn what_is_wrong_is_refused() {
    let id_token = "id_token_encrypted_response_alg";
    let (alg, enc) = ("userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc");
    let p256 = |name, value| jwks(EncryptionKeyType::P256, name, value);
    let rows = [
        (id_token, json!({id_token: "RSA1_5"})),
        (id_token, json!({id_token: "PBES2-HS256+A128KW"})),
        (id_token, json!({id_token: "none"})),
        (id_token, json!({id_token: ""})),
        (id_token, json!({id_token: "ecdh-es"})),
        (id_token, json!({id_token: ["ECDH-ES"]})),
        (
            "id_token_encrypted_response_enc",
            json!({id_token: "dir", "id_token_encrypted_response_enc": "A128CBC"}),
        ),
        (
            "id_token_encrypted_response_enc",
            json!({id_token: "dir", "id_token_encrypted_response_enc": "none"}),
        ),
        ("id_token_encrypted_response_enc", json!({"id_token_encrypted_response_enc": "A128GCM"})),
        (enc, json!({"userinfo_signed_response_alg": "ES256", enc: "A128GCM"})),
        (alg, json!({alg: "dir"})),
        (id_token, json!({id_token: "ECDH-ES"})),
        (id_token, json!({id_token: "RSA-OAEP", "token_endpoint_auth_method": "none"})),
        (id_token, json!({id_token: "A128KW", "token_endpoint_auth_method": "none"})),
        ("jwks", json!({id_token: "ECDH-ES", "jwks": {"keys": []}})),
        ("jwks", json!({id_token: "ECDH-ES", "jwks": p256("use", "sig")})),
        ("jwks", json!({id_token: "RSA-OAEP", "jwks": p256("use", "enc")})),
        ("jwks", json!({id_token: "ECDH-ES", "jwks": p256("alg", "ECDH-ES+A128KW")})),
        ("jwks", json!({id_token: "ECDH-ES", "jwks": p256("crv", "P-384")})),
        ("introspection_encrypted_response_enc", json!({"introspection_encrypted_response_enc": "A128GCM"})),
        ("authorization_encrypted_response_enc", json!({"authorization_encrypted_response_enc": "A128GCM"})),
    ];
    for (setting, members) in rows {
        let complaints =
            registered(&metadata(members.clone())).err().unwrap_or_else(|| panic!("{members} was taken"));
        let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
        assert_eq!(settings, [setting], "{members}");
    }
    let unsigned = metadata(json!({id_token: "dir", "id_token_signed_response_alg": "none"}));
    let offered = Offered { unsigned_id_tokens: true, ..Offered::default() };
    let rules = RegistrationRules { offered: &offered, ..rules(None) };
    let complaints = register(unsigned.as_bytes(), &SystemRandom, &rules).err().unwrap();
    let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
    assert_eq!(settings, [id_token], "what is encrypted is signed first");
}

/// JOSE-08: the secret from which a key is derived is sealed, whatever the client authenticates by, and its
/// key ends with it.
#[test]
fn a_secret_for_encryption_is_sealed() {
    let keys = MemoryKeys::generate(&[]).unwrap();
    let realm = RealmId::parse("test").unwrap();
    let set = match pin!(KeySet::load(&keys, &realm)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(set) => set.unwrap(),
        Poll::Pending => panic!("it waits"),
    };
    let members = json!({
        "client_secret": SECRET, "client_secret_expires_at": 100, "id_token_encrypted_response_alg": "dir",
    });
    let by_key = json!({
        "token_endpoint_auth_method": "private_key_jwt", "id_token_encrypted_response_alg": "dir",
        "client_secret": SECRET, "client_secret_expires_at": 100, "jwks": {"keys": [
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]},
    });
    for members in [members, by_key] {
        let json = metadata(members);
        let client = register(json.as_bytes(), &SystemRandom, &rules(Some(&set))).unwrap().client;
        assert!(!stored(&client).contains(SECRET));
        let encryption = client.metadata().openid.id_token_encryption().unwrap();
        let at = |secs| shared_key(&client, encryption, &set, Timestamp::from_secs(secs)).unwrap();
        assert!(at(99).unwrap().fits(encryption.alg, encryption.enc));
        assert!(at(100).is_none());
    }
}
