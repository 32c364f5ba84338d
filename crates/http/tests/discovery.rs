//! Metadata and keys: RFC 8414 sections 2 and 3, OpenID Connect Discovery 1.0 sections 3 and 4, RFC 7517
//! section 5.

use chancery_core::config::Config;
use chancery_core::profile::Profile;
use chancery_core::rotation::KeyEnd;
use chancery_jose::{ContentEncryptionAlgorithm, KeyManagementAlgorithm, SigningAlgorithm};
use chancery_testkit::{Answer, TestProvider, minutes, seconds};
use http::HeaderValue;
use serde_json::{Value, json};

const PATH: &str = "/.well-known/openid-configuration";

fn conditional(kit: &TestProvider, path: &str, tag: &str) -> Answer {
    kit.anonymous_request(path).get().header("if-none-match", tag).send()
}

/// DISC-01, DISC-02, DISC-04, DISC-09, DISC-10: every member, and no other.
#[test]
fn the_whole_metadata() {
    let kit = TestProvider::new();
    let algorithms = json!(["RS256", "ES256", "HS256", "HS384", "HS512"]);
    let methods =
        json!(["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]);
    let of_introspection =
        json!(["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"]);
    let assertions = json!(SigningAlgorithm::ALL.map(SigningAlgorithm::name));
    let mut metadata = kit.get(PATH).expect_status(200).json().clone();
    let mut take = |name: &str| metadata.as_object_mut().and_then(|all| all.remove(name)).unwrap_or_default();
    for (name, expected) in [
        ("issuer", json!("https://id.example")),
        ("authorization_endpoint", json!("https://id.example/authorize")),
        ("token_endpoint", json!("https://id.example/token")),
        ("userinfo_endpoint", json!("https://id.example/userinfo")),
        ("jwks_uri", json!("https://id.example/jwks")),
        ("introspection_endpoint", json!("https://id.example/introspect")),
        ("revocation_endpoint", json!("https://id.example/revoke")),
        ("end_session_endpoint", json!("https://id.example/logout")),
        ("response_types_supported", json!(["code", "none"])),
        ("response_modes_supported", json!(["query", "fragment", "form_post"])),
        ("grant_types_supported", json!(["authorization_code", "client_credentials", "refresh_token"])),
        ("subject_types_supported", json!(["public", "pairwise"])),
        ("token_endpoint_auth_methods_supported", methods.clone()),
        ("token_endpoint_auth_signing_alg_values_supported", assertions.clone()),
        ("introspection_endpoint_auth_methods_supported", of_introspection),
        ("introspection_endpoint_auth_signing_alg_values_supported", assertions.clone()),
        ("revocation_endpoint_auth_methods_supported", methods),
        ("revocation_endpoint_auth_signing_alg_values_supported", assertions.clone()),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("prompt_values_supported", json!(["none", "login", "select_account", "consent"])),
        ("display_values_supported", json!(["page", "popup", "touch"])),
        ("claim_types_supported", json!(["normal"])),
        ("claims_parameter_supported", json!(true)),
        ("request_parameter_supported", json!(true)),
        ("request_uri_parameter_supported", json!(true)),
        ("require_request_uri_registration", json!(true)),
        ("request_object_signing_alg_values_supported", assertions),
        ("frontchannel_logout_supported", json!(true)),
        ("frontchannel_logout_session_supported", json!(true)),
        ("backchannel_logout_supported", json!(true)),
        ("backchannel_logout_session_supported", json!(true)),
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("id_token_encryption_alg_values_supported", json!(KeyManagementAlgorithm::ALL)),
        ("id_token_encryption_enc_values_supported", json!(ContentEncryptionAlgorithm::ALL)),
        ("userinfo_encryption_alg_values_supported", json!(KeyManagementAlgorithm::ALL)),
        ("userinfo_encryption_enc_values_supported", json!(ContentEncryptionAlgorithm::ALL)),
        ("introspection_encryption_alg_values_supported", json!(KeyManagementAlgorithm::ALL)),
        ("introspection_encryption_enc_values_supported", json!(ContentEncryptionAlgorithm::ALL)),
    ] {
        assert_eq!(take(name), expected, "{name}");
    }
    for name in [
        "id_token_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "introspection_signing_alg_values_supported",
    ] {
        let mut have: Vec<Value> = take(name).as_array().cloned().unwrap_or_default();
        have.sort_by_key(|alg| {
            algorithms.as_array().and_then(|all| all.iter().position(|known| known == alg))
        });
        assert_eq!(json!(have), algorithms, "{name}");
    }
    let scopes = take("scopes_supported");
    for scope in ["openid", "offline_access", "profile", "email", "address", "phone"] {
        assert!(scopes.as_array().is_some_and(|all| all.contains(&scope.into())), "{scope}");
    }
    let claims = take("claims_supported");
    for claim in ["sub", "iss", "auth_time", "acr", "amr", "sid", "email", "name", "updated_at"] {
        assert!(claims.as_array().is_some_and(|all| all.contains(&claim.into())), "{claim}");
    }
    assert!(take("acr_values_supported").as_array().is_some_and(|all| all.len() == 1));
    assert_eq!(metadata, json!({}), "members that nobody expects");
}

/// DISC-03, DISC-05..08, CONF-08, JOSE-07: the document as it goes over the wire: every member in its order,
/// with a route, a scope, languages and a member of the operator's.
#[test]
fn the_document_letter_by_letter() {
    let kit = TestProvider::builder()
        .configure(|config| {
            let own = r#"{"discovery":{"extra":{"service_documentation":"https://op.example/doc"}},
                "scopes":{"extra":["admin"]},"routes":{"token":"/connect/token"},
                "client_authentication":{"assertion_algorithms":["PS256","ES256"]},
                "request_objects":{"algorithms":["PS256","ES256"]}}"#;
            *config = serde_json::from_str(own).expect("a configuration");
        })
        .ui_locales(&["en", "de"])
        .build();
    let expected = concat!(
        r#"{"issuer":"https://id.example","#,
        r#""authorization_endpoint":"https://id.example/authorize","#,
        r#""token_endpoint":"https://id.example/connect/token","#,
        r#""userinfo_endpoint":"https://id.example/userinfo","#,
        r#""jwks_uri":"https://id.example/jwks","#,
        r#""introspection_endpoint":"https://id.example/introspect","#,
        r#""revocation_endpoint":"https://id.example/revoke","#,
        r#""end_session_endpoint":"https://id.example/logout","#,
        r#""response_types_supported":["code","none"],"#,
        r#""response_modes_supported":["query","fragment","form_post"],"#,
        r#""grant_types_supported":["authorization_code","client_credentials","refresh_token"],"#,
        r#""subject_types_supported":["public","pairwise"],"#,
        r#""token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","private_key_jwt","none"],"#,
        r#""token_endpoint_auth_signing_alg_values_supported":["PS256","ES256"],"#,
        r#""introspection_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","private_key_jwt"],"#,
        r#""introspection_endpoint_auth_signing_alg_values_supported":["PS256","ES256"],"#,
        r#""revocation_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","private_key_jwt","none"],"#,
        r#""revocation_endpoint_auth_signing_alg_values_supported":["PS256","ES256"],"#,
        r#""scopes_supported":["openid","offline_access","address","email","phone","profile","admin"],"#,
        r#""claim_types_supported":["normal"],"#,
        r#""claims_supported":["sub","sid","auth_time","acr","amr","iss","address","email","email_verified","#,
        r#""phone_number","phone_number_verified","name","family_name","given_name","middle_name","nickname","#,
        r#""preferred_username","profile","picture","website","gender","birthdate","zoneinfo","locale","updated_at"],"#,
        r#""claims_parameter_supported":true,"#,
        r#""code_challenge_methods_supported":["S256"],"#,
        r#""acr_values_supported":["urn:chancery:acr:password"],"#,
        r#""prompt_values_supported":["none","login","select_account","consent"],"#,
        r#""display_values_supported":["page","popup","touch"],"#,
        r#""request_parameter_supported":true,"#,
        r#""request_uri_parameter_supported":true,"#,
        r#""require_request_uri_registration":true,"#,
        r#""request_object_signing_alg_values_supported":["PS256","ES256"],"#,
        r#""authorization_response_iss_parameter_supported":true,"#,
        r#""id_token_signing_alg_values_supported":["RS256","ES256","HS256","HS384","HS512"],"#,
        r#""backchannel_logout_supported":true,"backchannel_logout_session_supported":true,"#,
        r#""id_token_encryption_alg_values_supported":["RSA-OAEP","RSA-OAEP-256","RSA-OAEP-384","RSA-OAEP-512","#,
        r#""ECDH-ES","ECDH-ES+A128KW","ECDH-ES+A192KW","ECDH-ES+A256KW","A128KW","A192KW","A256KW","#,
        r#""A128GCMKW","A192GCMKW","A256GCMKW","dir"],"#,
        r#""id_token_encryption_enc_values_supported":["A128CBC-HS256","A192CBC-HS384","A256CBC-HS512","#,
        r#""A128GCM","A192GCM","A256GCM"],"#,
        r#""userinfo_signing_alg_values_supported":["RS256","ES256","HS256","HS384","HS512"],"#,
        r#""userinfo_encryption_alg_values_supported":["RSA-OAEP","RSA-OAEP-256","RSA-OAEP-384","RSA-OAEP-512","#,
        r#""ECDH-ES","ECDH-ES+A128KW","ECDH-ES+A192KW","ECDH-ES+A256KW","A128KW","A192KW","A256KW","#,
        r#""A128GCMKW","A192GCMKW","A256GCMKW","dir"],"#,
        r#""userinfo_encryption_enc_values_supported":["A128CBC-HS256","A192CBC-HS384","A256CBC-HS512","#,
        r#""A128GCM","A192GCM","A256GCM"],"#,
        r#""introspection_signing_alg_values_supported":["RS256","ES256","HS256","HS384","HS512"],"#,
        r#""introspection_encryption_alg_values_supported":["RSA-OAEP","RSA-OAEP-256","RSA-OAEP-384","RSA-OAEP-512","#,
        r#""ECDH-ES","ECDH-ES+A128KW","ECDH-ES+A192KW","ECDH-ES+A256KW","A128KW","A192KW","A256KW","#,
        r#""A128GCMKW","A192GCMKW","A256GCMKW","dir"],"#,
        r#""introspection_encryption_enc_values_supported":["A128CBC-HS256","A192CBC-HS384","A256CBC-HS512","#,
        r#""A128GCM","A192GCM","A256GCM"],"#,
        r#""frontchannel_logout_supported":true,"frontchannel_logout_session_supported":true,"#,
        r#""ui_locales_supported":["en","de"],"#,
        r#""service_documentation":"https://op.example/doc"}"#
    );
    assert_eq!(kit.get(PATH).text(), expected);
}

/// OIDC Discovery section 4.3, RFC 8414 section 3.2: no member without value, none twice.
#[test]
fn members_have_values() {
    let kit = TestProvider::new();
    for path in [PATH, "/.well-known/oauth-authorization-server"] {
        let answer = kit.get(path).expect_status(200);
        let members = answer.json().as_object().cloned().unwrap_or_default();
        assert!(
            members
                .values()
                .all(|value| !value.is_null() && value.as_array().is_none_or(|all| !all.is_empty()))
        );
        let mut names = answer.member_names();
        assert_eq!(names.len(), members.len());
        names.dedup();
        assert_eq!(names.len(), members.len());
    }
    assert_eq!(kit.get(PATH).body, kit.get("/.well-known/oauth-authorization-server").body);
}

/// What is announced is there, and an announced value is taken.
#[test]
fn what_is_announced_works() {
    let kit = TestProvider::new();
    let metadata = kit.get(PATH);
    for (name, value) in metadata.json().as_object().into_iter().flatten() {
        let Some(url) = value.as_str().filter(|_| name.ends_with("_endpoint") || name == "jwks_uri") else {
            continue;
        };
        let path = url.strip_prefix("https://id.example").unwrap_or_default();
        assert_ne!(kit.get(path).status, 404, "{name}");
    }
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid profile email address phone offline_access");
    kit.clock.advance(seconds(1));
    let values = |name: &str| -> Vec<String> {
        let all = metadata[name].as_array().into_iter().flatten();
        all.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    };
    let request = || kit.authorization_request("web").scope("openid");
    for mode in values("response_modes_supported") {
        assert_eq!(request().set("response_mode", &mode).open(&ua).expect_arrival().mode, mode);
    }
    for scope in values("scopes_supported") {
        let _ = request().scope(&format!("openid {scope}")).open(&ua).expect_code();
    }
    for display in values("display_values_supported") {
        let _ = request().set("display", &display).open(&ua).expect_code();
    }
    for acr in values("acr_values_supported") {
        let claims = json!({"id_token": {"acr": {"essential": true, "value": acr}}});
        let _ = request()
            .set("claims", &claims.to_string())
            .set("prompt", "login")
            .open(&ua)
            .expect_page("login");
    }
    for prompt in values("prompt_values_supported") {
        let tab = request().set("prompt", &prompt).open(&ua);
        match prompt.as_str() {
            "none" => drop(tab.expect_code()),
            "select_account" => drop(tab.expect_page("accounts")),
            page => drop(tab.expect_page(page)),
        }
    }
    for alg in values("id_token_signing_alg_values_supported") {
        kit.put_client(&format!(
            r#"{{"client_id":"alg","client_secret":"{0}{0}","redirect_uris":["https://alg.example/cb"],
                "id_token_signed_response_alg":"{alg}"}}"#,
            chancery_testkit::SECRET
        ));
        let tokens = kit.tokens("alice", "alg", "openid");
        assert_eq!(kit.id_token(&tokens, "alg").header.alg.name(), alg);
    }
}

