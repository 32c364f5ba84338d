//! Interactions (OIDC Core section 3.1.2.3): from the first page, for which nothing is stored, by a stored
//! interaction to the answer; and what happens to answers that come too late, twice or from elsewhere.

#![expect(clippy::indexing_slicing, reason = "tests")]

use chancery_core::event::Event;
use chancery_core::interaction::form_token::{
    FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_REQUEST, FORM_OF_ANOTHER_SESSION, FORM_OF_NOTHING,
    FORM_OUTDATED, FORM_TOO_OLD, FORM_WITHOUT_COOKIE,
};
use chancery_testkit::{
    Button, HtmlForm, NegativeTable, Refused, SeededRandom, Tab, TestProvider, UserAgent, assert_refused,
    hours, minutes, seconds,
};
use http::{HeaderValue, Method, Request};

/// A field of a form.
fn field<'f>(form: &'f HtmlForm, name: &str) -> &'f str {
    form.fields.iter().find(|(have, _)| have == name).map_or("", |(_, value)| value)
}

/// The form as it would be sent by this button, with another value of one field.
fn with_field(form: &HtmlForm, name: &str, value: &str, button: (&str, &str)) -> Vec<(String, String)> {
    let mut fields = form.fields.clone();
    for (have, old) in &mut fields {
        if have == name {
            value.clone_into(old);
        }
    }
    fields.push((button.0.to_owned(), button.1.to_owned()));
    fields
}

/// alice types her password into this tab's form, of which one field has another value.
fn login_with<'u, 'k>(tab: &Tab<'u, 'k>, name: &str, value: &str) -> Tab<'u, 'k> {
    let form = tab.form();
    let mut fields = with_field(&form, name, value, ("action", "login"));
    for (have, old) in &mut fields {
        match have.as_str() {
            "username" => "alice".clone_into(old),
            "password" => *old = chancery_testkit::password_of("alice"),
            _ => {}
        }
    }
    tab.post(&form.action, &fields)
}

/// INT-01, INT-03, SESS-09: the answer to the request is the page; it leaves no record and no session cookie.
#[test]
fn the_first_page_is_the_answer_and_stores_nothing() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let (tab, trips) = kit.trips(|| kit.authorization_request("web").scope("openid").open(&ua));
    assert_eq!(trips, 0);
    let tab = tab.expect_page("login");
    assert!(tab.address().starts_with("/authorize?"), "no redirect: {}", tab.address());
    assert_eq!(tab.event_names(), ["prompt_shown"]);
    assert_eq!((ua.session_cookie(), ua.browser_cookie().is_some()), (None, true));
    let form = tab.form();
    assert!(field(&form, "request").contains("client_id=web") && !field(&form, "token").is_empty());
}

/// INT-03, GAP-12: whatever a stranger sends, by GET, HEAD or as an authorization request, the store is not
/// written to.
#[test]
fn no_get_and_no_request_of_a_stranger_writes() {
    let kit = TestProvider::new();
    let plain = || kit.authorization_request("web").scope("openid");
    let unknown = "/interaction/in_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    kit.counting.reset();
    for request in [
        plain(),
        plain().set("prompt", "login"),
        plain().set("prompt", "consent"),
        plain().set("prompt", "select_account"),
        plain().set("prompt", "none"),
        plain().set("max_age", "0"),
        plain().set("login_hint", "alice"),
        plain().set("response_mode", "form_post"),
        plain().set("state", &"s".repeat(4096)),
        plain().without("response_type"),
        plain().set("client_id", "nobody"),
        kit.authorization_request("native").scope("openid offline_access"),
        kit.authorization_request("operator").scope("openid"),
    ] {
        let _ = request.open(&kit.user_agent());
        let _ = request.post(&kit.user_agent());
        let _ = kit.send(request.to_http_post());
        let mut head = request.to_http();
        *head.method_mut() = Method::HEAD;
        let _ = kit.send(head);
    }
    for path in
        [unknown, "/interaction/x", "/.well-known/openid-configuration", "/jwks", "/userinfo", "/token"]
    {
        let _ = kit.get(path);
    }
    assert_eq!(kit.counting.writes(), 0);
}

