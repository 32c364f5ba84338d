//! Runs the worker that sends notices to clients (OIDC Back-Channel Logout section 2.5).

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Duration;

use tokio::sync::Notify;

/// How often it looks for notices that are due again, or that a command has left in the store.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// Wakes the worker when a session has ended here.
#[derive(Default)]
pub(crate) struct Bell(Notify);

impl Bell {
    /// For the provider.
    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// Waits until it rings, or has rung since this was called last.
    pub(crate) async fn rung(&self) {
        self.0.notified().await;
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}
