//! What the built-in pages show of a client: OIDC Registration section 2, RFC 7591 section 2.

use chancery_http::TrialClients;
use chancery_pages::Templates;
use chancery_testkit::{Answer, SECRET, TestProvider};
use chancery_types::params;

const LOGO: &str = "https://cdn.example:8443/logo.png";

fn provider(pages: Templates, logo: &str) -> TestProvider {
    let client = format!(
        r#"{{"client_id":"shop","client_name":"Corner Shop","client_secret":"{SECRET}","logo_uri":"{logo}",
            "redirect_uris":["https://shop.example/cb"],"id_token_signed_response_alg":"ES256",
            "post_logout_redirect_uris":["https://shop.example/bye"],"client_uri":"https://shop.example/",
            "policy_uri":"https://shop.example/privacy","tos_uri":"https://shop.example/terms"}}"#
    );
    let job = r#"{"client_id":"job","grant_types":["client_credentials"],"response_types":[]}"#;
    TestProvider::builder().client(&client).client(job).pages(pages).build()
}

/// A page without what keeps the words of its commands together.
fn with_whole_commands(page: &str) -> String {
    let tags = ["<span class=\"command\">", "<span>", "</span>"];
    tags.iter().fold(page.to_owned(), |page, tag| page.replace(tag, ""))
}

/// Login, consent, and the two pages of a logout.
fn pages(kit: &TestProvider) -> Vec<(&'static str, Answer)> {
    let ua = kit.user_agent();
    let login = kit.authorization_request("shop").scope("openid").open(&ua).expect_page("login");
    let consent = login.login("alice").expect_page("consent");
    let hint = kit.tokens("bob", "shop", "openid").member("id_token").to_owned();
    let _ = consent.allow().expect_code();
    let leaving = ua.follow_from_another_site(&format!("/logout?id_token_hint={hint}"));
    let leaving = leaving.expect_page("logout-confirm");
    let gone = leaving.submit(&[], ("action", "logout")).expect_page("logout-done");
    let answer = |tab: &chancery_testkit::Tab<'_, '_>| tab.answer().clone();
    vec![
        ("login", answer(&login)),
        ("consent", answer(&consent)),
        ("logout-confirm", answer(&leaving)),
        ("logout-done", answer(&gone)),
    ]
}

fn images(answer: &Answer) -> &str {
    let policy = answer.header("content-security-policy").unwrap_or_default();
    policy.split("; ").find_map(|directive| directive.strip_prefix("img-src ")).unwrap_or_default()
}

/// OIDC Registration section 2: name, policy and terms stand on each page; the logo only where the operator wants it, and then the policy
/// of the page admits its origin and nothing else.
#[test]
fn login_consent_and_logout_show_the_client() {
    for (templates, has_logo) in
        [(Templates::built_in(), false), (Templates::built_in().with_client_logos(), true)]
    {
        for (name, answer) in pages(&provider(templates, LOGO)) {
            let html = answer.text();
            assert!(html.contains("Corner Shop"), "{name}: {html}");
            for link in ["https://shop.example/privacy", "https://shop.example/terms"] {
                assert_eq!(html.matches(&format!("<a href=\"{link}\"")).count(), 1, "{name}: {html}");
            }
            assert_eq!(html.contains(&format!("src=\"{LOGO}\"")), has_logo, "{name}: {html}");
            let admitted = if has_logo { "'self' https://cdn.example:8443" } else { "'self'" };
            assert_eq!(images(&answer), admitted, "{name}");
            let policy = answer.header("content-security-policy").unwrap_or_default();
            assert!(policy.starts_with("default-src 'none'; "), "{name}: {policy}");
            assert_eq!(policy.matches("cdn.example").count(), usize::from(has_logo), "{name}: {policy}");
        }
    }
}

/// FR-04: a logo that a policy cannot name, or that is not https, is not shown.
#[test]
fn a_logo_from_nowhere_in_particular_is_not_shown() {
    for logo in
        ["http://cdn.example/logo.png", "https://cdn.example;script-src/logo.png", "https://*/logo.png"]
    {
        for (name, answer) in pages(&provider(Templates::built_in().with_client_logos(), logo)) {
            assert!(!answer.text().contains("<img"), "{logo}, {name}");
            assert_eq!(images(&answer), "'self'", "{logo}, {name}");
        }
    }
}

