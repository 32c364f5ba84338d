//! Proof Key for Code Exchange: RFC 7636 sections 4.1 to 4.6, RFC 9700 section 2.1.1.

use chancery_core::offered::PkceOptional;
use chancery_core::rule::pkce::{
    CHALLENGE_MISSING, MALFORMED_CHALLENGE, MALFORMED_PLAIN_CHALLENGE, MISSING, UNKNOWN_METHOD,
    UNSUPPORTED_METHOD,
};
use chancery_testkit::{AuthorizationRequest, Code, NegativeTable, Refused, TestProvider, assert_refused};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// With a client that may leave PKCE out.
fn kit() -> TestProvider {
    TestProvider::builder()
        .client(
            r#"{"client_id":"old","client_secret":"a-secret-of-forty-three-characters-for-test",
                "redirect_uris":["https://old.example/cb"],"id_token_signed_response_alg":"ES256",
                "chancery":{"pkce_optional":true}}"#,
        )
        .build()
}

/// The code of a request of somebody who has nothing more to decide.
fn code(kit: &TestProvider, request: &AuthorizationRequest) -> Code {
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", request.value("client_id").unwrap_or_default(), "openid");
    request.clone().scope("openid").open(&ua).expect_code()
}

/// RFC 7636 appendix B, through both endpoints. PKCE-01
#[test]
fn the_example_of_the_standard() {
    let kit = kit();
    let request = kit.authorization_request("web").pkce(VERIFIER);
    assert_eq!(request.value("code_challenge"), Some(CHALLENGE));
    let code = code(&kit, &request);
    assert_eq!(kit.exchange(&code).status, 200);
}

/// RFC 7636 section 4.4: nobody can read the challenge out of the code. Two codes of one challenge have
/// nothing in common.
#[test]
fn the_code_does_not_show_the_challenge() {
    let kit = kit();
    let request = kit.authorization_request("web").pkce(VERIFIER);
    let (first, second) = (code(&kit, &request).code, code(&kit, &request).code);
    assert!(!first.contains(CHALLENGE) && first != second);
    // Behind the kind and the two bytes of place.
    assert_ne!(first[first.len() - 40..], second[second.len() - 40..]);
}

/// PKCE-03, PKCE-06: 43 to 128 characters of the whole alphabet.
#[test]
fn every_well_formed_verifier_works() {
    let kit = kit();
    for verifier in ["a".repeat(43), "~".repeat(128), format!("{}-._~", "Az09".repeat(12))] {
        let code = code(&kit, &kit.authorization_request("spa").pkce(&verifier));
        assert_eq!(kit.exchange(&code).status, 200, "{verifier}");
    }
}

/// PKCE-02: what is missing is asked for by its name.
#[test]
fn each_refusal_has_its_own_text() {
    let kit = kit();
    let ua = kit.user_agent();
    let open = |request: AuthorizationRequest| request.scope("openid").open(&ua);
    let request = || kit.authorization_request("web");
    assert_refused!(open(request().without_pkce()), MISSING);
    assert_refused!(open(request().without("code_challenge")), CHALLENGE_MISSING);
    assert_refused!(open(request().without("code_challenge_method")), UNSUPPORTED_METHOD);
    assert_refused!(open(request().set("code_challenge_method", "plain")), UNSUPPORTED_METHOD);
    assert_refused!(open(request().set("code_challenge", "short")), MALFORMED_CHALLENGE);
    assert_refused!(open(request().set("code_challenge_method", "S512")), UNSUPPORTED_METHOD);
    for reason in [MALFORMED_CHALLENGE, UNSUPPORTED_METHOD] {
        assert!(!reason.description.contains("plain"), "what is off is not recommended");
    }
}

/// A method that may be used is named where it may: by every client as the metadata say, but that one client may is told
/// only when it does.
#[test]
fn plain_is_named_where_it_may_be_used() {
    let kit = TestProvider::builder().configure(|to| to.compatibility.pkce_plain = true).build();
    let ua = kit.user_agent();
    let open = |request: AuthorizationRequest| request.scope("openid").open(&ua);
    let request = || kit.authorization_request("web");
    let plain = || request().set("code_challenge_method", "plain");
    assert_refused!(open(plain().set("code_challenge", "short")), MALFORMED_PLAIN_CHALLENGE);
    assert_refused!(open(request().set("code_challenge", "short")), MALFORMED_CHALLENGE);
    assert_refused!(open(request().set("code_challenge_method", "S512")), UNKNOWN_METHOD);
    let kit = TestProvider::builder()
        .client(
            r#"{"client_id":"app","client_secret":"a-secret-of-forty-three-characters-for-test",
                "redirect_uris":["https://app.example/cb"],"chancery":{"pkce_plain":true}}"#,
        )
        .build();
    let request = || kit.authorization_request("app").scope("openid");
    let ua = kit.user_agent();
    assert_refused!(request().set("code_challenge_method", "S512").open(&ua), UNSUPPORTED_METHOD);
    let plain = request().set("code_challenge_method", "plain").set("code_challenge", "short");
    assert_refused!(plain.open(&ua), MALFORMED_PLAIN_CHALLENGE);
}

