//! RFC 8414 section 2, RFC 7591 section 2: what a profile of the server, or of one client, leaves of the metadata of the
//! server, and what a client is registered for if it does not say.

#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_core::client::{RegistrationPolicy, RegistrationRules};
use chancery_core::config::Config;
use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::offered::ClientDefaults;
use chancery_core::profile::Profile::{self, Baseline, Fapi1Advanced, Fapi2MessageSigning, Fapi2Security};
use chancery_jose::SigningAlgorithm::{self, Ed25519, EdDsa, Es256, Es384, Ps256, Rs256};
use chancery_jose::SystemRandom;
use chancery_testkit::{ClientKey, TestProvider, TestProviderBuilder};
use chancery_types::Timestamp;
use chancery_types::iana::ClientAuthenticationMethod;
use http::Method;
use serde_json::{Value, json};

/// A server of this profile with everything on that does not contradict it, where clients register themselves.
fn builder(profile: Profile, change: impl FnOnce(&mut Config)) -> TestProviderBuilder {
    TestProvider::builder().without_clients().configure(|to| configure(to, profile, change))
}

fn configure(to: &mut Config, profile: Profile, change: impl FnOnce(&mut Config)) {
    to.profile = profile;
    to.compatibility.hybrid = matches!(profile, Baseline | Fapi1Advanced);
    to.response_modes.jwt = true;
    to.response_modes.web_message = true;
    to.dpop.offered = true;
    to.mtls.self_signed_tls_client_auth = true;
    to.mtls.certificate_bound_access_tokens = true;
    to.pushed_requests.offered = true;
    to.registration.access = RegistrationAccess::Open;
    to.registration.management = true;
    to.registration_policy = vec![RegistrationPolicy { network_quota: 0, ..RegistrationPolicy::default() }];
    change(to);
}

/// What the ID tokens and the signed responses of a client with this metadata are signed with, if an operator of such a
/// server registers it.
fn registered(
    config: &Config,
    keys: &[SigningAlgorithm],
    metadata: &Value,
) -> (Option<SigningAlgorithm>, SigningAlgorithm) {
    let offered = config.offered();
    let rules = RegistrationRules::new(&offered, keys, Timestamp::from_secs(7));
    let made = chancery_core::client::register(metadata.to_string().as_bytes(), &SystemRandom, &rules);
    let client = made.unwrap().client;
    let metadata = client.metadata();
    (
        metadata.openid.id_token_signed_response_alg.signed(),
        metadata.authorization_responses.signing_algorithm(),
    )
}

fn metadata(kit: &TestProvider) -> Value {
    kit.get("/.well-known/openid-configuration").json().clone()
}

/// Metadata of a client with a key of its own, and with these members.
fn with(members: &Value) -> Value {
    let key = ClientKey::generate(Es256);
    let mut metadata = json!({"redirect_uris": ["https://bank.example/cb"], "jwks": key.jwks(),
        "token_endpoint_auth_method": "private_key_jwt"});
    metadata.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    metadata
}

fn register(kit: &TestProvider, metadata: &Value) -> Value {
    let request = http::Request::post("/register").header("content-type", "application/json");
    let answer = kit.send(request.body(bytes::Bytes::from(metadata.to_string())).unwrap());
    answer.expect_status(201).json().clone()
}

/// FAPI-06, JOSE-07, DISC-01: what the profile of a server forbids is missing from every list of what it accepts.
#[test]
fn what_is_forbidden_is_not_announced() {
    let [fapi1, fapi2] = [&["PS256", "ES256"][..], &["PS256", "ES256", "EdDSA", "Ed25519"]];
    let methods = ["private_key_jwt", "self_signed_tls_client_auth"];
    let jwt = ["jwt", "query.jwt", "fragment.jwt", "form_post.jwt", "web_message.jwt"];
    let all = ["fragment", "form_post", "web_message"].iter().chain(&jwt).copied().collect::<Vec<_>>();
    let unbound = ["query"].iter().chain(&all).copied().collect::<Vec<_>>();
    for (profile, types, modes, algorithms) in [
        // A code alone has to come in a JWT, so that nothing plain can go by a query.
        (Fapi1Advanced, &["code", "code id_token"][..], &all[..], fapi1),
        (Fapi2Security, &["code"], &unbound, fapi2),
        (Fapi2MessageSigning, &["code"], &jwt, fapi2),
    ] {
        let kit = builder(profile, |_| {}).own_keys(&[Rs256, Ps256, Es256, Es384]).build();
        let metadata = metadata(&kit);
        let sorted = |value: &Value| {
            let mut values: Vec<String> = serde_json::from_value(value.clone()).unwrap();
            values.sort_unstable();
            values
        };
        let check = |member: &str, wanted: &[&str]| {
            assert_eq!(sorted(&metadata[member]), sorted(&json!(wanted)), "{profile:?} {member}");
        };
        check("response_types_supported", types);
        check("response_modes_supported", modes);
        for endpoint in ["token", "introspection", "revocation"] {
            check(&format!("{endpoint}_endpoint_auth_methods_supported"), &methods);
            check(&format!("{endpoint}_endpoint_auth_signing_alg_values_supported"), algorithms);
        }
        check("request_object_signing_alg_values_supported", algorithms);
        // Of what it signs itself it has keys for these.
        for signed in ["id_token", "userinfo", "authorization"] {
            check(&format!("{signed}_signing_alg_values_supported"), &["PS256", "ES256"]);
        }
        let proofs = sorted(&metadata["dpop_signing_alg_values_supported"]);
        assert!(proofs.iter().all(|alg| algorithms.contains(&&**alg)), "{profile:?} {proofs:?}");
        check("code_challenge_methods_supported", &["S256"]);
    }
}

