//! RFC 8707, Resource Indicators for OAuth 2.0: what a client asks for, what a person agrees to, and whom each token
//! is for.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use chancery_core::config::Config;
use chancery_core::endpoint::token::refresh_token::{NOTHING_FOR_AUDIENCE, SCOPE_EXCEEDS_GRANT};
use chancery_core::model::ResourceServer;
use chancery_core::policy::AUDIENCE_WITHDRAWN;
use chancery_core::rule::resource::{
    RESOURCE_AMBIGUOUS, RESOURCE_MALFORMED, RESOURCE_NOT_ALLOWED, RESOURCE_NOT_GRANTED, RESOURCE_UNKNOWN,
    RESOURCES_TOO_MANY,
};
use chancery_jose::SigningAlgorithm::Es256;
use chancery_store_memory::MemoryStore;
use chancery_testkit::{
    Answer, AuthorizationRequest, ClientKey, Hostile, NegativeTable, Refused, SECRET, TestProvider,
    TestProviderBuilder, assert_refused, seconds,
};
use chancery_types::Scopes;
use serde_json::{Value, json};

const CALENDAR: &str = "https://cal.example/";
const CONTACTS: &str = "https://contacts.example/";
/// Open to every client.
const WEATHER: &str = "https://weather.example/v1";
/// Not for the client of these tests.
const PAYROLL: &str = "https://payroll.example";

fn server(uri: &str, more: Value) -> ResourceServer {
    let mut server = json!({"uri": uri, "introspected_by": ["api", "app"]});
    if let (Some(server), Value::Object(more)) = (server.as_object_mut(), more) {
        server.extend(more);
    }
    serde_json::from_value(server).expect("a resource server")
}

/// Metadata of a client of the calendar and of the contacts.
fn client(id: &str, chancery: Value) -> String {
    let mut own = json!({"resources": [CALENDAR, CONTACTS], "refresh_tokens": "always"});
    if let (Some(own), Value::Object(more)) = (own.as_object_mut(), chancery) {
        own.extend(more);
    }
    json!({"client_id": id, "client_secret": SECRET, "redirect_uris": [format!("https://{id}.example/cb")],
        "id_token_signed_response_alg": "ES256",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials", "implicit"],
        "response_types": ["code", "code token", "code id_token token", "id_token token", "id_token"], "chancery": own})
    .to_string()
}

fn builder() -> TestProviderBuilder {
    let offered = |config: &mut Config| {
        config.pushed_requests.offered = true;
        config.device_authorization.offered = true;
        config.compatibility.implicit = true;
        config.compatibility.hybrid = true;
    };
    TestProvider::builder()
        .configure(offered)
        .resource_server(server(CALENDAR, json!({"scopes": ["read", "plan"], "name": "Calendar"})))
        .resource_server(server(CONTACTS, json!({"scopes": ["read", "share"], "format": "jwt"})))
        .resource_server(server(WEATHER, json!({"scopes": ["forecast"], "any_client": true})))
        .resource_server(server(PAYROLL, json!({"scopes": ["read", "pay"]})))
        .client(&client("app", json!({})))
}

/// A request for these resource servers.
fn asked(kit: &TestProvider, scope: &str, resources: &[&str]) -> AuthorizationRequest {
    let request = kit.authorization_request("app").scope(scope);
    resources.iter().fold(request, |request, uri| request.param("resource", uri))
}

/// The tokens that the person's yes leads to, at a token request that names no resource server.
fn granted(kit: &TestProvider, scope: &str, resources: &[&str], named: Option<&str>) -> Answer {
    let ua = kit.user_agent();
    let tab = asked(kit, scope, resources).set("prompt", "consent").open(&ua).login("alice");
    let request = kit.code_request(&tab.expect_page("consent").allow().expect_code());
    named.into_iter().fold(request, |request, uri| request.param("resource", uri)).send()
}

/// The audience and the scope of an access token, as its resource server learns them.
fn seen(kit: &TestProvider, tokens: &Answer) -> (Value, Value) {
    let answer = kit.introspect("api", tokens.member("access_token"));
    assert_eq!(answer["active"], true, "{}", answer.text());
    (answer["aud"].clone(), answer["scope"].clone())
}

