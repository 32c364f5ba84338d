//! A step stays in one partition, so that a store can spread over several machines.

use chancery_types::{Key, Partition};

use crate::{Record, StoreError};

/// Checks that a step stays in one partition: the key of its condition, and key, parent and alias of each
/// record of the batch. Every backend checks this before it writes.
///
/// # Errors
/// [`StoreError::Misused`] when it names two.
pub fn one_partition(condition: Option<Key>, batch: &[Record]) -> Result<(), StoreError> {
    let named_by = |record: &Record| {
        let alias = record.alias.map(|alias| alias.partition());
        let parent = record.parent.map(|parent| parent.partition());
        [Some(record.key.partition()), alias, parent].into_iter().flatten()
    };
    let mut named = condition.map(|key| key.partition()).into_iter().chain(batch.iter().flat_map(named_by));
    let Some(first) = named.next() else { return Ok(()) };
    if named.all(|partition: Partition| partition == first) {
        Ok(())
    } else {
        Err(StoreError::Misused("a step must name one partition only"))
    }
}
