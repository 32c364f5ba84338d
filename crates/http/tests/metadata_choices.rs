//! OpenID Connect Relying Party Metadata Choices 1.0, and what clients are registered for if they do not say.

#![expect(clippy::indexing_slicing, reason = "tests")]

use chancery_core::client::RegistrationPolicy;
use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::offered::ClientDefaults;
use chancery_core::ports::Registry as _;
use chancery_jose::{KeyManagementAlgorithm, SigningAlgorithm};
use chancery_testkit::{ClientKey, NegativeTable, Refused, TestProvider, TestProviderBuilder, wait};
use chancery_types::ClientId;
use chancery_types::iana::{ClientAuthenticationMethod, GrantType, SubjectType};
use http::Method;
use serde_json::{Value, json};

fn open() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| {
        config.registration.access = RegistrationAccess::Open;
        config.registration.management = true;
        config.registration.network_quota = 0;
        config.subjects.types = vec![SubjectType::Public, SubjectType::Pairwise];
        config.request_objects.encryption_algorithms = vec![KeyManagementAlgorithm::A128Kw];
    })
}

/// A client with these members.
fn with(members: &Value) -> Value {
    let mut metadata = json!({ "redirect_uris": ["https://rp.example/cb"] });
    for (name, value) in members.as_object().into_iter().flatten() {
        metadata[name] = value.clone();
    }
    metadata
}

/// META-38, CMETA-15: the value that was sent counts if it is offered, or else the first of the choices that is; the
/// choices are not kept. The provider signs with RS256 and ES256.
#[test]
fn one_of_the_choices_is_registered() {
    let kit = open().build();
    let key = ClientKey::generate(SigningAlgorithm::Es256).jwks();
    for (sent, member, registered) in [
        (
            json!({ "id_token_signing_alg_values_supported": ["ES256", "RS256"] }),
            "id_token_signed_response_alg",
            "ES256",
        ),
        (
            json!({ "id_token_signing_alg_values_supported": ["PS512", "none", "XS1", "ES256"] }),
            "id_token_signed_response_alg",
            "ES256",
        ),
        (
            json!({ "id_token_signing_alg_values_supported": ["ES256", "PS256", "RS256"],
                "id_token_signed_response_alg": "RS256" }),
            "id_token_signed_response_alg",
            "RS256",
        ),
        (
            json!({ "id_token_signing_alg_values_supported": ["PS256", "ES256"],
                "id_token_signed_response_alg": "PS256" }),
            "id_token_signed_response_alg",
            "ES256",
        ),
        (
            json!({ "userinfo_signing_alg_values_supported": ["RS256"] }),
            "userinfo_signed_response_alg",
            "RS256",
        ),
        (
            json!({ "introspection_signing_alg_values_supported": ["XS1", "ES256"] }),
            "introspection_signed_response_alg",
            "ES256",
        ),
        (
            json!({ "introspection_encryption_alg_values_supported": ["RSA1_5", "dir"],
                "introspection_encryption_enc_values_supported": ["A256GCM"] }),
            "introspection_encrypted_response_enc",
            "A256GCM",
        ),
        (json!({ "subject_types_supported": ["pairwise", "public"] }), "subject_type", "pairwise"),
        (
            json!({ "id_token_encryption_alg_values_supported": ["RSA1_5", "dir"],
                "id_token_encryption_enc_values_supported": ["A256GCM"] }),
            "id_token_encrypted_response_enc",
            "A256GCM",
        ),
        (
            json!({ "userinfo_encryption_alg_values_supported": ["A128KW"], "userinfo_signed_response_alg": "ES256",
                "userinfo_encryption_enc_values_supported": ["x", "A128GCM"] }),
            "userinfo_encrypted_response_enc",
            "A128GCM",
        ),
        (
            json!({ "request_object_signing_alg_values_supported": ["none", "ES256"] }),
            "request_object_signing_alg",
            "ES256",
        ),
        (
            json!({ "request_object_encryption_alg_values_supported": ["RSA1_5", "ECDH-ES", "A128KW"],
                "request_object_encryption_enc_values_supported": ["A128GCM"] }),
            "request_object_encryption_enc",
            "A128GCM",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["tls_client_auth", "client_secret_post"] }),
            "token_endpoint_auth_method",
            "client_secret_post",
        ),
        (
            json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"], "jwks": key,
                "token_endpoint_auth_signing_alg_values_supported": ["HS256", "ES256"] }),
            "token_endpoint_auth_signing_alg",
            "ES256",
        ),
        (
            json!({ "token_endpoint_auth_method": "client_secret_jwt",
                "token_endpoint_auth_signing_alg_values_supported": ["ES256", "HS256"] }),
            "token_endpoint_auth_signing_alg",
            "HS256",
        ),
    ] {
        let given = kit.register(&with(&sent)).expect_status(201);
        assert_eq!(given[member], registered, "{sent}");
        assert!(given.member_names().iter().all(|name| !name.ends_with("_supported")), "{}", given.text());
        let read = kit.send(kit.management_request(&Method::GET, &given, None)).expect_status(200);
        assert!(read.member_names().iter().all(|name| !name.ends_with("_supported")), "{}", read.text());
    }
}