/// RI-02, RI-05, RI-06, RI-07, RI-10, PARM-11, AT-12, GRANT-06: RFC 8707 figures 2 to 6. Two resource servers are
/// granted, each token is for one of them and has its scopes, opaque and JWT beside each other, and a refresh widens
/// to what was granted.
#[test]
fn one_grant_many_audiences() {
    let kit = builder().build();
    let tokens = granted(&kit, "read plan share", &[CALENDAR, CONTACTS], Some(CALENDAR)).expect_status(200);
    assert_eq!((&tokens["scope"], &tokens["expires_in"]), (&"read plan".into(), &3600.into()));
    assert!(tokens.member("access_token").starts_with("at_"));
    assert_eq!(seen(&kit, &tokens), (CALENDAR.into(), "read plan".into()));

    let named = |token: &str, uri: &str| kit.refresh_request("app", token).param("resource", uri);
    let contacts = named(tokens.member("refresh_token"), CONTACTS).send().expect_status(200);
    assert_eq!((&contacts["scope"], &contacts["expires_in"]), (&"read share".into(), &300.into()));
    let jwt = kit.try_verify(contacts.member("access_token"), "app").expect("a JWT of ours");
    assert_eq!((&jwt.claims["aud"], &jwt.claims["scope"]), (&CONTACTS.into(), &"read share".into()));
    assert_eq!(seen(&kit, &contacts), (CONTACTS.into(), "read share".into()));

    // Narrower in scope, then wide again.
    let narrow = named(contacts.member("refresh_token"), CALENDAR).param("scope", "plan").send();
    assert_eq!(narrow.expect_status(200)["scope"], "plan");
    let narrow = named(contacts.member("refresh_token"), CALENDAR).param("scope", "read").send();
    assert_eq!(seen(&kit, &narrow.expect_status(200)), (CALENDAR.into(), "read".into()));
    let wide = named(contacts.member("refresh_token"), CALENDAR).send().expect_status(200);
    assert_eq!(seen(&kit, &wide), (CALENDAR.into(), "read plan".into()));
}

/// RI-08, RI-09: a token request that names nobody: of several resource servers none is guessed, unless a scope
/// belongs to one alone, one is the client's default, or `openid` was granted.
#[test]
fn no_name_and_several_servers() {
    let kit = builder().client(&client("app", json!({}))).build();
    assert_refused!(granted(&kit, "read plan share", &[CALENDAR, CONTACTS], None), RESOURCE_AMBIGUOUS);

    let tokens = granted(&kit, "read plan share", &[CALENDAR, CONTACTS], Some(CALENDAR)).expect_status(200);
    let refresh_token = tokens.member("refresh_token");
    assert_refused!(kit.refresh("app", refresh_token), RESOURCE_AMBIGUOUS);
    let scoped = |scope: &str| kit.refresh_request("app", refresh_token).param("scope", scope).send();
    assert_refused!(scoped("read"), RESOURCE_AMBIGUOUS);
    let share = scoped("share").expect_status(200);
    assert_eq!(seen(&kit, &share), (CONTACTS.into(), "share".into()));

    let tokens = granted(&kit, "openid read plan share", &[CALENDAR, CONTACTS], None).expect_status(200);
    assert_eq!(tokens["scope"], "openid");
    assert_eq!(kit.userinfo(tokens.member("access_token")).expect_status(200)["sub"], "alice");

    let kit = builder().client(&client("app", json!({"default_resource": CONTACTS}))).build();
    let tokens = granted(&kit, "openid read plan share", &[CALENDAR, CONTACTS], None).expect_status(200);
    assert_eq!(tokens["scope"], "openid read share");
    let both = json!([CONTACTS, kit.issuer().as_str()]);
    assert_eq!(seen(&kit, &tokens), (both, "read share".into()));
}

