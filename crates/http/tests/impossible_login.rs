//! A login that cannot be is told with its cause: no loop of pages, and no code that nothing can come of.

use chancery_core::issue::authorization_response::NOTHING_SIGNS;
use chancery_core::rotation::KeyEnd;
use chancery_jose::Compact;
use chancery_jose::SigningAlgorithm::{Es256, Rs256};
use chancery_testkit::{TestProvider, assert_refused, hours, minutes, names, seconds};

/// OIDC Core section 10.1.1: no key signs the client's ID tokens, because the next one begins later, or
/// because the clock was set back. The client is told to come back before anybody signs in, with an event
/// that says why; a code that was given before is not used up. What needs no such key goes on.
#[test]
fn nothing_signs_at_this_moment() {
    let kit = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    ua.has_consented("alice", "web", "openid");
    ua.has_consented("alice", "machine", "read");
    let request = kit.authorization_request("web").scope("openid");
    let code = request.open(&ua).expect_code();
    let tokens = kit.tokens("alice", "web", "openid");
    let kid = Compact::parse(tokens.member("id_token")).expect("a JWT").header().kid.clone().expect("a kid");
    kit.keys.end(&kid, KeyEnd::new(kit.now() + seconds(5), minutes(5)));
    let _ = kit.keys.add(Es256, kit.now(), kit.now() + hours(1)).expect("a key");
    kit.clock.advance(seconds(10));
    for ua in [&ua, &kit.user_agent()] {
        for request in
            [request.clone(), request.clone().set("prompt", "none"), request.clone().set("prompt", "login")]
        {
            let told = request.open(ua);
            let _ = told.expect_error("temporarily_unavailable");
            assert_refused!(told, NOTHING_SIGNS);
            assert_eq!(told.event_names(), ["faulted", "refused"]);
        }
    }
    let exchange = kit.exchange(&code).expect_status(503);
    assert_eq!(names(&exchange.events), ["faulted"]);
    let plain = kit.authorization_request("machine").scope("read").open(&ua);
    let _ = kit.exchange(&plain.expect_code()).expect_status(200);
    assert!(kit.is_active("web", tokens.member("access_token")));
    // Signed again, the code that was not used up is good, as long as it lives.
    kit.clock.set(kit.now() - seconds(8));
    let _ = kit.exchange(&code).expect_status(200);
    kit.clock.advance(hours(1));
    let _ = request.open(&ua).expect_code();
}
