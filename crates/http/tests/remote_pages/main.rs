//! Pages on another origin with their JSON API (`interaction.location`): OIDC Core section 3.1.2.3 and
//! 3.1.2.4, RFC 9700 section 4.7, Fetch section "CORS protocol".

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod answers;
mod carried;
mod stored;

use bytes::Bytes;
use chancery_core::interaction::form_token::{
    FORM_ANSWERED, FORM_FOREIGN, FORM_OF_ANOTHER_BROWSER, FORM_OF_ANOTHER_REQUEST, FORM_TOO_OLD,
    FORM_WITHOUT_COOKIE,
};
use chancery_testkit::{
    Answer, FrontEnd, NegativeTable, Refused, Tab, TestProvider, TestProviderBuilder, UserAgent, hours,
    minutes, password_of, refusals, seconds,
};
use chancery_types::Params;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN};
use http::{Method, Request};
use serde_json::{Value, json};

const LOCATION: &str = "https://login.id.example/sign-in?theme=dark";
const ORIGIN_OF_PAGES: &str = "https://login.id.example";

fn builder() -> TestProviderBuilder {
    TestProvider::builder()
        .configure(|config| config.interaction.location = Some(LOCATION.to_owned().try_into().unwrap()))
}

/// What the URL of the pages carries, after the browser was sent there.
#[track_caller]
fn interaction_of(tab: &Tab<'_, '_>) -> String {
    let arrival = tab.expect_arrival();
    assert_eq!(
        (arrival.uri.as_str(), arrival.value("theme")),
        ("https://login.id.example/sign-in", Some("dark"))
    );
    arrival.value("interaction").unwrap().to_owned()
}

/// The pages in a browser.
fn pages<'u, 'k>(ua: &'u UserAgent<'k>) -> FrontEnd<'u, 'k> {
    ua.front_end(ORIGIN_OF_PAGES)
}

/// The view of a request that has just been made.
#[track_caller]
fn first_view(ua: &UserAgent<'_>, scope: &str) -> Answer {
    let tab = ua.provider().authorization_request("web").scope(scope).open(ua);
    pages(ua).view(&interaction_of(&tab)).expect_status(200)
}

/// A right name and password.
fn credentials(account: &str) -> Value {
    json!({"username": account, "password": password_of(account)})
}

/// The interaction to which the pages are sent on.
#[track_caller]
fn next_interaction(answer: &Answer) -> String {
    let address = answer.member("redirect_to");
    let query =
        address.strip_prefix("https://login.id.example/sign-in?").unwrap_or_else(|| panic!("{address}"));
    Params::parse(query).unwrap().one("interaction").unwrap().unwrap().to_owned()
}

/// The parameters that the client gets.
#[track_caller]
fn arrival(answer: &Answer) -> Params<'static> {
    let address = answer.member("redirect_to");
    let query = address.strip_prefix("https://web.example/cb?").unwrap_or_else(|| panic!("{address}"));
    Params::parse(query).unwrap().into_owned()
}

#[track_caller]
fn expect_code(answer: &Answer) {
    let arrived = arrival(&answer.clone().expect_status(200));
    assert!(arrived.one("code").unwrap().is_some(), "{}", answer.text());
    assert_eq!(arrived.one("iss").unwrap(), Some("https://id.example"));
}

