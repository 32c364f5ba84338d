//! FAPI 1.0 part 2 (Advanced), FAPI 2.0 Security Profile and FAPI 2.0 Message Signing: what the profile of a server
//! or of one client demands of registrations and requests.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use chancery_core::client::PROFILE_BROKEN;
use chancery_core::config::Config;
use chancery_core::model::client::REDIRECT_URI_MISSING;
use chancery_core::offered::{AssertionAudience, PkceOptional};
use chancery_core::profile::Profile::{self, Baseline, Fapi1Advanced, Fapi2MessageSigning, Fapi2Security};
use chancery_core::request::validated::{NONCE_MISSING, RESPONSE_UNSIGNED, STATE_MISSING};
use chancery_jose::SigningAlgorithm::{Es256, Ps256, Rs256};
use chancery_jose::{base64url, sha256};
use chancery_testkit::{
    AuthorizationRequest, ClientKey, ClientRequest, DpopKey, TestProvider, assert_refused,
    check_refused_by_name, days, minutes,
};
use serde_json::{Value, json};

/// Metadata of a client that meets every profile, with these members changed; null leaves one out.
fn client(profile: Profile, key: &ClientKey, changes: &Value) -> String {
    let response_type = if profile == Fapi1Advanced { "code id_token" } else { "code" };
    let mut metadata = json!({"client_id": "bank", "jwks": key.jwks(),
        "token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256",
        "authorization_signed_response_alg": "ES256",
        "redirect_uris": ["https://bank.example/cb"], "response_types": [response_type],
        "grant_types": ["authorization_code", "refresh_token"], "chancery": {"profile": profile.as_str()}});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Object(members) => metadata[name].as_object_mut().unwrap().extend(members.clone()),
            value => metadata[name] = value.clone(),
        }
    }
    metadata.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    metadata.to_string()
}

/// A server of this profile that also has what leaves the baseline, where the profile does not forbid it.
fn server(profile: Profile, change: impl FnOnce(&mut Config)) -> TestProvider {
    let builder = TestProvider::builder().without_clients();
    builder
        .configure(|to| {
            to.profile = profile;
            to.compatibility.hybrid = matches!(profile, Baseline | Fapi1Advanced);
            to.response_modes.jwt = true;
            to.dpop.offered = true;
            to.mtls.certificate_bound_access_tokens = true;
            to.pushed_requests.offered = true;
            change(to);
        })
        .build()
}

/// A plain client.
const WEB: &str = r#"{"client_id":"web","client_secret":"the-secret-of-web-has-enough-characters",
    "redirect_uris":["https://web.example/cb"]}"#;

/// What is complained about, each with its section.
fn complaints(kit: &TestProvider, metadata: &str) -> Vec<(String, &'static str)> {
    let refused =
        kit.put_client_fetching(metadata).map_or_else(|refused| refused.complaints.into(), |()| Vec::new());
    refused.into_iter().map(|complaint| (complaint.setting, complaint.section)).collect()
}

/// FAPI-01: on a server of every profile, and a client can be held to more than its server.
#[test]
fn a_client_that_meets_the_demands_is_registered() {
    let key = ClientKey::generate(Es256);
    for profile in Profile::ALL {
        for kit in [server(profile, |_| {}), server(Baseline, |_| {})] {
            assert_eq!(complaints(&kit, &client(profile, &key, &json!({}))), []);
        }
    }
    let ps256 = ClientKey::generate(Ps256);
    assert_eq!(
        complaints(
            &server(Fapi1Advanced, |_| {}),
            &client(
                Baseline,
                &ps256,
                &json!({
        "response_types": ["code id_token"]})
            )
        ),
        []
    );
}

/// FAPI-01: two profiles on one issuer.
#[test]
fn a_client_of_another_profile_does_not_disturb_a_plain_one() {
    let kit = server(Baseline, |_| {});
    kit.put_client(WEB);
    kit.put_client(&client(Fapi2Security, &ClientKey::generate(Es256), &json!({})));
    let tokens = kit.tokens("alice", "web", "openid").expect_status(200);
    assert_eq!(kit.id_token(&tokens, "web").claims["sub"], "alice");
}

