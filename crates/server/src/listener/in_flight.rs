//! How many requests of one connection are being answered, and for how long it has had none.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// The requests of a connection that are being answered.
pub(super) struct InFlight(watch::Sender<u32>);

/// One request; answered when this is dropped.
pub(super) struct Request(watch::Sender<u32>);

impl InFlight {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(super) fn begin(&self) -> Request {
        self.0.send_modify(|count| *count += 1);
        Request(self.0.clone())
    }

    /// Ready when the first request took longer than `first` to come, or none was in flight for as long as `next`.
    pub(super) async fn none(&self, first: Duration, next: Duration) {
        let mut count = self.0.subscribe();
        let mut within = first;
        loop {
            if count.wait_for(|count| *count == 0).await.is_err() || timeout(within, count.changed()).await.is_err() {
                return;
            }
            within = next;
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
