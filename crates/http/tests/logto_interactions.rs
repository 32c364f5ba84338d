//! Front ends of Logto's fork, whose page URL carries no handle (LOGTO-04..08): the sign-in is found by the
//! client that `app_id` in the query or the header `Logto-App-Id` names.

#![expect(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use chancery_core::offered::InteractionsByClient;
use chancery_testkit::{
    Answer, FrontEnd, NegativeTable, Refused, TestProvider, TestProviderBuilder, UserAgent, hours,
    password_of, seconds,
};
use http::{HeaderName, Method, Request};
use serde_json::{Value, json};

const LOCATION: &str = "https://login.id.example/sign-in";
const APP_ID: HeaderName = HeaderName::from_static("logto-app-id");

fn builder() -> TestProviderBuilder {
    TestProvider::builder().configure(|config| {
        config.interaction.location = Some(LOCATION.to_owned().try_into().unwrap());
        config.compatibility.stored_interactions_by_client =
            InteractionsByClient { parameter: "app_id".into(), header: "Logto-App-Id".into() };
    })
}

fn pages<'u, 'k>(ua: &'u UserAgent<'k>) -> FrontEnd<'u, 'k> {
    ua.front_end("https://login.id.example")
}

/// How a page says which client it is about.
#[derive(Clone, Copy, Debug)]
enum Named {
    Query,
    Header,
    /// By a header that differs from the query, too, because the header counts.
    HeaderBeforeQuery,
    Not,
}

/// What a page asks or sends, about this client.
fn about(ua: &UserAgent<'_>, (named, client): (Named, &str), what: Option<(&str, Value)>) -> Request<Bytes> {
    let query = match named {
        Named::Query => format!("?app_id={client}"),
        Named::HeaderBeforeQuery => "?app_id=nobody".to_owned(),
        Named::Header | Named::Not => String::new(),
    };
    let mut request = match what {
        None => pages(ua).to_http(&Method::GET, &format!("/interaction{query}"), None),
        Some((step, body)) => {
            pages(ua).to_http(&Method::POST, &format!("/interaction/{step}{query}"), Some(&body))
        }
    };
    if let Named::Header | Named::HeaderBeforeQuery = named {
        request.headers_mut().insert(APP_ID, client.parse().unwrap());
    }
    request
}

fn view(ua: &UserAgent<'_>, named: Named, client: &str) -> Answer {
    pages(ua).send(about(ua, (named, client), None))
}

/// Opens a request of this client; the pages' URL names the client and nothing else.
#[track_caller]
fn open(ua: &UserAgent<'_>, client: &str) {
    let arrival = ua.provider().authorization_request(client).scope("openid").open(ua).expect_arrival();
    assert_eq!((arrival.uri.as_str(), arrival.names()), (LOCATION, vec!["app_id"]));
    assert_eq!(arrival.value("app_id"), Some(client));
}

const ALLOW: fn(&Answer) -> Value = |view| json!({"form": view["form"], "allow": true});

/// LOGTO-04, 06: several clients' sign-ins in one browser, each found by its client, whichever way it is named,
/// in any order.
#[test]
fn several_clients_sign_in_at_once() {
    for named in [Named::Query, Named::Header, Named::HeaderBeforeQuery] {
        let kit = builder().build();
        let ua = kit.user_agent();
        let clients = ["web", "post", "operator"];
        clients.iter().for_each(|client| open(&ua, client));
        for client in clients {
            let login = view(&ua, named, client);
            assert_eq!(login["prompt"], "login", "{named:?} {client}");
            assert_eq!(login["target"], format!("https://{client}.example/cb"));
        }
        let login = view(&ua, named, "post");
        let entered = json!({"form": login["form"], "username": "alice", "password": password_of("alice")});
        let signed_in = pages(&ua).send(about(&ua, (named, "post"), Some(("login", entered))));
        assert_eq!(signed_in["redirect_to"], format!("{LOCATION}?app_id=post"), "no handle");
        // The next page of this client, while the others are still where they were; now they know who it is.
        for client in ["post", "web"] {
            let consent = view(&ua, named, client);
            assert_eq!(
                (&consent["prompt"], &consent["account"]["label"]),
                (&json!("consent"), &json!("alice"))
            );
            let allowed = pages(&ua).send(about(&ua, (named, client), Some(("consent", ALLOW(&consent)))));
            let address = allowed.member("redirect_to");
            assert!(address.starts_with(&format!("https://{client}.example/cb?code=")), "{address}");
        }
        let operator = view(&ua, named, "operator");
        assert!(operator.member("redirect_to").starts_with("https://operator.example/cb?code="), "implied");
    }
}

