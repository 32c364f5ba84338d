//! RFC 9449, OAuth 2.0 Demonstrating Proof of Possession (DPoP): section 11.1, a proof is taken once.
//! Config     none
//! Discovery  none

use std::collections::{BTreeSet, HashSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use chancery_core::error::Fault;
use chancery_core::provider::Provider;
use chancery_types::Timestamp;

/// Remembers which proofs were used. This is a port: if an API runs on several nodes, all of them have to remember in one
/// place, or a proof is good once on each.
pub trait UsedProofs: Send + Sync {
    /// Remembers the proof with this mark until then; `false` if it was remembered already. This is one step: of several
    /// calls with the same mark, one gets `true`.
    fn use_once(
        &self,
        now: Timestamp,
        mark: [u8; 32],
        until: Timestamp,
    ) -> impl Future<Output = Result<bool, Fault>> + Send;
}

chancery_core::ports::port_object! {
    /// [`UsedProofs`] as an object, as a protected resource holds them: whatever implements that trait is one.
    pub trait DynUsedProofs for UsedProofs {
        async fn use_once<'a>(
            &'a self,
            now: Timestamp,
            mark: [u8; 32],
            until: Timestamp,
        ) -> Result<bool, Fault>;
    }
}

/// Remembers them in memory: for one node, which is the default. What it remembers is bounded; while it is full, no proof
/// is taken (503), because forgetting one would let it be used again.
pub struct SeenProofs {
    seen: Mutex<Seen>,
    most: usize,
}

#[derive(Default)]
struct Seen {
    marks: HashSet<[u8; 32]>,
    by_end: BTreeSet<(Timestamp, [u8; 32])>,
}

impl SeenProofs {
    /// Remembers at most so many proofs at once. A proof is remembered for 70 seconds, unless other lifetimes are set.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { seen: Mutex::default(), most }
    }

    fn remember(&self, now: Timestamp, mark: [u8; 32], until: Timestamp) -> Result<bool, Fault> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((end, old)) = seen.by_end.first().copied().filter(|(end, _)| *end <= now) {
            seen.by_end.remove(&(end, old));
            seen.marks.remove(&old);
        }
        if seen.marks.contains(&mark) {
            return Ok(false);
        }
        if seen.marks.len() >= self.most {
            return Err(Fault::unavailable("more DPoP proofs are in use than can be remembered"));
        }
        seen.marks.insert(mark);
        seen.by_end.insert((until, mark));
        Ok(true)
    }
}

/// 200,000 proofs: about 3,000 requests per second, in some 20 MB.
impl Default for SeenProofs {
    fn default() -> Self {
        Self::new(200_000)
    }
}

impl UsedProofs for SeenProofs {
    async fn use_once(&self, now: Timestamp, mark: [u8; 32], until: Timestamp) -> Result<bool, Fault> {
        self.remember(now, mark, until)
    }
}

/// Remembers them in the store of a provider, as its own endpoints do.
pub(crate) struct ProofsOfProvider(pub(crate) Arc<Provider>);

impl UsedProofs for ProofsOfProvider {
    async fn use_once(&self, now: Timestamp, mark: [u8; 32], until: Timestamp) -> Result<bool, Fault> {
        self.0.use_proof(now, &mark, until).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_once_until_its_end_and_no_more_than_there_is_room_for() {
        let proofs = SeenProofs::new(2);
        let at = Timestamp::from_secs;
        let remember = |now, mark: u8, until| proofs.remember(at(now), [mark; 32], at(until)).ok();
        assert_eq!(remember(0, 1, 70), Some(true));
        assert_eq!(remember(1, 1, 71), Some(false));
        assert_eq!(remember(1, 2, 60), Some(true));
        assert_eq!(remember(2, 3, 72), None, "full");
        assert_eq!(remember(2, 1, 72), Some(false), "but nothing is forgotten");
        assert_eq!(remember(60, 3, 130), Some(true), "one has ended");
        assert_eq!(remember(69, 1, 139), Some(false));
        assert_eq!(remember(70, 1, 140), Some(true));
        assert_eq!(proofs.seen.lock().unwrap().by_end.len(), 2);
    }
}
