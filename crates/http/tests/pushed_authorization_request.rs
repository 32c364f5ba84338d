//! RFC 9126, OAuth 2.0 Pushed Authorization Requests (PAR): the push, the request that refers to it, and what uses it
//! up.

use chancery_core::config::Config;
use chancery_core::interaction::form_token::FORM_ANSWERED;
use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{
    AuthorizationRequest, ClientKey, NegativeTable, Refused, SECRET, TestProvider, check_refused_by_name,
    minutes, seconds,
};
use http::Method;
use serde_json::json;

/// With clients that may push.
fn provider(change: impl FnOnce(&mut Config)) -> TestProvider {
    let offered = |config: &mut Config| config.pushed_requests.offered = true;
    TestProvider::builder().configure(offered).configure(change).build()
}

fn asked(kit: &TestProvider, client: &str) -> AuthorizationRequest {
    kit.authorization_request(client).scope("openid").set("nonce", "a nonce")
}

/// PAR-01, PAR-02, PAR-14, PAR-21, SP: `par-without-duplicate-parameters`. By each way to authenticate; nothing but
/// `client_id` and `request_uri` is needed afterwards.
#[test]
fn a_client_pushes_its_request() {
    let kit = provider(|_| {});
    let key = ClientKey::generate(Es256);
    kit.put_client(
        &json!({"client_id": "signer", "token_endpoint_auth_method": "private_key_jwt",
        "jwks": key.jwks(), "redirect_uris": ["https://signer.example/cb"]})
        .to_string(),
    );
    for client in ["web", "post", "spa"] {
        let request = asked(&kit, client);
        let answer = kit.push_request(&request).send().expect_status(201);
        assert_eq!(answer["expires_in"], 60, "{client}");
        assert_eq!(answer.member_names(), ["request_uri", "expires_in"]);
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.event_names(), ["request_pushed"]);
        let uri = answer.member("request_uri");
        let handle = uri.strip_prefix("urn:ietf:params:oauth:request_uri:pr_").unwrap();
        assert!(handle.len() >= 43, "256 bits: {handle}");
        let ua = kit.user_agent();
        let tab = request.by_reference(uri).open(&ua).login("alice").expect_page("consent");
        let code = tab.allow().expect_code();
        let tokens = kit.exchange(&code).expect_status(200);
        assert!(tokens["id_token"].is_string());
    }
    let request = asked(&kit, "signer").set("client_id", "signer");
    let assertion = key.assertion("signer", kit.issuer().as_str(), "1", kit.now());
    let push = kit.anonymous_request("/par").assertion(&assertion);
    let push =
        ["client_id", "response_type", "redirect_uri", "scope", "code_challenge", "code_challenge_method"]
            .into_iter()
            .fold(push, |push, name| push.param(name, request.value(name).unwrap()));
    let uri = push.send().expect_status(201).member("request_uri").to_owned();
    let _ = request.by_reference(&uri).open(&kit.user_agent()).login("alice").expect_page("consent");
}

/// PAR-14, RFC 9101 section 5: what stands beside the reference counts for nothing: neither another value nor a
/// parameter that was not pushed.
#[test]
fn only_what_was_pushed_counts() {
    let kit = provider(|_| {});
    let pushed = kit.push(&asked(&kit, "post").without("state"));
    let mixed = pushed.set("nonce", "another").set("state", "outside").set("prompt", "none");
    let mixed = mixed.set("redirect_uri", "https://post.example/cb2").set("scope", "openid email");
    let ua = kit.user_agent();
    let tab = mixed.open(&ua).login("alice").expect_page("consent");
    assert!(!tab.page().text.contains("email"));
    let arrival = tab.allow().expect_arrival();
    assert_eq!(arrival.uri, "https://post.example/cb");
    assert_eq!(arrival.names(), ["code", "iss"]);
}