/// LOGTO-04: two front ends that a browser opens at the same moment, so that one of two browser cookies is lost.
#[test]
fn two_front_ends_open_at_the_same_moment() {
    let kit = builder().build();
    let ua = kit.user_agent();
    open(&ua, "web");
    ua.lose_browser_cookie();
    open(&ua, "post");
    for client in ["web", "post"] {
        let login = view(&ua, Named::Query, client);
        let entered = json!({"form": login["form"], "username": "alice", "password": password_of("alice")});
        let signed_in = pages(&ua).send(about(&ua, (Named::Query, client), Some(("login", entered))));
        assert_eq!(signed_in["redirect_to"], format!("{LOCATION}?app_id={client}"), "{}", signed_in.text());
        ua.lose_session_cookie();
    }
}

/// RFC 6265bis section 8.6: a sibling domain that plants the cookie of its own sign-in in somebody's browser does
/// not have them go on as the person who has signed in there.
#[test]
fn a_planted_cookie_is_not_a_person() {
    let kit = builder().build();
    let (attacker, victim) = (kit.user_agent(), kit.user_agent());
    open(&attacker, "web");
    let login = view(&attacker, Named::Query, "web");
    let entered = json!({"form": login["form"], "username": "alice", "password": password_of("alice")});
    let _ = pages(&attacker).send(about(&attacker, (Named::Query, "web"), Some(("login", entered))));
    assert_eq!(view(&attacker, Named::Query, "web")["prompt"], "consent");
    let planted = about(&attacker, (Named::Query, "web"), None);
    let cookies = planted.headers()["cookie"].to_str().unwrap();
    let planted = cookies.split("; ").find(|pair| pair.contains("interaction-")).unwrap();
    open(&victim, "post");
    let mut request = about(&victim, (Named::Query, "web"), None);
    let own = request.headers()["cookie"].to_str().unwrap().to_owned();
    request.headers_mut().insert("cookie", format!("{own}; {planted}").parse().unwrap());
    let shown = kit.send(request);
    assert!(shown["over"].is_object() && shown["form"].is_null(), "{}", shown.text());
}

/// LOGTO-06: a page that names no client gets the newest sign-in, which is not one that was answered.
#[test]
fn without_a_name_it_is_the_newest() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for client in ["web", "post"] {
        open(&ua, client);
        kit.clock.advance(seconds(1));
    }
    let newest = view(&ua, Named::Not, "");
    assert_eq!(newest["target"], "https://post.example/cb");
    let allowed = pages(&ua).send(about(&ua, (Named::Not, ""), Some(("consent", ALLOW(&newest)))));
    assert!(allowed.member("redirect_to").starts_with("https://post.example/cb?code="));
    assert_eq!(view(&ua, Named::Not, "")["target"], "https://web.example/cb");
}

/// A front end that keeps nothing but the token of its page.
#[test]
fn what_is_sent_is_found_by_its_client_too() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for client in ["web", "post"] {
        open(&ua, client);
    }
    let consent = view(&ua, Named::Header, "web");
    let body = json!({"form": {"token": consent["form"]["token"]}, "allow": true});
    let as_other = pages(&ua).send(about(&ua, (Named::Header, "post"), Some(("consent", body.clone()))));
    assert_eq!(
        (&as_other["prompt"], &as_other["redirect_to"]),
        (&json!("consent"), &Value::Null),
        "not its token"
    );
    let allowed = pages(&ua).send(about(&ua, (Named::Header, "web"), Some(("consent", body))));
    assert!(allowed.member("redirect_to").starts_with("https://web.example/cb?code="));
}

/// Two tabs of one client are one sign-in: the newer one.
#[test]
fn a_client_has_one_sign_in() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for state in ["one", "two"] {
        let _ =
            kit.authorization_request("web").scope("openid").set("state", state).open(&ua).expect_arrival();
    }
    let consent = view(&ua, Named::Query, "web");
    let allowed = pages(&ua).send(about(&ua, (Named::Query, "web"), Some(("consent", ALLOW(&consent)))));
    assert!(allowed.member("redirect_to").contains("state=two"), "{}", allowed.text());
}

