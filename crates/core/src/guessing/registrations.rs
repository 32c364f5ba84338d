//! How many clients each network has registered within a period.
//!
//! It is counted in memory, so that a registration needs no further access to the store. Each node therefore
//! counts on its own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chancery_types::Timestamp;

/// How many networks are remembered. Beyond that the ones that registered least are forgotten.
const MOST: usize = 16_384;

#[derive(Clone, Copy)]
struct Registered {
    since: Timestamp,
    count: u32,
}

/// The clients that each network has registered.
#[derive(Default)]
pub struct Registrations(Mutex<HashMap<Box<str>, Registered>>);

impl Registrations {
    /// Counts one registration, or says how long this network has to wait until it may register the next
    /// client. A quota of zero is none. Peers that are unknown share one count.
    ///
    /// # Errors
    /// The wait.
    pub fn take(
        &self,
        now: Timestamp,
        network: Option<&str>,
        quota: u32,
        period: Duration,
    ) -> Result<(), Duration> {
        if quota == 0 {
            return Ok(());
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let network = network.unwrap_or_default();
        if known.len() >= MOST && !known.contains_key(network) {
            forget(&mut known, now, period);
        }
        let registered = known.entry(network.into()).or_insert(Registered { since: now, count: 0 });
        if now.distance(registered.since) >= period {
            *registered = Registered { since: now, count: 0 };
        }
        if registered.count >= quota {
            return Err((registered.since + period).since(now));
        }
        registered.count += 1;
        Ok(())
    }
}

/// Makes room: removes what is over, or else the half that registered least.
fn forget(known: &mut HashMap<Box<str>, Registered>, now: Timestamp, period: Duration) {
    known.retain(|_, registered| now.distance(registered.since) < period);
    if known.len() >= MOST {
        let mut counts: Vec<u32> = known.values().map(|registered| registered.count).collect();
        let (_, median, _) = counts.select_nth_unstable(MOST / 2);
        let median = *median;
        let mut to_remove = MOST / 2;
        known.retain(|_, registered| {
            let goes = registered.count <= median && to_remove > 0;
            to_remove -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_network_waits_until_its_period_is_over() {
        let (registrations, now) = (Registrations::default(), Timestamp::from_secs(1_800_000_000));
        let take = |now, network| registrations.take(now, network, 2, HOUR);
        assert_eq!([take(now, Some("a")), take(now, Some("a"))], [Ok(()), Ok(())]);
        assert_eq!(take(now, Some("a")), Err(HOUR));
        assert_eq!(take(now + Duration::from_secs(3_599), Some("a")), Err(Duration::from_secs(1)));
        assert_eq!(take(now, Some("b")), Ok(()), "another network");
        assert_eq!(registrations.take(now, Some("a"), 0, HOUR), Ok(()), "no quota");
        assert_eq!(take(now + HOUR, Some("a")), Ok(()));
        assert_eq!(take(now + HOUR, Some("a")), Ok(()), "counted anew");
        assert!(take(now + HOUR, Some("a")).is_err());
    }

    /// Nobody escapes their wait by filling the memory from other networks, and the memory is bounded.
    #[test]
    fn many_networks_push_nobody_out() {
        let (registrations, now) = (Registrations::default(), Timestamp::from_secs(1_800_000_000));
        let take = |network: &str| registrations.take(now, Some(network), 2, HOUR);
        assert_eq!([take("a"), take("a")], [Ok(()), Ok(())]);
        (0..3 * MOST).for_each(|n| assert_eq!(take(&n.to_string()), Ok(())));
        assert!(registrations.0.lock().unwrap().len() <= MOST);
        assert!(take("a").is_err());
    }
}
