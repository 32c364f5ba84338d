//! The open connections, and how they end.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};

use super::networks::{NetworkPermit, Networks};

/// How long `Connection: close` asks clients to close their connections before they are closed.
const DRAIN: Duration = Duration::from_millis(500);

/// How long queued connections are still accepted during a shutdown.
const ACCEPT: Duration = Duration::from_millis(50);

/// How long requests in flight may take during a shutdown.
const IN_FLIGHT: Duration = Duration::from_secs(10);

/// The stages of a shutdown. While draining, everything goes on, but each HTTP/1.1 answer ends its
/// connection: if that were closed at once, a client that is just sending its next request would lose it.
/// While closing, no connection is accepted any more, and the open ones end after their requests in flight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    Draining,
    Closing,
}

/// The open connections of all listeners together.
pub(crate) struct Connections {
    permits: Arc<Semaphore>,
    limit: u32,
    networks: Arc<Networks>,
    rejected: AtomicU64,
    stage: watch::Sender<Stage>,
}

/// Permission for one connection, until this is dropped.
pub(crate) struct ConnectionPermit {
    _of_all: OwnedSemaphorePermit,
    _of_its_network: Option<NetworkPermit>,
}

impl Connections {
    /// Allows `limit` connections, and `each` of one network.
    pub(crate) fn new(limit: u32, each: u32) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(usize::try_from(limit).unwrap_or(Semaphore::MAX_PERMITS))),
            limit,
            networks: Arc::new(Networks::new(each)),
            rejected: AtomicU64::new(0),
            stage: watch::Sender::new(Stage::Open),
        }
    }

    /// Permission for one more connection, which counts towards the network of the address if one is given;
    /// `None` at a limit.
    pub(crate) fn acquire(&self, address: Option<IpAddr>) -> Option<ConnectionPermit> {
        let permit = || {
            let of_its_network = match address {
                None => None,
                Some(address) => Some(self.networks.acquire(address)?),
            };
            let of_all = self.permits.clone().try_acquire_owned().ok()?;
            Some(ConnectionPermit { _of_all: of_all, _of_its_network: of_its_network })
        };
        let permit = permit();
        if permit.is_none() {
            self.rejected.fetch_add(1, Ordering::Relaxed);
        }
        permit
    }

    /// How many connections were rejected since the last call.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.stage.borrow() >= Stage::Draining
    }

    /// Completes when connections must end.
    pub(crate) async fn closing(&self) {
        let mut stage = self.stage.subscribe();
        let _gone = stage.wait_for(|stage| *stage == Stage::Closing).await;
    }

    /// Shuts down, and returns whether all connections ended in time.
    pub(crate) async fn end(&self) -> bool {
        self.stage.send_replace(Stage::Draining);
        let until = Instant::now() + DRAIN;
        while Instant::now() < until && self.taken() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
        self.stage.send_replace(Stage::Closing);
        // Queued connections are still accepted for a moment; then all permits are taken back.
        sleep(ACCEPT).await;
        timeout(IN_FLIGHT, self.permits.acquire_many(self.limit)).await.is_ok()
    }

    /// How many connections are open, and how many may be.
    pub(crate) fn load(&self) -> (u32, u32) {
        (self.taken(), self.limit)
    }

    fn taken(&self) -> u32 {
        self.limit - u32::try_from(self.permits.available_permits()).unwrap_or(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H3: one network cannot close the server for all others.
    #[test]
    fn one_network_does_not_take_all_places() {
        let connections = Connections::new(3, 2);
        let permit = |address: &str| connections.acquire(address.parse().ok());
        let (first, _second) = (permit("2001:db8:0:1::1"), permit("2001:db8:0:1::2"));
        assert!(first.is_some() && permit("2001:db8:0:1::3").is_none());
        let other = permit("198.51.100.1");
        assert!(other.is_some());
        assert_eq!(connections.rejected(), 1);
        assert!(
            permit("203.0.113.1").is_none() && connections.acquire(None).is_none(),
            "all three are taken"
        );
        drop(first);
        assert!(permit("203.0.113.1").is_some(), "a permit was given back");
        assert!(permit("2001:db8:0:1::3").is_some(), "and so was the network's; a rejection costs none");
        assert_eq!((connections.rejected(), connections.rejected()), (2, 0));
    }
}
