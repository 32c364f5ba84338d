//! Keys and aliases: what is found, what is taken, what is free.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use chancery_types::{Kind, Timestamp};

use super::States;
use super::sample::{T0, alias, key, later, lives, lives_at, record, tag};
use super::taking_turns::taking_turns;
use super::wait::{done, wait};
use crate::{Change, Record, Redeemed, Revoked, StateStore, StoreError, Tags, Updated};

/// Every field of an inserted record is read back, and nothing else is found.
pub fn what_is_inserted_is_found(handles: &States) {
    let s = taking_turns(handles);
    let full = Record {
        alias: Some(alias(Kind::INTERACTION, 1)),
        parent: Some(key(Kind::SESSION, 1)),
        tags: Tags {
            account: Some(tag("account", "alice")),
            client: Some(tag("client", "app")),
            session: Some(tag("session", "1")),
        },
        due_at: Some(later(5)),
        body: Box::new([0, 255, 1]),
        ..record(Kind::INTERACTION, 1)
    };
    let empty = Record { body: Box::new([]), expires_at: Timestamp::MAX, ..record(Kind::SESSION, 1) };
    done(s.insert(T0, &[empty.clone(), full.clone()]));
    for record in [full.clone(), empty] {
        let found = done(s.get(T0, record.key)).unwrap();
        assert_eq!((found.record, found.consumed_at), (record, None));
    }
    assert_eq!(done(s.get_by_alias(T0, alias(Kind::INTERACTION, 1))).unwrap().record, full);
    assert!(!lives(&s, key(Kind::INTERACTION, 2)));
    assert!(!lives(&s, key(Kind::GRANT, 1)), "another kind is another record");
    assert_eq!(done(s.get_by_alias(T0, alias(Kind::INTERACTION, 2))), None);
    assert_eq!(done(s.get_by_alias(T0, alias(Kind::GRANT, 1))), None);
}

/// A step may write nothing.
pub fn an_empty_batch_is_a_step(handles: &States) {
    done(taking_turns(handles).insert(T0, &[]));
}

/// The caller's clock decides, whether it is ahead of the machine's clock or behind it.
pub fn expired_is_invisible_before_any_sweep(handles: &States) {
    let s = taking_turns(handles);
    for (n, epoch) in [(1, 1_000_000), (2, 3_000_000_000), (3, 253_000_000_000)] {
        let (before, end) = (Timestamp::from_millis(epoch * 1000 - 1), Timestamp::from_secs(epoch));
        let (k, a) = (key(Kind::GRANT, n), alias(Kind::GRANT, n));
        let tags = Tags { account: Some(tag("account", "alice")), ..Tags::default() };
        let record =
            Record { expires_at: end, due_at: Some(before), tags, alias: Some(a), ..record(Kind::GRANT, n) };
        done(s.insert(before, &[record]));
        let list = |now| done(s.list_tagged(now, Kind::GRANT, tag("account", "alice"), None, 9)).len();
        let seen = done(s.get(before, k)).expect("lives until it ends").revision;
        assert!(done(s.get_by_alias(before, a)).is_some());
        assert_eq!(list(before), 1);
        assert!(!lives_at(&s, end, k), "ends with its last millisecond");
        assert_eq!(done(s.get_by_alias(end, a)), None);
        assert_eq!(list(end), 0);
        assert_eq!(done(s.lease(end, Kind::GRANT, end, 9)), []);
        assert_eq!(done(s.redeem(end, k, &[])), Redeemed::Gone);
        let change = Change { body: Box::new([]), expires_at: later(0), due_at: None };
        assert_eq!(done(s.update(end, k, seen, change, &[])), Updated::Gone);
        assert_eq!(done(s.revoke(end, k, None, &[])), Revoked::Gone);
    }
}