/// RI-08, CLAIM-15: RFC 9068 section 3: a token request that names its resource server gets a token for it alone; then
/// the ID token says what UserInfo would. A request that names nobody gets one for both.
#[test]
fn a_named_server_is_the_only_audience() {
    let kit = builder().build();
    let named = granted(&kit, "openid email share", &[CONTACTS], Some(CONTACTS)).expect_status(200);
    assert_eq!(named["scope"], "openid share");
    assert_eq!(seen(&kit, &named), (CONTACTS.into(), "share".into()));
    assert_refused!(
        kit.userinfo(named.member("access_token")),
        "invalid_token",
        "access_token_for_another_audience"
    );
    assert_eq!(kit.id_token(&named, "app").claims["email"], "alice@example.org");

    let both = kit.refresh("app", named.member("refresh_token")).expect_status(200);
    assert_eq!(both["scope"], "openid email share");
    assert_eq!(seen(&kit, &both).0, json!([CONTACTS, kit.issuer().as_str()]));
    assert_eq!(kit.userinfo(both.member("access_token")).expect_status(200)["email"], "alice@example.org");
    // Its own client is told of all scopes, also where it is a resource server itself (INTRO-06).
    assert_eq!(kit.introspect("app", both.member("access_token"))["scope"], "openid email share");
}

/// RI-02: access to a resource server can be asked for without any scope; the person is asked about that, too, and
/// once.
#[test]
fn access_without_a_scope() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let request = asked(&kit, "", &[CALENDAR]).without("scope");
    let page = request.open(&ua).login("alice").expect_page("consent");
    assert!(page.page().text.contains(CALENDAR), "{}", page.page().text);
    let tokens = kit.exchange(&page.allow().expect_code()).expect_status(200);
    assert!(tokens["scope"].is_null());
    assert_eq!(seen(&kit, &tokens), (CALENDAR.into(), Value::Null));
    let _ = request.clone().set("prompt", "none").open(&ua).expect_code();
    let _ = asked(&kit, "read", &[CALENDAR]).open(&ua).expect_page("consent");
    let _ = asked(&kit, "", &[CONTACTS]).without("scope").open(&ua).expect_page("consent");
}

/// POL-21, INT-25: the consent page says which scope is asked for where, a consent counts for its resource server
/// alone, and what is asked again is only what is new.
#[test]
fn consent_is_given_per_resource_server() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let page = asked(&kit, "openid read", &[CALENDAR]).open(&ua).login("alice").expect_page("consent");
    let text = page.page().text;
    assert!(text.contains("Calendar") && text.contains(CALENDAR) && !text.contains(CONTACTS), "{text}");
    let _ = page.allow().expect_code();
    let _ = asked(&kit, "openid read", &[CALENDAR]).open(&ua).expect_code();

    // `read` of the contacts is another one.
    let request = asked(&kit, "openid read share", &[CALENDAR, CONTACTS]);
    let page = request.open(&ua).expect_page("consent");
    let text = page.page().text;
    assert!(text.contains(CONTACTS) && text.contains("share"), "{text}");
    assert!(!text.contains(CALENDAR) && !text.contains("openid"), "agreed to before: {text}");
    let _ = page.allow().expect_code();
    let _ = request.set("prompt", "none").open(&ua).expect_code();
    // In any order, and a part of it.
    let _ = asked(&kit, "read", &[CONTACTS, CALENDAR]).open(&ua).expect_code();
    let page = asked(&kit, "read plan", &[CONTACTS, CALENDAR]).open(&ua).expect_page("consent");
    let text = page.page().text;
    assert!(text.matches("plan").count() == 1 && !text.contains(CONTACTS), "{text}");
    // What is agreed to now joins what was agreed to there before.
    let _ = page.allow().expect_code();
    let _ = asked(&kit, "read plan", &[CALENDAR]).set("prompt", "none").open(&ua).expect_code();
}

