//! Many threads work on one record at once, through all handles.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Barrier;

use chancery_types::{Kind, Partition};

use super::States;
use super::sample::{T0, alias, key, key_in, later, lives, record, record_of, under};
use super::wait::{done, wait};
use crate::{Change, Record, Redeemed, Revoked, StateStore, StoreError, Updated};

const THREADS: u32 = 64;

/// Runs the same work on many threads that start together, each with one of the handles.
fn together<T: Send>(handles: &States, run: impl Fn(&dyn StateStore, u32) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        let (run, start) = (&run, &start);
        let threads: Vec<_> = (0..THREADS)
            .map(|n| {
                let handle = &*handles[n as usize % handles.len()];
                scope.spawn(move || {
                    start.wait();
                    run(handle, n)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Of 64 at once, in each of 200 rounds, one is first; 63 learn when that was, and only the first one's token
/// exists.
pub fn of_many_redemptions_one_is_first(handles: &States) {
    for round in 0..200 {
        let (grant, code) = (key(Kind::GRANT, round), key(Kind::AUTHORIZATION_CODE, round));
        let token = |n| record(Kind::ACCESS_TOKEN, round * THREADS + n);
        let born = [record(Kind::GRANT, round), under(grant, record(Kind::AUTHORIZATION_CODE, round))];
        done(handles[0].insert(T0, &born));
        let outcomes = together(handles, |s, n| done(s.redeem(later(1), code, &[under(grant, token(n))])));
        let first = outcomes.iter().filter(|outcome| **outcome == Redeemed::First).count();
        let replayed =
            outcomes.iter().filter(|outcome| **outcome == Redeemed::Replayed { at: later(1) }).count();
        assert_eq!((first, replayed), (1, 63), "round {round}");
        for (n, outcome) in (0..).zip(outcomes) {
            assert_eq!(lives(&*handles[0], token(n).key), outcome == Redeemed::First, "round {round}");
        }
    }
}

/// Two callers that saw the same state cannot both change it.
pub fn of_many_updates_of_one_state_one_is_done(handles: &States) {
    for round in 0..8 {
        let k = key(Kind::SESSION, round);
        done(handles[0].insert(T0, &[record(Kind::SESSION, round)]));
        let seen = done(handles[0].get(T0, k)).unwrap().revision;
        let outcomes = together(handles, |s, n| {
            let change = Change { body: n.to_be_bytes().into(), expires_at: later(600), due_at: None };
            done(s.update(T0, k, seen, change, &[record(Kind::DELIVERY, round * THREADS + n)]))
        });
        let found = done(handles[0].get(T0, k)).unwrap();
        let mut winners = 0;
        for (n, outcome) in (0_u32..).zip(outcomes) {
            let won = outcome == Updated::Done(found.revision);
            assert!(won || outcome == Updated::Stale, "round {round}: {outcome:?}");
            assert_eq!(won, *found.record.body == n.to_be_bytes());
            assert_eq!(won, lives(&*handles[0], key(Kind::DELIVERY, round * THREADS + n)));
            winners += u32::from(won);
        }
        assert_eq!(winners, 1, "round {round}");
    }
}

/// However many callers end it, the notifications are written once.
pub fn of_many_revocations_one_sends_notices(handles: &States) {
    for round in 0..8 {
        let notice = |n| record(Kind::DELIVERY, round * THREADS + n);
        done(handles[0].insert(T0, &[record(Kind::SESSION, round)]));
        let outcomes =
            together(handles, |s, n| done(s.revoke(T0, key(Kind::SESSION, round), None, &[notice(n)])));
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Revoked::Ended).count(), 1, "round {round}");
        for (n, outcome) in (0..).zip(outcomes) {
            assert_eq!(lives(&*handles[0], notice(n).key), outcome == Revoked::Ended, "round {round}");
        }
    }
}

/// A replay mark is set once.
pub fn of_many_inserts_of_one_key_one_is_done(handles: &States) {
    for round in 0..8 {
        of_many_inserts_one_is_done(handles, |_| record(Kind::REVOCATION, round));
    }
}

/// One alias is given to one record only.
pub fn of_many_inserts_of_one_alias_one_is_done(handles: &States) {
    for round in 0..8 {
        of_many_inserts_one_is_done(handles, |n| Record {
            alias: Some(alias(Kind::INTERACTION, round)),
            ..record(Kind::INTERACTION, round * THREADS + n)
        });
    }
}

fn of_many_inserts_one_is_done(handles: &States, record: impl Fn(u32) -> Record + Sync) {
    let outcomes = together(handles, |s, n| wait(s.insert(T0, &[record(n)])));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Ok(()) | Err(StoreError::Occupied))),
        "{outcomes:?}"
    );
}

/// No two workers get the same record, and another worker gets what one has left.
pub fn a_lease_is_held_by_one_worker_of_many(handles: &States) {
    for round in 0..8 {
        let now = later(u64::from(round));
        for n in 0..100_u8 {
            let partition = Partition([n, 0]);
            let key = key_in(partition, Kind::DELIVERY, round * 100 + u32::from(n));
            done(handles[0].insert(now, &[Record { due_at: Some(now), ..record_of(key, 1) }]));
        }
        let leased = together(handles, |s, _| done(s.lease(now, Kind::DELIVERY, later(300), 5)));
        assert!(leased.iter().all(|held| held.len() <= 5));
        let mut held: Vec<_> = leased.into_iter().flatten().map(|stored| stored.record.key).collect();
        held.extend(
            done(handles[0].lease(now, Kind::DELIVERY, later(300), 1000))
                .iter()
                .map(|stored| stored.record.key),
        );
        assert_eq!(held.len(), 100, "round {round}");
        held.sort();
        held.dedup();
        assert_eq!(held.len(), 100, "round {round}: one was leased twice");
    }
}

/// The caller that sees the replay ends the grant while the first one still writes: nothing of the grant
/// lives afterwards.
pub fn replay_against_winner_leaves_nothing_alive(handles: &States) {
    for round in 0..16 {
        let (grant, code) = (key(Kind::GRANT, round), key(Kind::AUTHORIZATION_CODE, round));
        done(handles[0].insert(
            T0,
            &[record(Kind::GRANT, round), under(grant, record(Kind::AUTHORIZATION_CODE, round))],
        ));
        together(handles, |s, n| {
            let token = under(grant, record(Kind::ACCESS_TOKEN, round * THREADS + n));
            if let Redeemed::Replayed { .. } = done(s.redeem(T0, code, std::slice::from_ref(&token))) {
                done(s.revoke(T0, grant, None, &[]));
                done(s.insert(T0, &[token]));
            }
        });
        for n in 0..THREADS {
            assert!(!lives(&*handles[0], key(Kind::ACCESS_TOKEN, round * THREADS + n)), "round {round}");
        }
    }
}