/// INT-21, INT-22, INT-23: login and consent, each with its events; between them the request is stored under
/// the session, so that its page can be loaded again.
#[test]
fn login_then_consent_then_the_client() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let login = kit.authorization_request("web").scope("openid profile").open(&ua).expect_page("login");
    let consent = login.login("alice").expect_page("consent");
    assert_eq!(consent.event_names(), ["login_succeeded", "prompt_shown"]);
    assert!(consent.address().starts_with("/interaction/"), "{}", consent.address());
    for _ in 0..3 {
        kit.counting.reset();
        let again = consent.reload().expect_page("consent");
        assert_eq!((kit.counting.writes(), again.event_names()), (0, vec!["prompt_shown"]));
    }
    let done = consent.reload().allow();
    assert_eq!(done.event_names(), ["consent_given", "authorization_granted"]);
    let code = done.expect_code();
    assert_eq!(kit.id_token(&kit.exchange(&code).expect_status(200), "web").claims["sub"], "alice");
    // Now that both stand, nothing is asked any more.
    let silent = kit.authorization_request("web").scope("openid profile").open(&ua);
    assert_eq!(
        (silent.event_names(), silent.expect_code().client),
        (vec!["authorization_granted"], "web".to_owned())
    );
}

/// INT-06, SESS-20: the session ends between login and consent. Nothing is granted; the same request can be
/// started again.
#[test]
fn a_session_that_ends_in_between_leads_to_a_way_on() {
    type End = fn(&TestProvider, &UserAgent<'_>);
    let ends: [(&str, End); 3] = [
        ("logged out", |_, ua| ua.ends_session()),
        ("sign out everywhere", |kit, _| kit.accounts.sign_out_everywhere("alice")),
        ("cookie deleted", |_, ua| ua.lose_session_cookie()),
    ];
    for (name, end) in ends {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let consent =
            kit.authorization_request("web").scope("openid").open(&ua).login("alice").expect_page("consent");
        end(&kit, &ua);
        let late = consent.allow();
        let _ = late.expect_way_on();
        let _ = consent.reload().expect_way_on();
        assert!(!late.event_names().contains(&"consent_given"), "{name}: {:?}", late.event_names());
        kit.clock.advance(seconds(2));
        let again = late.restart().expect_page("login").login("alice").expect_page("consent");
        assert_eq!(again.allow().expect_code().client, "web", "{name}");
    }
}

/// GAP-02, INT-06: the account is deleted or disabled between login and consent.
#[test]
fn an_account_that_is_gone_in_between_leads_to_a_way_on() {
    type Loss = fn(&TestProvider);
    let losses: [Loss; 2] = [|kit| kit.accounts.remove("alice"), |kit| kit.accounts.disable("alice")];
    for lose in losses {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let consent =
            kit.authorization_request("web").scope("openid").open(&ua).login("alice").expect_page("consent");
        lose(&kit);
        let late = consent.allow();
        assert_eq!(late.answer().status, 200);
        let login = late.restart().expect_page("login");
        let refused = login.login("alice").expect_page("login");
        assert_eq!(refused.event_names(), ["login_failed", "prompt_shown"]);
        assert_eq!(login.login("bob").expect_page("consent").allow().expect_code().client, "web");
    }
}

/// INT-24: two tabs of two clients finish in either order, from the first page on and from a stored one.
#[test]
fn two_tabs_of_two_clients_finish_in_either_order() {
    for first_wins in [true, false] {
        let kit = TestProvider::new();
        let ua = kit.user_agent();
        let one = kit.authorization_request("web").scope("openid").open(&ua);
        let two = kit.authorization_request("post").scope("openid").open(&ua);
        let one = one.login("alice").expect_page("consent");
        let two = two.login("alice").expect_page("consent");
        assert_ne!(one.address(), two.address());
        let (early, late) = if first_wins { (&one, &two) } else { (&two, &one) };
        let codes = [early.reload().allow().expect_code(), late.allow().expect_code()];
        for code in &codes {
            let tokens = kit.exchange(code).expect_status(200);
            assert_eq!(kit.id_token(&tokens, &code.client).claims["sub"], "alice");
        }
        assert_ne!(codes[0].client, codes[1].client);
    }
}

/// GAP-16, INT-13: another browser that learns the address of an interaction sees nothing of it and cannot
/// answer it.
#[test]
fn the_address_of_an_interaction_is_of_no_use_elsewhere() {
    let kit = TestProvider::new();
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    let consent =
        kit.authorization_request("web").scope("openid").open(&ua).login("alice").expect_page("consent");
    other.signed_in("bob");
    let seen = other.get(consent.address());
    let _ = seen.expect_way_on();
    // Neither whose it is, nor anything of the request, not even in a link.
    for part in ["alice", "state", "authorize?", "redirect_uri", "openid"] {
        assert!(!seen.answer().text().contains(part), "{part}: {}", seen.answer().text());
    }
    let fields = with_field(&consent.form(), "", "", ("action", "allow"));
    let posted = seen.post(consent.address(), &fields);
    let _ = posted.expect_way_on();
    assert!(!posted.event_names().contains(&"consent_given"));
    // Its own person is not disturbed.
    let _ = consent.allow().expect_code();
}

/// INT-04: form token and stored interaction hold for an hour by default, or for as long as configured.
#[test]
fn a_person_has_an_hour_to_answer() {
    for (configured, lifetime) in [(None, hours(1)), (Some(minutes(10)), minutes(10))] {
        let builder = TestProvider::builder();
        let kit = match configured {
            Some(lifetime) => builder.configure(|config| config.interaction.lifetime = lifetime).build(),
            None => builder.build(),
        };
        let ua = kit.user_agent();
        let request = kit.authorization_request("web").scope("openid");
        let (early, late) = (request.open(&ua), request.open(&ua));
        kit.clock.advance(lifetime);
        let _ = early.login("bob").expect_page("consent").allow().expect_code();
        kit.clock.advance(seconds(1));
        let attempts = kit.accounts.attempts();
        // The page comes again, and the password was not looked at; the request is kept.
        let again = late.login("alice").expect_page("login");
        again.expect_refused_form(&FORM_TOO_OLD);
        assert_eq!(kit.accounts.attempts(), attempts);
        let _ = again.login("alice").expect_page("consent").allow().expect_code();
    }
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let consent =
        kit.authorization_request("web").scope("openid").open(&ua).login("alice").expect_page("consent");
    kit.clock.advance(hours(1) + seconds(1));
    let _ = consent.reload().expect_way_on();
    let _ = consent.allow().expect_way_on();
    assert_eq!(consent.reload().restart().expect_page("consent").allow().expect_code().client, "web");
    assert_eq!(consent.allow().restart().expect_code().client, "web");
}

/// RFC 9700 section 4.7: the password is not looked at when the form was posted from another site, without
/// our browser cookie, with the token of another tab, with a token of ours that is another's, or for another
/// request.
#[test]
fn a_login_form_is_for_one_browser_and_one_request() {
    let kit = TestProvider::new();
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    let tab = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let second = kit.authorization_request("post").scope("openid").open(&ua).expect_page("login");
    let strange = kit.authorization_request("web").scope("openid").open(&other).expect_page("login");
    let form = tab.form();
    let password = chancery_testkit::password_of("alice");
    let fields = [
        ("request", field(&form, "request")),
        ("token", field(&form, "token")),
        ("username", "alice"),
        ("password", &password),
        ("action", "login"),
    ];
    let posted = ua.post_from_another_site(&form.action, &fields);
    assert_refused!(posted, "invalid_request", "form_of_another_origin");
    let changed = field(&form, "request").replace("scope=openid", "scope=openid+profile");
    for (why, answer) in [
        (&FORM_OF_ANOTHER_REQUEST, login_with(&tab, "token", field(&second.form(), "token"))),
        (&FORM_OF_ANOTHER_BROWSER, login_with(&tab, "token", field(&strange.form(), "token"))),
        (&FORM_OF_ANOTHER_BROWSER, login_with(&strange, "token", field(&form, "token"))),
        (&FORM_OF_ANOTHER_REQUEST, login_with(&tab, "request", &changed)),
        (&FORM_FOREIGN, login_with(&tab, "token", "")),
        (&FORM_FOREIGN, login_with(&tab, "token", &"A".repeat(200))),
    ] {
        let page = answer.expect_page("login");
        page.expect_refused_form(why);
        assert!(!page.answer().text().contains(&password), "{}: a page never repeats a password", why.name);
    }
    ua.lose_browser_cookie();
    let again = tab.login("alice").expect_page("login");
    again.expect_refused_form(&FORM_WITHOUT_COOKIE);
    assert_eq!((kit.accounts.attempts(), ua.session_cookie()), (0, None));
    assert!(ua.browser_cookie().is_some(), "a fresh cookie");
    // The page that came instead works.
    let _ = again.login("alice").expect_page("consent").allow().expect_code();
}

/// FR-03: a browser that keeps no cookies is told that it needs them, each time, and what the page says
/// otherwise is what is known: age is told of old pages only. Each has its event.
#[test]
fn a_page_tells_the_cause_that_it_knows() {
    let kit = TestProvider::new();
    let told = |tab: &Tab<'_, '_>| tab.page().text;
    let ua = kit.user_agent();
    let mut tab = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    for _ in 0..3 {
        ua.clear_cookies();
        tab = tab.login("alice").expect_page("login");
        assert!(told(&tab).contains("Allow cookies") && !told(&tab).contains("too long"), "{}", told(&tab));
        tab.expect_refused_form(&FORM_WITHOUT_COOKIE);
    }
    assert_eq!(kit.accounts.attempts(), 0);
    // With cookies it goes on.
    let old = tab.clone();
    let consent = tab.login("alice").expect_page("consent");
    kit.clock.advance(hours(1) + seconds(1));
    let tab = old.login("alice").expect_page("login");
    assert!(told(&tab).contains("too long") && !told(&tab).contains("Allow cookies"), "{}", told(&tab));
    tab.expect_refused_form(&FORM_TOO_OLD);
    // Stored pages, too.
    consent.allow().expect_refused_form(&FORM_OF_NOTHING);
    ua.lose_browser_cookie();
    consent.allow().expect_refused_form(&FORM_WITHOUT_COOKIE);
    let other = kit.user_agent();
    let here = kit.authorization_request("web").scope("openid").open(&other);
    here.post(&consent.form().action, &consent.form().fields).expect_refused_form(&FORM_OF_ANOTHER_BROWSER);
    here.post("/interaction/x", &consent.form().fields).expect_refused_form(&FORM_OF_NOTHING);
}

/// FR-03: what is allowed is what was shown, in the session that it was shown in.
#[test]
fn a_consent_that_does_not_fit_any_more_has_its_reason() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request = kit.authorization_request("web").scope("openid email");
    let page = request.open(&ua).expect_page("consent");
    ua.has_consented("alice", "web", "openid");
    let again = page.allow().expect_page("consent");
    again.expect_refused_form(&FORM_OUTDATED);
    ua.signed_in("bob");
    again.allow().expect_page("consent").expect_refused_form(&FORM_OF_ANOTHER_SESSION);
}