/// INT-01: login, then consent, then the client. Nothing is stored before the person has signed in.
#[test]
fn a_person_signs_in_and_allows() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let (tab, trips) = kit.trips(|| kit.authorization_request("web").scope("openid email").open(&ua));
    assert_eq!((trips, kit.counting.writes()), (0, 0));
    let (login, trips) = kit.trips(|| pages(&ua).view(&interaction_of(&tab)));
    assert_eq!((trips, kit.counting.writes()), (1, 0), "only whether it was answered is asked");
    assert_eq!(login["prompt"], "login");
    assert_eq!(login["client"]["name"], "The Web App");
    assert_eq!(login["client"]["client_uri"], "https://web.example/");
    assert_eq!(login["target"], "https://web.example/cb");
    assert_eq!(login["problem"], Value::Null);
    assert!(login["challenge"].is_string() && login["form"]["token"].is_string());
    let signed_in = pages(&ua).post("login", &login, credentials("alice"));
    let consent = pages(&ua).view(&next_interaction(&signed_in));
    assert_eq!(consent["prompt"], "consent");
    assert_eq!(consent["account"]["label"], "alice");
    assert_eq!((&consent["scopes"], &consent["claims"]), (&json!(["openid", "email"]), &json!([])));
    expect_code(&pages(&ua).post("consent", &consent, json!({"allow": true})));
    // With the session and the consent nothing has to be asked.
    assert!(kit.authorization_request("web").scope("openid email").open(&ua).is_answered_with("code"));
}

/// OIDC Core section 3.1.2.1: hint and languages of the request are those of the view.
#[test]
fn a_view_repeats_what_the_client_wishes() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid").set("login_hint", "alice");
    let request = request.set("ui_locales", "de-CH en").set("acr_values", "urn:chancery:acr:password");
    let login = pages(&ua).view(&interaction_of(&request.open(&ua)));
    assert_eq!(login["username"], "alice");
    assert_eq!(login["ui_locales"], json!(["de-CH", "en"]));
    assert_eq!(login["acr_values"], json!(["urn:chancery:acr:password"]));
}

/// RFC 7591 section 2.2: the client is named in the language of the request, else in that of the page.
#[test]
fn a_client_is_named_in_the_language_of_the_page() {
    let metadata = json!({"client_id": "shop", "client_name": "Shop", "client_name#de": "Laden",
        "client_name#fr": "Boutique", "redirect_uris": ["https://shop.example/cb"], "token_endpoint_auth_method": "none"});
    let kit = builder().client(&metadata.to_string()).build();
    let ua = kit.user_agent();
    for (ui_locales, accepted, name) in
        [("", "", "Shop"), ("", "de, fr;q=0.9", "Laden"), ("fr", "de", "Boutique"), ("it", "de-CH", "Laden")]
    {
        let request = kit.authorization_request("shop").scope("openid").set("ui_locales", ui_locales);
        let interaction = interaction_of(&request.open(&ua));
        let query = chancery_types::params::encode([("interaction", &*interaction)].into_iter());
        let request = pages(&ua).to_http(&Method::GET, &format!("/interaction?{query}"), None);
        let view = kit.send(with(request, http::header::ACCEPT_LANGUAGE, accepted));
        assert_eq!(view["client"]["name"], name, "{ui_locales} {accepted}");
    }
}

/// INT-16: whoever says no tells the client so, on every page.
#[test]
fn a_person_says_no() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let login = first_view(&ua, "openid");
    let aborted = pages(&ua).post("abort", &login, json!({}));
    assert_eq!(arrival(&aborted).one("error").unwrap(), Some("access_denied"));
    ua.signed_in("alice");
    for (what, entered) in [("abort", json!({})), ("consent", json!({"allow": false}))] {
        let consent = first_view(&ua, "openid");
        assert_eq!(consent["prompt"], "consent");
        let denied = pages(&ua).post(what, &consent, entered);
        assert_eq!(arrival(&denied).one("error").unwrap(), Some("access_denied"));
    }
}

/// OIDC Core section 3.1.2.1: `prompt=select_account`.
#[test]
fn a_person_chooses_an_account() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    let request = kit.authorization_request("web").scope("openid").set("prompt", "select_account");
    let accounts = pages(&ua).view(&interaction_of(&request.open(&ua)));
    assert_eq!(accounts["prompt"], "select_account");
    assert_eq!(accounts["accounts"][0]["label"], "alice");
    let choice = accounts["accounts"][0]["choice"].clone();
    let another = pages(&ua).post("account", &accounts, json!({"another": true}));
    assert_eq!(another["prompt"], "login");
    expect_code(&pages(&ua).post("account", &accounts, json!({"account": choice})));
}

