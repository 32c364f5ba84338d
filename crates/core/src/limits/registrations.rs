//! How many clients each network, and all together, have registered within a period.
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

impl Registered {
    /// Counts one more, or says how long to wait for it. A quota of zero is none.
    fn take(&mut self, now: Timestamp, quota: u32, period: Duration) -> Result<(), Duration> {
        if now.distance(self.since) >= period {
            *self = Self { since: now, count: 0 };
        }
        if quota > 0 && self.count >= quota {
            return Err((self.since + period).since(now));
        }
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}

/// How many clients may be registered within a period; zero for any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// By one network.
    pub network: u32,
    /// By all networks together.
    pub everybody: u32,
}

/// The clients that each network has registered, and all together.
#[derive(Default)]
pub struct Registrations {
    networks: Mutex<HashMap<Box<str>, Registered>>,
    everybody: Mutex<Option<Registered>>,
}

impl Registrations {
    /// Counts one registration, or says how long this network has to wait until it may register the next
    /// client. Peers that are unknown share one count. What a network is refused is not counted for everybody.
    ///
    /// # Errors
    /// The wait.
    pub fn take(
        &self,
        now: Timestamp,
        network: Option<&str>,
        quotas: Quotas,
        period: Duration,
    ) -> Result<(), Duration> {
        if quotas.network > 0 {
            let mut known = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
            let network = network.unwrap_or_default();
            if known.len() >= MOST && !known.contains_key(network) {
                forget(&mut known, now, period);
            }
            let registered = known.entry(network.into()).or_insert(Registered { since: now, count: 0 });
            registered.take(now, quotas.network, period)?;
        }
        if quotas.everybody > 0 {
            let mut everybody = self.everybody.lock().unwrap_or_else(PoisonError::into_inner);
            let registered = everybody.get_or_insert(Registered { since: now, count: 0 });
            registered.take(now, quotas.everybody, period)?;
        }
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
        let quotas = |network| Quotas { network, everybody: 0 };
        let take = |now, network| registrations.take(now, network, quotas(2), HOUR);
        assert_eq!([take(now, Some("a")), take(now, Some("a"))], [Ok(()), Ok(())]);
        assert_eq!(take(now, Some("a")), Err(HOUR));
        assert_eq!(take(now + Duration::from_secs(3_599), Some("a")), Err(Duration::from_secs(1)));
        assert_eq!(take(now, Some("b")), Ok(()), "another network");
        assert_eq!(registrations.take(now, Some("a"), quotas(0), HOUR), Ok(()), "no quota");
        assert_eq!(take(now + HOUR, Some("a")), Ok(()));
        assert_eq!(take(now + HOUR, Some("a")), Ok(()), "counted anew");
        assert!(take(now + HOUR, Some("a")).is_err());
    }

    /// Nobody escapes their wait by filling the memory from other networks, and the memory is bounded.
    #[test]
    fn many_networks_push_nobody_out() {
        let (registrations, now) = (Registrations::default(), Timestamp::from_secs(1_800_000_000));
        let quotas = Quotas { network: 2, everybody: 0 };
        let take = |network: &str| registrations.take(now, Some(network), quotas, HOUR);
        assert_eq!([take("a"), take("a")], [Ok(()), Ok(())]);
        (0..3 * MOST).for_each(|n| assert_eq!(take(&n.to_string()), Ok(())));
        assert!(registrations.networks.lock().unwrap().len() <= MOST);
        assert!(take("a").is_err());
    }
    /// Whoever has many networks does not have many quotas; and a network that has used up its own uses up nobody
    /// else's.
    #[test]
    fn all_networks_share_a_quota() {
        let (registrations, now) = (Registrations::default(), Timestamp::from_secs(1_800_000_000));
        let quotas = Quotas { network: 2, everybody: 3 };
        let take = |now, network| registrations.take(now, Some(network), quotas, HOUR);
        assert_eq!([take(now, "a"), take(now, "a")], [Ok(()), Ok(())]);
        (0..10).for_each(|_| assert_eq!(take(now, "a"), Err(HOUR)));
        assert_eq!((take(now, "b"), take(now, "c")), (Ok(()), Err(HOUR)));
        assert_eq!(take(now + HOUR, "c"), Ok(()));
    }
}
