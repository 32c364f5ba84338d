//! The line in which attempts wait whose name or network strangers guess (OWASP ASVS 5.0 section 6.3.1).

use chancery_testkit::{Stranger, Tab, TestProvider, UserAgent, seconds};

/// The page that a client's link shows to a stranger.
fn login_page<'u, 'k>(ua: &'u UserAgent<'k>, kit: &TestProvider) -> Tab<'u, 'k> {
    ua.open(&kit.authorization_request("web").scope("openid")).expect_page("login")
}

/// How many seconds to wait the answer tells.
fn told(tab: &Tab<'_, '_>) -> Option<u64> {
    tab.answer().header("retry-after").and_then(|wait| wait.parse().ok())
}

/// Guessing faster than that is bounded: of fifty guesses a second two are looked at, one by its place and
/// one by lot, and nobody is told to wait for more than half a minute.
#[test]
fn a_flood_of_guesses_is_looked_at_twice_a_second() {
    let kit = TestProvider::new();
    let stranger = Stranger::new(&kit);
    (0..100).for_each(|_| stranger.guess("alice"));
    let before = kit.accounts.attempts();
    for _ in 0..20 {
        (0..50).for_each(|_| stranger.guess("alice"));
        kit.clock.advance(seconds(1));
    }
    let looked_at = kit.accounts.attempts() - before;
    assert!((1..=40).contains(&looked_at), "{looked_at}");
    let alice = kit.user_agent();
    let wait = told(&login_page(&alice, &kit).login("alice")).unwrap_or(0);
    assert!((1..=30).contains(&wait), "{wait}");
}

/// Whoever comes at the time that they were told is looked at once, however many came meanwhile; coming
/// earlier changes nothing.
#[test]
fn the_time_that_was_told_holds() {
    let kit = TestProvider::new();
    let stranger = Stranger::new(&kit);
    (0..110).for_each(|_| stranger.guess("alice"));
    let alice = kit.user_agent();
    let wait = told(&login_page(&alice, &kit).login("alice")).unwrap();
    for passed in 1..=wait {
        assert_eq!(told(&login_page(&alice, &kit).login("alice")), Some(wait - passed + 1));
        (0..3).for_each(|_| stranger.guess("alice"));
        kit.clock.advance(seconds(1));
    }
    // A wrong password uses the time up.
    assert_eq!(login_page(&alice, &kit).login_wrongly("alice").answer().status, 200);
    assert_eq!(login_page(&alice, &kit).login("alice").answer().status, 429);
}

/// The time that was told holds for two minutes more, and no longer, also where the failures before it are
/// remembered for longer than that: who comes later is told another one.
#[test]
fn a_place_that_is_not_taken_in_time_is_lost() {
    for failures in [0, 3] {
        for (late, holds) in [(0, true), (120, true), (121, false), (600, false)] {
            let kit = TestProvider::new();
            let (stranger, alice, other) = (Stranger::new(&kit), kit.user_agent(), kit.user_agent());
            other.comes_from("203.0.113.77");
            (0..failures).for_each(|_| drop(login_page(&alice, &kit).login_wrongly("alice")));
            (0..110).for_each(|_| stranger.guess("alice"));
            let wait = told(&login_page(&alice, &kit).login("alice")).unwrap();
            kit.clock.advance(seconds(wait + late));
            (0..3).for_each(|_| stranger.guess("alice"));
            assert!(told(&login_page(&other, &kit).login("alice")).is_some(), "others wait");
            let told = told(&login_page(&alice, &kit).login("alice"));
            assert_eq!(told.is_none(), holds, "{late} s late, after {failures} failures: {told:?}");
        }
    }
}

/// Strangers who begin with more guesses than there are places, and then take each place that becomes free: a
/// browser that nobody knows, and that comes back each time when it was told to, is let in after minutes at
/// most.
#[test]
fn a_burst_before_the_guesses_keeps_nobody_out() {
    for per_second in [1, 5, 40] {
        let kit = TestProvider::new();
        let stranger = Stranger::new(&kit);
        (0..150).for_each(|_| stranger.guess("alice"));
        let alice = kit.user_agent();
        let mut back_at = 0;
        let is_let_in = (0..300).any(|second: u64| {
            (0..per_second).for_each(|_| stranger.guess("alice"));
            let mut let_in = false;
            if second >= back_at {
                let tab = login_page(&alice, &kit).login("alice");
                let_in = tab.answer().status != 429;
                back_at = second + told(&tab).unwrap_or(0);
            }
            kit.clock.advance(seconds(1));
            let_in
        });
        assert!(is_let_in, "kept out for five minutes by {per_second} a second");
    }
}