/// A form that showed one resource server does not allow another one.
#[test]
fn a_yes_is_for_what_was_shown() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let shown = asked(&kit, "read", &[CALENDAR]).open(&ua).expect_page("consent");
    let other = asked(&kit, "read", &[CONTACTS]).open(&ua).expect_page("consent");
    let fields: Vec<(String, String)> = shown.form().fields;
    let wanted = other.form().fields.into_iter().find(|(name, _)| name == "request").expect("a request");
    let mixed = fields.into_iter().map(|field| if field.0 == "request" { wanted.clone() } else { field });
    let mut mixed: Vec<_> = mixed.collect();
    mixed.push(("action".to_owned(), "allow".to_owned()));
    let answer = shown.post(&shown.form().action, &mixed);
    let _ = answer.expect_page("consent");
}

/// A client with a key, which signs its requests.
fn signer(kit: &TestProvider) -> ClientKey {
    let key = ClientKey::generate(Es256);
    let mut metadata: Value = serde_json::from_str(&client("signer", json!({}))).expect("JSON");
    metadata["jwks"] = key.jwks();
    kit.put_client(&metadata.to_string());
    key
}

/// Its request for these resource servers, whatever they are, as a request object.
fn signed(kit: &TestProvider, key: &ClientKey, scope: &str, resource: &Value) -> AuthorizationRequest {
    let request = kit.authorization_request("signer").scope(scope);
    let mut claims = json!({"iss": "signer", "aud": kit.issuer().as_str(), "exp": kit.now().secs() + 60,
        "code_challenge_method": "S256", "prompt": "consent", "resource": resource});
    for name in ["client_id", "response_type", "redirect_uri", "scope", "state", "code_challenge"] {
        claims[name] = request.value(name).into();
    }
    request.by_value(&key.sign(&json!({"typ": "oauth-authz-req+jwt"}), &claims))
}

/// PAR-11, JAR-07: RFC 8707 section 2.1: the parameter in a pushed request, and in a request object as a string or as
/// an array of strings.
#[test]
fn pushed_and_signed_requests() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let pushed = kit.push(&asked(&kit, "read share", &[CALENDAR, CONTACTS]));
    let page = pushed.open(&ua).login("alice").expect_page("consent");
    let tokens = kit.code_request(&page.allow().expect_code()).param("resource", CONTACTS).send();
    assert_eq!(seen(&kit, &tokens.expect_status(200)), (CONTACTS.into(), "read share".into()));

    let key = signer(&kit);
    for (resource, is_granted) in [
        (json!(CALENDAR), true),
        (json!([CALENDAR]), true),
        (json!([CONTACTS, CALENDAR, CALENDAR]), true),
        (json!([]), false),
    ] {
        let request = signed(&kit, &key, "openid read", &resource);
        let tab = request.open(&ua).expect_page("consent");
        let code = tab.allow().expect_code();
        let answer = kit.code_request(&code).param("resource", CALENDAR).send();
        assert_eq!(answer.status == 200, is_granted, "{resource}: {}", answer.text());
    }
}

/// RI-09: an access token of the authorization response is for the one resource server that the request names.
#[test]
fn tokens_of_the_authorization_response() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let request = asked(&kit, "openid email read", &[CALENDAR]).set("nonce", "n");
    let request = request.set("response_type", "id_token token").without_pkce();
    let arrival = request.open(&ua).login("alice").expect_page("consent").allow().expect_arrival();
    assert_eq!(arrival.value("scope"), Some("openid read"));
    let answer = kit.introspect("api", arrival.value("access_token").unwrap_or_default());
    assert_eq!((&answer["aud"], &answer["scope"]), (&CALENDAR.into(), &"read".into()));
    // Without an access token there is nothing to decide.
    let both = asked(&kit, "openid read", &[CALENDAR, CONTACTS]).set("nonce", "n").without_pkce();
    let _ = both.clone().set("response_type", "id_token").open(&ua).expect_page("consent");
    for response_type in ["id_token token", "code token", "code id_token token"] {
        let refused = both.clone().set("response_type", response_type).open(&ua);
        assert_eq!(refused.expect_error("invalid_target").value("error"), Some("invalid_target"));
    }
}

