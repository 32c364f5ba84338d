//! How failures look: RFC 6749 sections 4.1.2.1 and 5.2, RFC 6750 section 3, RFC 9110 sections 15.5 and 15.6.

use chancery_core::config::Config;
use chancery_core::event::Event;
use chancery_core::policy::{TokenKind, TokenPolicy};
use chancery_http::{Content, Html, Locale, Page, Pages, PlainPages, TrialClients};
use chancery_testkit::{
    Answer, AuthorizationRequest, Mood, NegativeTable, Refused, TestProvider, assert_refused, refusals,
};
use chancery_types::params;

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

/// Makes it a provider that only developers reach, with this client to try it with.
fn for_developers(kit: &mut TestProvider, client: &str, program: Option<&str>) {
    kit.service = kit.service.clone().with_trial_clients(TrialClients {
        public: client.to_owned(),
        confidential: client.to_owned(),
        machine: client.to_owned(),
        secret: "s3cret".to_owned(),
        machine_secret: "s3cret".to_owned(),
        username: "demo".to_owned(),
        has_own_password: false,
        program: program.map(str::to_owned),
    });
}

/// Whoever develops an application sees which redirect URI came, escaped, and what registers it beside the others; on every
/// other provider the page says nothing of it.
#[test]
fn developers_see_the_redirect_uri_that_is_not_registered() {
    let client = r#"{"client_id":"app","client_name":"App","token_endpoint_auth_method":"none",
        "redirect_uris":["https://app.example/cb","https://app.example/a'b"]}"#;
    let shown = |program: Option<Option<&str>>, uri: &str| {
        let mut kit = TestProvider::builder().client(client).build();
        if let Some(program) = program {
            for_developers(&mut kit, "app", program);
        }
        let ua = kit.user_agent();
        let page = kit.authorization_request("app").set("redirect_uri", uri).open(&ua).expect_page("error");
        page.answer().text().to_owned()
    };
    let other = "https://app.example/other?a=<b>";
    let quoted = "https://app.example/other?a=1&b='2";
    let no_uri =
        "must be an absolute URI in ASCII, such as https://app.example/callback (RFC 6749 section 3.1.2)";
    let http = "must be https; http is for loopback hosts alone: localhost, 127.0.0.1 and [::1] (RFC 9700 section 2.6)";
    let fragment = "must not have a fragment: leave out # and what follows (RFC 6749 section 3.1.2)";
    let wildcard = "must not have a wildcard, which is not permitted here: register each address by itself";
    let scheme = "must be https: this scheme a browser runs or opens itself (RFC 8252 section 7.1)";
    for (uri, part, why_not) in [
        (quoted, "Redirect URI: <code>https://app.example/other?a=1&amp;b=&#39;2</code>", None),
        (other, "Redirect URI: <code>https://app.example/other?a=&lt;b&gt;</code>", Some(no_uri)),
        ("http://192.168.1.5:3000/cb", "<code>http://192.168.1.5:3000/cb</code>", Some(http)),
        ("https://app.example/*", "<code>https://app.example/*</code>", Some(wildcard)),
        ("https://app.example/#x", "<code>https://app.example/#x</code>", Some(fragment)),
        ("javascript:alert(1)", "<code>javascript:alert(1)</code>", Some(scheme)),
    ] {
        let has_command = why_not.is_none();
        let page = shown(Some(Some("./chancery")), uri);
        assert!(page.contains("Client: <code>app</code>") && page.contains(part), "{uri}: {page}");
        assert_eq!(page.contains("client update"), has_command, "{uri}: {page}");
        let reason = format!("It cannot be registered: redirect_uris: &quot;{}&quot; ", Html::escape(uri));
        assert_eq!(page.contains(&reason), why_not.is_some(), "{uri}: {page}");
        assert!(page.contains(why_not.unwrap_or_default()), "{uri}: {page}");
        assert!(shown(Some(None), uri).contains(why_not.unwrap_or_default()), "nor by a program");
        assert!(!page.contains("<b>"), "{page}");
        assert!(!shown(Some(None), uri).contains("client update"), "there are no commands");
        let without = shown(None, uri);
        assert!(!without.contains("Redirect URI") && !without.contains("<pre>"), "{without}");
        assert!(!without.contains("cannot be registered"), "{without}");
        assert!(!without.contains("/other") && !without.contains("alert"), "{without}");
    }
    let command = "<pre>./chancery client update app \\\n  --redirect-uri https://app.example/cb \\\n  \
        --redirect-uri &#39;https://app.example/a&#39;\\&#39;&#39;b&#39; \\\n  \
        --redirect-uri &#39;https://app.example/other?a=1&amp;b=&#39;\\&#39;&#39;2&#39;</pre>";
    let page = shown(Some(Some("./chancery")), quoted);
    assert!(page.contains(command), "{page}");
}