/// Who is asked for a consent as somebody else goes to the choice of accounts, and takes accounts out of this browser
/// there; the last one leads to the login page.
#[test]
fn a_person_switches_and_forgets_accounts() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.signed_in("bob");
    let consent = first_view(&ua, "openid");
    assert_eq!((&consent["prompt"], &consent["account"]["label"]), (&json!("consent"), &json!("bob")));
    let accounts = pages(&ua).post("consent", &consent, json!({"switch": true}));
    assert_eq!(accounts["prompt"], "select_account");
    let choice = |of: &Answer, label: &str| {
        let accounts = of["accounts"].as_array().unwrap();
        accounts.iter().find(|account| account["label"] == label).unwrap()["choice"].clone()
    };
    let left = pages(&ua).post("account", &accounts, json!({"forget": choice(&accounts, "bob")}));
    assert_eq!(
        (&left["prompt"], left["accounts"].as_array().map(Vec::len)),
        (&json!("select_account"), Some(1))
    );
    assert_eq!(left.event_names(), ["session_ended", "prompt_shown"]);
    let unknown = pages(&ua).post("account", &left, json!({"forget": choice(&accounts, "bob")}));
    assert_eq!((&unknown["prompt"], unknown.event_names()), (&json!("select_account"), vec!["prompt_shown"]));
    let login = pages(&ua).post("account", &unknown, json!({"forget": choice(&left, "alice")}));
    assert_eq!(login["prompt"], "login");
    // The consent's answer is one of the two, and nothing else.
    ua.signed_in("alice");
    let consent = first_view(&ua, "openid");
    for nothing in [json!({}), json!({"switch": false}), json!({"switch": "true"}), json!({"forget": "x"})] {
        let _ = pages(&ua).post("consent", &consent, nothing).expect_status(400);
    }
}

/// OIDC Core section 3.1.2.6: `prompt=none` asks nobody, here neither.
#[test]
fn silence_is_silence() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid").set("prompt", "none");
    let _ = request.open(&ua).expect_error("login_required");
}

/// The response modes that no redirect can carry.
#[test]
fn a_response_is_posted_by_the_pages() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request = kit.authorization_request("web").scope("openid").set("response_mode", "form_post");
    let consent = pages(&ua).view(&interaction_of(&request.open(&ua)));
    let allowed = pages(&ua).post("consent", &consent, json!({"allow": true}));
    assert_eq!(allowed["form_post"]["action"], "https://web.example/cb");
    assert!(allowed["form_post"]["fields"]["code"].is_string(), "{}", allowed.text());

    let kit = builder().configure(|config| config.response_modes.web_message = true).build();
    kit.put_client(
        r#"{"client_id":"spa","token_endpoint_auth_method":"none","response_modes":["web_message"],
            "redirect_uris":["https://spa.example/cb"],"id_token_signed_response_alg":"ES256"}"#,
    );
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let request = kit.authorization_request("spa").scope("openid").set("response_mode", "web_message");
    let consent = pages(&ua).view(&interaction_of(&request.open(&ua)));
    let allowed = pages(&ua).post("consent", &consent, json!({"allow": true}));
    assert_eq!(allowed["web_message"]["origin"], "https://spa.example");
    assert_eq!(allowed["web_message"]["message"]["type"], "authorization_response");
    assert!(allowed["web_message"]["message"]["response"]["code"].is_string(), "{}", allowed.text());
}