/// FAPI-06: every way to fall short, on a server that demands it of everybody and of a client that is held to it by
/// itself. Each complaint has the section.
#[test]
fn a_client_that_falls_short_is_not_registered() {
    let (key, rsa) = (ClientKey::generate(Es256), ClientKey::generate(Rs256));
    let secret = "a-secret-of-sixty-four-characters-or-more-is-long-enough-for-hs512";
    let mut only_rs256 = rsa.jwks();
    only_rs256["keys"][0]["alg"] = "RS256".into();
    let rows = [
        (
            json!({"token_endpoint_auth_method": "none"}),
            "token_endpoint_auth_method",
            "5.2.2-14",
            "5.3.2.1-6",
        ),
        (
            json!({"token_endpoint_auth_method": "client_secret_basic", "client_secret": secret}),
            "token_endpoint_auth_method",
            "5.2.2-14",
            "5.3.2.1-6",
        ),
        (
            json!({"token_endpoint_auth_method": "client_secret_jwt", "client_secret": secret}),
            "token_endpoint_auth_method",
            "5.2.2-14",
            "5.3.2.1-6",
        ),
        (json!({"id_token_signed_response_alg": "RS256"}), "id_token_signed_response_alg", "8.6", "5.4.1-1"),
        (json!({"id_token_signed_response_alg": "ES384"}), "id_token_signed_response_alg", "8.6", "5.4.1-1"),
        (json!({"userinfo_signed_response_alg": "RS256"}), "userinfo_signed_response_alg", "8.6", "5.4.1-1"),
        (json!({"request_object_signing_alg": "RS256"}), "request_object_signing_alg", "8.6", "5.4.1-1"),
        (json!({"request_object_signing_alg": "PS512"}), "request_object_signing_alg", "8.6", "5.4.1-1"),
        (
            json!({"token_endpoint_auth_signing_alg": "RS256", "jwks": only_rs256}),
            "token_endpoint_auth_signing_alg",
            "8.6",
            "5.4.1-1",
        ),
        (json!({"jwks": only_rs256}), "jwks", "8.6", "5.4.1-1"),
        (json!({"chancery": {"pkce_plain": true}}), "chancery.pkce_plain", "5.2.2-18", "5.3.2.2-5"),
        (
            json!({"chancery": {"any_redirect_scheme": true}}),
            "chancery.any_redirect_scheme",
            "5.2.2-20",
            "5.3.2.2-8",
        ),
    ];
    for (changes, member, advanced, security) in rows {
        for (profile, section) in [(Fapi1Advanced, advanced), (Fapi2Security, security)] {
            for (kit, own) in [(server(profile, |_| {}), Baseline), (server(Baseline, |_| {}), profile)] {
                let mut metadata: Value = serde_json::from_str(&client(profile, &key, &changes)).unwrap();
                metadata["chancery"]["profile"] = own.as_str().into();
                let found = complaints(&kit, &metadata.to_string());
                let is_named = |(setting, by): &(String, &str)| setting == member && by.ends_with(section);
                assert!(found.iter().any(is_named), "{profile:?} {changes}: {found:?}");
                let times = found.iter().filter(|(setting, _)| setting == member).count();
                assert_eq!(times, 1, "said once: {found:?}");
            }
        }
    }
}