/// For a client without a response type no URI is registered, which would be in vain: another client is added.
#[test]
fn developers_see_that_a_client_signs_nobody_in() {
    for (method, kind) in [("client_secret_basic", "web"), ("none", "spa")] {
        let grants =
            if kind == "web" { "client_credentials" } else { "urn:ietf:params:oauth:grant-type:device_code" };
        let client = format!(
            r#"{{"client_id":"job","token_endpoint_auth_method":"{method}","grant_types":["{grants}"],"response_types":[]}}"#
        );
        let shown = |program: Option<Option<&str>>, uri: &str| {
            let device = |config: &mut Config| config.device_authorization.offered = true;
            let mut kit = TestProvider::builder().configure(device).client(&client).build();
            if let Some(program) = program {
                for_developers(&mut kit, "job", program);
            }
            let request = kit.authorization_request("web").set("client_id", "job").set("redirect_uri", uri);
            request.open(&kit.user_agent()).expect_page("error").answer().text().to_owned()
        };
        let (uri, bad) = ("https://app.example/a'b", "http://192.168.1.5:3000/cb");
        let told = "<p>This client sends nobody here to sign in. The application needs a client of another kind.</p>";
        let command = format!(
            "{told}<pre>./chancery client add --kind {kind} \\\n  --redirect-uri &#39;https://app.example/a&#39;\\&#39;&#39;b&#39;</pre>"
        );
        let page = shown(Some(Some("./chancery")), uri);
        assert!(page.contains(&command) && !page.contains("client update"), "{page}");
        let page = shown(Some(None), uri);
        assert!(page.contains(told) && !page.contains("<pre>"), "{page}");
        let page = shown(Some(Some("./chancery")), bad);
        assert!(page.contains(told) && page.contains("must be https") && !page.contains("<pre>"), "{page}");
        let page = shown(None, uri);
        assert!(!page.contains(told) && !page.contains("app.example") && !page.contains("<pre>"), "{page}");
    }
}

/// OUT-04: the same for an address to go to after a logout, whether anybody is signed in or not. What a response mode
/// demands of redirect URIs is no matter there.
#[test]
fn developers_see_the_post_logout_uri_that_is_not_registered() {
    let client = r#"{"client_id":"app","client_name":"App","token_endpoint_auth_method":"none",
        "redirect_uris":["https://app.example/cb"],"response_modes":["query","web_message"],"application_type":"native",
        "post_logout_redirect_uris":["https://app.example/bye","https://app.example/a'b"]}"#;
    let shown = |program: Option<Option<&str>>, uri: &str, account: Option<&str>| {
        let web_message = |config: &mut Config| config.response_modes.web_message = true;
        let mut kit = TestProvider::builder().configure(web_message).client(client).build();
        if let Some(program) = program {
            for_developers(&mut kit, "app", program);
        }
        let ua = kit.user_agent();
        if let Some(account) = account {
            ua.signed_in(account);
        }
        let query = [("client_id", "app"), ("post_logout_redirect_uri", uri)];
        let page = ua.follow_from_another_site(&format!("/logout?{}", params::encode(query.into_iter())));
        let page = page.expect_page(if account.is_some() { "logout-confirm" } else { "error" });
        page.answer().text().to_owned()
    };
    let quoted = "https://app.example/other?a=1&b='2";
    let scheme = "app:/out";
    let command = "<pre>./chancery client update app \\\n  --post-logout-redirect-uri https://app.example/bye \\\n  \
        --post-logout-redirect-uri &#39;https://app.example/a&#39;\\&#39;&#39;b&#39; \\\n  --post-logout-redirect-uri ";
    for account in [None, Some("alice")] {
        for (uri, why_not) in [
            (quoted, None),
            ("com.example.app:/out", None),
            ("http://192.168.1.5:3000/", Some("must be https; http is for loopback hosts alone")),
            ("https://app.example/<b>", Some("must be an absolute URI in ASCII")),
            (
                scheme,
                Some("must be https, or for a native client a scheme with a dot (RFC 8252 section 7.1)"),
            ),
        ] {
            let (escaped, who) = (Html::escape(uri), account.unwrap_or("nobody"));
            let part =
                format!("Client: <code>app</code><br>Post-logout redirect URI: <code>{escaped}</code>");
            let page = shown(Some(Some("./chancery")), uri, account);
            assert!(page.contains(&part), "{who}, {uri}: {page}");
            assert_eq!(page.contains(command), why_not.is_none(), "{who}, {uri}: {page}");
            let reason =
                format!("It cannot be registered: post_logout_redirect_uris: &quot;{escaped}&quot; ");
            assert_eq!(page.contains(&reason), why_not.is_some(), "{who}, {uri}: {page}");
            assert!(page.contains(why_not.unwrap_or_default()), "{who}, {uri}: {page}");
            assert!(!page.contains("<b>"), "{page}");
            let without_commands = shown(Some(None), uri, account);
            assert!(without_commands.contains(&part) && !without_commands.contains("client update"));
            let nowhere_else = shown(None, uri, account);
            for word in ["redirect URI:", "<pre>", "cannot be registered", &escaped.to_string()] {
                assert!(!nowhere_else.contains(word), "{who}, {uri}: {nowhere_else}");
            }
        }
    }
}