/// LOGTO-04, LOGTO-06: two tabs of one client that a browser opens at once. What a page has loaded is what it answers,
/// as long as its form says so; what it loads is the newest sign-in. Each sign-in is answered once, with its own
/// `state`, and the page that comes too late is told so.
#[test]
fn two_tabs_of_one_client_at_once() {
    let tab = |ua: &UserAgent<'_>, state: &str| {
        let request = ua.provider().authorization_request("web").scope("openid").set("state", state);
        let _ = request.open(ua).expect_arrival();
    };
    let sign_in = |ua: &UserAgent<'_>, view: &Answer| {
        let entered = json!({"form": view["form"], "username": "alice", "password": password_of("alice")});
        pages(ua).send(about(ua, (Named::Query, "web"), Some(("login", entered))))
    };
    let allow = |ua: &UserAgent<'_>, view: &Answer| {
        let answer = pages(ua).send(about(ua, (Named::Query, "web"), Some(("consent", ALLOW(view)))));
        answer.member("redirect_to").to_owned()
    };
    let shown = |ua: &UserAgent<'_>| view(ua, Named::Query, "web");

    // One has loaded before the other begins, and they take turns.
    let kit = builder().build();
    let ua = kit.user_agent();
    tab(&ua, "one");
    let one = shown(&ua);
    tab(&ua, "two");
    let two = shown(&ua);
    assert_eq!(sign_in(&ua, &one)["redirect_to"], format!("{LOCATION}?app_id=web"));
    let one = shown(&ua);
    assert_eq!(sign_in(&ua, &two)["redirect_to"], format!("{LOCATION}?app_id=web"));
    let two = shown(&ua);
    for (view, state) in [(&one, "state=one"), (&two, "state=two")] {
        assert_eq!((&view["prompt"], &view["account"]["label"]), (&json!("consent"), &json!("alice")));
        let address = allow(&ua, view);
        assert!(address.contains("code=") && address.contains(state), "{address}");
    }

    // Both load the newer one: it is answered once, by whichever tab comes first.
    let kit = builder().build();
    let ua = kit.user_agent();
    tab(&ua, "one");
    tab(&ua, "two");
    let (first, second) = (shown(&ua), shown(&ua));
    let _ = sign_in(&ua, &first).member("redirect_to").to_owned();
    let consent = shown(&ua);
    let address = allow(&ua, &consent);
    assert!(address.contains("state=two"), "{address}");
    kit.clock.advance(seconds(11));
    let late = sign_in(&ua, &second);
    assert_eq!(
        (&late["over"]["is_answered"], &late["redirect_to"]),
        (&json!(true), &Value::Null),
        "{}",
        late.text()
    );
    let gone = shown(&ua);
    assert!(gone["over"].is_object() && gone["form"].is_null(), "{}", gone.text());

    // Their answers cross, so that both pages load the sign-in that has moved last.
    let kit = builder().build();
    let ua = kit.user_agent();
    tab(&ua, "one");
    let one = shown(&ua);
    tab(&ua, "two");
    let two = shown(&ua);
    let _ = (sign_in(&ua, &one), sign_in(&ua, &two));
    let (left, right) = (shown(&ua), shown(&ua));
    assert_eq!(left["target"], right["target"]);
    let address = allow(&ua, &left);
    assert!(address.contains("state=two"), "{address}");
    kit.clock.advance(seconds(11));
    let answer = pages(&ua).send(about(&ua, (Named::Query, "web"), Some(("consent", ALLOW(&right)))));
    assert_eq!(answer["over"]["is_answered"], true, "{}", answer.text());
}

/// LOGTO-04: eight clients at a time; the oldest goes, and cookies do not add up.
#[test]
fn at_most_eight_at_a_time() {
    let client = |at: usize| {
        json!({"client_id": format!("shop{at}"), "redirect_uris": [format!("https://shop{at}.example/cb")],
            "token_endpoint_auth_method": "none"})
        .to_string()
    };
    let kit = (0..10).fold(builder(), |builder, at| builder.client(&client(at))).build();
    let ua = kit.user_agent();
    for at in 0..10 {
        open(&ua, &format!("shop{at}"));
        kit.clock.advance(seconds(1));
    }
    for at in 0..10 {
        let found = view(&ua, Named::Header, &format!("shop{at}"));
        assert_eq!(found["prompt"] == "login", at >= 2, "{at}: {}", found.text());
    }
    let request = about(&ua, (Named::Not, ""), None);
    let cookies = request.headers()["cookie"].to_str().unwrap();
    assert_eq!(cookies.matches("interaction-").count(), 8, "{cookies}");
}

/// LOGTO-05: what is no cookie of ours is as good as none.
#[test]
fn damaged_cookies_are_none() {
    let kit = builder().build();
    let ua = kit.user_agent();
    open(&ua, "web");
    let request = about(&ua, (Named::Header, "web"), None);
    let sent = request.headers()["cookie"].to_str().unwrap().to_owned();
    let (others, own): (Vec<&str>, Vec<&str>) =
        sent.split("; ").partition(|pair| !pair.contains("interaction-"));
    let (name, value) = own[0].split_once('=').unwrap();
    let (since, handle) = value.split_once('.').unwrap();
    for damaged in [
        "".to_owned(),
        handle.to_owned(),
        format!("x.{handle}"),
        format!("{since}."),
        format!("{since}.in_x"),
        format!("{{\"web\":\"{handle}\"}}"),
        format!("99999999999999999999.{handle}"),
        format!("{value}; {name}={value}"),
    ] {
        let mut request = about(&ua, (Named::Header, "web"), None);
        let cookies = format!("{}; {name}={damaged}", others.join("; "));
        request.headers_mut().insert("cookie", cookies.parse().unwrap());
        let answer = kit.send(request).expect_status(200);
        assert_eq!(answer["over"]["is_answered"], false, "{damaged}: {}", answer.text());
    }
}

