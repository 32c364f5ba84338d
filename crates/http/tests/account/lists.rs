//! Lists that are longer than what is read for one page.

use chancery_testkit::{Tab, TestProvider};

use super::{SAFARI, arrive, end, follow, is_signed_in, links};

/// The link to the rest of a list.
fn more(tab: &Tab<'_, '_>) -> Option<String> {
    tab.page().links.into_iter().find(|link| link.contains("/account?from="))
}

/// More sessions than are read for one page: each is on one page, this one on the first, and each can be ended.
#[test]
fn more_sessions_than_a_page_shows() {
    let kit = TestProvider::new();
    (0..230).for_each(|_| kit.user_agent().signed_in("alice"));
    let lost = kit.user_agent();
    lost.calls_itself(SAFARI);
    let _ = arrive(&lost, "alice");
    let ua = kit.user_agent();
    let mut tab = arrive(&ua, "alice");
    let (mut seen, mut of_phone, mut pages) = (Vec::new(), Vec::new(), 0);
    loop {
        pages += 1;
        let text = tab.page().text;
        assert_eq!(text.contains("(this one)"), pages == 1, "{text}");
        assert_eq!(text.contains("Back to the first page"), pages > 1, "{text}");
        let shown = links(&tab, "session?");
        assert!(shown.len() <= 100 && !links(&tab, "sessions").is_empty());
        if text.contains("Safari") {
            of_phone.clone_from(&shown);
        }
        seen.extend(shown);
        let more = more(&tab);
        assert_eq!(text.contains("More sessions"), more.is_some());
        let Some(more) = more else { break };
        tab = tab.follow(&more).expect_page("account");
    }
    seen.sort();
    let all = seen.len();
    seen.dedup();
    assert_eq!((all, seen.len(), pages), (231, 231, 3));
    let confirm = of_phone.iter().map(|link| tab.follow(link).expect_page("confirm-end"));
    let confirm = confirm.into_iter().find(|page| page.page().text.contains("Safari")).expect("its page");
    let _ = end(&confirm).expect_page("account");
    assert!(!is_signed_in(&lost) && is_signed_in(&ua));
    // An address that is not of ours shows the first page.
    for nonsense in ["x", "", &"x".repeat(2_000)] {
        let text = ua.get(&format!("/account?from={nonsense}")).expect_page("account").page().text;
        assert!(text.contains("(this one)") && text.contains("More sessions"), "{nonsense}");
    }
}

/// What ended with an epoch of the account fills no page.
#[test]
fn sessions_behind_those_of_another_epoch() {
    let kit = TestProvider::new();
    (0..230).for_each(|_| kit.user_agent().signed_in("alice"));
    kit.accounts.sign_out_everywhere("alice");
    let other = kit.user_agent();
    other.signed_in("alice");
    let ua = kit.user_agent();
    let mut tab = arrive(&ua, "alice");
    let mut found = links(&tab, "session?").len();
    while let Some(more) = more(&tab) {
        tab = tab.follow(&more).expect_page("account");
        found += links(&tab, "session?").len();
    }
    assert_eq!(found, 1);
    let confirm = ua.get("/account/sessions").expect_page("confirm-end");
    assert!(confirm.page().text.contains("One session ends."), "{}", confirm.page().text);
    let _ = end(&confirm).expect_page("account");
    assert!(!is_signed_in(&other) && is_signed_in(&ua));
}

/// More grants than are read for one page: the page says so, the next one has the rest, and an application that is far
/// behind is withdrawn like any other.
#[test]
fn more_applications_than_a_page_shows() {
    let kit = TestProvider::new();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let grant = |client: &str| kit.authorization_request(client).scope("openid").open(&ua).expect_code();
    (0..1_020).for_each(|_| drop(grant("operator")));
    ["web", "spa"].iter().for_each(|client| ua.has_consented("alice", client, "openid"));
    let tab = ua.get("/account").expect_page("account");
    assert_eq!(links(&tab, "application?").len(), 3, "{}", tab.page().text);
    assert!(tab.page().text.contains("More applications"));
    let rest = more(&tab).expect("a link");
    let (next, trips) = kit.trips(|| tab.follow(&rest).expect_page("account"));
    assert_eq!(trips, 3, "session, sessions, the rest of the grants");
    assert_eq!(links(&next, "application?").len(), 1, "the same one again: {}", next.page().text);
    assert!(!next.page().text.contains("More applications"));
    let confirm = follow(&next, "application?client_id=operator").expect_page("confirm-end");
    let done = end(&confirm).expect_page("account");
    assert_eq!(links(&done, "application?").len(), 2);
    assert!(!done.page().text.contains("More applications"));
}
