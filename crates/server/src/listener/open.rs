//! How many connections are open, and how they end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};

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
    stage: watch::Sender<Stage>,
}

impl Connections {
    pub(crate) fn new(limit: u32) -> Self {
        let places = Arc::new(Semaphore::new(usize::try_from(limit).unwrap_or(Semaphore::MAX_PERMITS)));
        Self { places, limit, stage: watch::Sender::new(Stage::Open) }
    }

    /// Waits until there is room for one more; it is given back when this is dropped.
    pub(crate) async fn place(&self) -> Option<OwnedSemaphorePermit> {
        self.places.clone().acquire_owned().await.ok()
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
    ///
    /// `listeners` is how many places those hold that wait for a connection.
    pub(crate) async fn end(&self, listeners: u32) -> bool {
        self.stage.send_replace(Stage::Draining);
        let until = Instant::now() + DRAINING;
        while Instant::now() < until && self.taken() > listeners {
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
