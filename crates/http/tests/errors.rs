//! How failures look: RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3, RFC 9110 sections 15.5 and 15.6.

use chancery_core::config::Config;
use chancery_core::event::Event;
use chancery_core::policy::{TokenKind, TokenPolicy};
use chancery_http::{Content, Html, Locale, Page, Pages, PlainPages};
use chancery_testkit::{
    Answer, AuthorizationRequest, Mood, NegativeTable, Refused, TestProvider, assert_refused, refusals,
};

/// ERR-01, ERR-02, PARM-13: `error`, `error_description` where there is one, and `scope` where it helps;
/// nothing else.
#[test]
fn the_members_of_an_error() {
    let kit = TestProvider::new();
    let refused = kit.token_request("web").send().expect_status(400);
    assert_eq!(refused.member_names(), ["error", "error_description"]);
    let tokens = kit.tokens("alice", "web", "email");
    let insufficient = kit.userinfo(tokens.member("access_token")).expect_status(403);
    assert_eq!(insufficient.member_names(), ["error", "error_description", "scope"]);
    assert_eq!(
        (&insufficient["error"], &insufficient["scope"]),
        (&"insufficient_scope".into(), &"openid".into())
    );
    let kit = TestProvider::builder().configure(|to| to.request_objects.by_value = false).build();
    let ua = kit.user_agent();
    let silent = kit.authorization_request("web").scope("openid").set("request", "x").open(&ua);
    assert_eq!(silent.expect_error("request_not_supported").names(), ["error", "state", "iss"], "ERR-02");
}

/// RFC 6749 sections 4.1.2.1 and 5.2: which characters a description may have; and it repeats nothing of the
/// request.
#[test]
fn descriptions_are_plain_and_repeat_nothing() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let mut told = Vec::new();
    for (name, value) in [
        ("response_type", "h0st1le"),
        ("response_mode", "h0st1le"),
        ("prompt", "h0st1le"),
        ("scope", "h0st1le\\"),
        ("max_age", "h0st1le"),
        ("claims", "h0st1le"),
        ("id_token_hint", "h0st1le"),
        ("code_challenge", "h0st1le"),
    ] {
        let tab = kit.authorization_request("web").scope("openid").set(name, value).open(&ua);
        told.push(tab.expect_arrival().value("error_description").unwrap_or_default().to_owned());
    }
    for (name, value) in [("grant_type", "h0st1le"), ("grant_type", "h0st1le\\\"")] {
        told.push(kit.token_request("web").param(name, value).send().member("error_description").to_owned());
    }
    for text in told {
        assert!(!text.is_empty() && !text.contains("h0st1le"), "{text}");
        assert!(
            text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"' && byte != b'\\'),
            "{text}"
        );
    }
}