/// PKCE-04: a compatibility setting of one client. What it sends is checked all the same.
#[test]
fn a_client_with_an_exception_may_leave_it_out() {
    let kit = kit();
    let without = code(&kit, &kit.authorization_request("old"));
    assert_eq!(without.verifier, None);
    assert_eq!(kit.exchange(&without).status, 200);
    let with = code(&kit, &kit.authorization_request("old").pkce(VERIFIER));
    let stripped = kit.code_request(&with).without("code_verifier").send();
    assert_eq!(stripped.expect_status(400)["error"], "invalid_grant");
    assert_eq!(kit.exchange(&with).status, 200);
}

/// PKCE-04: the exception for the whole server, for clients that authenticate or for every one; off by default
/// (`proofs_that_must_not_be_taken`).
#[test]
fn a_server_may_exempt_its_clients() {
    for (optional, web, spa) in [
        (PkceOptional::Never, false, false),
        (PkceOptional::Confidential, true, false),
        (PkceOptional::Always, true, true),
    ] {
        let kit = TestProvider::builder().configure(|to| to.compatibility.pkce_optional = optional).build();
        for (client, is_exempted) in [("web", web), ("spa", spa)] {
            let request = kit.authorization_request(client).without_pkce();
            if is_exempted {
                let code = code(&kit, &request);
                assert_eq!(kit.exchange(&code).status, 200, "{optional:?} {client}");
            } else {
                assert_refused!(request.scope("openid").open(&kit.user_agent()), MISSING);
            }
        }
        let with = code(&kit, &kit.authorization_request("web").pkce(VERIFIER));
        let stripped = kit.code_request(&with).without("code_verifier").send();
        assert_eq!(stripped.expect_status(400)["error"], "invalid_grant", "what was sent is checked");
    }
}

/// RFC 7636 sections 4.2 and 4.6, the method `plain`: a compatibility setting of the server or of one client,
/// and off by default (`proofs_that_must_not_be_taken`). PKCE-01
#[test]
fn plain_may_be_allowed() {
    let server = TestProvider::builder().configure(|to| to.compatibility.pkce_plain = true).build();
    let client = TestProvider::builder()
        .client(
            r#"{"client_id":"web","client_secret":"a-secret-of-forty-three-characters-for-test",
                "redirect_uris":["https://web.example/cb"],"id_token_signed_response_alg":"ES256",
                "chancery":{"pkce_plain":true}}"#,
        )
        .build();
    let methods = |kit: &TestProvider| {
        kit.get("/.well-known/openid-configuration").json()["code_challenge_methods_supported"].clone()
    };
    assert_eq!(methods(&server), serde_json::json!(["S256", "plain"]));
    assert_eq!(methods(&client), serde_json::json!(["S256"]));
    for kit in [server, client] {
        let plain = || kit.authorization_request("web").pkce(VERIFIER).set("code_challenge", VERIFIER);
        for request in
            [plain().set("code_challenge_method", "plain"), plain().without("code_challenge_method")]
        {
            let code = code(&kit, &request);
            for wrong in [CHALLENGE, &VERIFIER.to_lowercase(), &format!("{VERIFIER}A")] {
                let answer = kit.code_request(&code).set("code_verifier", wrong).send().expect_status(400);
                assert_eq!(answer["error"], "invalid_grant", "{wrong}");
            }
            assert_eq!(kit.exchange(&code).status, 200);
        }
        // The digest is not what a plain challenge says, nor the challenge itself what S256 says.
        let s256 = code(&kit, &kit.authorization_request("web").pkce(VERIFIER));
        let answer = kit.code_request(&s256).set("code_verifier", CHALLENGE).send().expect_status(400);
        assert_eq!(answer["error"], "invalid_grant");
        let refused = Refused::Client("invalid_request");
        let plain = |text: &str| {
            plain().set("code_challenge_method", "plain").set("code_challenge", text).scope("openid")
        };
        NegativeTable::new(&kit)
            .row("a short challenge", plain(&"a".repeat(42)), refused)
            .row("a long challenge", plain(&"a".repeat(129)), refused)
            .row("other characters", plain(&"+".repeat(43)), refused)
            .row("an empty challenge", plain(""), refused)
            .row("another method", plain(VERIFIER).set("code_challenge_method", "PLAIN"), refused)
            .run();
    }
}

