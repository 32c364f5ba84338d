//! Limits the connections of each network, so that none can use up all permits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chancery_types::Network;

/// The number of open connections of each network that has any.
pub(super) struct Networks {
    limit: u32,
    open: Mutex<HashMap<Network, u32>>,
}

/// Permission for one connection of a network, until this is dropped.
pub(super) struct NetworkPermit {
    networks: Arc<Networks>,
    network: Network,
}

impl Networks {
    pub(super) fn new(limit: u32) -> Self {
        Self { limit, open: Mutex::default() }
    }

    /// Permission for one more connection of this address' network; `None` when it has reached its limit.
    pub(super) fn acquire(self: &Arc<Self>, address: IpAddr) -> Option<NetworkPermit> {
        let network = Network::of(address);
        let mut all = self.open();
        let open = all.entry(network).or_default();
        if *open >= self.limit {
            return None;
        }
        *open += 1;
        Some(NetworkPermit { networks: self.clone(), network })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Network, u32>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for NetworkPermit {
    fn drop(&mut self) {
        let mut all = self.networks.open();
        if let Some(open) = all.get_mut(&self.network) {
            *open -= 1;
            if *open == 0 {
                all.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_limit_and_gives_permits_back() {
        let networks = Arc::new(Networks::new(2));
        let share = |address: &str| networks.acquire(address.parse().unwrap());
        for (one, same, other) in [
            ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
            ("2001:db8::1", "2001:db8::ffff:0:0:2", "2001:db8:0:1::1"),
            ("::ffff:198.51.100.1", "198.51.100.1", "198.51.100.2"),
        ] {
            let first = share(one);
            let second = share(same);
            assert!(first.is_some() && second.is_some(), "{one}");
            assert!(share(one).is_none() && share(same).is_none(), "{one}");
            assert!(share(other).is_some(), "{other}");
            drop(first);
            assert!(share(same).is_some(), "{same}");
        }
        assert!(networks.open().is_empty(), "nothing is remembered of closed connections");
    }
}