/// RI-01, RI-03: which client may ask for what: what it is registered for, and what is open to every client, though not
/// for tokens of its own.
#[test]
fn who_may_ask_for_what() {
    let kit = builder().build();
    let weather = granted(&kit, "forecast", &[WEATHER], Some(WEATHER)).expect_status(200);
    assert_eq!(seen(&kit, &weather), (WEATHER.into(), "forecast".into()));
    let own = |uri: &str, scope: &str| {
        kit.client_credentials_request("app").param("resource", uri).param("scope", scope).send()
    };
    assert_refused!(own(WEATHER, "forecast"), RESOURCE_NOT_ALLOWED);
    assert_refused!(own(PAYROLL, "pay"), RESOURCE_NOT_ALLOWED);
    assert_refused!(own("https://nobody.example", "pay"), RESOURCE_UNKNOWN);
    let calendar = own(CALENDAR, "read share openid").expect_status(200);
    assert_eq!(calendar["scope"], "read");
    assert_eq!(seen(&kit, &calendar), (CALENDAR.into(), "read".into()));
}

/// What an operator takes away from a client counts at once, and leaves the rest of the grant alive.
#[test]
fn a_resource_server_that_is_taken_away() {
    let kit = builder().build();
    let tokens = granted(&kit, "read share", &[CALENDAR, CONTACTS], Some(CALENDAR)).expect_status(200);
    let refresh_token = tokens.member("refresh_token").to_owned();
    assert!(kit.is_active("app", tokens.member("access_token")));
    kit.put_client(&client("app", json!({"resources": [CONTACTS]})));
    kit.clock.advance(seconds(2));
    assert!(!kit.is_active("app", tokens.member("access_token")));
    assert!(kit.is_active("app", &refresh_token));
    let named = |uri: &str| kit.refresh_request("app", &refresh_token).param("resource", uri).send();
    assert_refused!(named(CALENDAR), RESOURCE_NOT_ALLOWED);
    // What is left is what is meant.
    let left = kit.refresh("app", &refresh_token).expect_status(200);
    assert_eq!(seen(&kit, &left), (CONTACTS.into(), "read share".into()));
    kit.put_client(&client("app", json!({"resources": []})));
    kit.clock.advance(seconds(2));
    assert_refused!(kit.refresh("app", left.member("refresh_token")), AUDIENCE_WITHDRAWN);
    assert!(!kit.is_active("app", left.member("refresh_token")));
    kit.registry_of_realms.lose_resource_servers(true);
    assert_refused!(kit.refresh("app", left.member("refresh_token")), AUDIENCE_WITHDRAWN);
}

/// A scope that this server gave away to a resource server is none of that server's for whoever was granted it before.
#[test]
fn a_scope_that_moves_to_a_resource_server() {
    let store = Arc::new(MemoryStore::new());
    let of = |known: &[&str], own: &str| {
        let own = Scopes::parse(own).expect("scopes").iter().cloned().collect();
        TestProvider::builder()
            .configure(|config| {
                config.scopes.extra = own;
                (config.compatibility.implicit, config.compatibility.hybrid) = (true, true);
            })
            .resource_server(server(CALENDAR, json!({"scopes": known})))
            .client(&client("app", json!({"resources": [CALENDAR]})))
            .store(store.clone())
    };
    let before = of(&["read"], "plan").build();
    let tokens = granted(&before, "read plan", &[CALENDAR], Some(CALENDAR)).expect_status(200);
    let after = of(&["read", "plan"], "").keys_of(&before).build();
    let request = after.refresh_request("app", tokens.member("refresh_token")).param("resource", CALENDAR);
    let fresh = request.send().expect_status(200);
    assert_eq!(seen(&after, &fresh), (CALENDAR.into(), "read".into()));
}

/// A consent that is withdrawn while a page is open: the page did not show what has to be agreed to again.
#[test]
fn a_withdrawal_while_the_page_is_open() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let _ = asked(&kit, "read", &[CALENDAR]).open(&ua).login("alice").expect_page("consent").allow();
    let page = asked(&kit, "read", &[CALENDAR, CONTACTS]).open(&ua).expect_page("consent");
    assert!(!page.page().text.contains(CALENDAR));
    let _ = kit.withdraw_consent("alice", "app");
    let again = page.allow().expect_page("consent");
    assert!(again.page().text.contains(CALENDAR), "{}", again.page().text);
    let _ = again.allow().expect_code();
}