/// PAR-15, PAR-17, `par-ensure-reused-request-uri-prior-to-auth-completion-succeeds`, `par-attempt-reuse-request_uri`:
/// it can be visited again until it is answered, and not afterwards, by nobody.
#[test]
fn it_is_used_up_by_the_response_and_not_before() {
    let kit = provider(|_| {});
    let ua = kit.user_agent();
    let pushed = kit.push(&asked(&kit, "web"));
    // A scanner of links, the same browser twice, and another browser.
    let _ = pushed.open(&kit.user_agent()).expect_page("login");
    let (first, second) = (pushed.open(&ua).expect_page("login"), pushed.open(&ua).expect_page("login"));
    let elsewhere = kit.user_agent();
    let third = pushed.open(&elsewhere).login("alice").expect_page("consent");
    let code = second.login("alice").expect_page("consent").allow().expect_code();
    let _ = kit.exchange(&code).expect_status(200);
    // Whatever is still open leads to a page with a way on, and nobody signs in for it.
    for late in [first.login("alice"), first.cancel(), third.allow(), third.deny(), third.reload()] {
        let _ = late.expect_way_on();
        assert!(!late.page().links.iter().any(|link| link.contains("request_uri")), "no second time");
    }
    first.login("alice").expect_refused_form(&FORM_ANSWERED);
    for ua in [&ua, &elsewhere, &kit.user_agent()] {
        let tab = pushed.open(ua).expect_page("error");
        assert!(tab.page().text.contains("invalid_request_uri"));
        check_refused_by_name(&tab, "invalid_request_uri", "pushed_request_used");
    }
}

/// PAR-17: with a session and a consent the response comes at once, and only once.
#[test]
fn an_immediate_response_uses_it_up() {
    let kit = provider(|_| {});
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    for silent in [false, true] {
        let request = asked(&kit, "web");
        let request = if silent { request.set("prompt", "none") } else { request };
        let pushed = kit.push(&request);
        let _ = pushed.open(&ua).expect_code();
        check_refused_by_name(
            &pushed.open(&ua).expect_page("error"),
            "invalid_request_uri",
            "pushed_request_used",
        );
    }
}

/// PAR-17: a step that is repeated gives the same response, as for any other request; ten seconds later it does not.
#[test]
fn a_double_click_reaches_the_client() {
    let kit = provider(|_| {});
    let ua = kit.user_agent();
    let consent = kit.push(&asked(&kit, "web")).open(&ua).login("alice").expect_page("consent");
    let (first, again) = (consent.allow().expect_code(), consent.allow().expect_code());
    assert_eq!(first.code, again.code);
    let _ = kit.exchange(&again).expect_status(200);
    let _ = consent.allow().expect_way_on();
    kit.clock.advance(seconds(11));
    let _ = consent.allow().expect_way_on();
}

/// GAP-06, PAR-17: of any number of browsers that are answered at the same moment one gets a code, in whatever order
/// the calls of the store happen.
#[test]
fn one_of_many_browsers_is_answered() {
    for seed in 0..40 {
        let kit = provider(|_| {});
        let pushed = kit.push(&asked(&kit, "web"));
        let browsers = [(); 4].map(|()| kit.user_agent());
        for ua in &browsers {
            ua.signed_in("alice");
            ua.has_consented("alice", "web", "openid");
        }
        let requests = browsers.iter().map(|ua| ua.to_http(&pushed)).collect();
        let answers = kit.send_at_once(seed, requests);
        let codes =
            answers.iter().filter(|answer| answer.header("location").is_some_and(|to| to.contains("code=")));
        assert_eq!(codes.count(), 1, "seed {seed}");
        assert!(answers.iter().all(|answer| answer.status.as_u16() < 500));
    }
}

/// PAR-18: an error gives nothing away, so it uses nothing up: whoever only has the link, be it a scanner, can end the
/// request for nobody by a visit without a session, and who has cancelled can think again.
#[test]
fn an_error_leaves_it_as_it_is() {
    let kit = provider(|_| {});
    let ua = kit.user_agent();
    let silent = kit.push(&asked(&kit, "web").set("prompt", "none"));
    for _ in 0..2 {
        let _ = silent.open(&kit.user_agent()).expect_error("login_required");
    }
    ua.signed_in("alice");
    let _ = silent.open(&ua).expect_error("consent_required");
    ua.has_consented("alice", "web", "openid");
    let _ = silent.open(&ua).expect_code();

    let pushed = kit.push(&asked(&kit, "post"));
    let consent = pushed.open(&ua).expect_page("consent");
    let _ = consent.deny().expect_error("access_denied");
    let _ = consent.allow().expect_error("access_denied");
    let _ = pushed.open(&ua).expect_page("consent").allow().expect_code();
}