/// DISC-08: an operator adds members and replaces none: each that the provider has or could have is refused, with what to
/// do.
#[test]
fn members_of_the_operator() {
    let everything = r#"{"discovery":{"signed":true,"protected_resources":["https://api.example"]},
        "ciba":{"offered":true},"device_authorization":{"offered":true},"dpop":{"offered":true},
        "pushed_requests":{"offered":true,"required":true},"claims":{"locales":["de"]},
        "request_objects":{"encryption_algorithms":["RSA-OAEP-256"],"required":true},
        "response_modes":{"jwt":true},"session":{"management":true},
        "registration":{"access":"open","management":true},"sign_up":{"offered":true},
        "mtls":{"certificate_bound_access_tokens":true,"endpoint_aliases":"https://mtls.example"}}"#;
    let kit = TestProvider::builder()
        .configure(|config| {
            *config = serde_json::from_str(everything).expect("a configuration");
            let documentation = ("service_documentation".to_owned(), "https://docs.example/".to_owned());
            config.discovery.extra.extend([documentation]);
        })
        .ui_locales(&["en", "de"])
        .build();
    let metadata = kit.get(PATH);
    assert_eq!(metadata["service_documentation"], "https://docs.example/");
    let refused = |name: &str| -> Vec<String> {
        let mut config = Config::default();
        config.discovery.extra.insert(name.to_owned(), "https://evil.example".to_owned());
        config.complaints().iter().map(ToString::to_string).collect()
    };
    let mut names = metadata.member_names();
    names.retain(|name| name != "service_documentation");
    assert!(names.len() > 60, "{names:?}");
    // What only applications and certificates of others bring.
    names.extend(["authorization_details_types_supported"].map(str::to_owned));
    for name in &names {
        let said = refused(name);
        let begin = format!(
            "discovery.extra.{name}: \"https://evil.example\": the provider writes this member itself: leave it out"
        );
        assert!(matches!(&*said, [line] if line.starts_with(&begin)), "{name}: {said:?}");
    }
    for (name, remedy) in [
        ("token_endpoint", "leave it out; routes.token says where the endpoint is (RFC 8414 section 2)"),
        ("introspection_endpoint", "endpoints.introspection whether it is there"),
        ("scopes_supported", "leave it out; what it says follows from scopes.extra"),
        ("issuer", "leave it out; what it says follows from issuer"),
    ] {
        assert!(refused(name)[0].contains(remedy), "{name}: {:?}", refused(name));
    }
    for name in ["op_policy_uri", "op_tos_uri", "service_documentation", "x"] {
        assert_eq!(refused(name), [""; 0], "{name}");
    }
}