/// A client that is not known, or whose request does not count, lends its name to no page.
#[test]
fn nobody_lends_a_doubtful_page_their_name() {
    let kit = provider(Templates::built_in().with_client_logos(), LOGO);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for query in ["", "?client_id=nobody", "?client_id=shop&post_logout_redirect_uri=https://evil.example/"] {
        let page = ua.follow_from_another_site(&format!("/logout{query}")).expect_page("logout-confirm");
        assert!(!page.answer().text().contains("Corner Shop"), "{query}: {}", page.answer().text());
        assert_eq!(images(page.answer()), "'self'", "{query}");
    }
}

/// OIDC RP-Initiated Logout section 4: what is wrong with a logout request stands on the page, in words for the
/// application's developer; a request with which nothing is wrong gives no such words.
#[test]
fn a_doubtful_logout_says_what_is_wrong() {
    let kit = provider(Templates::built_in(), LOGO);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for (query, code_and_reason) in [
        ("", None),
        ("?id_token_hint=nonsense", Some("id_token_hint")),
        ("?client_id=shop&post_logout_redirect_uri=https://evil.example/", Some("post_logout_redirect_uri")),
        ("?post_logout_redirect_uri=https://evil.example/", Some("client_id")),
    ] {
        let page = ua.follow_from_another_site(&format!("/logout{query}")).expect_page("logout-confirm");
        let html = page.answer().text();
        let facts = html.split_once("<dl class=\"facts\">").map(|(_, facts)| facts);
        assert_eq!(facts.is_some(), code_and_reason.is_some(), "{query}: {html}");
        if let Some(word) = code_and_reason {
            let facts = facts.unwrap_or_default();
            assert!(
                facts.contains("<code>invalid_request</code>") && facts.contains(word),
                "{query}: {facts}"
            );
        }
    }
}

/// Makes it one of developers.
fn for_developers(kit: &mut TestProvider) {
    kit.service = kit.service.clone().with_trial_clients(TrialClients {
        public: "shop".to_owned(),
        confidential: "shop".to_owned(),
        machine: "shop".to_owned(),
        secret: "s3cret".to_owned(),
        machine_secret: "s3cret".to_owned(),
        username: "demo".to_owned(),
        has_own_password: false,
        program: Some("target/debug/chancery".to_owned()),
    });
}

