//! How many connections are open, and how they end.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};

use super::networks::{Networks, Share};

/// How long connections are asked to close before they are told to.
const DRAINING: Duration = Duration::from_millis(500);

/// How long connections that wait already are taken at the end.
const TAKING: Duration = Duration::from_millis(50);

/// How long requests in flight may take at the end.
const AT_MOST: Duration = Duration::from_secs(10);

/// The stages of an end. First everything goes on, but each HTTP/1.1 answer ends its connection: a client that is just
/// sending its next request on an open connection would lose it if that were closed at once. Then no connection is taken
/// any more and those that are open end with the request in flight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    Draining,
    Closing,
}

/// The open connections of all listeners together.
pub(crate) struct Connections {
    places: Arc<Semaphore>,
    limit: u32,
    networks: Arc<Networks>,
    turned_away: AtomicU64,
    stage: watch::Sender<Stage>,
}

/// The place of one connection; given back when this is dropped.
pub(crate) struct Place {
    _of_all: OwnedSemaphorePermit,
    _of_its_network: Option<Share>,
}

impl Connections {
    /// Room for `limit` connections, `each` from one network.
    pub(crate) fn new(limit: u32, each: u32) -> Self {
        Self {
            places: Arc::new(Semaphore::new(usize::try_from(limit).unwrap_or(Semaphore::MAX_PERMITS))),
            limit,
            networks: Arc::new(Networks::new(each)),
            turned_away: AtomicU64::new(0),
            stage: watch::Sender::new(Stage::Open),
        }
    }

    /// A place for one more, counted for the network of this address if one is given; `None` when there is none.
    pub(crate) fn place(&self, address: Option<IpAddr>) -> Option<Place> {
        let place = || {
            let of_its_network = match address {
                None => None,
                Some(address) => Some(self.networks.share(address)?),
            };
            let of_all = self.places.clone().try_acquire_owned().ok()?;
            Some(Place { _of_all: of_all, _of_its_network: of_its_network })
        };
        let place = place();
        if place.is_none() {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        place
    }

    /// How many found no place since this was asked last.
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.stage.borrow() >= Stage::Draining
    }

    /// Ready when connections have to end.
    pub(crate) async fn closing(&self) {
        let mut stage = self.stage.subscribe();
        let _gone = stage.wait_for(|stage| *stage == Stage::Closing).await;
    }

    /// Ends all connections. Says whether all ended by themselves.
    pub(crate) async fn end(&self) -> bool {
        self.stage.send_replace(Stage::Draining);
        let until = Instant::now() + DRAINING;
        while Instant::now() < until && self.taken() > 0 {
            sleep(Duration::from_millis(20)).await;
        }
        self.stage.send_replace(Stage::Closing);
        // What waits to be taken is still taken; after this there are no places left to give.
        sleep(TAKING).await;
        timeout(AT_MOST, self.places.acquire_many(self.limit)).await.is_ok()
    }

    fn taken(&self) -> u32 {
        self.limit - u32::try_from(self.places.available_permits()).unwrap_or(self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// H3: one network cannot close the server for all others.
    #[test]
    fn one_network_does_not_take_all_places() {
        let connections = Connections::new(3, 2);
        let place = |address: &str| connections.place(address.parse().ok());
        let (first, _second) = (place("192.0.2.1"), place("192.0.2.2"));
        assert!(first.is_some() && place("192.0.2.3").is_none());
        let other = place("198.51.100.1");
        assert!(other.is_some());
        assert_eq!(connections.turned_away(), 1);
        assert!(place("203.0.113.1").is_none() && connections.place(None).is_none(), "all three are taken");
        drop(first);
        assert!(place("203.0.113.1").is_some(), "a place came back");
        assert!(place("192.0.2.3").is_some(), "and the network's share with it; a refusal costs none");
        assert_eq!((connections.turned_away(), connections.turned_away()), (2, 0));
    }
}