/// INT-13: what was shown in one session cannot be allowed in another.
#[test]
fn a_consent_belongs_to_the_session_that_saw_it() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("bob");
    let consent = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
    assert!(consent.page().text.contains("bob"));
    ua.signed_in("alice");
    let shown = consent.allow().expect_page("consent");
    assert!(shown.page().text.contains("alice") && !shown.event_names().contains(&"consent_given"));
    let _ = shown.allow().expect_code();
}

/// RFC 9700 section 4.7: the form of a stored interaction is for one browser and one interaction, too.
#[test]
fn a_stored_form_is_for_one_browser_and_one_interaction() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let consent = |client| {
        kit.clock.advance(seconds(1));
        let request = kit.authorization_request(client).scope("openid").set("prompt", "login");
        request.open(&ua).expect_page("login").login("alice").expect_page("consent")
    };
    let (one, two) = (consent("web"), consent("post"));
    let form = one.form();
    let mixed = with_field(&form, "token", field(&two.form(), "token"), ("action", "allow"));
    let again = one.post(&form.action, &mixed).expect_page("consent");
    again.expect_refused_form(&FORM_OF_ANOTHER_REQUEST);
    ua.lose_browser_cookie();
    let again = again.allow();
    assert!(!again.event_names().contains(&"consent_given"), "{:?}", again.event_names());
    let again = if again.page().name == "signed-in" { again.restart() } else { again };
    let again = if again.page().name == "login" { again.login("alice") } else { again };
    assert_eq!(again.expect_page("consent").allow().expect_code().client, "web");
}