/// DISC-09, RFC 8414 section 2.1: with the setting, the same members once more, signed with a key that signs now, and by an
/// algorithm that the profile permits. An operator's members are signed as well, and replace nothing.
#[test]
fn metadata_can_be_signed() {
    let signed = |profile| {
        let keys = [SigningAlgorithm::Rs256, SigningAlgorithm::Es256];
        let kit = TestProvider::builder().without_clients().own_keys(&keys).configure(|config| {
            config.profile = profile;
            config.dpop.offered = true;
            config.discovery.signed = true;
            for name in ["service_documentation", "iss", "iat"] {
                config.discovery.extra.insert(name.to_owned(), "https://docs.example/".to_owned());
            }
        });
        kit.build()
    };
    let check = |kit: &TestProvider, alg| {
        let document = kit.get(PATH).expect_status(200).json().clone();
        let jwt = kit.try_verify(document["signed_metadata"].as_str().unwrap(), "nobody").unwrap();
        assert_eq!(jwt.header.alg, alg);
        let (mut claims, mut plain) = (jwt.claims, document.clone());
        for (name, value) in [("iss", json!(kit.issuer().as_str())), ("iat", json!(kit.now().secs()))] {
            assert_eq!(claims[name], value);
            let _ = claims.as_object_mut().unwrap().remove(name);
            let _ = plain.as_object_mut().unwrap().remove(name);
        }
        let _ = plain.as_object_mut().unwrap().remove("signed_metadata");
        assert_eq!(claims, plain);
        assert_eq!(claims["service_documentation"], "https://docs.example/");
        for path in [PATH, "/.well-known/oauth-authorization-server"] {
            let (answer, trips) = kit.trips(|| kit.get(path).expect_status(200));
            assert_eq!((answer.json(), trips), (&document, 0));
        }
        jwt.header.kid.unwrap()
    };
    let kit = signed(Profile::Baseline);
    let first = check(&kit, SigningAlgorithm::Rs256);
    let at = kit.now() + minutes(10);
    let second = kit.keys.add(SigningAlgorithm::Rs256, kit.now(), at).unwrap();
    kit.keys.end(&first, KeyEnd::new(at, minutes(5)));
    kit.clock.advance(minutes(10));
    assert_eq!(check(&kit, SigningAlgorithm::Rs256), *second, "the key was rotated");
    let _ = check(&signed(Profile::Fapi2Security), SigningAlgorithm::Es256);
    assert!(TestProvider::new().get(PATH)["signed_metadata"].is_null(), "off by default");
}