/// What means nothing here, or nothing for this client, is left out, and so is what counts as omitted.
#[test]
fn choices_without_a_meaning_are_left_out() {
    let kit = open().build();
    for sent in [
        json!({ "authorization_signing_alg_values_supported": ["ES256"] }),
        json!({ "backchannel_authentication_request_signing_alg_values_supported": ["ES256"] }),
        json!({ "id_token_encryption_enc_values_supported": ["A128GCM"] }),
        json!({ "token_endpoint_auth_signing_alg_values_supported": ["ES256"] }),
        json!({ "subject_types_supported": null }),
        json!({ "subject_types_supported": "" }),
    ] {
        let given = kit.register(&with(&sent)).expect_status(201);
        assert_eq!(given["subject_type"], "public");
        assert!(given.member_names().iter().all(|name| !name.contains("enc")), "{}", given.text());
    }
}

/// A policy decides what is offered, too; an update is held to what cannot change.
#[test]
fn policies_and_updates_narrow_the_choices() {
    let kit = open().configure(|config| {
        config.registration_policy = vec![RegistrationPolicy {
            authentication_methods: vec![ClientAuthenticationMethod::None],
            ..RegistrationPolicy::default()
        }];
    });
    let kit = kit.build();
    let methods = json!({ "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"] });
    let given = kit.register(&with(&methods)).expect_status(201);
    assert_eq!(given["token_endpoint_auth_method"], "none");
    let mut change = with(&methods);
    change["client_id"] = given["client_id"].clone();
    change["subject_types_supported"] = json!(["pairwise", "public"]);
    let changed = kit.send(kit.management_request(&Method::PUT, &given, Some(&change))).expect_status(200);
    assert_eq!(changed["subject_type"], "public");
}