/// INT-16: whoever does not want to goes back to the client with `access_denied`, at each page.
#[test]
fn cancel_and_deny_go_back_to_the_client() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let login = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let cancelled = login.cancel();
    let _ = cancelled.expect_error("access_denied");
    assert_eq!(cancelled.event_names(), ["declined", "refused"]);
    let consent = login.login("alice").expect_page("consent");
    let _ = consent.deny().expect_error("access_denied");
    let chooser = kit.authorization_request("web").scope("openid").set("prompt", "select_account").open(&ua);
    let _ = chooser.expect_page("accounts").cancel().expect_error("access_denied");
    // Nothing was agreed to meanwhile.
    let _ = kit.authorization_request("web").scope("openid").open(&ua).expect_page("consent");
}

/// INT-15: a request that comes back with the form is validated against the clients of now.
#[test]
fn the_request_is_validated_again_when_the_form_comes_back() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let login = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    let consent = login.login("alice").expect_page("consent");
    kit.put_client(
        r#"{"client_id":"web","client_secret":"a-secret-of-forty-three-characters-for-test",
            "redirect_uris":["https://moved.example/cb"],"id_token_signed_response_alg":"ES256"}"#,
    );
    for late in [login.login("alice"), consent.allow(), consent.reload()] {
        assert_refused!(late, "invalid_request", "redirect_uri_unregistered");
    }
    kit.remove_client("web");
    assert_refused!(consent.allow(), "invalid_client", "authorization_client_unknown");
}