/// PAR-15, PAR-19, `par-attempt-to-use-expired-request_uri`: it lives for a minute, and from its first page on for as
/// long as a person has. This is moved once.
#[test]
fn a_person_may_take_longer() {
    let kit = provider(|_| {});
    let expired = |pushed: &AuthorizationRequest| {
        let ua = kit.user_agent();
        let tab = pushed.open(&ua).expect_page("error");
        check_refused_by_name(&tab, "invalid_request_uri", "pushed_request_unknown");
    };
    let unseen = kit.push(&asked(&kit, "web"));
    kit.clock.advance(seconds(60));
    expired(&unseen);

    let ua = kit.user_agent();
    let pushed = kit.push(&asked(&kit, "web"));
    kit.clock.advance(seconds(59));
    let login = pushed.open(&ua).expect_page("login");
    kit.clock.advance(minutes(30));
    let _ = pushed.open(&kit.user_agent()).expect_page("login");
    kit.clock.advance(minutes(29));
    let _ = login.login("alice").expect_page("consent").allow().expect_code();

    let pushed = kit.push(&asked(&kit, "web"));
    let _ = pushed.open(&kit.user_agent()).expect_page("login");
    kit.clock.advance(minutes(59));
    let another = kit.user_agent();
    let login = pushed.open(&another).expect_page("login");
    kit.clock.advance(minutes(1));
    expired(&pushed);
    // The page that was opened last is older than its request.
    let late = login.login("alice").expect_page("error");
    check_refused_by_name(&late, "invalid_request_uri", "pushed_request_unknown");
    // A request that no page was shown for has not got more time.
    let silent = kit.push(&asked(&kit, "web").set("prompt", "none"));
    let _ = silent.open(&kit.user_agent()).expect_error("login_required");
    kit.clock.advance(seconds(60));
    expired(&silent);
}

/// PAR-16, GAP-13, `par-attempt-to-use-request_uri-for-different-client`: another client's request is a page that
/// tells nothing of it, and the request stays good for its own client.
#[test]
fn another_client_cannot_use_it() {
    let kit = provider(|_| {});
    let pushed = kit.push(&asked(&kit, "web").set("state", "a state of web"));
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for other in ["spa", "post", "native"] {
        let tab = pushed.clone().set("client_id", other).open(&ua).expect_page("error");
        check_refused_by_name(&tab, "invalid_request_uri", "pushed_request_foreign");
        assert!(!tab.answer().text().contains("a state of web"));
    }
    let _ = pushed.open(&ua).expect_page("consent").allow().expect_code();

    // A new client of the same name is another one.
    let pushed = kit.push(&asked(&kit, "post"));
    kit.replace_client(
        r#"{"client_id":"post","client_secret":"a-secret-of-forty-three-characters-for-test",
        "token_endpoint_auth_method":"client_secret_post","redirect_uris":["https://post.example/cb"]}"#,
    );
    check_refused_by_name(
        &pushed.open(&ua).expect_page("error"),
        "invalid_request_uri",
        "pushed_request_foreign",
    );
}

