//! What has to be done from time to time, without a request.

use chancery_types::Timestamp;

use crate::context::Env;
use crate::error::Fault;

/// How many records one step of sweeping removes at most, so that it does not hold up requests.
const BATCH: usize = 1_000;

/// How many steps one run makes at most; what is left waits for the next run.
const STEPS: usize = 100;

/// Removes what has expired, and says how many records.
///
/// # Errors
/// A fault of the store.
pub async fn run_once(env: &Env, now: Timestamp) -> Result<u64, Fault> {
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
