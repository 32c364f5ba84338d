//! The kit catches what it is there to catch: a small backend passes every case, and with any one fault it
//! does not.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chancery_store::kit::{self, States};
use chancery_store::{
    Change, Record, Redeemed, Revision, Revoked, StateStore, StoreError, StoreFuture, Stored, Updated,
    one_partition,
};
use chancery_types::{Alias, Key, Kind, Tag, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq)]
enum PlantedFault {
    AliasFreedOnlyByTheSweep,
    ClockOfItsOwn,
    ConsumesWithoutAsking,
    LeasesWithoutALock,
    LivesWithoutTheParent,
    LooksThenConsumes,
    NoticesWithEveryRevocation,
    StepsOverTwoPartitions,
    SweepForgetsOrphans,
    UpdatesWithoutTheRevision,
}

/// Each fault, and a case that has to fail with it.
const FAULTS: &[(PlantedFault, &str)] = &[
    (PlantedFault::AliasFreedOnlyByTheSweep, "a_name_is_free_after_expiry"),
    (PlantedFault::ClockOfItsOwn, "expired_is_invisible_before_any_sweep"),
    (PlantedFault::ConsumesWithoutAsking, "only_the_first_redemption_writes"),
    (PlantedFault::LeasesWithoutALock, "a_lease_is_held_by_one_worker_of_many"),
    (PlantedFault::LivesWithoutTheParent, "children_die_with_their_parent"),
    (PlantedFault::LooksThenConsumes, "of_many_redemptions_one_is_first"),
    (PlantedFault::NoticesWithEveryRevocation, "only_the_revocation_that_ended_it_writes"),
    (PlantedFault::StepsOverTwoPartitions, "a_step_stays_in_one_partition"),
    (PlantedFault::SweepForgetsOrphans, "sweep_removes_what_hangs_on_a_missing_parent"),
    (PlantedFault::UpdatesWithoutTheRevision, "update_is_compare_and_swap"),
];

#[test]
fn without_a_fault_every_case_passes() {
    assert_eq!(kit::failing_cases(|| [Small::with(None)]), [""; 0]);
}

#[test]
fn each_fault_is_caught() {
    for (fault, expected) in FAULTS {
        let (_, case) = kit::STATE_CASES.iter().find(|(name, _)| name == expected).unwrap();
        let store: &States = &[Small::with(Some(*fault))];
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| case(store)));
        assert!(caught.is_err(), "{fault:?} is not caught by {expected}");
    }
}

/// The walk alone finds every fault that needs no second thread.
#[test]
fn the_walk_catches_the_faults_of_one_thread() {
    let alone = FAULTS.iter().map(|(fault, _)| *fault).filter(|fault| {
        let others = [
            PlantedFault::LeasesWithoutALock,
            PlantedFault::LooksThenConsumes,
            PlantedFault::StepsOverTwoPartitions,
        ];
        !others.contains(fault)
    });
    for fault in alone {
        let store: &States = &[Small::with(Some(fault))];
        let walk = std::panic::AssertUnwindSafe(|| kit::a_walk_at_random_agrees_with_a_map(store));
        assert!(std::panic::catch_unwind(walk).is_err(), "{fault:?}");
    }
}

type Map = BTreeMap<Key, Stored>;

/// A map under a lock, searched from end to end.
struct Small {
    fault: Option<PlantedFault>,
    map: Mutex<(Map, u64)>,
    /// How many are between looking and writing, for the faults that let go of the lock there.
    between: AtomicUsize,
}

impl Small {
    fn with(fault: Option<PlantedFault>) -> Arc<dyn StateStore> {
        Arc::new(Self { fault, map: Mutex::default(), between: AtomicUsize::new(0) })
    }

    fn has(&self, fault: PlantedFault) -> bool {
        self.fault == Some(fault)
    }

    fn lock(&self) -> MutexGuard<'_, (Map, u64)> {
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits a little for somebody else to come between as well.
    fn let_others_in(&self) {
        self.between.fetch_add(1, Ordering::SeqCst);
        for _ in 0..200 {
            if self.between.load(Ordering::SeqCst) > 1 {
                break;
            }
            std::thread::yield_now();
        }
        self.between.fetch_sub(1, Ordering::SeqCst);
    }