/// A client that asks for what it cannot have is told what is offered, which the metadata say as well. For what it is registered
/// is told to a client that has authenticated, and at a provider on loopback, which is in development.
#[test]
fn a_refusal_names_what_there_is_instead() {
    for (issuer, is_developers) in [("https://id.example", false), ("http://localhost:3000", true)] {
        let offered = |config: &mut Config| {
            config.compatibility.implicit = true;
            config.pushed_requests.offered = true;
        };
        let kit = TestProvider::builder().issuer(issuer).configure(offered).build();
        let ua = kit.user_agent();
        let metadata = kit.get("/.well-known/openid-configuration").json().clone();
        let listed = |member: &str| {
            let names = metadata[member].as_array().into_iter().flatten();
            names
                .filter_map(|name| name.as_str())
                .filter(|name| *name != "implicit")
                .collect::<Vec<_>>()
                .join(", ")
        };
        let asked = |client: &str, name: &str, value: &str| {
            kit.authorization_request(client).scope("openid").set("nonce", "n").set(name, value)
        };
        let told = |request: &AuthorizationRequest| {
            request.open(&ua).expect_arrival().value("error_description").unwrap_or_default().to_owned()
        };
        let description = |answer: &Answer| answer.member("error_description").to_owned();
        let (types, grants) = (listed("response_types_supported"), listed("grant_types_supported"));
        assert!(
            types.contains("id_token token") && grants.contains("authorization_code"),
            "{types} {grants}"
        );

        let unsupported = format!("unsupported response_type requested; supported: {types}");
        assert_eq!(told(&asked("web", "response_type", "h0st1le")), unsupported);
        let pushed = kit.push_request(&asked("web", "response_type", "code token")).send();
        assert_eq!(description(&pushed), unsupported);
        let modes = listed("response_modes_supported");
        let unsupported = format!("unsupported response_mode requested; supported: {modes}");
        assert_eq!(told(&asked("web", "response_mode", "h0st1le")), unsupported);
        let unsupported = format!("unsupported grant_type requested; supported: {grants}");
        for grant in ["h0st1le", "implicit"] {
            let answer = kit.token_request("web").param("grant_type", grant).send();
            assert_eq!(description(&answer), unsupported, "{grant}");
        }

        let plain = "requested response_type is not allowed for this client";
        let registered = format!("{plain}; registered: code");
        let by_browser = told(&asked("web", "response_type", "id_token"));
        assert_eq!(by_browser, if is_developers { &registered } else { plain }, "anybody can have sent it");
        for (client, is_told) in [("web", true), ("spa", is_developers)] {
            let answer = kit.push_request(&asked(client, "response_type", "id_token")).send();
            assert_eq!(description(&answer), if is_told { &registered } else { plain }, "{issuer} {client}");
        }
        let plain = "requested grant type is not allowed for this client";
        let refresh =
            kit.token_request("api").param("grant_type", "refresh_token").param("refresh_token", "rt_x");
        let public = kit.client_credentials_request("spa");
        for (request, is_told, registered) in
            [(refresh, true, "client_credentials"), (public, is_developers, "authorization_code")]
        {
            let text = description(&request.send());
            let names = text.strip_prefix(plain).unwrap_or_default();
            assert_eq!(
                names.starts_with(&format!("; registered: {registered}")),
                is_told,
                "{issuer}: {text}"
            );
            assert!(is_told || text == plain, "{text}");
        }
    }
}

/// ERR-05, ERR-06: programs get JSON and people get pages, whatever `Accept` says.
#[test]
fn the_form_does_not_depend_on_accept() {
    let kit = TestProvider::new();
    for accept in ["text/html", "application/json", "image/png", "", "*/*;q=0"] {
        let json = kit.token_request("web").header("accept", accept).send().expect_status(400);
        assert_eq!(json.header("content-type"), Some("application/json; charset=utf-8"), "{accept}");
        for path in ["/authorize", "/interaction/in_x"] {
            let page = kit.anonymous_request(path).get().header("accept", accept).send();
            assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"), "{accept}");
            assert!(page.json().is_null());
        }
        let mut request = kit.authorization_request("web").scope("openid").set("prompt", "none").to_http();
        request.headers_mut().insert(
            "accept",
            http::HeaderValue::from_str(accept).unwrap_or(http::HeaderValue::from_static("")),
        );
        assert_eq!(kit.send(request).status, 303);
    }
}

/// ERR-07: the page has the code, a sentence, and the id to ask an operator about; its status is that of the
/// error.
#[test]
fn the_error_page() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let tab =
        kit.authorization_request("web").set("client_id", "<b>h0st1le</b>").open(&ua).expect_page("error");
    let (page, answer) = (tab.page(), tab.answer());
    assert_eq!(answer.status, 400);
    let id = answer.header("x-request-id").unwrap_or_default();
    assert!(!id.is_empty() && page.text.contains(id), "{}", page.text);
    assert!(page.text.contains("invalid_client") && page.text.contains("client is unknown"), "{}", page.text);
    assert!(!answer.text().contains("h0st1le"), "nothing of the request");
    assert_eq!(answer.header("www-authenticate"), None, "a person has nothing to answer a challenge with");
}