/// A wrong password, and too many of them: as on a page of ours.
#[test]
fn guesses_are_counted_as_on_our_own_page() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let mut view = first_view(&ua, "openid");
    let wrong = json!({"username": "alice", "password": "a wrong one"});
    for _ in 0..6 {
        view = pages(&ua).post("login", &view, wrong.clone()).expect_status(200);
        assert_eq!((&view["problem"], &view["username"]), (&json!("refused"), &json!("alice")));
    }
    let attempts = kit.accounts.attempts();
    let waits = pages(&ua).post("login", &view, credentials("alice")).expect_status(429);
    assert_eq!((&waits["problem"], waits["retry_after"].as_u64()), (&json!("throttled"), Some(1)));
    assert_eq!((waits.header("retry-after"), kit.accounts.attempts()), (Some("1"), attempts));
    kit.clock.advance(seconds(2));
    assert!(pages(&ua).post("login", &waits, credentials("alice"))["redirect_to"].is_string());
}

/// A browser that restores its tabs opens two at the same moment, and only one has the cookie that stays: the
/// other begins anew in the same browser.
#[test]
fn a_tab_that_has_lost_its_cookie_begins_anew() {
    let kit = builder().build();
    for state in ["short".to_owned(), "s".repeat(3000)] {
        let ua = kit.user_agent();
        let request = kit.authorization_request("web").scope("openid").set("state", &state);
        let first = interaction_of(&request.open(&ua));
        ua.lose_browser_cookie();
        let second = interaction_of(&request.open(&ua));
        assert_eq!(pages(&ua).view(&second)["prompt"], "login");
        let lost = pages(&ua).view(&first);
        let anew = ua.get(lost["over"]["restart"].as_str().unwrap());
        assert_eq!(pages(&ua).view(&interaction_of(&anew))["prompt"], "login");
    }
}

/// INT-24: two tabs, which finish in either order, each for its own client.
#[test]
fn tabs_do_not_mix() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let open = |client: &str| {
        pages(&ua).view(&interaction_of(&kit.authorization_request(client).scope("openid").open(&ua)))
    };
    let (one, other) = (open("web"), open("post"));
    let allow = |view: &Answer| pages(&ua).post("consent", view, json!({"allow": true}));
    assert!(allow(&other).member("redirect_to").starts_with("https://post.example/cb?code="));
    assert!(allow(&one).member("redirect_to").starts_with("https://web.example/cb?code="));
}

/// INT-10..14: the URL of the pages can be loaded again until the request was answered; then it says so, and
/// offers a way on.
#[test]
fn an_interaction_is_answered_once() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let interaction = interaction_of(&kit.authorization_request("web").scope("openid").open(&ua));
    let (one, other) = (pages(&ua).view(&interaction), pages(&ua).view(&interaction));
    expect_code(&pages(&ua).post("consent", &one, json!({"allow": true})));
    kit.clock.advance(minutes(1));
    let late = pages(&ua).post("consent", &other, json!({"allow": false}));
    assert_eq!(late["over"]["is_answered"], true, "{}", late.text());
    assert_eq!(refusals(&late.events), [FORM_ANSWERED.name]);
    let again = pages(&ua).view(&interaction);
    assert_eq!(again["over"]["is_answered"], true);
    assert!(again["over"]["restart"].as_str().unwrap().starts_with("https://id.example/authorize?"));
}