/// RFC 9110 section 13.1.2: who has the document is told so.
#[test]
fn entity_tags() {
    let kit = TestProvider::new();
    for path in [PATH, "/jwks"] {
        let tag = kit.get(path).header("etag").unwrap_or_default().to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 20, "{tag}");
        assert_eq!(kit.get(path).header("etag"), Some(tag.as_str()), "the same each time");
        for sent in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let answer = conditional(&kit, path, &sent).expect_status(304);
            assert_eq!((answer.body.len(), answer.header("etag")), (0, Some(tag.as_str())), "{sent}");
            assert_eq!(answer.header("cache-control"), Some("public, max-age=600"));
            assert_eq!(
                answer.headers.get("access-control-allow-origin"),
                Some(&HeaderValue::from_static("*"))
            );
        }
        for sent in ["\"x\"", "", &tag.to_lowercase(), &tag[1..tag.len() - 1]] {
            assert_eq!(conditional(&kit, path, sent).status, 200, "{sent}");
        }
    }
}

/// RFC 7517 section 5: public keys only, each with `kid`, `use` and `alg`; and no symmetric one.
#[test]
fn the_keys_are_public() {
    let kit = TestProvider::new();
    let jwks = kit.get("/jwks").expect_status(200);
    let keys = jwks["keys"].as_array().cloned().unwrap_or_default();
    assert_eq!((jwks.member_names(), keys.len()), (vec!["keys".to_owned()], 2));
    for key in &keys {
        let names: Vec<&String> = key.as_object().into_iter().flatten().map(|(name, _)| name).collect();
        for secret in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
            assert!(!names.iter().any(|name| *name == secret), "{secret} in {key}");
        }
        assert!(key["kid"].is_string() && key["alg"].is_string(), "{key}");
        assert_eq!(key["use"], "sig", "{key}");
        assert_ne!(key["kty"], "oct");
    }
    assert_ne!(keys[0]["kid"], keys[1]["kid"]);
}

/// Metadata are made once: reading them takes no trip to the store.
#[test]
fn reading_metadata_touches_no_store() {
    let kit = TestProvider::new();
    let (_, trips) = kit.trips(|| (kit.get(PATH), kit.get("/jwks")));
    assert_eq!(trips, 0);
}
