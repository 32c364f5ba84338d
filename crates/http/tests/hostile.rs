//! Malformed, doubled, oversized, wrongly encoded and hostile requests: the standard's error or the error
//! page, never a panic, never a 5xx, nothing written.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "tests")]

use bytes::Bytes;
use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::event::Event;
use chancery_jose::SigningAlgorithm;
use chancery_testkit::{
    Answer, ClientKey, DpopKey, Hostile, HtmlPage, MARK, SECRET, TestProvider, minutes, refusals,
};
use http::{Method, Request};
use serde_json::json;

/// How many requests each endpoint gets.
const REQUESTS: usize = 10_000;

/// The refusals that are counted in the store.
const COUNTED: [&str; 2] = ["polled_too_early", "user_code_unknown"];

/// What may stand in front of a redirect: the registered redirect URIs, and our own pages.
const TARGETS: &[&str] = &["https://web.example/cb?", "https://web.example/cb#", "https://id.example/", "/"];

/// What is wrong with an answer, if anything. `written` is the number of writing trips; only registration may repeat
/// what was sent (REG-05).
fn complaint(answer: &Answer, written: u64, may_repeat: bool) -> Option<String> {
    let status = answer.status.as_u16();
    let has_acted = answer.events.iter().any(|event| {
        !matches!(
            event,
            Event::Refused { .. }
                | Event::PromptShown { .. }
                | Event::Introspected { .. }
                | Event::Declined { .. }
        ) || matches!(event, Event::Refused { reason, .. } if COUNTED.contains(&reason.name))
    });
    let is_html = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let shown = if is_html {
        HtmlPage::read(answer.text()).text
    } else {
        String::from_utf8_lossy(&answer.body).into()
    };
    let location = answer.header("location");
    // A refusal has one event; other methods and paths have none; a password that is not looked at has its
    // own.
    let is_told = status < 400
        || matches!(status, 404 | 405)
        || refusals(&answer.events).len() == 1
        || answer.json()["error"] == "authorization_pending"
        || answer
            .events
            .iter()
            .any(|event| matches!(event, Event::LoginThrottled { .. } | Event::SignUpRefused { .. }));
    match () {
        () if status >= 500 => Some("a 5xx".to_owned()),
        () if written > 0 && !has_acted => Some(format!("{written} writes for {:?}", answer.events)),
        () if !is_told => Some(format!("events {:?}", answer.events)),
        () if shown.contains(MARK) && !may_repeat => Some("the request is reflected".to_owned()),
        () if answer.text().contains("<script>h0") => Some("markup of the request".to_owned()),
        () if location.is_some_and(|to| !TARGETS.iter().any(|target| to.starts_with(target))) => {
            Some(format!("a redirect to {location:?}"))
        }
        () if answer.headers.iter().any(|(name, value)| {
            name != "access-control-allow-origin" && name != "location" && format!("{value:?}").contains(MARK)
        }) =>
        {
            Some(format!("a header of the request: {:?}", answer.headers))
        }
        () if answer.headers.get("x-content-type-options").is_none() => Some("no nosniff".to_owned()),
        () => None,
    }
}

/// Sends hostile variants of the good requests, and sees that the good ones are good.
fn storm(seed: u64, good: impl Fn(&TestProvider) -> Vec<Request<Bytes>>) {
    storm_at(&TestProvider::new(), seed, false, good);
}

fn storm_at(
    kit: &TestProvider,
    seed: u64,
    may_repeat: bool,
    good: impl Fn(&TestProvider) -> Vec<Request<Bytes>>,
) {
    let hostile = Hostile::new(seed);
    let good = good(kit);
    let mut refused = 0;
    for n in 0..REQUESTS {
        let request = hostile.request(&good[n % good.len()]);
        let shown = format!("{} {} {:?}", request.method(), request.uri(), request.headers());
        let body = String::from_utf8_lossy(request.body()).chars().take(600).collect::<String>();
        kit.counting.reset();
        let answer = kit.send(request);
        refused += usize::from(answer.status.as_u16() >= 400);
        if let Some(complaint) = complaint(&answer, kit.counting.writes(), may_repeat) {
            let told = answer.text().chars().take(600).collect::<String>();
            panic!(
                "request {n}: {complaint}\n{shown}\n{body}\n-> {} {:?}\n{told}",
                answer.status, answer.headers
            );
        }
    }
    assert!(refused > REQUESTS / 4, "only {refused} were refused: the requests are not hostile");
    for request in good {
        let status = kit.send(request).status.as_u16();
        assert!(status < 500, "afterwards the service answers: {status}");
    }
}