/// CC-03, RI-04: the resource server of a client's own token; the parameter costs no trip.
#[test]
fn trips() {
    let kit = builder().client(&client("app", json!({"default_resource": CONTACTS}))).build();
    let own = kit.client_credentials_request("app").param("scope", "read");
    let (jwt, trips) = kit.trips(|| own.clone().send().expect_status(200));
    assert_eq!((trips, seen(&kit, &jwt).0), (0, CONTACTS.into()));
    let (opaque, trips) = kit.trips(|| own.clone().param("resource", CALENDAR).send().expect_status(200));
    assert_eq!((trips, seen(&kit, &opaque).0), (1, CALENDAR.into()));

    let ua = kit.user_agent();
    let request = asked(&kit, "read share", &[CALENDAR, CONTACTS]);
    let _ = request.open(&ua).login("alice").expect_page("consent").allow().expect_code();
    let (code, trips) = kit.trips(|| request.open(&ua).expect_code());
    assert_eq!(trips, 4);
    let (tokens, trips) =
        kit.trips(|| kit.code_request(&code).param("resource", CALENDAR).send().expect_status(200));
    assert_eq!(trips, 2);
    let refresh = kit.refresh_request("app", tokens.member("refresh_token")).param("resource", CONTACTS);
    let (_, trips) = kit.trips(|| refresh.send().expect_status(200));
    assert_eq!(trips, 2);
}

/// 10,000 requests with generated values, through each door in turn: an answer of the standard, never a fault.
#[test]
fn generated_values() {
    let kit = builder().build();
    let key = signer(&kit);
    kit.put_device_client("tv", json!({"client_secret": SECRET}));
    let hostile = Hostile::new(8707);
    for round in 0..10_000 {
        let text = hostile.text(round % 600);
        let plain = || asked(&kit, "openid read", &[CALENDAR, &text]);
        let request = match round % 5 {
            0 => kit.client_credentials_request("app").param("resource", &text).to_http(),
            1 => plain().to_http(),
            2 => kit.push_request(&plain()).to_http(),
            3 => kit.device_request("tv").param("scope", "openid").param("resource", &text).to_http(),
            _ => signed(&kit, &key, "openid read", &json!([CALENDAR, text])).to_http(),
        };
        let answer = kit.send(request);
        let is_fine = matches!(answer.status.as_u16(), 200 | 201 | 303 | 400);
        assert!(is_fine, "door {}: {text:?}: {}", round % 5, answer.text());
    }
}

