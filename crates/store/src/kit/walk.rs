//! Random steps, each compared with what a plain map does.
#![expect(clippy::panic, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chancery_seeded::Seeded;
use chancery_types::{Alias, Key, Kind, Partition, Tag, Timestamp};

use super::States;
use super::sample::{T0, key_in, realm, tag};
use super::taking_turns::{TakingTurns, taking_turns};
use super::wait::{done, wait};
use crate::{Change, Record, Redeemed, Revision, Revoked, StateStore, StoreError, Stored, Tags, Updated};

const SEEDS: [u64; 4] = [1, 2, 3, 4];
const STEPS: usize = 2_500;

/// There are few partitions, names and tags, so that every combination occurs.
const PARTITIONS: [Partition; 2] = [Partition([1, 1]), Partition([1, 2])];
const PARENTS: [Kind; 2] = [Kind::SESSION, Kind::GRANT];
const LEAVES: [Kind; 3] = [Kind::ACCESS_TOKEN, Kind::AUTHORIZATION_CODE, Kind::DELIVERY];

/// 2,500 steps from each of four seeds.
pub fn a_walk_at_random_agrees_with_a_map(handles: &States) {
    for seed in SEEDS {
        // Each walk starts after all that the one before it wrote has expired.
        let now = T0 + Duration::from_secs(seed * 1_000_000);
        let mut walk = Walk {
            store: taking_turns(handles),
            random: Seeded::new(seed),
            now,
            map: BTreeMap::new(),
            parents: Vec::new(),
            born: (u32::try_from(seed).unwrap_or(0)) << 16,
            revisions: BTreeSet::new(),
        };
        for step in 0..STEPS {
            walk.step();
            if step % 25 == 0 {
                walk.compare();
            }
        }
        walk.compare();
    }
}

/// What the map holds: the record, and when it was consumed.
type Known = (Record, Option<Timestamp>);

struct Walk {
    store: TakingTurns,
    random: Seeded,
    now: Timestamp,
    map: BTreeMap<Key, Known>,
    /// All keys that a parent has ever had; none is used twice.
    parents: Vec<Key>,
    born: u32,
    /// Every revision of every key so far.
    revisions: BTreeSet<(Key, u64)>,
}

impl Walk {
    fn step(&mut self) {
        if self.random.one_in(3) {
            self.now = self.now + Duration::from_millis(self.random.number() % 3_000);
        }
        let now = self.now;
        self.map.retain(|_, (record, _)| record.expires_at > now);
        match self.random.below(20) {
            0..6 => self.insert(),
            6..9 => self.update(),
            9..12 => self.redeem(),
            12..14 => self.revoke(),
            14 => self.revoke_tagged(),
            15 => self.list(),
            16..18 => self.lease(),
            18 => self.sweep(),
            _ => self.find(),
        }
    }

    fn insert(&mut self) {
        let partition = *self.random.one_of(&PARTITIONS);
        let batch = self.batch(partition);
        let outcome = wait(self.store.insert(self.now, &batch)).map(drop);
        self.judge(outcome, &batch, |_| {});
    }

    fn update(&mut self) {
        let key = self.some_key();
        let issue = self.batch(key.partition());
        let change = Change {
            body: self.random.number().to_be_bytes().into(),
            expires_at: self.end(),
            due_at: self.random.one_in(2).then_some(self.now),
        };
        let current = done(self.store.get(self.now, key)).map(|stored| stored.revision);
        let seen = if self.random.one_in(4) {
            Revision(self.random.number() >> 1)
        } else {
            current.unwrap_or(Revision(1))
        };
        match wait(self.store.update(self.now, key, seen, change.clone(), &issue)) {
            Ok(Updated::Gone) => assert!(!self.lives(key)),
            Ok(Updated::Stale) => assert!(self.lives(key) && current != Some(seen)),
            Ok(Updated::Done(revision)) => {
                assert!(self.lives(key) && current == Some(seen));
                assert!(self.revisions.insert((key, revision.0)), "a revision was repeated");
                self.judge(Ok(()), &issue, |map| change_record(map, key, &change));
            }
            Err(error) => {
                assert!(self.lives(key) && current == Some(seen));
                self.judge(Err(error), &issue, |map| change_record(map, key, &change));
            }
        }
    }

    fn redeem(&mut self) {
        let key = self.some_key();
        let issue = self.batch(key.partition());
        let now = self.now;
        let consumed_at = self.map.get(&key).and_then(|(_, at)| *at);
        let outcome = wait(self.store.redeem(now, key, &issue));
        let consume = |map: &mut BTreeMap<Key, Known>| {
            if let Some((_, at)) = map.get_mut(&key) {
                *at = Some(now);
            }
        };
        match outcome {
            Ok(Redeemed::Gone) => assert!(!self.lives(key)),
            Ok(Redeemed::Replayed { at }) => assert!(self.lives(key) && consumed_at == Some(at)),
            Ok(Redeemed::First) => {
                assert!(self.lives(key) && consumed_at.is_none());
                self.judge(Ok(()), &issue, consume);
            }
            Err(error) => {
                assert!(self.lives(key) && consumed_at.is_none());
                self.judge(Err(error), &issue, consume);
            }
        }
    }

