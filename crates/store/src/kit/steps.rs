//! Steps of one condition and a batch: all or nothing.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

use chancery_types::{Alias, Kind, Partition};

use super::States;
use super::sample::{HOME, T0, alias, key, key_in, later, lives, realm, record, record_of, under};
use super::taking_turns::taking_turns;
use super::wait::{done, wait};
use crate::{Change, Record, Redeemed, Revoked, StateStore, StoreError, Updated};

fn change(body: &[u8]) -> Change {
    Change { body: body.into(), expires_at: later(900), due_at: Some(later(30)) }
}

/// A record at each place of the batch in turn collides, by key or alias, with a stored one or another of the
/// batch.
pub fn any_failure_in_a_batch_leaves_everything_as_it_was(handles: &States) {
    let s = taking_turns(handles);
    let (target, taken) = (key(Kind::AUTHORIZATION_CODE, 1), alias(Kind::SESSION, 1));
    let holder = Record { alias: Some(taken), ..record(Kind::SESSION, 1) };
    done(s.insert(T0, &[record(Kind::AUTHORIZATION_CODE, 1), holder.clone()]));
    let before = done(s.get(T0, target)).unwrap();
    let good: Vec<Record> = (10..14).map(|n| record(Kind::ACCESS_TOKEN, n)).collect();
    for at in 0..good.len() {
        let by_key = holder.clone();
        let by_alias = Record { alias: Some(taken), ..record(Kind::ACCESS_TOKEN, 20) };
        let twice = good[(at + 1) % good.len()].clone();
        for bad in [by_key, by_alias, twice] {
            let mut batch = good.clone();
            batch[at] = bad;
            let refused = [
                wait(s.insert(T0, &batch)).err(),
                wait(s.update(T0, target, before.revision, change(b"new"), &batch)).err(),
                wait(s.redeem(T0, target, &batch)).err(),
                wait(s.revoke(T0, target, None, &batch)).err(),
            ];
            for error in refused {
                assert!(matches!(error, Some(StoreError::Occupied)), "place {at}: {error:?}");
            }
            assert_eq!(
                done(s.get(T0, target)),
                Some(before.clone()),
                "place {at}: neither changed nor consumed"
            );
            assert!(good.iter().all(|record| !lives(&s, record.key)), "place {at}: nothing written");
            assert!(!lives(&s, key(Kind::ACCESS_TOKEN, 20)));
            assert_eq!(done(s.get_by_alias(T0, taken)).unwrap().record, holder);
        }
    }
    assert_eq!(done(s.redeem(T0, target, &good)), Redeemed::First, "what failed did not consume");
    assert!(good.iter().all(|record| lives(&s, record.key)));
}

/// An update is made if the record is as it was seen; change and batch are one step.
pub fn update_is_compare_and_swap(handles: &States) {
    let s = taking_turns(handles);
    let k = key(Kind::SESSION, 1);
    let named = Record { alias: Some(alias(Kind::SESSION, 1)), ..record(Kind::SESSION, 1) };
    done(s.insert(T0, std::slice::from_ref(&named)));
    let seen = done(s.get(T0, k)).unwrap().revision;
    let Updated::Done(now_at) = done(s.update(T0, k, seen, change(b"one"), &[record(Kind::DELIVERY, 1)]))
    else {
        panic!("what was seen is what is stored");
    };
    assert_eq!(done(s.update(T0, k, seen, change(b"two"), &[record(Kind::DELIVERY, 2)])), Updated::Stale);
    let found = done(s.get_by_alias(later(899), alias(Kind::SESSION, 1))).expect("lives longer now");
    let new = Record { body: (*b"one").into(), expires_at: later(900), due_at: Some(later(30)), ..named };
    assert_eq!((found.record, found.revision, found.consumed_at), (new, now_at, None));
    assert!(lives(&s, key(Kind::DELIVERY, 1)));
    assert!(!lives(&s, key(Kind::DELIVERY, 2)), "the loser writes nothing");
    let missing = done(s.update(T0, key(Kind::SESSION, 9), seen, change(b""), &[record(Kind::DELIVERY, 3)]));
    assert_eq!(missing, Updated::Gone);
    assert!(!lives(&s, key(Kind::DELIVERY, 3)));
    assert_eq!(done(s.redeem(T0, k, &[])), Redeemed::First);
    assert_eq!(done(s.update(T0, k, now_at, change(b"x"), &[])), Updated::Stale, "consuming it changed it");
}