/// RI-01, RI-02, RI-03, RI-07, CC-03: `invalid_target`, by which door the request comes; a code or refresh token is not
/// used up.
#[test]
fn what_is_refused() {
    let kit = builder().build();
    let long = format!("https://cal.example/{}", "a".repeat(500));
    let fifty: Vec<String> = (0..50).map(|at| format!("https://r{at}.example")).collect();
    let fifty: Vec<&str> = fifty.iter().map(String::as_str).collect();
    let bad: [(&str, Vec<&str>); 13] = [
        ("a fragment", vec!["https://cal.example/#x"]),
        ("an empty fragment", vec!["https://cal.example/#"]),
        ("relative", vec!["/calendar"]),
        ("a name", vec!["calendar"]),
        ("with a space", vec!["https://cal.example/ "]),
        ("several in one", vec!["https://cal.example/,https://contacts.example/"]),
        ("too long", vec![&long]),
        ("unknown", vec!["https://nobody.example"]),
        ("without the slash", vec!["https://cal.example"]),
        ("in upper case", vec!["https://CAL.example/"]),
        ("not the client's", vec![PAYROLL]),
        ("one good, one not", vec![CALENDAR, PAYROLL]),
        ("fifty", fifty),
    ];
    let tokens = granted(&kit, "read share", &[CALENDAR], Some(CALENDAR)).expect_status(200);
    let refresh_token = tokens.member("refresh_token").to_owned();
    let (ua, key) = (kit.user_agent(), signer(&kit));
    kit.put_device_client("tv", json!({"client_secret": SECRET}));
    let code = asked(&kit, "read", &[CALENDAR]).open(&ua).login("alice").expect_code();
    let (client, json) = (Refused::Client("invalid_target"), Refused::Json(400, "invalid_target"));
    let mut table = NegativeTable::new(&kit);
    for (name, resources) in bad {
        let request = asked(&kit, "openid read", &resources);
        let with = |request: chancery_testkit::ClientRequest<'_>| {
            resources.iter().fold(request, |request, uri| request.param("resource", uri)).to_http()
        };
        let object = signed(&kit, &key, "openid read", &json!(resources));
        table = table
            .row(format!("{name}, at the authorization endpoint"), request.to_http(), client)
            .row(format!("{name}, in a request object"), object.to_http(), client)
            .row(format!("{name}, in a request object that is pushed"), kit.push_request(&object), json)
            .row(
                format!("{name}, by a device"),
                with(kit.device_request("tv").param("scope", "openid")),
                json,
            )
            .row(format!("{name}, pushed"), kit.push_request(&request).to_http(), json)
            .row(format!("{name}, with a code"), with(kit.code_request(&code)), json)
            .row(format!("{name}, refreshing"), with(kit.refresh_request("app", &refresh_token)), json)
            .row(format!("{name}, for itself"), with(kit.client_credentials_request("app")), json);
    }
    let twice = |request: chancery_testkit::ClientRequest<'_>| {
        request.param("resource", CALENDAR).param("resource", CONTACTS).to_http()
    };
    for (name, resource) in [
        ("a number", json!(1)),
        ("an object", json!({"uri": CALENDAR})),
        ("numbers", json!([1])),
        ("null", Value::Null),
        ("an array in an array", json!([[CALENDAR]])),
    ] {
        let object = signed(&kit, &key, "openid read", &resource);
        let code = if resource.is_number() { "invalid_target" } else { "invalid_request_object" };
        table = table.row(format!("{name}, in a request object"), object.to_http(), Refused::Client(code));
    }
    table
        .row("two, with a code", twice(kit.code_request(&code)), json)
        .row("two, refreshing", twice(kit.refresh_request("app", &refresh_token)), json)
        .row("two, for itself", twice(kit.client_credentials_request("app")), json)
        .row("never granted", kit.code_request(&code).param("resource", CONTACTS), json)
        .row("never granted", kit.refresh_request("app", &refresh_token).param("resource", CONTACTS), json)
        .row("only a misspelt scope", asked(&kit, "raed", &[CALENDAR]), Refused::Client("invalid_scope"))
        .run();
    // Nothing was used up, the same value twice is one, and an empty one is none.
    let again = kit.code_request(&code).param("resource", CALENDAR).param("resource", CALENDAR);
    assert_eq!(again.param("resource", "").send().expect_status(200)["scope"], "read");
    let refresh = |scope: &str| {
        let request = kit.refresh_request("app", &refresh_token).param("resource", CALENDAR);
        request.param("scope", scope).send()
    };
    assert_refused!(refresh("plan"), SCOPE_EXCEEDS_GRANT);
    let _ = refresh("read").expect_status(200);
    for (uri, why) in [
        ("https://cal.example/#x", &RESOURCE_MALFORMED),
        ("https://nobody.example", &RESOURCE_NOT_GRANTED),
        (CONTACTS, &RESOURCE_NOT_GRANTED),
    ] {
        let answer = kit.refresh_request("app", &refresh_token).param("resource", uri).send();
        assert_refused!(answer, *why);
    }
    let many = (0..11).fold(kit.client_credentials_request("app"), |request, at| {
        request.param("resource", &format!("https://r{at}.example"))
    });
    assert_refused!(many.send(), RESOURCES_TOO_MANY);
    let openid = granted(&kit, "openid offline_access share", &[CONTACTS], Some(CONTACTS)).expect_status(200);
    let none = kit.refresh_request("app", openid.member("refresh_token")).param("resource", CONTACTS);
    assert_refused!(none.param("scope", "openid").send(), NOTHING_FOR_AUDIENCE);
}
