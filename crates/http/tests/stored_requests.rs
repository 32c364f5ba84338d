//! Requests for pages on another origin that are too long for a URL are stored, and how many are is bounded.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use chancery_testkit::{
    Answer, FrontEnd, Tab, TestProvider, TestProviderBuilder, UserAgent, hours, password_of,
};
use chancery_types::Params;
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

/// A request that is too long for a URL is stored, for the browser that has sent it and for its lifetime.
#[test]
fn a_long_request_is_stored() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let state = "s".repeat(3000);
    let request = kit.authorization_request("web").scope("openid email").set("state", &state);
    let (tab, trips) = kit.trips(|| request.open(&ua));
    assert_eq!((trips, kit.counting.writes()), (1, 1));
    let interaction = interaction_of(&tab);
    assert!(interaction.starts_with("in_") && interaction.len() < 60, "{interaction}");
    let login = pages(&ua).view(&interaction);
    assert_eq!(login["prompt"], "login");
    let signed_in = pages(&ua).post("login", &login, credentials("alice"));
    let consent = pages(&ua).view(&next_interaction(&signed_in));
    let allowed = pages(&ua).post("consent", &consent, json!({"allow": true}));
    assert_eq!(arrival(&allowed).one("state").unwrap(), Some(state.as_str()));
    assert_eq!(pages(&ua).view(&interaction)["over"]["is_answered"], true);
    // After its time it is gone.
    let tab = kit
        .authorization_request("web")
        .scope("openid")
        .set("prompt", "login")
        .set("state", &state)
        .open(&ua);
    kit.clock.advance(hours(1));
    assert_eq!(pages(&ua).view(&interaction_of(&tab))["over"]["is_answered"], false);
}

/// There is room for so many of them; a live one never makes way for another.
#[test]
fn stored_requests_are_bounded() {
    let kit = builder().configure(|config| config.interaction.anonymous_limit = 3).build();
    let long = kit.authorization_request("web").scope("openid").set("state", &"s".repeat(3000));
    let agents: Vec<UserAgent<'_>> = (0..4).map(|_| kit.user_agent()).collect();
    for (at, ua) in agents.iter().enumerate() {
        ua.comes_from(&format!("192.0.2.{at}"));
    }
    let first: Vec<String> = agents.iter().take(3).map(|ua| interaction_of(&long.open(ua))).collect();
    let full = long.open(&agents[3]).expect_page("error");
    assert_eq!(full.answer().status.as_u16(), 503);
    assert!(full.answer().headers.contains_key("retry-after"));
    for (ua, interaction) in agents.iter().zip(&first) {
        assert_eq!(pages(ua).view(interaction)["prompt"], "login", "it is still there");
    }
    // Short ones need no room.
    assert_eq!(first_view(&agents[3], "openid")["prompt"], "login");
    kit.clock.advance(hours(1));
    let _ = interaction_of(&long.open(&agents[3]));
}

/// One network does not use up the room of all, however often it asks; another still has room.
#[test]
fn a_network_has_its_share() {
    let kit = builder().configure(|config| config.interaction.anonymous_limit = 40).build();
    let long = kit.authorization_request("web").scope("openid").set("state", &"s".repeat(3000));
    let open = |address: &str| {
        let ua = kit.user_agent();
        ua.comes_from(address);
        long.open(&ua).answer().status.as_u16()
    };
    let of_one: Vec<u16> = (0..12).map(|_| open("192.0.2.1")).collect();
    assert_eq!(of_one.iter().filter(|status| **status == 303).count(), 10, "a quarter: {of_one:?}");
    assert_eq!((open("192.0.2.2"), open("2001:db8::1")), (303, 303));
}

/// A page that opens requests in somebody's browser does not use up the room of all.
#[test]
fn a_session_has_its_share() {
    let kit = builder().build();
    let (ua, stranger) = (kit.user_agent(), kit.user_agent());
    ua.signed_in("alice");
    let long = kit.authorization_request("web").scope("openid").set("state", &"s".repeat(3000));
    for _ in 0..chancery_core::guessing::OF_ONE_SESSION {
        let _ = interaction_of(&long.open(&ua));
    }
    assert_eq!(long.open(&ua).expect_page("error").answer().status.as_u16(), 503);
    let _ = interaction_of(&long.open(&stranger));
}