/// What only the one or the other demands.
#[test]
fn demands_of_one_profile() {
    let key = ClientKey::generate(Es256);
    let native = json!({"application_type": "native", "redirect_uris": ["http://127.0.0.1/cb"]});
    let rows = [
        (Fapi1Advanced, native.clone(), vec![("redirect_uris", "FAPI 1.0 part 1 section 5.2.2-20")]),
        (Fapi2Security, native, vec![]),
        (Fapi1Advanced, json!({"chancery": {"pkce_optional": true}}), vec![]),
        (
            Fapi2Security,
            json!({"chancery": {"pkce_optional": true}}),
            vec![("chancery.pkce_optional", "FAPI 2.0 Security Profile section 5.3.2.2-5")],
        ),
        (Fapi1Advanced, json!({"chancery": {"assertion_audience": "endpoints"}}), vec![]),
        (
            Fapi2Security,
            json!({"chancery": {"assertion_audience": "endpoints"}}),
            vec![("chancery.assertion_audience", "FAPI 2.0 Security Profile section 5.3.2.1-8")],
        ),
        (
            Fapi2Security,
            json!({"response_types": ["code id_token"]}),
            vec![("response_types", "FAPI 2.0 Security Profile section 5.3.2.2-1")],
        ),
        (
            Fapi1Advanced,
            json!({"response_types": ["code id_token token"]}),
            vec![("response_types", "FAPI 1.0 part 2 section 5.2.2-2")],
        ),
        (
            Fapi1Advanced,
            json!({"response_types": ["code"], "response_modes": ["query"]}),
            vec![("response_modes", "FAPI 1.0 part 2 section 5.2.2-2")],
        ),
        (
            Fapi2MessageSigning,
            json!({"response_modes": ["form_post"]}),
            vec![("response_modes", "FAPI 2.0 Message Signing section 5.4.1-1")],
        ),
        (
            Fapi2MessageSigning,
            json!({"authorization_signed_response_alg": "RS256"}),
            vec![("authorization_signed_response_alg", "FAPI 2.0 Security Profile section 5.4.1-1")],
        ),
        (Fapi2MessageSigning, json!({"authorization_signed_response_alg": null}), vec![]),
        // A client that gets no ID tokens can be registered for any algorithm.
        (Fapi2Security, json!({"id_token_signed_response_alg": "RS256", "scope": "read"}), vec![]),
    ];
    for (profile, changes, expected) in rows {
        let found = complaints(&server(Baseline, |_| {}), &client(profile, &key, &changes));
        let found: Vec<_> = found.iter().map(|(setting, section)| (setting.as_str(), *section)).collect();
        assert_eq!(found, expected, "{profile:?} {changes}");
    }
}