/// CORS-01: only the pages' origin, with credentials, and named in `Vary`.
#[test]
fn only_the_pages_are_let_in_by_a_preflight() {
    let kit = builder().build();
    for (path, method) in
        [("/interaction", "GET"), ("/interaction/login", "POST"), ("/interaction/abort", "POST")]
    {
        for (origin, is_let_in) in [
            (ORIGIN_OF_PAGES, true),
            ("https://id.example", false),
            ("https://login.id.example:8443", false),
            ("http://login.id.example", false),
            ("https://evil.example", false),
            ("null", false),
        ] {
            let mut request = Request::new(Bytes::new());
            *request.method_mut() = Method::OPTIONS;
            *request.uri_mut() = path.parse().unwrap();
            request.headers_mut().insert(ORIGIN, origin.parse().unwrap());
            request.headers_mut().insert("access-control-request-method", method.parse().unwrap());
            request.headers_mut().insert("access-control-request-headers", "content-type".parse().unwrap());
            let answer = kit.send(request).expect_status(204);
            assert_eq!(answer.header("vary"), Some("Origin"));
            let allowed = |name: &str| answer.header(&format!("access-control-allow-{name}"));
            let expected = |value| if is_let_in { Some(value) } else { None };
            assert_eq!(allowed("origin"), expected(ORIGIN_OF_PAGES), "{origin}");
            assert_eq!(allowed("credentials"), expected("true"), "{origin}");
            assert_eq!(allowed("headers"), expected("Content-Type"), "{origin}");
            assert_eq!(allowed("methods"), expected(method), "{origin}");
        }
    }
    let ua = kit.user_agent();
    let view = first_view(&ua, "openid");
    assert_eq!(view.header("access-control-allow-origin"), Some(ORIGIN_OF_PAGES));
    assert_eq!(view.header("access-control-allow-credentials"), Some("true"));
    assert_eq!((view.header("vary"), view.header("cache-control")), (Some("Origin"), Some("no-store")));
}

/// The forms of pages of ours are not taken, and no page of ours is shown, while the pages are elsewhere.
#[test]
fn there_are_no_pages_of_ours_besides() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let consent = first_view(&ua, "openid");
    let mut request = pages(&ua).to_post("consent", &consent, json!({}));
    *request.uri_mut() = "/interaction".parse().unwrap();
    let _ = kit.send(request).expect_status(405);
    let _ = kit.get("/interaction/in_x").expect_status(404);
}

/// Without the setting there is no API.
#[test]
fn without_a_location_there_is_no_api() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    let asked = pages(&ua).to_http(&Method::GET, "/interaction?interaction=x", None);
    let _ = kit.send(asked).expect_status(405);
    let posted = pages(&ua).to_http(&Method::POST, "/interaction/login", Some(&json!({})));
    let answer = kit.send(posted);
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    assert_eq!(answer.status.as_u16(), 400);
}

/// RFC 6265bis section 5.2: pages of another site would get no cookies, so the provider does not start.
#[test]
fn pages_of_another_site_are_refused_at_the_start() {
    let location = "https://login.example.com/".to_owned();
    let complaints = TestProvider::builder()
        .configure(|config| config.interaction.location = Some(location.try_into().unwrap()))
        .try_build()
        .err()
        .unwrap();
    assert!(complaints.iter().any(|complaint| complaint.setting == "interaction.location"), "{complaints:?}");
}

/// What was not made for this browser, this request and this page is not looked at: nothing is compared with
/// the password, and the page that is needed comes again.
#[test]
fn what_was_made_for_others_is_not_looked_at() {
    let kit = builder().build();
    let view = |ua: &UserAgent<'_>| first_view(ua, "openid");
    let (ua, other) = (kit.user_agent(), kit.user_agent());
    let (own, foreign) = (view(&ua), view(&other));
    let post = |ua: &UserAgent<'_>, form: Value| {
        let body = json!({"form": form, "username": "alice", "password": password_of("alice")});
        kit.send(pages(ua).to_http(&Method::POST, "/interaction/login", Some(&body)))
    };
    let mixed = |name: &str, value: Value| {
        let mut form = own["form"].clone();
        form[name] = value;
        form
    };
    let altered = own["form"]["request"].as_str().unwrap().replace("openid", "openid+email");
    let rows = [
        ("another browser's", post(&other, own["form"].clone()), FORM_OF_ANOTHER_BROWSER.name),
        (
            "a browser without its cookie",
            post(&kit.user_agent(), own["form"].clone()),
            FORM_WITHOUT_COOKIE.name,
        ),
        (
            "another browser's token",
            post(&ua, mixed("token", foreign["form"]["token"].clone())),
            FORM_OF_ANOTHER_BROWSER.name,
        ),
        ("another request", post(&ua, mixed("request", altered.into())), FORM_OF_ANOTHER_REQUEST.name),
        ("no token of ours", post(&ua, mixed("token", "AAAA".into())), FORM_FOREIGN.name),
    ];
    for (row, answer, why) in rows {
        assert!(
            answer["problem"].as_str().is_some_and(|problem| ["stale", "no_cookies"].contains(&problem)),
            "{row}: {}",
            answer.text()
        );
        assert_eq!(refusals(&answer.events), [why], "{row}");
        assert_eq!(answer["redirect_to"], Value::Null, "{row}");
    }
    kit.clock.advance(hours(1) + seconds(1));
    let late = post(&ua, own["form"].clone());
    assert_eq!((&late["problem"], refusals(&late.events)), (&json!("stale"), vec![FORM_TOO_OLD.name]));
    assert_eq!(kit.accounts.attempts(), 0);
}