/// A page of the front end may send the header.
#[test]
fn the_header_is_let_in_by_a_preflight() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let mut request = pages(&ua).to_http(&Method::OPTIONS, "/interaction", None);
    request.headers_mut().insert("access-control-request-method", "GET".parse().unwrap());
    let answer = kit.send(request).expect_status(204);
    assert_eq!(answer.header("access-control-allow-headers"), Some("Content-Type, Logto-App-Id"));
}

/// The setting needs pages on another origin, and names that can be sent.
#[test]
fn the_setting_is_checked() {
    for (location, parameter, header) in
        [("", "app_id", ""), (LOCATION, "interaction", ""), (LOCATION, "app id", ""), (LOCATION, "", "a:b")]
    {
        let by_client = InteractionsByClient { parameter: parameter.into(), header: header.into() };
        let built = TestProvider::builder().configure(|config| {
            config.interaction.location = location.to_owned().try_into().ok();
            config.compatibility.stored_interactions_by_client = by_client;
        });
        let complaints = built.try_build().err().unwrap();
        let settings: Vec<&str> = complaints.iter().map(|complaint| complaint.setting.as_str()).collect();
        assert_eq!(settings, ["compatibility.stored_interactions_by_client"], "{parameter} {header}");
    }
}

/// Without the setting a client's name finds nothing, and no cookie is set for it.
#[test]
fn it_is_off_by_default() {
    let location = LOCATION.to_owned().try_into().unwrap();
    let kit =
        TestProvider::builder().configure(|config| config.interaction.location = Some(location)).build();
    let ua = kit.user_agent();
    let arrival = kit.authorization_request("web").scope("openid").open(&ua).expect_arrival();
    assert_eq!(arrival.names(), ["interaction"]);
    for named in [Named::Query, Named::Header, Named::Not] {
        let found = view(&ua, named, "web");
        assert_eq!(found["over"]["is_answered"], false, "{}", found.text());
    }
    let mut preflight = pages(&ua).to_http(&Method::OPTIONS, "/interaction", None);
    preflight.headers_mut().insert("access-control-request-method", "GET".parse().unwrap());
    assert_eq!(kit.send(preflight).header("access-control-allow-headers"), Some("Content-Type"));
}

/// LOGTO-07: what names one client and belongs to another is refused; what is found nowhere is no sign-in.
#[test]
fn another_client_s_sign_in_is_refused() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for client in ["web", "post"] {
        open(&ua, client);
    }
    let consent = view(&ua, Named::Header, "web");
    let handle = consent["form"]["interaction"].as_str().unwrap();
    let of_web = format!("/interaction?interaction={handle}&app_id=post");
    let refused = Refused::Json(400, "invalid_request");
    let post = |named, client| about(&ua, (named, client), Some(("consent", ALLOW(&consent))));
    NegativeTable::new(&kit)
        .row("GET with another's handle", pages(&ua).to_http(&Method::GET, &of_web, None), refused)
        .row("POST as another, in the query", post(Named::Query, "post"), refused)
        .row("POST as another, in the header", post(Named::Header, "post"), refused)
        .row("POST as nobody that is known", post(Named::Header, "nobody"), refused)
        .row(
            "a doubled client",
            pages(&ua).to_http(&Method::GET, "/interaction?app_id=web&app_id=post", None),
            refused,
        )
        .run();
    for (named, client) in [(Named::Header, "nobody"), (Named::Query, "operator"), (Named::Query, "WEB")] {
        assert_eq!(view(&ua, named, client)["over"]["is_answered"], false, "{client}");
    }
    // Another browser has no sign-in, even if it learns the handle.
    let other = kit.user_agent();
    open(&other, "post");
    for client in ["", "&app_id=web"] {
        let path = format!("/interaction?interaction={handle}{client}");
        let shown = kit.send(pages(&other).to_http(&Method::GET, &path, None));
        assert!(shown["over"].is_object() && shown["form"].is_null(), "{}", shown.text());
    }
    kit.clock.advance(hours(1));
    assert_eq!(view(&other, Named::Header, "post")["over"]["is_answered"], false, "after its time");
}