    fn revoke(&mut self) {
        let key = self.some_key();
        let issue = self.batch(key.partition());
        let current = done(self.store.get(self.now, key)).map(|stored| stored.revision);
        let seen = match self.random.below(3) {
            0 => None,
            1 => current,
            _ => Some(Revision(self.random.number() >> 1)),
        };
        let fits = seen.is_none() || seen == current;
        let outcome = wait(self.store.revoke(self.now, key, seen, &issue));
        let end = |map: &mut BTreeMap<Key, Known>| drop(map.remove(&key));
        match outcome {
            Ok(Revoked::Gone) => assert!(!self.lives(key)),
            Ok(Revoked::Stale) => assert!(self.lives(key) && !fits),
            Ok(Revoked::Ended) => {
                assert!(self.lives(key) && fits);
                self.judge(Ok(()), &issue, end);
            }
            Err(error) => {
                assert!(self.lives(key) && fits);
                self.judge(Err(error), &issue, end);
            }
        }
    }

    fn revoke_tagged(&mut self) {
        let (kind, tag) = (self.some_kind(), self.some_tag());
        let tagged =
            |record: &Record| record.key.kind() == kind && record.tags.iter().any(|have| have == tag);
        let live = self.map.values().filter(|(record, _)| tagged(record) && self.lives(record.key)).count();
        assert!(done(self.store.revoke_tagged(kind, tag)) >= live as u64);
        self.map.retain(|_, (record, _)| !tagged(record));
    }

    fn list(&mut self) {
        let (kind, tag) = (self.some_kind(), self.some_tag());
        let after = self.random.one_in(2).then(|| self.some_key());
        let limit = self.random.below(6);
        let listed = done(self.store.list_tagged(self.now, kind, tag, after, limit));
        let wanted = self.map.values().map(|(record, _)| record).filter(|record| {
            let after_it = after.is_none_or(|after| record.key > after);
            record.key.kind() == kind && record.tags.iter().any(|have| have == tag) && after_it
        });
        let wanted: Vec<&Record> = wanted.filter(|record| self.lives(record.key)).take(limit).collect();
        assert_eq!(listed.iter().map(|stored| &stored.record).collect::<Vec<_>>(), wanted);
    }

    fn lease(&mut self) {
        let (limit, until) =
            (self.random.below(4), self.now + Duration::from_millis(self.random.number() % 4_000 + 1));
        let kind = self.some_kind();
        let due = self.map.values().filter(|(record, _)| {
            record.key.kind() == kind
                && record.due_at.is_some_and(|at| at <= self.now)
                && self.lives(record.key)
        });
        let due: BTreeSet<Key> = due.map(|(record, _)| record.key).collect();
        let leased = done(self.store.lease(self.now, kind, until, limit));
        assert_eq!(leased.len(), due.len().min(limit));
        for stored in leased {
            let key = stored.record.key;
            assert!(due.contains(&key));
            assert!(self.revisions.insert((key, stored.revision.0)), "a revision was repeated");
            if let Some((record, _)) = self.map.get_mut(&key) {
                record.due_at = Some(until);
                assert_eq!(*record, stored.record);
            }
        }
    }

    fn sweep(&mut self) {
        let limit = self.random.below(8);
        let swept = done(self.store.sweep(self.now, limit));
        assert!(swept <= limit as u64);
        if self.random.one_in(4) {
            while done(self.store.sweep(self.now, 50)) == 50 {}
            // The sweep has removed the descendants of missing records; in the map, they go level by level.
            for _ in 0..4 {
                let keys: BTreeSet<Key> = self.map.keys().copied().collect();
                self.map.retain(|_, (record, _)| record.parent.is_none_or(|parent| keys.contains(&parent)));
            }
        }
    }

    fn find(&mut self) {
        let partition = *self.random.one_of(&PARTITIONS);
        let alias = self.some_alias(partition);
        let found = done(self.store.get_by_alias(self.now, alias)).map(|stored| stored.record);
        let holder = self.map.values().map(|(record, _)| record).find(|record| record.alias == Some(alias));
        assert_eq!(found.as_ref(), holder.filter(|record| self.lives(record.key)));
    }

    /// Compares store and map for every key that has ever been used.
    fn compare(&mut self) {
        let leaves = PARTITIONS.iter().flat_map(|partition| LEAVES.map(|kind| (*partition, kind)));
        let leaves = leaves.flat_map(|(partition, kind)| (0..6).map(move |n| key_in(partition, kind, n)));
        for key in leaves.chain(self.parents.clone()) {
            let stored: Option<Stored> = done(self.store.get(self.now, key));
            let found = stored.map(|stored| (stored.record, stored.consumed_at));
            assert_eq!(found.as_ref(), self.map.get(&key).filter(|_| self.lives(key)));
        }
    }