/// CMETA-17, REG-04: what the operator has chosen for clients that leave a member out, whoever registers them. What
/// was sent counts more.
#[test]
fn members_that_are_left_out_have_defaults() {
    let kit = open()
        .configure(|config| {
            let defaults = &mut config.client_defaults;
            defaults.token_endpoint_auth_method = ClientAuthenticationMethod::None;
            defaults.id_token_signed_response_alg = SigningAlgorithm::Es256;
            defaults.grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
            defaults.scope = "openid offline_access".into();
            defaults.default_acr_values = vec!["urn:x".into()];
            defaults.require_auth_time = true;
        })
        .without_clients()
        .client(r#"{"client_id":"operators","redirect_uris":["https://rp.example/cb"]}"#)
        .build();
    let given = kit.register(&with(&json!({}))).expect_status(201);
    let expect_defaults = |of: &Value| {
        assert_eq!(of["token_endpoint_auth_method"], "none");
        assert_eq!(of["id_token_signed_response_alg"], "ES256");
        assert_eq!(of["grant_types"], json!(["authorization_code", "refresh_token"]));
        assert_eq!(of["scope"], "openid offline_access");
        assert_eq!(of["default_acr_values"], json!(["urn:x"]));
        assert_eq!(of["require_auth_time"], true);
        assert_eq!(of.get("client_secret"), None);
    };
    expect_defaults(given.json());
    // What is omitted from an update is reset to them (REGM-06), and so is what is null.
    let change = json!({ "client_id": given["client_id"], "redirect_uris": ["https://rp.example/cb"], "scope": null,
        "id_token_signed_response_alg": "" });
    expect_defaults(
        kit.send(kit.management_request(&Method::PUT, &given, Some(&change))).expect_status(200).json(),
    );
    let own = kit
        .register(&with(&json!({ "token_endpoint_auth_method": "client_secret_basic", "scope": "openid",
        "id_token_signing_alg_values_supported": ["RS256"], "response_types": ["code"] })));
    let own = own.expect_status(201);
    assert_eq!(own["grant_types"], json!(["authorization_code"]), "response types were named");
    assert_eq!(own["id_token_signed_response_alg"], "RS256");
    assert!(own["scope"] == "openid" && own["client_secret"].is_string());
    // A client that an operator registers, by command or file, has them as well.
    let id = ClientId::parse("operators").expect("an id");
    let client = wait(kit.registry.client(&kit.env().realm, &id)).expect("the registry").expect("the client");
    expect_defaults(&serde_json::to_value(client.metadata()).expect("metadata"));
}

/// CONF-05: defaults that no client could be registered with are refused when the provider is built.
#[test]
fn what_is_wrong_with_the_defaults() {
    type Spoil = fn(&mut ClientDefaults);
    let wrong: [(Spoil, &str); 4] = [
        (|defaults| defaults.scope = "a  b".into(), "scope"),
        (|defaults| defaults.grant_types = vec![GrantType::Implicit], "grant_types"),
        (
            |defaults| defaults.id_token_signed_response_alg = SigningAlgorithm::Ps512,
            "id_token_signed_response_alg",
        ),
        (
            |defaults| {
                defaults.token_endpoint_auth_method = ClientAuthenticationMethod::None;
                defaults.grant_types = vec![GrantType::ClientCredentials];
            },
            "grant_types",
        ),
    ];
    for (spoil, setting) in wrong {
        let built =
            open().without_clients().configure(|config| spoil(&mut config.client_defaults)).try_build();
        let complaints = built.err().unwrap_or_default();
        let settings: Vec<&str> = complaints.iter().map(|complaint| &*complaint.setting).collect();
        assert_eq!(settings, [format!("client_defaults.{setting}")]);
    }
}

/// What no choice can be made of: the standard's error, which names the member, and nothing is stored.
#[test]
fn what_is_not_registered() {
    let kit = open().build();
    let clients = kit.clients();
    let refused = Refused::Json(400, "invalid_client_metadata");
    let mut table = NegativeTable::new(&kit);
    for sent in [
        json!({ "id_token_signing_alg_values_supported": [] }),
        json!({ "id_token_signing_alg_values_supported": "ES256" }),
        json!({ "id_token_signing_alg_values_supported": [7] }),
        json!({ "id_token_signing_alg_values_supported": {} }),
        json!({ "id_token_signing_alg_values_supported": ["none"] }),
        json!({ "id_token_signing_alg_values_supported": ["PS256", "es256", "XS1"] }),
        json!({ "id_token_signing_alg_values_supported": ["ES256"], "id_token_signed_response_alg": "RS256" }),
        json!({ "subject_types_supported": ["ephemeral"] }),
        json!({ "token_endpoint_auth_methods_supported": ["tls_client_auth"] }),
        json!({ "token_endpoint_auth_methods_supported": ["private_key_jwt"] }),
        json!({ "id_token_encryption_alg_values_supported": ["RSA1_5"] }),
        json!({ "id_token_encryption_alg_values_supported": ["RSA-OAEP"] }),
        json!({ "request_object_signing_alg_values_supported": ["none"] }),
    ] {
        table = table.row("choices", kit.registration_request(&with(&sent)), refused);
    }
    table.run();
    assert_eq!(kit.clients(), clients);
}