/// RFC 9700 section 2.1.1, downgrade: a verifier counts only when there was a challenge. PKCE-06
#[test]
fn a_verifier_without_a_challenge_is_refused() {
    let kit = kit();
    let code = code(&kit, &kit.authorization_request("old"));
    let answer = kit.code_request(&code).param("code_verifier", VERIFIER).send().expect_status(400);
    assert_eq!(answer["error"], "invalid_grant");
    assert_eq!(kit.exchange(&code).status, 200, "the code was not used up");
}

/// PKCE-08: whoever has the code but not the verifier burns nothing.
#[test]
fn a_failed_attempt_does_not_use_the_code_up() {
    let kit = kit();
    let code = code(&kit, &kit.authorization_request("spa").pkce(VERIFIER));
    for wrong in [&"a".repeat(43), CHALLENGE, &VERIFIER.to_lowercase()] {
        let answer = kit.code_request(&code).set("code_verifier", wrong).send().expect_status(400);
        assert_eq!(answer["error"], "invalid_grant", "{wrong}");
    }
    assert_eq!(kit.exchange(&code).status, 200);
}

/// PKCE-01, PKCE-02, PKCE-03, PKCE-06, PKCE-08
#[test]
fn proofs_that_must_not_be_taken() {
    let kit = kit();
    let web = || kit.authorization_request("web").scope("openid").pkce(VERIFIER);
    let old = || kit.authorization_request("old").scope("openid");
    let client = Refused::Client("invalid_request");
    let mut table = NegativeTable::new(&kit)
        .row("none at all", web().without_pkce(), client)
        .row(
            "none at all by a public client",
            kit.authorization_request("spa").scope("openid").without_pkce(),
            client,
        )
        .row("plain", web().set("code_challenge", VERIFIER).set("code_challenge_method", "plain"), client)
        .row("plain by leaving the method out", web().without("code_challenge_method"), client)
        .row("an empty method", web().set("code_challenge_method", ""), client)
        .row("a method in lower case", web().set("code_challenge_method", "s256"), client)
        .row("another method", web().set("code_challenge_method", "S512"), client)
        .row("a method without a challenge", web().without("code_challenge"), client)
        .row("an empty challenge", web().set("code_challenge", ""), client)
        .row("two challenges", web().param("code_challenge", CHALLENGE), client)
        .row("two methods", web().param("code_challenge_method", "S256"), client)
        .row("an exception does not allow plain", old().set("code_challenge", VERIFIER), client)
        .row("nor a method alone", old().set("code_challenge_method", "S256"), client);
    for (name, challenge) in [
        ("42 characters", "A".repeat(42)),
        ("44 characters", "A".repeat(44)),
        ("64 characters, a digest in hexadecimal", "a1".repeat(32)),
        ("128 characters", "A".repeat(128)),
        ("129 characters", "A".repeat(129)),
        ("43 characters that are no digest: bits are left over", "a".repeat(43)),
        ("unreserved characters outside base64url", format!("{}~", &CHALLENGE[..42])),
        ("a dot", CHALLENGE.replace('-', ".")),
        ("a digest of 31 bytes", "A".repeat(41) + "A"),
        ("a digest of 33 bytes", "A".repeat(44)),
        ("standard base64 of a digest", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM=".to_owned()),
        ("padding", format!("{CHALLENGE}=")),
        ("another alphabet", CHALLENGE.replace('-', "+")),
        ("a space", format!("{CHALLENGE} ")),
        ("not ASCII", "\u{e4}".repeat(43)),
    ] {
        table = table.row(format!("a challenge: {name}"), web().set("code_challenge", &challenge), client);
    }
    let code = code(&kit, &web());
    let (request, grant) = (|| kit.code_request(&code), Refused::Json(400, "invalid_request"));
    table = table
        .row("no verifier", request().without("code_verifier"), Refused::Json(400, "invalid_grant"))
        .row("an empty verifier", request().set("code_verifier", ""), Refused::Json(400, "invalid_grant"))
        .row(
            "the challenge as verifier",
            request().set("code_verifier", CHALLENGE),
            Refused::Json(400, "invalid_grant"),
        )
        .row(
            "another verifier",
            request().set("code_verifier", &"b".repeat(50)),
            Refused::Json(400, "invalid_grant"),
        )
        .row("two verifiers", request().param("code_verifier", VERIFIER), grant)
        .row("a short verifier", request().set("code_verifier", &"a".repeat(42)), grant)
        .row("a long verifier", request().set("code_verifier", &"a".repeat(129)), grant)
        .row("a verifier of other characters", request().set("code_verifier", &"+".repeat(50)), grant);
    table.run();
    assert_eq!(kit.exchange(&code).status, 200, "PKCE-08: after all that the code is still good");
}