/// What the front page has to copy stands by itself: no foreign program is needed, and read aloud or copied as text, the name of a
/// library is a word of its own.
#[test]
fn developers_find_lines_that_work_by_themselves() {
    let mut kit = provider(Templates::built_in(), LOGO);
    for_developers(&mut kit);
    let page = kit.get("/").expect_status(200).text().to_owned();
    // npm's package `auth` is that of another library.
    assert!(!page.contains("npx auth"), "{page}");
    for part in [
        "next-auth@5.0.0-beta.",
        "AUTH_SECRET=",
        "/logout?client_id=shop",
        "post_logout_redirect_uri=http://localhost:3001/",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let names: Vec<&str> =
        page.split("<summary>").skip(1).filter_map(|rest| rest.split("<small>").next()).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    assert!(names.iter().all(|name| name.ends_with(' ')), "{names:?}");
}

/// Whoever develops an application sees in the details, which are open then, what came and what registers it; nobody else
/// does.
#[test]
fn developers_see_what_registers_a_redirect_uri() {
    for (language, words, why_not) in [
        ("en", "Redirect URI of the request", "Why it cannot be registered"),
        ("de", "Redirect-URI der Anfrage", "Warum die Adresse sich nicht registrieren lässt"),
    ] {
        for is_shown in [false, true] {
            let mut kit = provider(Templates::built_in(), LOGO);
            if is_shown {
                for_developers(&mut kit);
            }
            let ua = kit.user_agent();
            let request =
                kit.authorization_request("shop").set("redirect_uri", "https://shop.example/new?a=&b");
            let page = request.set("ui_locales", language).set("chancery_language", language).open(&ua);
            let page = with_whole_commands(page.expect_page("error").answer().text());
            for part in [
                words,
                "<code>https://shop.example/new?a=&amp;b</code></dd>",
                "<code>target/debug/chancery client update shop --redirect-uri https://shop.example/cb ",
                " --redirect-uri &#39;https://shop.example/new?a=&amp;b&#39;\n</code>",
                "<details class=\"more\" open>",
            ] {
                assert_eq!(page.contains(part), is_shown, "{part} in {page}");
            }
            assert!(is_shown || !page.contains("shop.example/new"), "{page}");
            let at = |part| page.find(part).unwrap();
            let (facts, way_on) = (at("<details class=\"more\""), at("class=\"actions\""));
            assert_eq!(facts < way_on, is_shown, "what a developer can mend stands first: {page}");
            let request = kit.authorization_request("shop").set("redirect_uri", "http://192.168.1.5/cb");
            let page = request.set("chancery_language", language).open(&ua).expect_page("error");
            for part in [
                why_not,
                "<dd lang=\"en\">redirect_uris: &quot;http://192.168.1.5/cb&quot; must be https; http is for loopback hosts",
            ] {
                assert_eq!(
                    page.answer().text().contains(part),
                    is_shown,
                    "{part} in {}",
                    page.answer().text()
                );
            }
            assert!(!page.answer().text().contains("client update"), "it would be in vain");
        }
    }
}

/// For a client that signs nobody in, they see what adds another one.
#[test]
fn developers_see_that_a_client_signs_nobody_in() {
    for (language, words, how) in [
        ("en", "This client sends nobody here to sign in", "it needs a client of another kind"),
        (
            "de",
            "Dieser Client schickt niemanden zur Anmeldung hierher",
            "braucht sie einen Client anderer Art",
        ),
    ] {
        for is_shown in [false, true] {
            let mut kit = provider(Templates::built_in(), LOGO);
            if is_shown {
                for_developers(&mut kit);
            }
            let request = kit.authorization_request("shop").set("client_id", "job");
            let request =
                request.set("redirect_uri", "https://job.example/cb").set("chancery_language", language);
            let page =
                with_whole_commands(request.open(&kit.user_agent()).expect_page("error").answer().text());
            for part in [
                words,
                how,
                "<code>target/debug/chancery client add --kind web --redirect-uri https://job.example/cb\n</code>",
                "<details class=\"more\" open>",
            ] {
                assert_eq!(page.contains(part), is_shown, "{part} in {page}");
            }
            assert!(!page.contains("client update"), "it would be in vain: {page}");
        }
    }
}

/// The same for an address to go to after a logout, on the page that asks and on the one of an error.
#[test]
fn developers_see_what_registers_a_post_logout_uri() {
    let uri = "https://shop.example/new?a=&b";
    for (language, words) in
        [("en", "Post-logout redirect URI of the request"), ("de", "Post-Logout-Redirect-URI der Anfrage")]
    {
        for (is_shown, is_signed_in) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut kit = provider(Templates::built_in(), LOGO);
            if is_shown {
                for_developers(&mut kit);
            }
            let ua = kit.user_agent();
            if is_signed_in {
                ua.signed_in("alice");
            }
            let query =
                [("client_id", "shop"), ("post_logout_redirect_uri", uri), ("chancery_language", language)];
            let page = ua.follow_from_another_site(&format!("/logout?{}", params::encode(query.into_iter())));
            let page = page.expect_page(if is_signed_in { "logout-confirm" } else { "error" });
            let page = with_whole_commands(page.answer().text());
            for part in [
                words,
                "<code>https://shop.example/new?a=&amp;b</code></dd>",
                "<code>target/debug/chancery client update shop --post-logout-redirect-uri https://shop.example/bye ",
                " --post-logout-redirect-uri &#39;https://shop.example/new?a=&amp;b&#39;\n</code>",
                "<details class=\"more\" open>",
                "data-what=\"register\"",
            ] {
                assert_eq!(page.contains(part), is_shown, "{part} in {page}");
            }
            assert!(is_shown || !page.contains("shop.example/new"), "{page}");
            assert!(!is_shown || page.contains(" defer></script>"), "the button that copies works: {page}");
        }
    }
}

/// The same for a client that nobody has registered.
#[test]
fn developers_see_which_client_is_unknown() {
    for (language, words) in
        [("en", "No client has this client_id."), ("de", "Kein Client hat diese client_id.")]
    {
        for is_shown in [false, true] {
            let mut kit = provider(Templates::built_in(), LOGO);
            if is_shown {
                for_developers(&mut kit);
            }
            let request = kit.authorization_request("shop").set("client_id", "sh<p");
            let ua = kit.user_agent();
            let page = request.set("chancery_language", language).open(&ua).expect_page("error");
            let page = with_whole_commands(page.answer().text());
            for part in [
                words,
                "<code>sh&lt;p</code></dd>",
                "<code>target/debug/chancery client list\n</code>",
                "<details class=\"more\" open>",
            ] {
                assert_eq!(page.contains(part), is_shown, "{part} in {page}");
            }
        }
    }
}