    /// Checks that a batch may have had this outcome after `change`, and repeats both in the map.
    fn judge(
        &mut self,
        outcome: Result<(), StoreError>,
        batch: &[Record],
        change: impl Fn(&mut BTreeMap<Key, Known>),
    ) {
        let mut changed = self.map.clone();
        change(&mut changed);
        match outcome {
            Ok(()) => {
                // The name of an orphan may be free or taken; all others are as in the map.
                assert!(
                    write(&mut changed, self.now, batch, |map, key| !lives(map, self.now, key)),
                    "a name was taken"
                );
                self.map = changed;
                self.parents.extend(
                    batch.iter().map(|record| record.key).filter(|key| PARENTS.contains(&key.kind())),
                );
            }
            Err(StoreError::Occupied) => {
                assert!(!write(&mut changed, self.now, batch, |_, _| false), "no name was taken");
            }
            Err(error) => panic!("{error}"),
        }
    }

    fn lives(&self, key: Key) -> bool {
        lives(&self.map, self.now, key)
    }

    /// Up to three new records of one partition.
    fn batch(&mut self, partition: Partition) -> Vec<Record> {
        (0..self.random.below(4)).map(|_| self.record(partition)).collect()
    }

    fn record(&mut self, partition: Partition) -> Record {
        let key = if self.random.one_in(3) {
            self.born += 1;
            key_in(partition, *self.random.one_of(&PARENTS), self.born)
        } else {
            key_in(partition, *self.random.one_of(&LEAVES), u32::try_from(self.random.below(6)).unwrap_or(0))
        };
        // A session has no parent, a grant has a session, all others have a grant, dead or alive.
        let above = match key.kind() {
            Kind::SESSION => None,
            Kind::GRANT => Some(Kind::SESSION),
            _ => Some(Kind::GRANT),
        };
        let parents = self.parents.iter().rev().filter(|parent| parent.partition() == partition);
        let parents: Vec<Key> =
            parents.filter(|parent| Some(parent.kind()) == above).take(5).copied().collect();
        let parent = if parents.is_empty() || self.random.one_in(3) {
            None
        } else {
            Some(*self.random.one_of(&parents))
        };
        let some = |walk: &mut Self, what| {
            walk.random.one_in(2).then(|| tag(what, walk.random.one_of::<&str>(&["a", "b"])))
        };
        Record {
            key,
            alias: self.random.one_in(4).then(|| self.some_alias(partition)),
            parent,
            tags: Tags {
                account: some(self, "account"),
                client: some(self, "client"),
                session: some(self, "session"),
            },
            expires_at: self.end(),
            due_at: self.random.one_in(3).then_some(self.now),
            body: self.random.number().to_be_bytes().into(),
        }
    }

    /// An end of life: mostly in a while, sometimes now or in two days.
    fn end(&mut self) -> Timestamp {
        let days = if self.random.one_in(6) { 2 } else { 0 };
        self.now + Duration::from_secs(days * 86_400) + Duration::from_millis(self.random.number() % 60_000)
    }

    fn some_key(&mut self) -> Key {
        let known: Vec<Key> = self.map.keys().copied().collect();
        if known.is_empty() || self.random.one_in(5) {
            key_in(*self.random.one_of(&PARTITIONS), *self.random.one_of(&LEAVES), 1)
        } else {
            *self.random.one_of(&known)
        }
    }

    fn some_kind(&mut self) -> Kind {
        *self.random.one_of(&[LEAVES[0], LEAVES[1], LEAVES[2], PARENTS[0], PARENTS[1]])
    }

    fn some_tag(&mut self) -> Tag {
        tag(
            self.random.one_of::<&str>(&["account", "client", "session"]),
            self.random.one_of::<&str>(&["a", "b"]),
        )
    }

    fn some_alias(&mut self, partition: Partition) -> Alias {
        Alias::derive(&realm(), Kind::INTERACTION, partition, *self.random.one_of(&[b"1", b"2", b"3"]))
    }
}

fn change_record(map: &mut BTreeMap<Key, Known>, key: Key, change: &Change) {
    if let Some((record, _)) = map.get_mut(&key) {
        record.body = change.body.clone();
        record.expires_at = change.expires_at;
        record.due_at = change.due_at;
    }
}

fn lives(map: &BTreeMap<Key, Known>, now: Timestamp, key: Key) -> bool {
    map.get(&key).is_some_and(|(record, _)| {
        record.expires_at > now && record.parent.is_none_or(|parent| lives(map, now, parent))
    })
}

/// Writes a batch into the map. It returns whether all names were free of unexpired records other than those
/// that `may_yield`.
fn write(
    map: &mut BTreeMap<Key, Known>,
    now: Timestamp,
    batch: &[Record],
    may_yield: impl Fn(&BTreeMap<Key, Known>, Key) -> bool,
) -> bool {
    for new in batch {
        let named_alike =
            |old: &Record| old.key == new.key || (old.alias.is_some() && old.alias == new.alias);
        let holders: Vec<Key> =
            map.values().map(|(old, _)| old).filter(|old| named_alike(old)).map(|old| old.key).collect();
        for holder in holders {
            let expired = map.get(&holder).is_some_and(|(old, _)| old.expires_at <= now);
            if !expired && !may_yield(map, holder) {
                return false;
            }
            map.remove(&holder);
        }
        map.insert(new.key, (new.clone(), None));
    }
    true
}
