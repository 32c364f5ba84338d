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

    /// Ready when the first request took longer than `first` to come, or none was in flight for as long as `next`. Counts
    /// from this call on, not from the first poll, before which a request may have come and gone.
    pub(super) fn none(&self, first: Duration, next: Duration) -> impl Future<Output = ()> + use<> {
        let mut count = self.0.subscribe();
        async move {
            let mut has_begun = timeout(first, count.changed()).await.is_ok();
            while has_begun && count.wait_for(|count| *count == 0).await.is_ok() {
                has_begun = timeout(next, count.changed()).await.is_ok();
            }
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}