/// One step of a person, or of somebody else in another browser.
fn act<'u, 'k>(tab: &Tab<'u, 'k>, random: &SeededRandom) -> Tab<'u, 'k> {
    let Some(form) = tab.page().forms.into_iter().next() else { return tab.reload() };
    let button: &Button = random.one_of(&form.buttons);
    let button = (button.name.clone(), button.value.clone());
    match (random.below(10), tab.page().name.as_str()) {
        (0, _) if tab.address().contains("/interaction/") => tab.reload(),
        (1..=5, "login") => tab.login(random.word(&["alice", "bob"])),
        (6, "login") => tab.login_wrongly("alice"),
        _ => tab.submit(&[], (&button.0, &button.1)),
    }
}

/// The page of another browser's tab, as whoever copied it from there would send it from here.
fn act_from<'u, 'k>(ua: &'u UserAgent<'k>, tab: &Tab<'_, '_>, random: &SeededRandom) -> Tab<'u, 'k> {
    let here = ua.get("/interaction/x");
    match tab.page().forms.first() {
        Some(form) if random.below(3) > 0 => {
            let button = random.one_of(&form.buttons);
            let mut fields = with_field(form, "username", "alice", (&button.name, &button.value));
            fields.iter_mut().filter(|(name, _)| name == "password").for_each(|(_, value)| {
                *value = chancery_testkit::password_of("alice");
            });
            here.post(&form.action, &fields)
        }
        _ if tab.address().contains("/interaction/") => ua.get(tab.address()),
        _ => here,
    }
}

/// What happened in the walk, to be compared with what was granted.
#[derive(Default)]
struct Model {
    /// Who signed in, by browser.
    signed_in: [Vec<String>; 2],
    /// Who said yes to whom, by browser.
    agreed: Vec<(String, String)>,
    /// The codes that there were, by browser.
    codes: [Vec<String>; 2],
}

impl Model {
    /// A code is granted in a browser only for a person who signed in there and has said yes to the client.
    fn check(&mut self, at: usize, tab: &Tab<'_, '_>) {
        for event in tab.events() {
            match event {
                Event::LoginSucceeded { account, .. } => self.signed_in[at].push(account.to_string()),
                Event::ConsentGiven { client, account } => {
                    assert!(self.signed_in[at].contains(&account.to_string()), "{account} is not here");
                    self.agreed.push((account.to_string(), client.to_string()));
                }
                Event::AuthorizationGranted { client, account } => {
                    assert!(self.signed_in[at].contains(&account.to_string()), "{account} is not here");
                    assert!(
                        self.agreed.contains(&(account.to_string(), client.to_string())),
                        "{account}, {client}"
                    );
                    self.codes[at].push(tab.expect_arrival().value("code").unwrap_or_default().to_owned());
                }
                _ => {}
            }
        }
        // A step that was repeated leads where its answer led, in the same browser only.
        if tab.is_answered_with("code") {
            let code = tab.expect_arrival().value("code").unwrap_or_default().to_owned();
            assert!(self.codes[at].contains(&code), "a code that was not granted here");
        }
    }
}