/// The URL of somebody else's interaction shows nothing of it, and does not sign anybody in: neither a sealed
/// request nor a stored one, of this realm or another.
#[test]
fn a_url_of_another_browser_shows_nothing() {
    let kit = builder().build();
    let (ua, victim) = (kit.user_agent(), kit.user_agent());
    let _ = first_view(&victim, "openid");
    for state in ["short".to_owned(), "long".repeat(1000)] {
        let tab = kit.authorization_request("web").scope("openid").set("state", &state).open(&ua);
        for browser in [&victim, &kit.user_agent()] {
            let shown = pages(browser).view(&interaction_of(&tab)).expect_status(200);
            assert_eq!(shown["over"]["is_answered"], false, "{}", shown.text());
            assert_eq!(shown["form"], Value::Null);
        }
    }
    // A request that says who is expected is told to nobody else.
    for hint in ["login_hint", "id_token_hint"] {
        let request = kit.authorization_request("web").scope("openid").set("prompt", "login");
        for state in ["short".to_owned(), "long".repeat(1000)] {
            let value = if hint == "id_token_hint" {
                kit.tokens("alice", "web", "openid").member("id_token").to_owned()
            } else {
                "alice@example.org".to_owned()
            };
            let tab = request.clone().set(hint, &value).set("state", &state).open(&ua);
            let shown = pages(&victim).view(&interaction_of(&tab)).expect_status(200);
            assert_eq!(shown["over"]["restart"], Value::Null, "{hint} {}", shown.text());
        }
    }
    // What belongs to a person does not even begin anew.
    let login = pages(&ua).post("login", &first_view(&ua, "openid email"), credentials("alice"));
    let shown = pages(&victim).view(&next_interaction(&login)).expect_status(200);
    assert_eq!((&shown["over"]["restart"], &shown["form"]), (&Value::Null, &Value::Null));
    let elsewhere = builder().realm("elsewhere").keys_of(&kit).build();
    let ua = kit.user_agent();
    let tab = kit.authorization_request("web").scope("openid").open(&ua);
    let shown = pages(&ua.at(&elsewhere)).view(&interaction_of(&tab));
    assert_eq!(shown["over"]["client"], Value::Null, "another realm: {}", shown.text());
}

/// After its time an interaction begins anew.
#[test]
fn a_sealed_request_has_its_time() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let interaction = interaction_of(&kit.authorization_request("web").scope("openid").open(&ua));
    kit.clock.advance(hours(1));
    assert_eq!(pages(&ua).view(&interaction)["prompt"], "login");
    kit.clock.advance(seconds(1));
    let over = pages(&ua).view(&interaction);
    assert_eq!(over["over"]["is_answered"], false);
    assert!(over["over"]["restart"].is_string());
}

fn without(mut request: Request<Bytes>, header: http::HeaderName) -> Request<Bytes> {
    request.headers_mut().remove(header);
    request
}

fn with(mut request: Request<Bytes>, header: http::HeaderName, value: &str) -> Request<Bytes> {
    request.headers_mut().insert(header, value.parse().unwrap());
    request
}

