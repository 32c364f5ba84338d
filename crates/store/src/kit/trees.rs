//! Parents and children: they end together, and the sweep removes what is left.
#![expect(clippy::unwrap_used, reason = "tests")]

use chancery_types::{Kind, Partition};

use super::States;
use super::sample::{T0, alias, key, key_in, later, lives, lives_at, record, record_of, tag, under};
use super::taking_turns::taking_turns;
use super::wait::done;
use crate::{Change, Record, Redeemed, Revoked, StateStore, Tags, Updated};

/// A session, its grant and the grant's token, which can be found in every way.
fn tree() -> [Record; 3] {
    let session = record(Kind::SESSION, 1);
    let grant = under(session.key, record(Kind::GRANT, 1));
    let token = Record {
        alias: Some(alias(Kind::ACCESS_TOKEN, 1)),
        tags: Tags { client: Some(tag("client", "app")), ..Tags::default() },
        due_at: Some(T0),
        ..under(grant.key, record(Kind::ACCESS_TOKEN, 1))
    };
    [session, grant, token]
}

/// When a parent ends, so do its children and grandchildren, in the same instant and however they are looked
/// for.
pub fn children_die_with_their_parent(handles: &States) {
    let s = taking_turns(handles);
    let [session, grant, token] = tree();
    done(s.insert(T0, &[session.clone(), grant.clone(), token.clone()]));
    let seen = done(s.get(T0, token.key)).unwrap().revision;
    let listed = || done(s.list_tagged(T0, Kind::ACCESS_TOKEN, tag("client", "app"), None, 9)).len();
    assert_eq!(listed(), 1);
    assert_eq!(done(s.revoke(T0, session.key, None, &[])), Revoked::Ended);
    assert!(!lives(&s, grant.key));
    assert!(!lives(&s, token.key));
    assert_eq!(done(s.get_by_alias(T0, alias(Kind::ACCESS_TOKEN, 1))), None);
    assert_eq!(listed(), 0);
    assert_eq!(done(s.lease(T0, Kind::ACCESS_TOKEN, later(9), 9)), []);
    assert_eq!(done(s.redeem(T0, token.key, &[record(Kind::DELIVERY, 1)])), Redeemed::Gone);
    let change = Change { body: Box::new([]), expires_at: later(9), due_at: None };
    assert_eq!(done(s.update(T0, token.key, seen, change, &[record(Kind::DELIVERY, 1)])), Updated::Gone);
    assert_eq!(done(s.revoke(T0, grant.key, None, &[record(Kind::DELIVERY, 1)])), Revoked::Gone);
    assert!(!lives(&s, key(Kind::DELIVERY, 1)));
}

/// A parent that expires ends its children as one that is revoked does.
pub fn children_expire_with_their_parent(handles: &States) {
    let s = taking_turns(handles);
    let [session, grant, token] = tree();
    done(s.insert(T0, &[Record { expires_at: later(10), ..session }, grant.clone(), token.clone()]));
    for key in [grant.key, token.key] {
        assert!(lives_at(&s, later(9), key));
        assert!(!lives_at(&s, later(10), key));
    }
    assert_eq!(done(s.redeem(later(10), token.key, &[])), Redeemed::Gone);
}

/// The race that flat token tables lose: a child that is written after its parent's end is never seen.
pub fn what_is_written_after_a_revocation_is_dead_on_arrival(handles: &States) {
    let s = taking_turns(handles);
    let [session, grant, token] = tree();
    done(s.insert(T0, &[session.clone(), grant.clone()]));
    assert_eq!(done(s.revoke(T0, session.key, None, &[])), Revoked::Ended);
    done(s.insert(T0, std::slice::from_ref(&token)));
    done(s.insert(T0, &[Record { tags: token.tags, ..lasting(under(session.key, record(Kind::GRANT, 2))) }]));
    assert!(!lives(&s, token.key));
    assert!(!lives(&s, key(Kind::GRANT, 2)));
    done(s.sweep(T0, 100));
    assert_eq!(done(s.sweep(T0, 100)), 0, "the sweep has taken them all");
    assert_eq!(done(s.revoke_tagged(Kind::GRANT, tag("client", "app"))), 0, "removed, not only dead");
    done(s.insert(T0, &[record(Kind::ACCESS_TOKEN, 1), record(Kind::GRANT, 2)]));
}