/// Random walks of two browsers over all pages, which also send each other's forms and lose their cookies,
/// against a simple model: no code without a login and a consent by the same browser.
#[test]
fn no_code_without_login_and_consent_in_the_same_browser() {
    let mut codes = 0;
    for seed in 0..150 {
        let kit = TestProvider::builder().seed(seed).build();
        let random = SeededRandom::new(seed);
        let browsers = [kit.user_agent(), kit.user_agent()];
        let mut model = Model::default();
        let mut tabs: Vec<(usize, Tab<'_, '_>)> = Vec::new();
        for _ in 0..40 {
            let step = match (random.below(8), tabs.is_empty()) {
                (0 | 1, _) | (_, true) => {
                    let (at, client) = (random.below(2), random.word(&["web", "post", "spa"]));
                    let prompt = random.word(&["", "", "login", "consent", "select_account", "none"]);
                    let request = kit.authorization_request(client).scope("openid").set("prompt", prompt);
                    (at, request.open(&browsers[at]))
                }
                (2, _) => {
                    let ua = random.one_of(&browsers);
                    if random.below(2) == 0 {
                        ua.lose_browser_cookie()
                    } else {
                        ua.lose_session_cookie()
                    }
                    kit.clock.advance(minutes(u64::try_from(random.below(40)).unwrap_or(0)));
                    continue;
                }
                (3, _) => {
                    let (at, tab) = random.one_of(&tabs);
                    (1 - at, act_from(&browsers[1 - at], tab, &random))
                }
                _ => {
                    let (at, tab) = random.one_of(&tabs);
                    (*at, act(tab, &random))
                }
            };
            model.check(step.0, &step.1);
            tabs.push(step);
        }
        codes += model.codes[0].len() + model.codes[1].len();
    }
    assert!(codes > 100, "the walks have to reach clients: {codes}");
}

/// A form as a POST of our own origin, without any cookie.
fn form(path: &str, body: &'static [u8]) -> Request<bytes::Bytes> {
    let mut request = Request::new(bytes::Bytes::from_static(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = path.parse().unwrap_or_default();
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers_mut().insert("content-type", form);
    request
}

/// HTTP-02: one row per way that is none.
#[test]
fn what_is_no_answer_to_a_page() {
    let kit = TestProvider::new();
    let from = |mut request: Request<bytes::Bytes>, name: &'static str, value: &'static str| {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
        request
    };
    let good: &[u8] = b"request=client_id%3Dweb&token=x&action=allow";
    let page = |code| Refused::Page(400, code);
    let mut put = form("/interaction", good);
    *put.method_mut() = Method::PUT;
    NegativeTable::new(&kit)
        .row("a form without its request", form("/interaction", b"action=login"), page("invalid_request"))
        .row(
            "a request of no client",
            form("/interaction", b"request=state%3Dx&token=x"),
            page("invalid_request"),
        )
        .row(
            "a client that is none",
            form("/interaction", b"request=client_id%3Dnobody"),
            page("invalid_client"),
        )
        .row("two requests", form("/interaction", b"request=a%3Db&request=a%3Db"), page("invalid_request"))
        .row("no form", form("/interaction", b"\xff\xfe%"), page("invalid_request"))
        .row(
            "another type of content",
            from(form("/interaction", good), "content-type", "application/json"),
            page("invalid_request"),
        )
        .row(
            "another site, by Fetch Metadata",
            from(form("/interaction", good), "sec-fetch-site", "cross-site"),
            page("invalid_request"),
        )
        .row(
            "another origin of the site",
            from(form("/interaction/x", good), "sec-fetch-site", "same-site"),
            page("invalid_request"),
        )
        .row(
            "another site, by Origin",
            from(form("/interaction", good), "origin", "https://evil.example"),
            page("invalid_request"),
        )
        .row("another method", put, Refused::Status(405))
        .row("a longer path", form("/interaction/x/y", good), Refused::Status(404))
        .run();
}