/// FAPI-06: a method whose algorithms are all forbidden is not offered, and is not accepted of a new client.
#[test]
fn a_method_without_an_algorithm_is_not_announced() {
    let kit = builder(Fapi2Security, |to| {
        to.client_authentication.assertion_algorithms = vec![Rs256];
    });
    let metadata = metadata(&kit.build());
    let methods = &metadata["token_endpoint_auth_methods_supported"];
    assert_eq!(*methods, json!(["self_signed_tls_client_auth"]));
    assert_eq!(metadata["token_endpoint_auth_signing_alg_values_supported"], Value::Null);
}

/// META-17, JARM-04, FAPI-06: a client that names no algorithm is registered for RS256, or where its profile forbids that, for
/// the first that is permitted and that the server signs with; whoever registers it, and whoever's profile it is. The
/// answer says so.
#[test]
fn a_client_without_an_algorithm_gets_one_that_is_permitted() {
    for (server, client, keys, wanted) in [
        (Baseline, Baseline, &[Rs256, Ps256, Es256][..], "RS256"),
        (Baseline, Fapi1Advanced, &[Rs256, Ps256, Es256], "PS256"),
        (Baseline, Fapi2Security, &[Rs256, Ps256, Es256], "PS256"),
        (Baseline, Fapi2Security, &[Rs256, Es256], "ES256"),
        (Fapi1Advanced, Baseline, &[Rs256, Es256], "ES256"),
        (Fapi1Advanced, Fapi2MessageSigning, &[Rs256, Es384, Es256], "ES256"),
        (Fapi2Security, Baseline, &[Es256, Ps256], "PS256"),
        (Fapi2MessageSigning, Baseline, &[EdDsa], "EdDSA"),
    ] {
        let mut config = Config::default();
        configure(&mut config, server, |_| {});
        let own = json!({"chancery": {"profile": client.as_str()}});
        let (id_tokens, responses) = registered(&config, keys, &with(&own));
        assert_eq!(id_tokens.map(SigningAlgorithm::name), Some(wanted), "{server:?} {client:?} {keys:?}");
        assert_eq!(responses.name(), wanted, "{server:?} {client:?} {keys:?}");
        if client == Baseline {
            let kit = builder(server, |_| {}).own_keys(keys).build();
            let answer = register(&kit, &with(&json!({})));
            assert_eq!(answer["id_token_signed_response_alg"], wanted, "{server:?} {keys:?}");
            let told = answer.get("authorization_signed_response_alg").and_then(Value::as_str);
            assert_eq!(told.unwrap_or("RS256"), wanted, "JARM section 3: RS256 is the default");
        }
    }
}

