//! What a development provider says on a page to whoever develops an application, and no other provider says.

use bytes::Bytes;
use chancery_core::config::Config;
use chancery_core::event::{Event, Origins};
use chancery_http::{Html, TrialClients};
use chancery_testkit::{AuthorizationRequest, TestProvider, refusals};
use chancery_types::params;
use http::header::ORIGIN;
use http::{HeaderValue, Request};

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

/// Whoever looks after a form from another origin sees both origins: in the log on every provider, on the page where only
/// developers see it; escaped, and bounded whatever was sent.
#[test]
fn a_form_of_another_origin_is_shown_with_both() {
    let long = format!("https://{}.example", "x".repeat(300));
    let (bound, own) = (&long[..200], "https://id.example");
    for (origin, told) in [
        (Some("http://id.example"), Some("http://id.example")),
        (Some("null"), Some("null")),
        (Some("https://\"><b>.example"), Some("https://\"><b>.example")),
        (Some(&*long), Some(bound)),
        (None, None),
    ] {
        for is_developers in [true, false] {
            let mut kit = TestProvider::new();
            if is_developers {
                for_developers(&mut kit, "web", None);
            }
            let request = Request::post("/interaction").header("sec-fetch-site", "cross-site");
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let mut request = request.body(Bytes::from_static(b"action=login")).expect("a request");
            if let Some(origin) = origin {
                request.headers_mut().insert(ORIGIN, HeaderValue::from_str(origin).expect("a header"));
            }
            let answer = kit.send(request).expect_status(400);
            let sent = told.map(Box::from);
            let expected = Some(Origins { sent, own: own.into() });
            assert!(
                matches!(&*answer.events, [Event::Refused { origins, .. }] if *origins == expected),
                "{:?}",
                answer.events
            );
            let shown = format!(
                "<p>The form came from <code>{}</code>, and has to come from <code>{own}</code>:",
                Html::escape(told.unwrap_or("null"))
            );
            let page = answer.text();
            assert_eq!(page.contains(&shown), is_developers, "{page}");
            assert!(!page.contains("<b>") && (is_developers || !page.contains("came from")), "{page}");
        }
    }
}