/// PARM-05, PARM-14, PARM-15: GET and POST.
#[test]
fn authorization() {
    storm(1, |kit| {
        let request =
            kit.authorization_request("web").scope("openid profile").set("nonce", "n").set("prompt", "login");
        let silent = request.clone().set("prompt", "none").set("claims", r#"{"id_token":{"acr":null}}"#);
        let posted = request.clone().set("max_age", "10").set("response_mode", "fragment");
        vec![
            request.to_http(),
            silent.to_http(),
            request.set("login_hint", "alice").to_http_post(),
            posted.to_http_post(),
        ]
    });
}

/// The form of a first page, also with its own token and browser cookie.
#[test]
fn first_form() {
    storm(2, |kit| {
        let ua = kit.user_agent();
        let tab = kit.authorization_request("web").scope("openid").open(&ua);
        let form = tab.form();
        let mut request = kit.anonymous_request(&form.action.replace("https://id.example", ""));
        for (name, value) in
            form.fields.iter().filter(|(name, _)| !matches!(name.as_str(), "username" | "password"))
        {
            request = request.param(name, value);
        }
        let cookie =
            tab.answer().header("set-cookie").unwrap_or("").split(';').next().unwrap_or("").to_owned();
        let login =
            request.clone().param("username", "alice").param("password", "wrong").param("action", "login");
        vec![
            login.to_http(),
            login.header("cookie", &cookie).to_http(),
            request.param("action", "cancel").to_http(),
        ]
    });
}

/// The page of a stored interaction, by whoever has its address.
#[test]
fn interaction() {
    storm(3, |kit| {
        let ua = kit.user_agent();
        let tab =
            kit.authorization_request("web").scope("openid").open(&ua).login("alice").expect_page("consent");
        let form = tab.form();
        let address = form.action.replace("https://id.example", "");
        let mut request = kit.anonymous_request(&address);
        for (name, value) in &form.fields {
            request = request.param(name, value);
        }
        let allow = request.param("action", "allow");
        vec![allow.to_http(), kit.anonymous_request(&address).get().param("x", "1").to_http()]
    });
}

/// PARM-05, PARM-14, PARM-15: every grant type.
#[test]
fn token() {
    storm(4, |kit| {
        let tokens = kit.tokens("alice", "web", "openid offline_access");
        let code = kit.code("alice", "post", "openid");
        vec![
            kit.client_credentials_request("web").param("scope", "profile").to_http(),
            kit.refresh_request("web", tokens.member("access_token")).param("scope", "openid").to_http(),
            kit.code_request(&code).set("code", "ac_unknown").to_http(),
            kit.refresh_request("spa", tokens.member("refresh_token")).to_http(),
        ]
    });
}

/// PARM-05, PARM-14, PARM-15: one's own token and another's.
#[test]
fn introspection() {
    storm(5, |kit| {
        let token = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
        let hinted = kit.introspection_request("post", &token).param("token_type_hint", "refresh_token");
        vec![kit.introspection_request("web", &token).to_http(), hinted.to_http()]
    });
}

/// PARM-05, PARM-14, PARM-15: another's token and none.
#[test]
fn revocation() {
    storm(6, |kit| {
        let token = kit.tokens("alice", "web", "openid offline_access").member("refresh_token").to_owned();
        let foreign = kit.revocation_request("post", &token).param("token_type_hint", "refresh_token");
        vec![foreign.to_http(), kit.revocation_request("web", "at_unknown").to_http()]
    });
}

/// PARM-05, PARM-14, PARM-15: the token in the header and in the body.
#[test]
fn userinfo() {
    storm(7, |kit| {
        let token = kit.tokens("alice", "web", "openid").member("access_token").to_owned();
        let bearer = format!("Bearer {token}");
        let by_form = kit.anonymous_request("/userinfo").param("access_token", &token);
        let by_header =
            kit.anonymous_request("/userinfo").get().header("authorization", &bearer).param("x", "1");
        vec![by_header.to_http(), by_form.to_http(), kit.anonymous_request("/userinfo").get().to_http()]
    });
}

/// RFC 9449: the same where DPoP is on, with proofs whose time is over.
#[test]
fn proofs_of_possession() {
    let kit = TestProvider::builder().configure(|config| config.dpop.offered = true).build();
    let key = DpopKey::generate(SigningAlgorithm::Es256);
    storm_at(&kit, 14, false, |kit| {
        let code = kit.code("alice", "spa", "openid offline_access");
        let tokens = key.prove(kit.code_request(&code)).send().expect_status(200);
        let good = vec![
            key.prove(kit.refresh_request("spa", tokens.member("refresh_token"))).to_http(),
            key.prove(kit.client_credentials_request("web")).to_http(),
            key.userinfo(kit, tokens.member("access_token")).to_http(),
            kit.authorization_request("web").scope("openid").param("dpop_jkt", &key.thumbprint()).to_http(),
        ];
        kit.clock.advance(minutes(2));
        good
    });
}

/// RFC 9126: pushes by each way to authenticate, with a request object and with a proof, and requests that refer to
/// what was pushed. The limit of open requests is reached on the way.
#[test]
fn pushed_requests() {
    let key = ClientKey::generate(SigningAlgorithm::Es256);
    let metadata = json!({"client_id": "signs", "redirect_uris": ["https://web.example/cb"], "jwks": key.jwks(),
        "token_endpoint_auth_method": "private_key_jwt", "id_token_signed_response_alg": "ES256"});
    let kit = TestProvider::builder().configure(|config| {
        config.pushed_requests.offered = true;
        config.pushed_requests.open_limit = 100;
        config.dpop.offered = true;
    });
    let kit = kit.client(&metadata.to_string()).build();
    storm_at(&kit, 15, false, |kit| {
        let asked = |client| kit.authorization_request(client).scope("openid").set("nonce", "n");
        let request = asked("web").set("claims", r#"{"id_token":{"acr":null}}"#).set("max_age", "10");
        let assertion = key.assertion("signs", kit.issuer().as_str(), "1", kit.now());
        let signed = asked("signs").by_value(&key.request_object(
            &asked("signs").encode(),
            kit.issuer().as_str(),
            kit.now(),
        ));
        let proof = DpopKey::generate(SigningAlgorithm::Es256);
        // The first page moves the end of the request.
        let pushed = kit.push(&request);
        let _ = pushed.open(&kit.user_agent()).expect_page("login");
        let good = vec![
            kit.push_request(&request).to_http(),
            kit.push_request(&asked("spa").set("redirect_uri", "https://web.example/cb")).to_http(),
            kit.push_request(&signed).assertion(&assertion).to_http(),
            proof.prove(kit.push_request(&asked("post"))).to_http(),
            pushed.to_http(),
            pushed.clone().set("client_id", "post").to_http(),
        ];
        // Assertion, object and proof have ended, so that none is used up; the pushed request waits for a person.
        kit.clock.advance(minutes(2));
        good
    });
}

/// With a television, which is a public client, and a box whose requests are signed with this key. The limit of waiting
/// devices, and that of guesses, are reached on the way.
fn for_devices(key: &ClientKey) -> TestProvider {
    let kit = TestProvider::builder().configure(|config| {
        config.device_authorization.offered = true;
        config.device_authorization.open_limit = 100;
    });
    let kit = kit.build();
    kit.put_device_client("tv", json!({"token_endpoint_auth_method": "none"}));
    kit.put_device_client("box", json!({"client_secret": SECRET, "jwks": key.jwks()}));
    kit
}

/// RFC 8628: what devices ask and poll.
#[test]
fn devices() {
    let key = ClientKey::generate(SigningAlgorithm::Es256);
    storm_at(&for_devices(&key), 16, false, |kit| {
        let asked = kit.device_request("tv").param("scope", "openid profile").param("nonce", "n");
        let asked = asked.param("claims", r#"{"id_token":{"acr":null}}"#).param("max_age", "10");
        let signed = key.request_object("client_id=box&scope=openid", kit.issuer().as_str(), kit.now());
        vec![asked.to_http(), kit.device_request("box").param("request", &signed).to_http()]
    });
    storm_at(&for_devices(&key), 17, false, |kit| {
        let refused = kit.device("tv", "openid");
        let ua = kit.user_agent();
        let _ = ua.enter_user_code(refused.user_code()).deny().expect_page("device-done");
        let (waits, of_box) = (kit.device("tv", "openid"), kit.device("box", "openid"));
        vec![
            waits.poll_request().to_http(),
            of_box.poll_request().to_http(),
            refused.poll_request().param("scope", "openid").to_http(),
        ]
    });
}

/// With a till that polls, and a bank that signs its requests with this key. The limits of what waits for a client and
/// for a person are reached on the way.
fn for_background_requests(key: &ClientKey) -> TestProvider {
    let kit = TestProvider::builder().configure(|config| {
        config.ciba.offered = true;
        config.ciba.open_limit = 100;
    });
    let kit = kit.build();
    kit.put_ciba_client("till", "poll", json!({}));
    let member = "backchannel_authentication_request_signing_alg";
    kit.put_ciba_client("bank", "poll", json!({"jwks": key.jwks(), member: "ES256"}));
    kit
}

/// CIBA: what clients ask people in the background, signed or not, and poll.
#[test]
fn background_requests() {
    let key = ClientKey::generate(SigningAlgorithm::Es256);
    storm_at(&for_background_requests(&key), 23, false, |kit| {
        let asked = kit.backchannel_request("till", "openid profile").param("binding_message", "W4SCT");
        let asked = asked.param("requested_expiry", "60").param("acr_values", "a b").param("user_code", "1");
        let claims = json!({"scope": "openid", "login_hint": "alice"});
        let signed = key.sign(&json!({}), &key.authentication_request(kit, "bank", &claims));
        let by_token = kit.request("/backchannel", "till").param("scope", "openid");
        let good = vec![
            asked.to_http(),
            kit.request("/backchannel", "bank").param("request", &signed).to_http(),
            by_token.param("login_hint_token", "for:alice").to_http(),
        ];
        // The signed request has ended, so that none is used up.
        kit.clock.advance(minutes(6));
        good
    });
    storm_at(&for_background_requests(&key), 24, false, |kit| {
        let (refused, waits) = (kit.backchannel("till", "openid"), kit.backchannel("till", "openid"));
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let _ = ua.get(&refused.link()).deny().expect_page("approval-done");
        vec![waits.poll_request().to_http(), refused.poll_request().param("scope", "openid").to_http()]
    });
}

/// RFC 8628: the page for user codes, and the page that says which device asks.
#[test]
fn user_codes() {
    let key = ClientKey::generate(SigningAlgorithm::Es256);
    storm_at(&for_devices(&key), 18, false, |kit| {
        let waits = kit.device("tv", "openid");
        let ua = kit.lasting_user_agent();
        ua.signed_in("alice");
        let page = ua.get("/device?user_code=WDJB-MJHT").expect_page("user-code");
        let confirm = ua.enter_user_code(waits.user_code()).expect_page("confirm-device");
        let typed = [("user_code".to_owned(), "WDJB-MJHT".to_owned())];
        vec![
            ua.to_http_get("/device?user_code=WDJB-MJHT"),
            page.to_http(&typed, ("action", "continue")),
            confirm.to_http(&[], ("action", "confirm")),
        ]
    });
}

/// OUT-01, OUT-02: logout by GET and POST, with and without somebody who is signed in, and the form of its page.
#[test]
fn logout() {
    let kit = TestProvider::new();
    kit.put_client(
        r#"{"client_id":"leaver","redirect_uris":["https://web.example/cb"],"chancery":{"consent":"implied"},
            "post_logout_redirect_uris":["https://web.example/cb?bye"],"token_endpoint_auth_method":"none"}"#,
    );
    storm_at(&kit, 9, false, |kit| {
        let ua = kit.lasting_user_agent();
        ua.signed_in("alice");
        let tokens = kit.tokens("bob", "leaver", "openid");
        let next = "&post_logout_redirect_uri=https%3A%2F%2Fweb.example%2Fcb%3Fbye&state=s&ui_locales=de";
        let query = format!("id_token_hint={}&client_id=leaver{next}", tokens.member("id_token"));
        let posted =
            kit.anonymous_request("/logout").param("client_id", "leaver").param("logout_hint", "alice");
        let asked = ua.follow_from_another_site(&format!("/logout?client_id=leaver{next}"));
        vec![
            kit.anonymous_request(&format!("/logout?{query}")).get().to_http(),
            ua.to_http_get(&format!("/logout?{query}")),
            posted.param("post_logout_redirect_uri", "https://web.example/cb?bye").to_http(),
            asked.to_http(&[], ("action", "stay")),
        ]
    });
}

/// REG-01, REGM-01: registration, and the management of a client by itself. What they store is looked at in
/// `hostile_registration.rs`.
#[test]
fn registration() {
    let kit = TestProvider::builder().configure(|config| {
        config.registration.access = RegistrationAccess::Open;
        config.registration.management = true;
        (config.registration.network_quota, config.registration.total_quota) = (0, 0);
    });
    storm_at(&kit.build(), 10, true, |kit| {
        let metadata = json!({ "redirect_uris": ["https://web.example/cb"], "client_name": "A client",
            "client_name#de": "Ein Client", "logo_uri": "https://web.example/logo.png", "contacts": ["a@web.example"] });
        let given = kit.register(&metadata).expect_status(201);
        let removed = kit.register(&metadata).expect_status(201);
        let mut change = metadata.clone();
        change["client_id"] = given["client_id"].clone();
        vec![
            kit.registration_request(&metadata),
            kit.management_request(&Method::GET, &given, None),
            kit.management_request(&Method::PUT, &given, Some(&change)),
            kit.management_request(&Method::DELETE, &removed, None),
            kit.registration_request(&json!({})),
        ]
    });
}

/// The JSON interface for pages on another origin: a view, and what is sent from the pages for it.
#[test]
fn pages_on_another_origin() {
    let kit = TestProvider::builder().configure(|config| {
        config.interaction.location = "https://login.id.example/".to_owned().try_into().ok();
        config.sign_up.offered = true;
    });
    // A view has what the client has sent, as text in JSON.
    storm_at(&kit.build(), 11, true, |kit| {
        let ua = kit.lasting_user_agent();
        let pages = ua.front_end("https://login.id.example");
        let mut good = Vec::new();
        for prompt in ["login", "create"] {
            let tab = kit.authorization_request("web").scope("openid").set("prompt", prompt).open(ua);
            let arrival = tab.expect_arrival();
            let interaction = arrival.value("interaction").unwrap_or_default();
            let view = pages.view(interaction).expect_status(200);
            let address = format!("/interaction?interaction={interaction}");
            good.push(pages.to_http(&Method::GET, &address, None));
            good.push(pages.to_post(
                prompt,
                &view,
                json!({"username": "alice", "password": "wrong", "x": {"y": []}}),
            ));
        }
        good
    });
}

/// The page of session management, and what a browser sends to the own pages of an account that is made.
#[test]
fn sign_up_and_check_session() {
    let kit = TestProvider::builder().configure(|config| {
        config.session.management = true;
        config.sign_up.offered = true;
    });
    storm_at(&kit.build(), 12, false, |kit| {
        let ua = kit.lasting_user_agent();
        let tab = kit.authorization_request("web").scope("openid").set("prompt", "create").open(ua);
        let filled = [("username", "alice"), ("password", "wrong")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        vec![
            tab.to_http(&filled, ("action", "create")),
            tab.to_http(&[], ("action", "login")),
            ua.to_http_get("/check-session"),
        ]
    });
}

/// Paths that are nearly right, and the documents.
#[test]
fn paths_and_documents() {
    storm(8, |kit| {
        let paths = [
            "/jwks",
            "/.well-known/openid-configuration",
            "/nothing",
            "/token/",
            "//token",
            "/%74oken",
            "/interaction/",
        ];
        paths.iter().map(|path| kit.anonymous_request(path).get().param("x", "1").to_http()).collect()
    });
}
