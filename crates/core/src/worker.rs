//! Periodic work that no request triggers.

use chancery_types::Timestamp;

use crate::context::Env;
use crate::error::Fault;

/// How many records one step removes at most, so that it does not delay requests.
const BATCH: usize = 1_000;

/// How many steps one run takes at most; the next run does the rest.
const STEPS: usize = 100;

/// Removes expired records and returns their number.
///
/// # Errors
/// A fault of the store.
pub async fn sweep(env: &Env, now: Timestamp) -> Result<u64, Fault> {
    let mut removed = 0;
    for _ in 0..STEPS {
        let step = env.store.sweep(now, BATCH).await?;
        removed += step;
        if usize::try_from(step).is_ok_and(|step| step < BATCH) {
            break;
        }
    }
    Ok(removed)
}