/// Whoever develops an application sees which `client_id` came, escaped and bounded, and what lists those that there are; on
/// every other provider the page says nothing of it.
#[test]
fn developers_see_the_client_that_is_unknown() {
    let shown = |program: Option<Option<&str>>, id: &str| {
        let mut kit = TestProvider::new();
        if let Some(program) = program {
            for_developers(&mut kit, "web", program);
        }
        let ua = kit.user_agent();
        let page = kit.authorization_request("web").set("client_id", id).open(&ua);
        page.expect_page("error").answer().text().to_owned()
    };
    let (bound, list) = ("x".repeat(255), "<pre>./chancery client list</pre>");
    for (id, part) in [
        ("my-ap", "my-ap"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("we\u{df}", "we\u{df}"),
        (&"x".repeat(3000), &bound),
    ] {
        let page = shown(Some(Some("./chancery")), id);
        assert!(page.contains(&format!("Client: <code>{part}</code>")) && page.contains(list), "{page}");
        let page = shown(Some(None), id);
        assert!(page.contains(&format!("Client: <code>{part}</code>")) && !page.contains("<pre>"), "{page}");
        let page = shown(None, id);
        assert!(!page.contains("Client:") && !page.contains("<pre>"), "{page}");
    }
}

/// Whoever develops an application sees what its request lacks or has too much of, and what to do; on every other provider the
/// page says nothing of it.
#[test]
fn developers_see_what_to_mend() {
    type Asks = fn(AuthorizationRequest) -> AuthorizationRequest;
    let several = r#"{"client_id":"app","token_endpoint_auth_method":"none",
        "redirect_uris":["https://app.example/cb","https://app.example/a?b=1&c='2"]}"#;
    let job = r#"{"client_id":"job","token_endpoint_auth_method":"client_secret_basic","grant_types":["client_credentials"],
        "response_types":[]}"#;
    let off = r#"{"client_id":"off","token_endpoint_auth_method":"none","redirect_uris":["https://off.example/cb"],
        "chancery":{"enabled":false}}"#;
    let shown = |program: Option<Option<&str>>, asks: Asks| {
        let pushed = |config: &mut Config| config.pushed_requests.offered = true;
        let mut kit =
            TestProvider::builder().configure(pushed).client(several).client(job).client(off).build();
        if let Some(program) = program {
            for_developers(&mut kit, "web", program);
        }
        let ua = kit.user_agent();
        let page = asks(kit.authorization_request("web")).open(&ua).expect_page("error");
        (page.answer().text().to_owned(), refusals(page.events()))
    };
    let rows: [(Asks, _, _, _); 7] = [
        (
            |asked| asked.without("client_id"),
            "<p>The request does not say which client asks. Add <code>client_id=\u{2026}</code>",
            Some("client list"),
            "client_id_missing",
        ),
        (
            |asked| asked.param("client_id", "<b>"),
            "<p>The parameter <code>client_id</code> came more than once.",
            None,
            "malformed_parameter",
        ),
        (
            |asked| asked.param("redirect_uri", "<b>"),
            "<p>The parameter <code>redirect_uri</code> came more than once.",
            None,
            "malformed_parameter",
        ),
        (
            |asked| asked.set("client_id", "app").without("redirect_uri"),
            "Add <code>redirect_uri=\u{2026}</code> with an address that this client has registered:\
             <br><code>https://app.example/cb</code><br><code>https://app.example/a?b=1&amp;c=&#39;2</code></p>",
            None,
            "redirect_uri_missing",
        ),
        (
            |asked| asked.set("client_id", "job").without("redirect_uri"),
            "This client has no such address: the application needs a client of another kind.</p>",
            Some("client add --kind web \\\n  --redirect-uri http://localhost:5173/callback"),
            "redirect_uri_missing",
        ),
        (
            |asked| asked.set("client_id", "off"),
            "<p>Client: <code>off</code></p><p>This client is disabled.",
            Some("client enable off"),
            "authorization_client_disabled",
        ),
        (
            |asked| asked.param("request_uri", "urn:ietf:params:oauth:request_uri:gone"),
            "<p>Client: <code>web</code></p><p>What request_uri refers to counts once,",
            None,
            "pushed_request_unknown",
        ),
    ];
    for (asks, advice, command, reason) in rows {
        let (page, reasons) = shown(Some(Some("./chancery")), asks);
        assert!(page.contains(advice) && !page.contains("<b>"), "{page}");
        assert_eq!(reasons, [reason]);
        let line = command.map_or("<pre>".to_owned(), |command| format!("<pre>./chancery {command}</pre>"));
        assert_eq!(page.contains(&line), command.is_some(), "{page}");
        let (page, _) = shown(Some(None), asks);
        assert!(page.contains(advice) && !page.contains("<pre>"), "without a program: {page}");
        let (page, reasons) = shown(None, asks);
        for word in ["<pre>", "Client:", "Add ", "more than once.", "disabled", "Push", "app.example"] {
            assert!(!page.contains(word), "{reason} {word}: {page}");
        }
        assert_eq!(reasons, [reason]);
    }
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