/// META-38: of the choices of a client one is picked that its profile permits.
#[test]
fn what_is_picked_is_permitted() {
    for profile in [Fapi1Advanced, Fapi2Security] {
        let kit = builder(profile, |_| {}).own_keys(&[Rs256, Es256]).build();
        let choices = json!({"id_token_signing_alg_values_supported": ["RS256", "HS256", "ES256"],
            "userinfo_signing_alg_values_supported": ["HS256", "RS256", "ES256"],
            "request_object_signing_alg_values_supported": ["RS256", "PS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "introspection_signing_alg_values_supported": ["RS256", "ES256"],
            "authorization_signing_alg_values_supported": ["RS256", "ES256"]});
        let mut sent = with(&choices);
        sent.as_object_mut().unwrap().remove("token_endpoint_auth_method");
        let answer = register(&kit, &sent);
        for (member, picked) in [
            ("id_token_signed_response_alg", "ES256"),
            ("userinfo_signed_response_alg", "ES256"),
            ("request_object_signing_alg", "PS256"),
            ("token_endpoint_auth_method", "private_key_jwt"),
            ("token_endpoint_auth_signing_alg", "ES256"),
            ("authorization_signed_response_alg", "ES256"),
            ("introspection_signed_response_alg", "ES256"),
        ] {
            assert_eq!(answer[member], picked, "{profile:?} {member}");
        }
    }
}

/// FAPI-06, CMETA-17: a default for all clients that the profile of one forbids is left to the standard; one that the profile of
/// the server forbids is a complaint at the start.
#[test]
fn a_default_for_all_clients_is_for_those_whom_it_is_permitted() {
    let defaults = |alg| ClientDefaults {
        id_token_signed_response_alg: alg,
        token_endpoint_auth_method: ClientAuthenticationMethod::PrivateKeyJwt,
        ..ClientDefaults::default()
    };
    let mut config = Config::default();
    configure(&mut config, Baseline, |to| to.client_defaults = defaults(Es384));
    for (profile, wanted) in [(Baseline, Es384), (Fapi2Security, Es256)] {
        let own = json!({"chancery": {"profile": profile.as_str()}});
        let (id_tokens, _) = registered(&config, &[Rs256, Es256, Es384], &with(&own));
        assert_eq!(id_tokens, Some(wanted), "{profile:?}");
    }
    let refused = builder(Fapi2Security, |to| to.client_defaults = defaults(Es384)).try_build();
    let complaints = refused.map(drop).unwrap_err();
    let of_default =
        complaints.iter().find(|one| one.setting == "client_defaults.id_token_signed_response_alg");
    assert_eq!(of_default.map(|one| one.section), Some("FAPI 2.0 Security Profile section 5.4.1-1"));
}

/// JOSE-05, OIDC Core section 15.1: a server needs a key that every client knows, which is RS256, or one that its
/// profile permits.
#[test]
fn a_server_has_a_key_that_its_profile_permits() {
    for (profile, keys, is_enough) in [
        (Baseline, &[Rs256][..], true),
        (Baseline, &[Ps256, Es256], false),
        (Fapi1Advanced, &[Rs256], false),
        (Fapi1Advanced, &[Rs256, Ed25519], false),
        (Fapi1Advanced, &[Ps256], true),
        (Fapi2Security, &[Rs256, Es384], false),
        (Fapi2Security, &[Ed25519], true),
        (Fapi2MessageSigning, &[Es256], true),
    ] {
        let built = builder(profile, |_| {}).own_keys(keys).try_build().map(drop);
        let complaints = built.err().unwrap_or_default();
        let is_about_keys = complaints.iter().any(|complaint| complaint.setting == "keys");
        assert_eq!(is_about_keys, !is_enough, "{profile:?} {keys:?} {complaints:?}");
    }
}

/// FAPI-06, REG-05, REGM-06: a client that registers itself, or changes itself, hears of what breaks a demand of the server's
/// profile, and nothing is stored.
#[test]
fn a_client_that_falls_short_neither_registers_nor_changes_itself() {
    let metadata = "invalid_client_metadata";
    let rows = [
        (json!({"token_endpoint_auth_method": "client_secret_basic"}), metadata),
        (json!({"token_endpoint_auth_method": "client_secret_jwt"}), metadata),
        (json!({"token_endpoint_auth_method": "none"}), metadata),
        (json!({"id_token_signed_response_alg": "RS256"}), metadata),
        (json!({"userinfo_signed_response_alg": "RS256"}), metadata),
        (json!({"request_object_signing_alg": "RS256"}), metadata),
        (json!({"token_endpoint_auth_signing_alg": "RS256"}), metadata),
        (json!({"authorization_signed_response_alg": "RS256"}), metadata),
        (json!({"response_types": ["id_token"], "grant_types": ["implicit"]}), metadata),
        (
            json!({"response_types": ["code token"], "grant_types": ["authorization_code", "implicit"]}),
            metadata,
        ),
        (
            json!({"redirect_uris": ["http://intra.example/cb"], "application_type": "native"}),
            "invalid_redirect_uri",
        ),
    ];
    for profile in [Fapi1Advanced, Fapi2Security, Fapi2MessageSigning] {
        let kit = builder(profile, |_| {}).build();
        let good = with(&json!({"client_name": "Before"}));
        let given = kit.register(&good).expect_status(201);
        for (changes, code) in &rows {
            let changes = changes.as_object().unwrap();
            let mut sent = good.clone();
            sent.as_object_mut().unwrap().extend(changes.clone());
            sent["client_name"] = json!("After");
            let mut change = sent.clone();
            change["client_id"] = given["client_id"].clone();
            let put = kit.management_request(&Method::PUT, &given, Some(&change));
            for answer in [kit.register(&sent), kit.send(put)] {
                let refused = answer.expect_status(400);
                assert_eq!(refused["error"], *code, "{profile:?} {changes:?}");
                let said = refused.member("error_description");
                assert!(
                    changes.keys().any(|member| said.contains(&**member)),
                    "{profile:?} {changes:?}: {said}"
                );
            }
        }
        let read = kit.send(kit.management_request(&Method::GET, &given, None)).expect_status(200);
        assert_eq!(read["client_name"], "Before", "{profile:?}");
    }
}
