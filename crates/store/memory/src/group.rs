//! The records of some partitions, with an index for each way to find them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use chancery_store::{Record, Revision, StoreError, Stored};
use chancery_types::{Alias, Key, Kind, Tag, Timestamp};

/// A record, its parent and its grandparent: a record below that is never live.
const DEPTH: usize = 3;

#[derive(Default)]
pub(crate) struct Group {
    records: HashMap<Key, Stored>,
    aliases: HashMap<Alias, Key>,
    children: BTreeMap<Key, BTreeSet<Key>>,
    tagged: BTreeMap<(Tag, Kind), BTreeSet<Key>>,
    due: BTreeMap<Kind, BTreeSet<(Timestamp, Key)>>,
    expiring: BTreeSet<(Timestamp, Key)>,
    /// Keys of missing records that have children, for the sweep. It may contain other keys, too, which does
    /// no harm.
    dead_parents: BTreeSet<Key>,
    revisions: u64,
}

impl Group {
    /// The record, if it is live.
    pub(crate) fn live(&self, now: Timestamp, key: Key) -> Option<&Stored> {
        let stored = self.records.get(&key)?;
        let mut ancestor = stored;
        for _ in 0..DEPTH {
            if ancestor.record.expires_at <= now {
                return None;
            }
            match ancestor.record.parent {
                None => return Some(stored),
                Some(parent) => ancestor = self.records.get(&parent)?,
            }
        }
        None
    }

    /// The key of the record that has this alias, live or not.
    pub(crate) fn named(&self, alias: Alias) -> Option<Key> {
        self.aliases.get(&alias).copied()
    }

    /// The live records with this tag, in the order of their keys.
    pub(crate) fn tagged(
        &self,
        now: Timestamp,
        kind: Kind,
        tag: Tag,
        after: Option<Key>,
    ) -> impl Iterator<Item = &Stored> {
        let after = after.map_or(Bound::Unbounded, Bound::Excluded);
        let keys = self
            .tagged
            .get(&(tag, kind))
            .into_iter()
            .flat_map(move |keys| keys.range((after, Bound::Unbounded)));
        keys.filter_map(move |key| self.live(now, *key))
    }

    /// The live records that are due, the longest overdue first.
    pub(crate) fn due(&self, now: Timestamp, kind: Kind) -> impl Iterator<Item = (Timestamp, Key)> {
        let all = self.due.get(&kind).into_iter().flatten();
        all.take_while(move |(at, _)| *at <= now)
            .filter(move |(_, key)| self.live(now, *key).is_some())
            .copied()
    }

    /// A number that no state in this group has had.
    pub(crate) fn next_revision(&mut self) -> Revision {
        self.revisions += 1;
        Revision(self.revisions)
    }

    /// Changes one record (or removes it, if `change` has no new state) and writes the batch; if a name is
    /// taken, nothing is done.
    pub(crate) fn step(
        &mut self,
        now: Timestamp,
        change: Option<(Key, Option<Stored>)>,
        batch: &[Record],
    ) -> Result<(), StoreError> {
        let mut undo = Vec::with_capacity(batch.len() + 1);
        if let Some((key, state)) = change {
            undo.push((key, self.set(key, state)));
        }
        for record in batch {
            let holders = [Some(record.key), record.alias.and_then(|alias| self.named(alias))];
            for holder in holders.into_iter().flatten() {
                let Some(stored) = self.records.get(&holder) else { continue };
                if stored.record.expires_at > now {
                    undo.into_iter().rev().for_each(|(key, before)| drop(self.set(key, before)));
                    return Err(StoreError::Occupied);
                }
                undo.push((holder, self.set(holder, None)));
            }
            let stored = Stored { record: record.clone(), revision: self.next_revision(), consumed_at: None };
            undo.push((record.key, self.set(record.key, Some(stored))));
        }
        // It sweeps more than the step wrote, so that expired records become fewer.
        self.sweep(now, 2 * batch.len() + 2);
        Ok(())
    }

    /// Moves a record that was found due to `until`; `None` when it was changed meanwhile.
    pub(crate) fn lease(
        &mut self,
        now: Timestamp,
        (at, key): (Timestamp, Key),
        until: Timestamp,
    ) -> Option<Stored> {
        let mut stored = self.live(now, key).filter(|stored| stored.record.due_at == Some(at))?.clone();
        stored.record.due_at = Some(until);
        stored.revision = self.next_revision();
        self.set(key, Some(stored.clone()));
        Some(stored)
    }

    /// Removes every record with this tag and returns how many they were.
    pub(crate) fn remove_tagged(&mut self, kind: Kind, tag: Tag) -> u64 {
        let keys = self.tagged.get(&(tag, kind)).cloned().unwrap_or_default();
        keys.into_iter().fold(0, |removed, key| removed + u64::from(self.set(key, None).is_some()))
    }

    /// Removes up to `limit` records that have expired or whose parent is missing.
    pub(crate) fn sweep(&mut self, now: Timestamp, limit: usize) -> usize {
        let mut removed = 0;
        while removed < limit
            && let Some((_, expired)) = self.expiring.first().copied().filter(|(at, _)| *at <= now)
        {
            self.set(expired, None);
            removed += 1;
        }
        while removed < limit
            && let Some(parent) = self.dead_parents.first().copied()
        {
            let gone = !self.records.contains_key(&parent);
            match self.children.get(&parent).and_then(BTreeSet::first).copied().filter(|_| gone) {
                Some(orphan) => {
                    self.set(orphan, None);
                    removed += 1;
                }
                None => drop(self.dead_parents.remove(&parent)),
            }
        }
        removed
    }

    /// The one place that writes: it gives a key a new state or none, updates every index, and returns the
    /// state before.
    fn set(&mut self, key: Key, state: Option<Stored>) -> Option<Stored> {
        let before = self.records.remove(&key);
        if let Some(before) = &before {
            self.forget(&before.record);
        }
        match state {
            Some(after) => {
                self.remember(&after.record);
                self.records.insert(key, after);
            }
            None if self.children.contains_key(&key) => drop(self.dead_parents.insert(key)),
            None => {}
        }
        before
    }

    fn remember(&mut self, record: &Record) {
        let key = record.key;
        self.expiring.insert((record.expires_at, key));
        if let Some(alias) = record.alias {
            self.aliases.insert(alias, key);
        }
        if let Some(parent) = record.parent {
            self.children.entry(parent).or_default().insert(key);
            if !self.records.contains_key(&parent) {
                self.dead_parents.insert(parent);
            }
        }
        for tag in record.tags.iter() {
            self.tagged.entry((tag, key.kind())).or_default().insert(key);
        }
        if let Some(at) = record.due_at {
            self.due.entry(key.kind()).or_default().insert((at, key));
        }
    }

    fn forget(&mut self, record: &Record) {
        let key = record.key;
        self.expiring.remove(&(record.expires_at, key));
        if let Some(alias) = record.alias {
            self.aliases.remove(&alias);
        }
        if let Some(parent) = record.parent {
            remove(&mut self.children, parent, &key);
        }
        for tag in record.tags.iter() {
            remove(&mut self.tagged, (tag, key.kind()), &key);
        }
        if let Some(at) = record.due_at {
            remove(&mut self.due, key.kind(), &(at, key));
        }
    }
}

/// Removes an entry from an index, and its set with the last entry.
fn remove<K: Ord, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: K, entry: &V) {
    if let Some(set) = index.get_mut(&key) {
        set.remove(entry);
        if set.is_empty() {
            index.remove(&key);
        }
    }
}