/// Later redemptions learn when the first one was and write nothing; the record shows that it was consumed.
pub fn only_the_first_redemption_writes(handles: &States) {
    let s = taking_turns(handles);
    let k = key(Kind::AUTHORIZATION_CODE, 1);
    done(s.insert(T0, &[record(Kind::AUTHORIZATION_CODE, 1)]));
    assert_eq!(done(s.redeem(later(1), k, &[record(Kind::ACCESS_TOKEN, 1)])), Redeemed::First);
    let again = done(s.redeem(later(2), k, &[record(Kind::ACCESS_TOKEN, 2)]));
    assert_eq!(again, Redeemed::Replayed { at: later(1) });
    assert!(lives(&s, key(Kind::ACCESS_TOKEN, 1)));
    assert!(!lives(&s, key(Kind::ACCESS_TOKEN, 2)));
    assert_eq!(done(s.get(later(3), k)).unwrap().consumed_at, Some(later(1)));
    let unknown = done(s.redeem(T0, key(Kind::AUTHORIZATION_CODE, 9), &[record(Kind::ACCESS_TOKEN, 3)]));
    assert_eq!(unknown, Redeemed::Gone);
    assert!(!lives(&s, key(Kind::ACCESS_TOKEN, 3)));
}

/// The notifications are written by the call that ends the record, and by no other.
pub fn only_the_revocation_that_ended_it_writes(handles: &States) {
    let s = taking_turns(handles);
    let k = key(Kind::SESSION, 1);
    done(s.insert(T0, &[record(Kind::SESSION, 1)]));
    assert_eq!(done(s.revoke(T0, k, None, &[record(Kind::DELIVERY, 1)])), Revoked::Ended);
    assert!(!lives(&s, k));
    assert_eq!(done(s.revoke(T0, k, None, &[record(Kind::DELIVERY, 2)])), Revoked::Gone);
    assert!(lives(&s, key(Kind::DELIVERY, 1)));
    assert!(!lives(&s, key(Kind::DELIVERY, 2)));
}

/// A record that has changed since it was seen lives on.
pub fn revocation_with_seen_ends_only_what_was_seen(handles: &States) {
    let s = taking_turns(handles);
    let k = key(Kind::SESSION, 1);
    done(s.insert(T0, &[record(Kind::SESSION, 1)]));
    let seen = done(s.get(T0, k)).unwrap().revision;
    let Updated::Done(changed) = done(s.update(T0, k, seen, change(b"in use"), &[])) else { panic!("done") };
    assert_eq!(done(s.revoke(T0, k, Some(seen), &[record(Kind::DELIVERY, 1)])), Revoked::Stale);
    assert!(lives(&s, k));
    assert!(!lives(&s, key(Kind::DELIVERY, 1)));
    assert_eq!(done(s.revoke(T0, k, Some(changed), &[record(Kind::DELIVERY, 1)])), Revoked::Ended);
    assert!(!lives(&s, k));
    assert!(lives(&s, key(Kind::DELIVERY, 1)));
}

/// A step that names two partitions is refused, whichever of its parts is in the other one.
pub fn a_step_stays_in_one_partition(handles: &States) {
    let s = taking_turns(handles);
    let away = Partition([HOME.0[0], HOME.0[1] + 1]);
    let target = key(Kind::SESSION, 1);
    done(s.insert(T0, &[record(Kind::SESSION, 1)]));
    let before = done(s.get(T0, target)).unwrap();
    let here = record(Kind::GRANT, 1);
    let there = record_of(key_in(away, Kind::GRANT, 2), 2);
    let child_of_there = under(there.key, record(Kind::GRANT, 3));
    let alias_there = Alias::derive(&realm(), Kind::GRANT, away, b"4");
    let named_there = Record { alias: Some(alias_there), ..record(Kind::GRANT, 4) };
    for other in [there, child_of_there, named_there] {
        let batch = [here.clone(), other.clone()];
        let refused = [
            wait(s.insert(T0, &batch)).err(),
            wait(s.update(T0, target, before.revision, change(b"new"), &batch)).err(),
            wait(s.redeem(T0, target, &batch)).err(),
            wait(s.revoke(T0, target, None, &batch)).err(),
        ];
        for error in refused {
            assert!(matches!(error, Some(StoreError::Misused(_))), "{error:?}");
        }
        assert!(!lives(&s, here.key));
        assert!(!lives(&s, other.key));
        assert_eq!(done(s.get(T0, target)), Some(before.clone()));
    }
}
