//! How many notices are under way at the same time: so few to one client that a dead one delays nobody.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chancery_types::ClientId;

/// To all clients together.
pub(super) const IN_FLIGHT: usize = 64;

/// To one client.
pub(super) const PER_CLIENT: usize = 4;

/// The notices that are under way from this process.
#[derive(Default)]
pub(super) struct Lanes(Mutex<UnderWay>);

#[derive(Default)]
struct UnderWay {
    /// To all clients, with what is claimed.
    total: usize,
    of_client: BTreeMap<ClientId, usize>,
}

/// Places for notices that are about to be leased. Those that are not taken are free again when this is
/// dropped.
pub(super) struct Claim<'l> {
    lanes: &'l Lanes,
    left: usize,
}

/// The place of one notice in its client's lane. It is free again when this is dropped.
pub(super) struct Place<'l> {
    lanes: &'l Lanes,
    client: ClientId,
}

impl Lanes {
    /// Claims at most so many places.
    pub(super) fn claim(&self, wanted: usize) -> Claim<'_> {
        let mut under_way = self.lock();
        let left = wanted.min(IN_FLIGHT.saturating_sub(under_way.total));
        under_way.total += left;
        Claim { lanes: self, left }
    }

    fn lock(&self) -> MutexGuard<'_, UnderWay> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'l> Claim<'l> {
    /// How many places there are.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// A place for a notice to this client; `None` when its lane is full.
    pub(super) fn take(&mut self, client: &ClientId) -> Option<Place<'l>> {
        let mut under_way = self.lanes.lock();
        let taken = under_way.of_client.entry(client.clone()).or_default();
        if *taken >= PER_CLIENT || self.left == 0 {
            return None;
        }
        *taken += 1;
        self.left -= 1;
        Some(Place { lanes: self.lanes, client: client.clone() })
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.lanes.lock().total -= self.left;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut under_way = self.lanes.lock();
        under_way.total -= 1;
        if let Some(taken) = under_way.of_client.get_mut(&self.client) {
            *taken -= 1;
            if *taken == 0 {
                under_way.of_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str) -> ClientId {
        ClientId::parse(id).unwrap()
    }

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let lanes = Lanes::default();
        let mut claim = lanes.claim(10);
        let places: Vec<_> = (0..PER_CLIENT).map(|_| claim.take(&client("app")).unwrap()).collect();
        assert!(claim.take(&client("app")).is_none());
        let other = claim.take(&client("other")).unwrap();
        assert_eq!(lanes.claim(1000).left(), IN_FLIGHT - 10, "what is claimed is not free");
        drop(claim);
        assert_eq!(lanes.claim(1000).left(), IN_FLIGHT - PER_CLIENT - 1);
        drop((places, other));
        assert_eq!(lanes.claim(1000).left(), IN_FLIGHT);
        assert!(lanes.claim(1).take(&client("app")).is_some());
    }
}