/// PAR-11, RFC 9126 section 7.4: what has changed since the push counts when the request is used.
#[test]
fn it_is_validated_again_when_it_is_used() {
    let kit = provider(|_| {});
    let metadata = |uri: &str, scope: &str, enabled: bool| {
        json!({"client_id": "app", "client_secret": SECRET, "redirect_uris": [uri], "scope": scope,
            "chancery": {"enabled": enabled}})
        .to_string()
    };
    let (cb, other) = ("https://app.example/cb", "https://app.example/other");
    kit.put_client(&metadata(cb, "openid", true));
    let ua = kit.user_agent();
    let pushed = [(); 4].map(|()| kit.push(&asked(&kit, "app")));
    let login = pushed[0].open(&ua).expect_page("login");
    kit.put_client(&metadata(other, "openid", true));
    check_refused_by_name(
        &pushed[1].open(&ua).expect_page("error"),
        "invalid_request",
        "redirect_uri_unregistered",
    );
    let _ = login.login("alice").expect_page("error");
    kit.put_client(&metadata(cb, "email", true));
    let _ = pushed[2].open(&ua).expect_error("invalid_scope");
    kit.put_client(&metadata(cb, "openid", false));
    check_refused_by_name(
        &pushed[3].open(&ua).expect_page("error"),
        "invalid_client",
        "authorization_client_disabled",
    );
    kit.put_client(&metadata(cb, "openid", true));
    let _ = pushed[3].open(&ua).login("alice").expect_page("consent").allow().expect_code();
}

/// No page carries what was pushed, nor the reference in plain text, and no record has the reference: whoever reads
/// the store cannot use it.
#[test]
fn pages_and_records_do_not_show_it() {
    let kit = provider(|_| {});
    let ua = kit.user_agent();
    let request = asked(&kit, "web").set("state", "secretstate").set("login_hint", "alice");
    let pushed = kit.push(&request);
    let handle = pushed.value("request_uri").unwrap().rsplit_once(':').unwrap().1.to_owned();
    let login = pushed.open(&ua).expect_page("login");
    let consent = login.login("alice").expect_page("consent");
    for page in [&login, &consent] {
        for secret in ["secretstate", "code_challenge", &handle] {
            assert!(!page.answer().text().contains(secret), "{secret}");
        }
    }
    assert!(!kit.interleaved.has_written(&handle));
    assert_eq!(consent.allow().expect_arrival().value("state"), Some("secretstate"));
}

/// AUTHZ-43, META-24, PAR-20: a client, or the server for all of them, can demand the push.
#[test]
fn a_push_can_be_required() {
    let kit = provider(|_| {});
    kit.put_client(
        &json!({"client_id": "pusher", "client_secret": SECRET,
        "redirect_uris": ["https://pusher.example/cb"],
        "require_pushed_authorization_requests": true})
        .to_string(),
    );
    let ua = kit.user_agent();
    let request = asked(&kit, "pusher");
    check_refused_by_name(&request.open(&ua), "invalid_request", "request_not_pushed");
    assert_eq!(request.open(&ua).expect_error("invalid_request").uri, "https://pusher.example/cb");
    let _ = kit.push(&request).open(&ua).login("alice").expect_page("consent").allow().expect_code();
    let discovery = kit.get("/.well-known/openid-configuration");
    assert_eq!(discovery["pushed_authorization_request_endpoint"], "https://id.example/par");
    assert_eq!(discovery["require_pushed_authorization_requests"], json!(null));

    let strict = provider(|config| config.pushed_requests.required = true);
    let _ = asked(&strict, "web").open(&strict.user_agent()).expect_error("invalid_request");
    let _ = strict.push(&asked(&strict, "web")).open(&strict.user_agent()).expect_page("login");
    let discovery = strict.get("/.well-known/openid-configuration");
    assert_eq!(discovery["require_pushed_authorization_requests"], true);
}

/// Without the setting there is no such endpoint, nothing in the metadata, and no client that demands it.
#[test]
fn it_is_off_by_default() {
    let kit = TestProvider::new();
    let request = asked(&kit, "web");
    assert_eq!(kit.push_request(&request).send().status, 404);
    let discovery = kit.get("/.well-known/openid-configuration");
    assert_eq!(discovery["pushed_authorization_request_endpoint"], json!(null));
    let of_ours = "urn:ietf:params:oauth:request_uri:pr_AAAA";
    let ua = kit.user_agent();
    check_refused_by_name(
        &request.by_reference(of_ours).open(&ua),
        "invalid_request_uri",
        "request_uri_unregistered",
    );
    let metadata = r#"{"client_id":"pusher","redirect_uris":["https://pusher.example/cb"],
        "require_pushed_authorization_requests":true}"#;
    let refused = kit.put_client_fetching(metadata).unwrap_err();
    assert!(format!("{refused:?}").contains("require_pushed_authorization_requests"), "{refused:?}");
}

