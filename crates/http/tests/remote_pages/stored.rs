//! Requests that are too long for a URL are stored, and how many are is bounded.

use chancery_testkit::{UserAgent, hours};
use serde_json::json;

use super::{arrival, builder, credentials, first_view, interaction_of, next_interaction, pages};

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
    for _ in 0..chancery_core::limits::OF_ONE_SESSION {
        let _ = interaction_of(&long.open(&ua));
    }
    assert_eq!(long.open(&ua).expect_page("error").answer().status.as_u16(), 503);
    let _ = interaction_of(&long.open(&stranger));
}