    fn now(&self, now: Timestamp) -> Timestamp {
        if self.has(PlantedFault::ClockOfItsOwn) { Timestamp::from_secs(1_800_000_000) } else { now }
    }

    fn live(&self, map: &Map, now: Timestamp, key: Key) -> Option<Stored> {
        let stored = map.get(&key).filter(|stored| stored.record.expires_at > self.now(now))?;
        let mut parent = stored.record.parent.filter(|_| !self.has(PlantedFault::LivesWithoutTheParent));
        for depth in 1.. {
            let Some(key) = parent else { return Some(stored.clone()) };
            parent = map
                .get(&key)
                .filter(|stored| stored.record.expires_at > self.now(now) && depth < 3)?
                .record
                .parent;
        }
        None
    }

    fn within_one_partition(&self, condition: Option<Key>, batch: &[Record]) -> Result<(), StoreError> {
        if self.has(PlantedFault::StepsOverTwoPartitions) { Ok(()) } else { one_partition(condition, batch) }
    }

    /// Puts `change` in place and writes the batch, on a copy that counts only when all went well.
    fn write(
        &self,
        guard: &mut (Map, u64),
        now: Timestamp,
        change: Option<(Key, Option<Stored>)>,
        batch: &[Record],
    ) -> Result<Revision, StoreError> {
        let (mut map, mut revisions) = guard.clone();
        revisions += 1;
        let revision = Revision(revisions);
        match change {
            Some((key, Some(stored))) => drop(map.insert(key, Stored { revision, ..stored })),
            Some((key, None)) => drop(map.remove(&key)),
            None => {}
        }
        for record in batch {
            let alike =
                |old: &Record| old.key == record.key || (old.alias.is_some() && old.alias == record.alias);
            let holders: Vec<Record> =
                map.values().filter(|old| alike(&old.record)).map(|old| old.record.clone()).collect();
            for holder in holders {
                let kept = self.has(PlantedFault::AliasFreedOnlyByTheSweep) && holder.key != record.key;
                if holder.expires_at > self.now(now) || kept {
                    return Err(StoreError::Occupied);
                }
                map.remove(&holder.key);
            }
            revisions += 1;
            let stored = Stored { record: record.clone(), revision: Revision(revisions), consumed_at: None };
            map.insert(record.key, stored);
        }
        *guard = (map, revisions);
        Ok(revision)
    }
}

