//! How guessing is slowed down, and whom that never hinders (OWASP ASVS 5.0 section 6.3.1).

use chancery_core::event::Event;
use chancery_testkit::TestProvider;

/// A program that forgets to say where requests come from is told so, once, and how it is done.
#[test]
fn a_forgotten_peer_is_told_once() {
    let kit = TestProvider::builder().without_peers().build();
    let first = kit.get("/jwks");
    let [Event::PeerUnknown { advice }] = first.events.as_slice() else { panic!("{:?}", first.events) };
    assert!(advice.contains("Peer(address)"), "{advice}");
    let ua = kit.user_agent();
    let tab = kit.authorization_request("web").scope("openid").open(&ua).expect_page("login");
    assert_eq!(tab.login_wrongly("alice").event_names(), ["login_failed", "prompt_shown"]);
    // Whoever says it is not told.
    assert!(TestProvider::new().get("/jwks").events.is_empty());
}