/// ERR-16, ERR-17: what must not be told apart is one text; `indistinguishable.rs` compares the whole
/// answers.
#[test]
fn generic_texts() {
    let kit = TestProvider::new();
    let texts = |answers: [Answer; 2]| answers.map(|answer| answer.member("error_description").to_owned());
    let [one, two] = texts([kit.refresh("web", "rt_x"), kit.refresh("web", "")]);
    assert_ne!(one, two, "a missing parameter is no bad token");
    let [one, two] =
        texts([kit.userinfo("x"), kit.userinfo("at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]);
    assert_eq!(one, two);
    let wrong = kit.token_request("web").secret("x").send();
    assert_eq!(wrong["error_description"], "client authentication failed");
}

/// ERR-03, ERR-18, EVT-04: a store or source that does not answer is 503, says when to come back, tells
/// nothing of itself, and is one event.
#[test]
fn a_fault_tells_nothing() {
    let kit = TestProvider::new();
    let tokens = kit.tokens("alice", "web", "openid");
    let access = tokens.member("access_token").to_owned();
    let code = kit.code("alice", "web", "openid");
    let broken = |send: &dyn Fn() -> Answer| {
        kit.failing.fail_at(1);
        send()
    };
    for answer in [
        broken(&|| kit.exchange(&code)),
        broken(&|| kit.userinfo(&access)),
        broken(&|| kit.introspection_request("web", &access).send()),
        broken(&|| kit.revoke("web", &access)),
    ] {
        assert_eq!(answer.event_names(), ["faulted"]);
        let answer = answer.expect_status(503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(
            (&answer["error"], answer.header("cache-control")),
            (&"temporarily_unavailable".into(), Some("no-store"))
        );
        for event in &answer.events {
            let Event::Faulted { fault, .. } = event else { continue };
            assert!(
                fault.to_string().split(": ").all(|part| !answer.text().contains(part)),
                "{}",
                answer.text()
            );
        }
    }
    assert_eq!(kit.exchange(&code).status, 200, "nothing was used up");
}

/// ERR-03, ERR-18, EVT-04: for a person it is a page with a way on; the client hears nothing, because it
/// could not help.
#[test]
fn a_fault_in_front_of_a_person() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    kit.accounts.be(Mood::Broken);
    let tab = kit.authorization_request("web").scope("openid").open(&ua).expect_page("error");
    assert_eq!((tab.event_names(), tab.answer().status.as_u16()), (vec!["faulted"], 503));
    assert_eq!(tab.answer().header("retry-after"), Some("1"));
    assert!(!tab.page().links.is_empty(), "it can be tried again: {}", tab.page().text);
    kit.accounts.be(Mood::Answering);
    let _ = tab.reload().expect_page("consent");
}

/// ERR-20: one refusal, one event, with the reason that the wire does not tell.
#[test]
fn one_refusal_is_one_event() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    assert_refused!(kit.token_request("web").send(), "invalid_request", "grant_type_missing");
    let tab = kit.authorization_request("web").scope("openid").set("max_age", "x").open(&ua);
    assert_eq!(tab.event_names(), ["refused"]);
    let page = kit.authorization_request("web").without("client_id").open(&ua);
    assert_eq!(page.event_names(), ["refused"]);
    let way_on = ua.get("/interaction/in_x");
    assert!(refusals(&way_on.answer().events).len() <= 1);
}

/// ERR-12, AUTHZ-02: client and redirect URI come first; whatever else is wrong, nothing goes to an address
/// that was not verified. And PARM-09 at each endpoint.
#[test]
fn mistakes_that_must_not_reach_a_client() {
    let kit = TestProvider::new();
    let page = Refused::Page(400, "invalid_request");
    let bad =
        || kit.authorization_request("web").set("response_type", "x").set("scope", "\"").set("prompt", "x");
    let json = Refused::Json(400, "invalid_request");
    NegativeTable::new(&kit)
        .row("everything wrong, no client", bad().without("client_id"), page)
        .row(
            "everything wrong, an unknown client",
            bad().set("client_id", "x"),
            Refused::Page(400, "invalid_client"),
        )
        .row(
            "everything wrong, an unregistered address",
            bad().set("redirect_uri", "https://evil.example/"),
            page,
        )
        .row(
            "an unregistered address and form_post",
            bad().set("redirect_uri", "https://evil.example/").set("response_mode", "form_post"),
            page,
        )
        .row(
            "two grant types",
            kit.token_request("web").param("grant_type", "x").param("grant_type", "x"),
            json,
        )
        .row(
            "two codes",
            kit.token_request("web")
                .param("grant_type", "authorization_code")
                .param("code", "x")
                .param("code", "y"),
            json,
        )
        .row("two refresh tokens", kit.refresh_request("web", "x").param("refresh_token", "y"), json)
        .row(
            "two scopes",
            kit.client_credentials_request("machine").param("scope", "read").param("scope", "read"),
            json,
        )
        .row("two tokens to introspect", kit.introspection_request("web", "x").param("token", "y"), json)
        .row("two tokens to revoke", kit.revocation_request("web", "x").param("token", "y"), json)
        .row(
            "two tokens for UserInfo",
            kit.anonymous_request("/userinfo").param("access_token", "x").param("access_token", "y"),
            json,
        )
        .row("JSON", kit.token_request("web").header("content-type", "application/json"), json)
        .row(
            "JSON to be introspected",
            kit.request("/introspect", "web").header("content-type", "text/plain"),
            json,
        )
        .row(
            "a form of parts",
            kit.request("/revoke", "web").header("content-type", "multipart/form-data; boundary=x"),
            json,
        )
        .run();
}

/// A9: where the client is known, the error page leads to the client's own page; never to what was asked for.
#[test]
fn the_error_page_leads_to_a_known_client() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").set("redirect_uri", "https://evil.example/cb");
    let page = request.open(&ua).expect_page("error");
    assert!(page.answer().text().contains("<a href=\"https://web.example"), "{}", page.answer().text());
    assert!(!page.answer().text().contains("evil.example"));
    let unknown = kit.authorization_request("web").set("client_id", "nobody").open(&ua).expect_page("error");
    assert!(!unknown.answer().text().contains("<a "), "nobody is known");
}

/// A panic of the application costs the request in which it happens: a person gets the error page, a client JSON; it
/// is an event, and nothing is issued.
#[test]
fn a_panic_of_the_application_is_answered() {
    #[derive(Clone, Copy)]
    struct Panicking(bool);
    impl Pages for Panicking {
        fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
            match page.content {
                Content::Login(..) => panic!("no template"),
                Content::Error(..) if self.0 => panic!("no template for errors, either"),
                _ => PlainPages.page(page, locale),
            }
        }
    }
    impl TokenPolicy for Panicking {
        fn ends_grant(&self, _: TokenKind) -> bool {
            panic!("no policy")
        }
    }
    let told = |answer: &Answer, message: &str| match answer.events.as_slice() {
        [.., Event::Faulted { fault, .. }] => assert_eq!(fault.to_string(), message),
        other => panic!("{other:?}"),
    };
    for panics_again in [false, true] {
        let kit = TestProvider::builder().pages(Panicking(panics_again)).build();
        let ua = kit.user_agent();
        let tab = kit.authorization_request("web").scope("openid").open(&ua).expect_page("error");
        assert_eq!(tab.answer().status, 500);
        told(tab.answer(), "panicked: no template");
        assert_eq!(tab.answer().event_names().last(), Some(&"faulted"));
    }
    let kit = TestProvider::builder().token_policy(Panicking(false)).build();
    let access = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
    let answer = kit.revoke("web", &access).expect_status(500);
    assert_eq!(answer["error"], "server_error");
    told(&answer, "panicked: no policy");
    assert!(!answer.text().contains("panicked"), "{}", answer.text());
}