/// PAR-08, PAR-09, RFC 9126 section 2.4: redirect URIs that are not registered.
#[test]
fn redirect_uris_that_are_not_registered() {
    let new = "https://new.example/cb?transaction=7";
    let kit = provider(|config| config.compatibility.unregistered_redirect_uris = true);
    let ua = kit.user_agent();
    let request = asked(&kit, "web").set("redirect_uri", new);
    let code = kit.push(&request).open(&ua).login("alice").expect_page("consent").allow().expect_code();
    assert_eq!(code.redirect_uri.as_deref(), Some(new));
    let _ = kit.exchange(&code).expect_status(200);
    // Only by a push, only of who authenticates, and only what could be registered.
    let _ = request.open(&ua).expect_page("error");
    let refused = |request: &AuthorizationRequest, uri: &str| {
        let answer = kit.push_request(&request.clone().set("redirect_uri", uri)).send().expect_status(400);
        check_refused_by_name(&answer, "invalid_request", "redirect_uri_unregistered");
    };
    refused(&asked(&kit, "spa"), new);
    for bad in [
        "http://new.example/cb",
        "https://new.example/cb#x",
        "javascript:alert(1)",
        "com.example:/cb",
        "http://127.0.0.1/cb",
        "https://*.example.com/cb",
        "/cb",
        "",
    ] {
        if bad.is_empty() {
            continue;
        }
        refused(&request, bad);
    }
    kit.put_client(
        &json!({"client_id": "pair", "client_secret": SECRET, "subject_type": "pairwise",
        "redirect_uris": ["https://pair.example/cb"]})
        .to_string(),
    );
    refused(&asked(&kit, "pair"), new);
    // Not by default, and not any more once the setting is off.
    let off = provider(|_| {});
    let answer = off.push_request(&asked(&off, "web").set("redirect_uri", new)).send().expect_status(400);
    check_refused_by_name(&answer, "invalid_request", "redirect_uri_unregistered");
}

/// The 1,001st open request of a client waits; another client, and a request that was answered, do not count.
#[test]
fn a_client_has_room_for_a_number_of_open_requests() {
    let kit = provider(|_| {});
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = asked(&kit, "web");
    let push = kit.push_request(&request);
    let first = kit.push(&request);
    for _ in 1..1000 {
        let _ = push.send().expect_status(201);
    }
    kit.counting.reset();
    let full = push.send().expect_status(429);
    assert_eq!((full.header("retry-after"), kit.counting.writes()), (Some("60"), 0));
    check_refused_by_name(&full, "invalid_request", "too_many_pushed_requests");
    let _ = kit.push(&asked(&kit, "post"));
    let _ = first.open(&ua).expect_code();
    let _ = push.send().expect_status(201);
    let _ = push.send().expect_status(429);
    kit.clock.advance(seconds(60));
    let _ = push.send().expect_status(201);
}