/// A record with more than two ancestors is never live.
pub fn a_tree_is_three_deep(handles: &States) {
    let s = taking_turns(handles);
    let [session, grant, token] = tree();
    let deeper = under(token.key, record(Kind::DELIVERY, 1));
    done(s.insert(T0, &[session, grant, token.clone(), deeper.clone()]));
    assert!(lives(&s, token.key));
    assert!(!lives(&s, deeper.key));
}

/// Unexpired records stay; the names of the others are free.
pub fn sweep_removes_the_expired(handles: &States) {
    let s = taking_turns(handles);
    let brief = |n| Record { expires_at: later(1), ..record(Kind::GRANT, n) };
    done(s.insert(T0, &[brief(1), record(Kind::GRANT, 2), brief(3)]));
    assert_eq!(done(s.sweep(T0, 100)), 0);
    assert_eq!(done(s.sweep(later(1), 100)), 2);
    assert_eq!(done(s.sweep(later(1), 100)), 0);
    assert!(lives(&s, key(Kind::GRANT, 2)));
    assert!(!lives(&s, key(Kind::GRANT, 1)), "removed even for a clock that is behind");
}

/// A sweep removes at most as many as asked, and fewer only when there are no more.
pub fn sweep_keeps_its_limit(handles: &States) {
    let s = taking_turns(handles);
    let parent = Record { expires_at: later(1), ..record(Kind::SESSION, 0) };
    let mut batch: Vec<Record> =
        (1..=8).map(|n| lasting(under(parent.key, record(Kind::GRANT, n)))).collect();
    batch.push(parent);
    done(s.insert(T0, &batch));
    assert_eq!(done(s.sweep(later(1), 0)), 0);
    let swept: Vec<u64> = (0..4).map(|_| done(s.sweep(later(1), 4))).collect();
    assert_eq!(swept, [4, 4, 1, 0]);
    // The limit is for all partitions together.
    for n in 0..12 {
        let key = key_in(Partition([u8::try_from(n % 4).unwrap_or(0), 7]), Kind::GRANT, n);
        done(s.insert(T0, &[Record { expires_at: later(1), ..record_of(key, n) }]));
    }
    let swept: Vec<u64> = (0..4).map(|_| done(s.sweep(later(1), 5))).collect();
    assert_eq!(swept, [5, 5, 2, 0]);
}

/// A record that lives for so long that the sweep must not leave it to its time.
fn lasting(record: Record) -> Record {
    Record { expires_at: later(10 * 86_400), ..record }
}

/// A record whose life was prolonged is not swept at its former end; one whose life was shortened is swept at
/// its new end.
pub fn sweep_knows_a_changed_end(handles: &States) {
    let s = taking_turns(handles);
    let end = |n, end| {
        let key = key(Kind::GRANT, n);
        let seen = done(s.get(T0, key)).unwrap().revision;
        let change = Change { body: Box::new([]), expires_at: later(end), due_at: None };
        assert!(matches!(done(s.update(T0, key, seen, change, &[])), Updated::Done(_)));
    };
    done(s.insert(T0, &[record(Kind::GRANT, 1), record(Kind::GRANT, 2), record(Kind::GRANT, 3)]));
    end(1, 1_200);
    end(2, 60);
    end(3, 1_200);
    end(3, 900);
    let swept = [59, 60, 600, 900, 1_199, 1_200].map(|at| done(s.sweep(later(at), 100)));
    assert_eq!(swept, [0, 1, 0, 1, 0, 1]);
}

/// A sweep removes the descendants of a missing record, and their names are free.
pub fn sweep_removes_what_hangs_on_a_missing_parent(handles: &States) {
    let s = taking_turns(handles);
    let [session, grant, token] = tree();
    let other = under(key(Kind::SESSION, 2), record(Kind::GRANT, 2));
    done(s.insert(T0, &[record(Kind::SESSION, 2), other.clone()]));
    done(s.insert(T0, &[session.clone(), lasting(grant.clone()), lasting(token.clone())]));
    assert_eq!(done(s.revoke(T0, session.key, None, &[])), Revoked::Ended);
    let mut rounds = 0;
    while done(s.sweep(T0, 100)) > 0 {
        rounds += 1;
        assert!(rounds < 4, "the sweeps come to an end");
    }
    assert_eq!(done(s.revoke_tagged(Kind::ACCESS_TOKEN, tag("client", "app"))), 0, "removed, not only dead");
    done(s.insert(T0, &[Record { parent: None, ..grant }, Record { parent: None, ..token }]));
    assert!(lives(&s, other.key), "another session's grant stays");
    assert!(lives(&s, key(Kind::ACCESS_TOKEN, 1)));
    assert!(!lives(&s, session.key));
}