/// Two records with the same alias cannot live at the same time, whether one batch brings them or two.
pub fn an_alias_is_unique_among_the_unexpired(handles: &States) {
    let s = taking_turns(handles);
    let named = |n| Record { alias: Some(alias(Kind::SESSION, 1)), ..record(Kind::SESSION, n) };
    assert!(matches!(wait(s.insert(T0, &[named(1), named(2)])), Err(StoreError::Occupied)));
    assert_eq!(done(s.get_by_alias(T0, alias(Kind::SESSION, 1))), None);
    done(s.insert(T0, &[named(1)]));
    assert!(matches!(wait(s.insert(T0, &[named(2)])), Err(StoreError::Occupied)));
    assert_eq!(done(s.get_by_alias(T0, alias(Kind::SESSION, 1))).unwrap().record, named(1));
}

/// The key and the alias of an expired record can be used again, even before a sweep.
pub fn a_name_is_free_after_expiry(handles: &States) {
    let s = taking_turns(handles);
    let named =
        |n, end| Record { alias: Some(alias(Kind::SESSION, 1)), expires_at: end, ..record(Kind::SESSION, n) };
    done(s.insert(T0, &[named(1, later(10))]));
    done(s.insert(later(10), &[named(2, later(20))]));
    assert_eq!(done(s.get_by_alias(later(10), alias(Kind::SESSION, 1))).unwrap().record, named(2, later(20)));
    done(s.insert(later(20), &[named(2, later(30))]));
    assert_eq!(done(s.get(later(20), key(Kind::SESSION, 2))).unwrap().record, named(2, later(30)));
    // An update may bring the end forward, too.
    let seen = done(s.get(later(20), key(Kind::SESSION, 2))).unwrap().revision;
    let change = Change { body: Box::new([]), expires_at: later(20), due_at: None };
    assert!(matches!(done(s.update(later(20), key(Kind::SESSION, 2), seen, change, &[])), Updated::Done(_)));
    done(s.insert(later(20), &[named(3, later(30))]));
}

/// The key and the alias of a removed record can be used again at once.
pub fn a_name_is_free_after_revocation(handles: &States) {
    let s = taking_turns(handles);
    let named = Record { alias: Some(alias(Kind::CONSENT, 1)), ..record(Kind::CONSENT, 1) };
    done(s.insert(T0, std::slice::from_ref(&named)));
    assert_eq!(done(s.revoke(T0, named.key, None, &[])), Revoked::Ended);
    assert_eq!(done(s.get_by_alias(T0, alias(Kind::CONSENT, 1))), None);
    done(s.insert(T0, &[Record { key: key(Kind::CONSENT, 2), ..named.clone() }]));
    assert_eq!(done(s.revoke(T0, key(Kind::CONSENT, 2), None, &[])), Revoked::Ended);
    done(s.insert(T0, &[named]));
}

/// A revision that was seen before a removal does not fit the record that was inserted after it.
pub fn a_revision_is_never_repeated(handles: &States) {
    let s = taking_turns(handles);
    let k = key(Kind::THROTTLE, 1);
    let mut seen = Vec::new();
    for round in 0..8 {
        done(s.insert(T0, &[record(Kind::THROTTLE, 1)]));
        let born = done(s.get(T0, k)).unwrap().revision;
        let change = Change { body: Box::new([]), expires_at: later(600), due_at: None };
        let Updated::Done(changed) = done(s.update(T0, k, born, change.clone(), &[])) else { unreachable!() };
        assert_eq!(done(s.get(T0, k)).unwrap().revision, changed, "the answer is what is read");
        assert_eq!(done(s.redeem(T0, k, &[])), Redeemed::First);
        let consumed = done(s.get(T0, k)).unwrap().revision;
        seen.extend([born, changed, consumed]);
        for old in seen.iter().take(seen.len() - 1) {
            assert_eq!(done(s.update(T0, k, *old, change.clone(), &[])), Updated::Stale, "round {round}");
        }
        assert_eq!(done(s.revoke(T0, k, Some(consumed), &[])), Revoked::Ended);
    }
}