impl StateStore for Small {
    fn insert<'a>(&'a self, now: Timestamp, batch: &'a [Record]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.within_one_partition(None, batch)?;
            self.write(&mut self.lock(), now, None, batch).map(drop)
        })
    }

    fn get(&self, now: Timestamp, key: Key) -> StoreFuture<'_, Option<Stored>> {
        Box::pin(async move { Ok(self.live(&self.lock().0, now, key)) })
    }

    fn get_by_alias(&self, now: Timestamp, alias: Alias) -> StoreFuture<'_, Option<Stored>> {
        Box::pin(async move {
            let guard = self.lock();
            let holders = guard.0.values().filter(|stored| stored.record.alias == Some(alias));
            Ok(holders.filter_map(|stored| self.live(&guard.0, now, stored.record.key)).next())
        })
    }

    fn update<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Revision,
        change: Change,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Updated> {
        Box::pin(async move {
            self.within_one_partition(Some(key), issue)?;
            let mut guard = self.lock();
            let Some(mut stored) = self.live(&guard.0, now, key) else { return Ok(Updated::Gone) };
            if stored.revision != seen && !self.has(PlantedFault::UpdatesWithoutTheRevision) {
                return Ok(Updated::Stale);
            }
            let Change { body, expires_at, due_at } = change;
            stored.record = Record { body, expires_at, due_at, ..stored.record };
            self.write(&mut guard, now, Some((key, Some(stored))), issue).map(Updated::Done)
        })
    }

    fn redeem<'a>(&'a self, now: Timestamp, key: Key, issue: &'a [Record]) -> StoreFuture<'a, Redeemed> {
        Box::pin(async move {
            self.within_one_partition(Some(key), issue)?;
            let mut guard = self.lock();
            let Some(stored) = self.live(&guard.0, now, key) else { return Ok(Redeemed::Gone) };
            if let Some(at) = stored.consumed_at.filter(|_| !self.has(PlantedFault::ConsumesWithoutAsking)) {
                return Ok(Redeemed::Replayed { at });
            }
            if self.has(PlantedFault::LooksThenConsumes) {
                drop(guard);
                self.let_others_in();
                guard = self.lock();
            }
            let consumed = Stored { consumed_at: Some(now), ..stored };
            self.write(&mut guard, now, Some((key, Some(consumed))), issue)?;
            Ok(Redeemed::First)
        })
    }

    fn revoke<'a>(
        &'a self,
        now: Timestamp,
        key: Key,
        seen: Option<Revision>,
        issue: &'a [Record],
    ) -> StoreFuture<'a, Revoked> {
        Box::pin(async move {
            self.within_one_partition(Some(key), issue)?;
            let mut guard = self.lock();
            let Some(stored) = self.live(&guard.0, now, key) else {
                if self.has(PlantedFault::NoticesWithEveryRevocation) {
                    self.write(&mut guard, now, None, issue)?;
                }
                return Ok(Revoked::Gone);
            };
            if seen.is_some_and(|seen| seen != stored.revision) {
                return Ok(Revoked::Stale);
            }
            self.write(&mut guard, now, Some((key, None)), issue)?;
            Ok(Revoked::Ended)
        })
    }

    fn revoke_tagged(&self, kind: Kind, tag: Tag) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let map = &mut self.lock().0;
            let before = map.len();
            map.retain(|key, stored| key.kind() != kind || stored.record.tags.iter().all(|have| have != tag));
            Ok((before - map.len()) as u64)
        })
    }

    fn list_tagged(
        &self,
        now: Timestamp,
        kind: Kind,
        tag: Tag,
        after: Option<Key>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>> {
        Box::pin(async move {
            let map = &self.lock().0;
            let tagged = map.values().filter(|stored| stored.record.tags.iter().any(|have| have == tag));
            let listed =
                tagged.filter(|stored| stored.record.key.kind() == kind && Some(stored.record.key) > after);
            Ok(listed.filter_map(|stored| self.live(map, now, stored.record.key)).take(limit).collect())
        })
    }

    fn lease(
        &self,
        now: Timestamp,
        kind: Kind,
        until: Timestamp,
        limit: usize,
    ) -> StoreFuture<'_, Vec<Stored>> {
        Box::pin(async move {
            let mut guard = self.lock();
            let due = guard.0.values().filter(|stored| stored.record.due_at.is_some_and(|at| at <= now));
            let due = due.filter(|stored| stored.record.key.kind() == kind);
            let due = due.filter_map(|stored| self.live(&guard.0, now, stored.record.key)).take(limit);
            let mut leased: Vec<Stored> = due.collect();
            if self.has(PlantedFault::LeasesWithoutALock) {
                drop(guard);
                self.let_others_in();
                guard = self.lock();
            }
            for stored in &mut leased {
                stored.record.due_at = Some(until);
                let change = Some((stored.record.key, Some(stored.clone())));
                stored.revision = self.write(&mut guard, now, change, &[])?;
            }
            Ok(leased)
        })
    }

    fn sweep(&self, now: Timestamp, limit: usize) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let map = &mut self.lock().0;
            let mut removed = 0;
            while removed < limit
                && let Some(dead) = map.values().map(|stored| &stored.record).find(|record| {
                    let orphan = record.parent.is_some_and(|parent| !map.contains_key(&parent));
                    record.expires_at <= self.now(now)
                        || (orphan && !self.has(PlantedFault::SweepForgetsOrphans))
                })
            {
                let key = dead.key;
                map.remove(&key);
                removed += 1;
            }
            Ok(removed as u64)
        })
    }
}