fn with_body(mut request: Request<Bytes>, body: &str) -> Request<Bytes> {
    *request.body_mut() = Bytes::copy_from_slice(body.as_bytes());
    request
}

#[test]
fn negative_table() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let login = first_view(&ua, "openid");
    ua.signed_in("alice");
    let consent = first_view(&ua, "openid");
    let post = || pages(&ua).to_post("consent", &consent, json!({"allow": true}));
    let sign_in = || pages(&ua).to_post("login", &login, credentials("alice"));
    let get = || pages(&ua).to_http(&Method::GET, "/interaction?interaction=x", None);
    let foreign = Refused::Json(403, "invalid_request");
    let bad = Refused::Json(400, "invalid_request");
    let form = consent["form"].to_string();
    let mut table = NegativeTable::new(&kit)
        .row("GET without Origin", without(get(), ORIGIN), foreign)
        .row("POST without Origin", without(post(), ORIGIN), foreign)
        .row("a form content type", with(post(), CONTENT_TYPE, "application/x-www-form-urlencoded"), bad)
        .row("text that a form can send", with(post(), CONTENT_TYPE, "text/plain"), bad)
        .row("no content type", without(post(), CONTENT_TYPE), bad)
        .row(
            "a body that is too long",
            with_body(post(), &"x".repeat(70_000)),
            Refused::Json(413, "invalid_request"),
        )
        .row("a path of no page", pages(&ua).to_post("password", &consent, json!({})), Refused::Status(404))
        .row(
            "GET of a step",
            pages(&ua).to_http(&Method::GET, "/interaction/login", None),
            Refused::Status(405),
        )
        .row("HEAD", pages(&ua).to_http(&Method::HEAD, "/interaction", None), Refused::Status(405))
        .row(
            "a doubled interaction",
            pages(&ua).to_http(&Method::GET, "/interaction?interaction=x&interaction=y", None),
            bad,
        )
        .row("a login as a consent", pages(&ua).to_post("consent", &login, json!({"allow": true})), bad)
        .row("a consent as a login", pages(&ua).to_post("login", &consent, credentials("alice")), bad)
        .row("a consent as a choice", pages(&ua).to_post("account", &consent, json!({"another": true})), bad)
        .row(
            "a login without a password",
            pages(&ua).to_post("login", &login, json!({"username": "alice"})),
            bad,
        )
        .row("a NUL", pages(&ua).to_post("login", &login, json!({"username": "a\0", "password": "x"})), bad);
    for origin in [
        "https://evil.example",
        "https://id.example",
        "https://login.id.example.evil.example",
        "https://login.id.example:8443",
        "http://login.id.example",
        "HTTPS://login.id.example",
        "https://login.id.example/",
        "null",
        "",
    ] {
        table = table
            .row(format!("GET from {origin:?}"), with(get(), ORIGIN, origin), foreign)
            .row(format!("login from {origin:?}"), with(sign_in(), ORIGIN, origin), foreign)
            .row(format!("consent from {origin:?}"), with(post(), ORIGIN, origin), foreign);
    }
    for body in [
        "",
        "allow=true",
        "[]",
        "null",
        r#"{"allow":true}"#,
        r#"{"form":"x","allow":true}"#,
        r#"{"form":{"request":1},"allow":true}"#,
        &format!(r#"{{"form":{form}}}"#),
        &format!(r#"{{"form":{form},"allow":"true"}}"#),
        &format!(r#"{{"form":{form},"allow":1}}"#),
        &format!(r#"{{"form":{form},"allow":false,"allow":true}}"#),
        &format!(r#"{{"form":{form},"allow":true}}x"#),
    ] {
        table = table.row(format!("the body {body:.40}"), with_body(post(), body), bad);
    }
    table.run();
    // Without cookies nothing is taken either, and the page comes again.
    let answer = kit.send(without(sign_in(), COOKIE));
    assert_eq!((&answer["problem"], kit.accounts.attempts()), (&json!("no_cookies"), 0));
}