/// What is wrong with a push is told as the token endpoint would (RFC 9126 section 2.3), and stores nothing.
#[test]
fn refused() {
    let kit = provider(|config| config.compatibility.implicit = true);
    let request = asked(&kit, "web");
    let push = |change: fn(AuthorizationRequest) -> AuthorizationRequest| {
        kit.push_request(&change(asked(&kit, "web")))
    };
    let key = ClientKey::generate(Es256);
    let of = |status, code| Refused::Json(status, code);
    let method = |method: Method| {
        let mut request = kit.push_request(&request).to_http();
        *request.method_mut() = method;
        request
    };
    let pushed = kit.push(&request);
    let uri = pushed.value("request_uri").unwrap();
    let page = |request: AuthorizationRequest| (request, Refused::Page(400, "invalid_request_uri"));
    let unknown = |handle: &str| {
        page(request.clone().by_reference(&format!("urn:ietf:params:oauth:request_uri:{handle}")))
    };
    let mut table = NegativeTable::new(&kit)
        .row(
            "PAR-05: request_uri inside",
            kit.push_request(&request).param("request_uri", uri),
            of(400, "invalid_request"),
        )
        .row(
            "request_uri elsewhere",
            kit.push_request(&request).param("request_uri", "https://web.example/r"),
            of(400, "invalid_request"),
        )
        .row("PAR-04: no client_id", push(|r| r.without("client_id")), of(400, "invalid_request"))
        .row("another client_id", push(|r| r.set("client_id", "post")), of(400, "invalid_request"))
        .row("a wrong secret", kit.push_request(&request).secret("wrong"), of(401, "invalid_client"))
        .row("no authentication", kit.push_request(&request).unauthenticated(), of(401, "invalid_client"))
        .row("nobody", kit.anonymous_request("/par"), of(400, "invalid_request"))
        .row(
            "PAR-08: a redirect URI",
            push(|r| r.set("redirect_uri", "https://evil.example/")),
            of(400, "invalid_request"),
        )
        .row(
            "a redirect URI twice",
            push(|r| r.param("redirect_uri", "https://web.example/cb")),
            of(400, "invalid_request"),
        )
        .row("a scope twice", push(|r| r.param("scope", "openid")), of(400, "invalid_request"))
        .row("no response type", push(|r| r.without("response_type")), of(400, "invalid_request"))
        .row(
            "an unknown response type",
            push(|r| r.set("response_type", "x")),
            of(400, "unsupported_response_type"),
        )
        .row(
            "an unregistered response type",
            push(|r| r.set("response_type", "id_token")),
            of(400, "unauthorized_client"),
        )
        .row(
            "an unknown response mode",
            push(|r| r.set("response_mode", "x")),
            of(400, "unsupported_response_mode"),
        )
        .row(
            "no scope that is known",
            push(|r| r.without("nonce").set("scope", "x")),
            of(400, "invalid_scope"),
        )
        .row("PAR-11: no PKCE", push(AuthorizationRequest::without_pkce), of(400, "invalid_request"))
        .row(
            "PAR-11: plain PKCE",
            push(|r| r.set("code_challenge_method", "plain")),
            of(400, "invalid_request"),
        )
        .row("PAR-11: claims", push(|r| r.set("claims", "{")), of(400, "invalid_request"))
        .row("PAR-11: prompt", push(|r| r.set("prompt", "none login")), of(400, "invalid_request"))
        .row("registration", push(|r| r.set("registration", "{}")), of(400, "registration_not_supported"))
        .row("a hint", push(|r| r.set("id_token_hint", "x")), of(400, "invalid_request"))
        .row("a long state", push(|r| r.set("state", &"s".repeat(4097))), of(400, "invalid_request"))
        .row("64 KiB", push(|r| r.set("state", &"s".repeat(64 * 1024))), of(413, "invalid_request"))
        .row("an object of nobody", push(|r| r.by_value("x.y.z")), of(400, "invalid_request_object"))
        .row(
            "not a form",
            kit.push_request(&request).header("content-type", "application/json"),
            of(400, "invalid_request"),
        )
        .row("GET", method(Method::GET), Refused::Status(405))
        .row("PUT", method(Method::PUT), Refused::Status(405));
    let foreign = key.request_object(&request.encode(), "https://id.example", kit.now());
    table = table.row(
        "an object of a stranger",
        push(|r| r).param("request", &foreign),
        of(400, "invalid_request_object"),
    );
    for (name, (request, refused)) in [
        ("no handle", unknown("")),
        ("not a handle", unknown("x")),
        ("a handle of another kind", unknown(&format!("ac_{}", "A".repeat(46)))),
        ("a handle that was never made", unknown(&format!("pr_{}", "A".repeat(46)))),
        ("a longer handle", page(request.clone().by_reference(&format!("{uri}A")))),
        ("another client's", page(pushed.clone().set("client_id", "post"))),
        ("nobody's", (pushed.clone().set("client_id", "nobody"), Refused::Page(400, "invalid_client"))),
        ("no client", (pushed.clone().without("client_id"), Refused::Page(400, "invalid_request"))),
    ] {
        table = table.row(name, request, refused);
    }
    table.run();
    let _ = pushed.open(&kit.user_agent()).expect_page("login");
}