/// A change that breaks a demand is refused, and so is a change to a profile whose demands the client breaks.
#[test]
fn a_change_is_held_to_the_demands() {
    let kit = server(Baseline, |_| {});
    kit.put_client(&client(Fapi2Security, &ClientKey::generate(Es256), &json!({})));
    let refused = kit.change_client("bank", r#"{"id_token_signed_response_alg":"RS256"}"#).unwrap_err();
    assert_eq!(refused.complaints[0].section, "FAPI 2.0 Security Profile section 5.4.1-1");
    let plain = json!({"client_id": "plain", "redirect_uris": ["https://plain.example/cb"]}).to_string();
    kit.put_client(&plain);
    let refused = kit.change_client("plain", r#"{"chancery":{"profile":"fapi2-security"}}"#).unwrap_err();
    let settings: Vec<_> = refused.complaints.iter().map(|complaint| complaint.setting.as_str()).collect();
    assert_eq!(settings, ["token_endpoint_auth_method", "id_token_signed_response_alg"]);
    assert!(kit.change_client("plain", r#"{"chancery":{"profile":"fapi3"}}"#).is_err());
}

/// A client that registers itself is held to the profile of the server, and hears what it breaks.
#[test]
fn a_client_that_registers_itself_is_held_to_the_demands() {
    let kit = server(Fapi2Security, |to| {
        to.registration.access = chancery_core::endpoint::registration::RegistrationAccess::Open;
    });
    let register = |metadata: &str| {
        let request = http::Request::post("/register").header("content-type", "application/json");
        kit.send(request.body(bytes::Bytes::from(metadata.to_owned())).unwrap())
    };
    let answer = register(r#"{"redirect_uris":["https://bank.example/cb"]}"#).expect_status(400);
    assert_eq!(answer["error"], "invalid_client_metadata");
    assert!(answer.member("error_description").contains("token_endpoint_auth_method"), "{}", answer.text());
    let key = ClientKey::generate(Es256);
    let good = json!({"redirect_uris": ["https://bank.example/cb"], "jwks": key.jwks(),
        "token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256"});
    let _ = register(&good.to_string()).expect_status(201);
}

/// The profile of a server was raised: a client that breaks it is refused with a clear error, wherever it comes.
#[test]
fn an_older_client_is_refused() {
    let kit = server(Fapi2Security, |_| {});
    let (key, ua) = (ClientKey::generate(Es256), kit.user_agent());
    kit.put_older_client(&client(Baseline, &key, &json!({"id_token_signed_response_alg": "RS256"})));
    let arrived = kit.authorization_request("bank").scope("openid").open(&ua);
    assert_refused!(arrived, PROFILE_BROKEN);
    for (path, parameter, value) in
        [("/token", "grant_type", "refresh_token"), ("/introspect", "token", "x"), ("/revoke", "token", "x")]
    {
        let assertion = key.assertion("bank", kit.issuer().as_str(), path, kit.now());
        let answer = kit.anonymous_request(path).assertion(&assertion).param(parameter, value).send();
        assert_refused!(answer, PROFILE_BROKEN);
    }
}

/// JARM-04, FAPI-06: a signed response is signed with what the profile of its client permits, also where it need not be
/// signed; a client that is older than the profile hears that it has no such algorithm, and gets nothing.
#[test]
fn a_signed_response_is_signed_with_a_permitted_algorithm() {
    let kit = TestProvider::builder().without_clients().own_keys(&[Ps256, Es256]).configure(|to| {
        to.profile = Fapi2Security;
        to.dpop.offered = true;
        to.response_modes.jwt = true;
    });
    let kit = kit.build();
    let key = ClientKey::generate(Es256);
    let metadata = client(Baseline, &key, &json!({"authorization_signed_response_alg": null}));
    let ua = kit.user_agent();
    let arrival = || {
        let request = kit.authorization_request("bank").scope("openid").set("response_mode", "jwt");
        let assertion =
            key.assertion("bank", kit.issuer().as_str(), &kit.random.next().to_string(), kit.now());
        let push = kit.push_request(&request).set("client_id", "bank").assertion(&assertion);
        let pushed = push.send().expect_status(201);
        ua.signed_in("alice");
        ua.has_consented("alice", "bank", "openid");
        request.by_reference(pushed.member("request_uri")).open(&ua).expect_arrival()
    };
    kit.put_client(&metadata);
    let told = kit.try_verify(arrival().value("response").unwrap(), "bank").unwrap();
    assert_eq!(told.header.alg, Ps256);
    assert!(told.claims["code"].is_string());
    kit.remove_client("bank");
    kit.clock.advance(minutes(1));
    kit.put_older_client(&metadata);
    let told = arrival();
    assert_eq!(told.names(), ["error", "error_description", "state", "iss"]);
    assert_eq!(told.value("error"), Some("unauthorized_client"));
}

/// A request of `bank` as FAPI 1.0 has it: signed by value, with these changes of its claims.
fn signed(kit: &TestProvider, key: &ClientKey, changes: &Value) -> AuthorizationRequest {
    let (request, now) = (kit.authorization_request("bank").scope("openid"), kit.now().secs());
    let mut claims = json!({"iss": "bank", "aud": kit.issuer().as_str(), "nbf": now, "exp": now + 60,
        "client_id": "bank", "response_type": "code id_token", "redirect_uri": "https://bank.example/cb",
        "scope": "openid", "state": "a state", "nonce": "a nonce", "code_challenge_method": "S256",
        "code_challenge": request.value("code_challenge")});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let header = json!({"kid": key.kid(), "typ": "oauth-authz-req+jwt"});
    request.set("response_type", "code id_token").by_value(&key.sign(&header, &claims))
}

/// FAPI-03, CLAIM-17: the ID token of the authorization endpoint vouches for code and state, whoever's profile it is.
/// That of another client has no `s_hash`.
#[test]
fn a_response_has_the_hash_of_its_state() {
    let half = |text: &str| base64url::encode(sha256(text.as_bytes()).split_at(16).0);
    for (kit, own, expected) in [
        (server(Fapi1Advanced, |_| {}), Baseline, Some(half("a state"))),
        (server(Baseline, |to| to.compatibility.hybrid = true), Fapi1Advanced, Some(half("a state"))),
        (server(Baseline, |to| to.compatibility.hybrid = true), Baseline, None),
    ] {
        let key = ClientKey::generate(Es256);
        let changes = json!({"response_types": ["code id_token"], "chancery": {"profile": own.as_str(),
            "consent": "implied"}});
        kit.put_client(&client(Fapi1Advanced, &key, &changes));
        let arrival = signed(&kit, &key, &json!({})).open(&kit.user_agent()).login("alice").expect_arrival();
        let id_token = kit.try_verify(arrival.value("id_token").unwrap(), "bank").unwrap();
        assert_eq!(id_token.claims["s_hash"].as_str(), expected.as_deref(), "{own:?}");
        assert_eq!(id_token.claims["c_hash"].as_str(), arrival.value("code").map(half).as_deref());
    }
}

/// FAPI-03, FAPI-05, AUTHZ-13: what requests of one client lack, although every other client may.
#[test]
fn requests_that_fall_short() {
    let (kit, key) = (server(Baseline, |_| {}), ClientKey::generate(Es256));
    kit.put_client(&client(Fapi1Advanced, &key, &json!({"response_types": ["code", "code id_token"]})));
    let ua = kit.user_agent();
    let refused = |changes: Value| signed(&kit, &key, &changes).open(&ua);
    assert_refused!(refused(json!({"nonce": null, "response_type": "code"})), NONCE_MISSING);
    assert_refused!(
        refused(json!({"scope": "email", "state": null, "nonce": null, "response_type": "code"})),
        STATE_MISSING
    );
    assert_refused!(refused(json!({"redirect_uri": null})), REDIRECT_URI_MISSING);
    let other = signed(&kit, &key, &json!({"response_type": "code"})).without("response_type");
    assert_refused!(other.open(&ua), RESPONSE_UNSIGNED);
}

/// JAR-14, FAPI-03, FAPI 1.0 part 2 sections 5.2.2-13 and -17: a request object says from when and until when it is good,
/// for at most an hour, and since at most an hour ago. Other clients need not say it.
#[test]
fn a_request_object_is_good_for_an_hour_at_most() {
    let (kit, key) = (server(Baseline, |to| to.compatibility.hybrid = true), ClientKey::generate(Es256));
    kit.put_client(&client(Fapi1Advanced, &key, &json!({})));
    let (ua, now) = (kit.user_agent(), kit.now().secs());
    let sent = |changes: Value| signed(&kit, &key, &changes).open(&ua);
    for good in [json!({}), json!({"exp": now + 3600}), json!({"nbf": now - 3600, "exp": now})] {
        let _ = sent(good).expect_page("login");
    }
    for (bad, name) in [
        (json!({"nbf": null}), "request_object_without_time"),
        (json!({"exp": null}), "request_object_without_time"),
        (json!({"exp": now + 3601}), "request_object_lifetime_too_long"),
        (json!({"nbf": now - 3601, "exp": now}), "request_object_lifetime_too_long"),
    ] {
        check_refused_by_name(&sent(bad), "invalid_request_object", name);
    }
    kit.change_client("bank", r#"{"chancery":{"profile":"baseline"}}"#).unwrap();
    let _ = sent(json!({"nbf": null})).expect_page("login");
}

/// RT-07, FAPI 2.0 Security Profile section 5.3.2.1: a refresh token stays the same from the moment on at which its
/// client is held to the profile, and its idle end moves all the same.
#[test]
fn a_refresh_token_stays_the_same() {
    let kit = server(Baseline, |to| to.dpop.offered = true);
    let (key, dpop) = (ClientKey::generate(Es256), DpopKey::generate(Es256));
    kit.put_client(&client(Baseline, &key, &json!({})));
    let mut jti = 0;
    let mut asserted = |request: ClientRequest<'_>| {
        jti += 1;
        let assertion = key.assertion("bank", kit.issuer().as_str(), &jti.to_string(), kit.now());
        dpop.prove(request.assertion(&assertion)).send()
    };
    let tokens =
        asserted(kit.code_request(&kit.code("alice", "bank", "openid offline_access"))).expect_status(200);
    let first = tokens.member("refresh_token").to_owned();
    let rotated = asserted(kit.refresh_request("bank", &first)).expect_status(200);
    let token = rotated.member("refresh_token").to_owned();
    assert_ne!(first, token);
    kit.change_client("bank", r#"{"chancery":{"profile":"fapi2-security"}}"#).unwrap();
    // Together longer than an idle token lives.
    for _ in 0..4 {
        kit.clock.advance(days(5));
        for _ in 0..3 {
            let answer = asserted(kit.refresh_request("bank", &token)).expect_status(200);
            assert_eq!(answer.member("refresh_token"), token);
        }
    }
    kit.clock.advance(days(15));
    let late = asserted(kit.refresh_request("bank", &token)).expect_status(400);
    assert_eq!(late["error"], "invalid_grant");
}

/// FAPI-04, GAP-03: the reference fails here.
#[test]
fn a_request_without_a_response_type_is_told_so() {
    for profile in [Fapi1Advanced, Fapi2Security] {
        let (kit, key) = (server(Baseline, |_| {}), ClientKey::generate(Es256));
        kit.put_client(&client(profile, &key, &json!({})));
        let request = signed(&kit, &key, &json!({"response_type": null})).without("response_type");
        let ua = kit.user_agent();
        assert_eq!(request.open(&ua).expect_arrival().value("error"), Some("invalid_request"), "{profile:?}");
    }
}

/// FAPI-05, CAUTH-18: the audience is the issuer as a string, on a server and for a client that is held to FAPI 2.0;
/// for any other an array will do.
#[test]
fn the_audience_of_an_assertion_is_a_string() {
    let to_endpoints = |to: &mut Config| to.compatibility.assertion_audience = AssertionAudience::Endpoints;
    for (kit, own, (is_strict, is_lax)) in [
        (server(Fapi2Security, |_| {}), Baseline, (true, false)),
        (server(Baseline, to_endpoints), Fapi2MessageSigning, (true, false)),
        // The drafts of FAPI 2.0 have other audiences, too: by a setting of the server, which a client's own profile
        // outweighs.
        (server(Fapi2Security, to_endpoints), Baseline, (false, true)),
        (server(Fapi2Security, to_endpoints), Fapi2MessageSigning, (true, false)),
        (server(Fapi2Security, to_endpoints), Fapi2Security, (true, false)),
        (server(Fapi1Advanced, |_| {}), Baseline, (false, false)),
        (server(Baseline, |_| {}), Baseline, (false, false)),
    ] {
        let key = ClientKey::generate(Es256);
        let response_types = if kit.get("/.well-known/openid-configuration").json()["response_types_supported"]
            == json!(["code", "code id_token"])
        {
            json!(["code id_token"])
        } else {
            json!(["code"])
        };
        kit.put_client(&client(own, &key, &json!({"response_types": response_types})));
        let issuer = kit.issuer().as_str();
        for (n, (aud, is_string)) in
            [(json!(issuer), true), (json!([issuer]), false), (json!([issuer, issuer]), false)]
                .into_iter()
                .enumerate()
        {
            let now = kit.now().secs();
            let claims = json!({"iss": "bank", "sub": "bank", "aud": aud, "jti": n.to_string(), "iat": now,
                "exp": now + 60});
            let assertion = key.sign(&json!({"kid": key.kid()}), &claims);
            let answer = kit.anonymous_request("/revoke").assertion(&assertion).param("token", "x").send();
            if is_string || !is_strict {
                assert_eq!(answer.status, 200, "{own:?} {aud}");
            } else {
                check_refused_by_name(&answer, "invalid_client", "assertion_audience_wrong");
            }
        }
        // Nor the URL of an endpoint, although the server permits it to others.
        let assertion = key.assertion("bank", &format!("{issuer}/token"), "url", kit.now());
        let answer = kit.anonymous_request("/revoke").assertion(&assertion).param("token", "x").send();
        if is_lax {
            assert_eq!(answer.status, 200, "{own:?}");
        } else {
            check_refused_by_name(&answer, "invalid_client", "assertion_audience_wrong");
        }
    }
}

/// A client need not be registered for an algorithm; those that are not permitted are refused all the same.
#[test]
fn what_a_client_signs_has_a_permitted_algorithm() {
    let (kit, strong, weak) =
        (server(Baseline, |_| {}), ClientKey::generate(Es256), ClientKey::generate(Rs256));
    let jwks = json!({"keys": [strong.public(), weak.public()]});
    kit.put_client(&client(Fapi1Advanced, &strong, &json!({"jwks": jwks})));
    let issuer = kit.issuer().as_str();
    let asserted = |key: &ClientKey, jti| {
        let assertion = key.assertion("bank", issuer, jti, kit.now());
        kit.anonymous_request("/revoke").assertion(&assertion).param("token", "x").send()
    };
    assert_eq!(asserted(&strong, "1").status, 200);
    check_refused_by_name(&asserted(&weak, "2"), "invalid_client", "assertion_algorithm_wrong");
    let ua = kit.user_agent();
    let opened = |key: &ClientKey| signed(&kit, key, &json!({})).open(&ua);
    let _ = opened(&strong).expect_page("login");
    check_refused_by_name(&opened(&weak), "invalid_request_object", "request_object_algorithm_wrong");
}

/// Each compatibility setting that contradicts a demand is a complaint at the start, with the section; those that do
/// not are none.
#[test]
fn settings_that_contradict_the_profile() {
    type Change = fn(&mut Config);
    let settings: [(&str, Change, Option<&str>, Option<&str>); 14] = [
        (
            "any_redirect_scheme",
            |to| to.compatibility.any_redirect_scheme = true,
            Some("5.2.2-20"),
            Some("5.3.2.2-8"),
        ),
        (
            "assertion_audience",
            |to| to.compatibility.assertion_audience = AssertionAudience::Endpoints,
            None,
            None,
        ),
        ("empty_scope_members", |to| to.compatibility.empty_scope_members = true, None, None),
        ("hybrid", |to| to.compatibility.hybrid = true, None, Some("5.3.2.2-1")),
        ("implicit", |to| to.compatibility.implicit = true, Some("5.2.2-2"), Some("5.3.2.2-1")),
        (
            "normalised_redirect_match",
            |to| to.compatibility.normalised_redirect_match = true,
            Some("5.2.2-10"),
            Some("2.1"),
        ),
        (
            "pkce_optional",
            |to| to.compatibility.pkce_optional = PkceOptional::Confidential,
            None,
            Some("5.3.2.2-5"),
        ),
        ("pkce_plain", |to| to.compatibility.pkce_plain = true, Some("5.2.2-18"), Some("5.3.2.2-5")),
        (
            "query_access_token",
            |to| to.compatibility.query_access_token = true,
            Some("6.2.1-3"),
            Some("5.3.4-2"),
        ),
        (
            "request_object_merging",
            |to| to.compatibility.request_object_merging = true,
            Some("5.2.2-10"),
            Some("6.3"),
        ),
        ("unsigned_id_token", |to| to.compatibility.unsigned_id_token = true, Some("8.6"), Some("5.4.1-1")),
        (
            "unsigned_request_object",
            |to| to.compatibility.unsigned_request_object = true,
            Some("8.6"),
            Some("5.4.1-1"),
        ),
        (
            "wildcard_redirect_uris",
            |to| to.compatibility.wildcard_redirect_uris = true,
            Some("5.2.2-10"),
            Some("2.1"),
        ),
        (
            "lifetime",
            |to| to.authorization_code.lifetime = std::time::Duration::from_secs(61),
            None,
            Some("5.3.2.1-11"),
        ),
    ];
    for (setting, change, advanced, security) in settings {
        for (profile, expected) in [(Baseline, None), (Fapi1Advanced, advanced), (Fapi2Security, security)] {
            let mut config = Config { profile, ..Config::default() };
            config.response_modes.jwt = true;
            config.mtls.certificate_bound_access_tokens = true;
            change(&mut config);
            let found = config.complaints();
            match expected {
                Some(section) => {
                    assert!(found[0].setting.ends_with(setting), "{profile:?} {setting}: {found:?}");
                    assert!(found[0].section.ends_with(section), "{profile:?} {setting}: {found:?}");
                    assert!(found[0].rule.contains(profile.as_str()));
                }
                None => assert_eq!(found, [], "{profile:?} {setting}"),
            }
        }
    }
    // Nothing but signed responses is permitted, so that there have to be some.
    let mut config = Config { profile: Fapi2MessageSigning, ..Config::default() };
    config.dpop.offered = true;
    let found = config.complaints();
    assert_eq!(found[0].setting, "response_modes.jwt");
    assert_eq!(found[0].section, "FAPI 2.0 Message Signing section 5.4.1-1");
    config.response_modes.jwt = true;
    assert!(config.complaints().is_empty());
}
