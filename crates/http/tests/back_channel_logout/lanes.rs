//! However many clients are dead, the others are told at once.

use super::*;

/// 200 clients, of which 50 hang and 50 refuse the connection: every healthy one is told within 5 s.
#[test]
fn one_dead_party_delays_no_other() {
    let ids: Vec<String> = (0..200).map(|n| format!("c{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let kit = provider(&ids);
    for (n, id) in ids.iter().enumerate() {
        match n % 4 {
            0 => kit.fetch.hangs(&url(id)),
            1 => kit.fetch.goes_down(&url(id)),
            _ => {}
        }
    }
    let ua = kit.user_agent();
    let hint = sign_in(&ua, "alice", "c2");
    ids.iter().filter(|id| **id != "c2").for_each(|id| ua.has_visited(id));
    let begun = kit.now();
    sign_out(&ua, &hint);
    while_time_passes(&kit, seconds(20));
    for (n, id) in ids.iter().enumerate() {
        let times = kit.fetch.asked_at(&url(id));
        let after = times.first().map(|at| at.since(begun)).expect("everybody is tried");
        assert!(after <= seconds(5), "{id}: {after:?}");
        assert_eq!(times.len() == 1, n % 4 > 1, "{id}: only those that failed are tried again: {times:?}");
    }
    let told = kit.delivered().into_iter();
    assert_eq!(told.filter(|event| matches!(event, Event::LogoutNotified { .. })).count(), 100);
}

/// Of 300 clients, 200 hang: every healthy one is told within 5 s, and within 2 s as soon as it is known who hangs.
/// Those that hang are all tried again, though not all at once.
#[test]
fn many_dead_parties_delay_no_other() {
    let healthy: Vec<String> = (0..100).map(|n| format!("healthy{n}")).collect();
    let hanging: Vec<String> = (0..200).map(|n| format!("hanging{n}")).collect();
    let ids: Vec<&str> = healthy.iter().chain(&hanging).map(String::as_str).collect();
    let kit = provider(&ids);
    hanging.iter().for_each(|id| kit.fetch.hangs(&url(id)));
    for (logout, patience) in [5, 2].into_iter().enumerate() {
        let ua = kit.user_agent();
        let hint = sign_in(&ua, "alice", "healthy0");
        ids.iter().skip(1).for_each(|id| ua.has_visited(id));
        let begun = kit.now();
        sign_out(&ua, &hint);
        while_time_passes(&kit, seconds(60));
        for id in &healthy {
            let times = kit.fetch.asked_at(&url(id));
            let after = times.last().map(|at| at.since(begun));
            assert!(times.len() == logout + 1 && after <= Some(seconds(patience)), "{id}: {after:?}");
        }
        for id in &hanging {
            let times = kit.fetch.asked_at(&url(id));
            let tries = times.iter().filter(|at| **at > begun).count();
            assert!(tries >= 2, "{id} is tried again: {times:?}");
        }
    }
    let times: Vec<_> = hanging.iter().flat_map(|id| kit.fetch.asked_at(&url(id))).collect();
    let at_once = |at| times.iter().filter(|begun| **begun <= at && at.since(**begun) < seconds(5)).count();
    let most = times.iter().map(|at| at_once(*at)).max();
    assert!(most <= Some(420), "{most:?}");
}

/// A client with many notices and no answers has four of them under way, and the others wait for their turn; a
/// client beside it is told at once.
#[test]
fn a_lane_is_four_wide() {
    let kit = provider(&["dead", "alive"]);
    kit.fetch.hangs(&url("dead"));
    for _ in 0..30 {
        let ua = kit.user_agent();
        sign_in(&ua, "alice", "dead");
    }
    let ua = kit.user_agent();
    sign_in(&ua, "alice", "alive");
    kit.end_sessions("alice");
    let begun = kit.now();
    while_time_passes(&kit, seconds(3));
    assert!(kit.fetch.asked_at(&url("alive")).iter().all(|at| at.since(begun) < seconds(2)));
    assert_eq!(kit.fetch.asked_at(&url("alive")).len(), 1);
    assert_eq!(kit.fetch.asked_at(&url("dead")).len(), 4);
    while_time_passes(&kit, seconds(60));
    let times = kit.fetch.asked_at(&url("dead"));
    assert!(times.len() > 30, "{}", times.len());
    let at_once = |at| times.iter().filter(|time| **time <= at && at.since(**time) < seconds(5)).count();
    assert!(times.iter().all(|at| at_once(*at) <= 4), "{times:?}");
}
