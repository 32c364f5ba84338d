//! What happens on a connection: requests are answered, one is arriving, or it is idle; and for how long.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, sleep_until};

/// The requests of a connection. Noting one wakes nobody: whoever waits for a timeout looks from time to
/// time.
#[derive(Clone)]
pub(super) struct InFlight(Arc<Mutex<Activity>>);

/// What happens on a connection.
struct Activity {
    /// Requests that are being answered.
    in_flight: u32,
    /// A request is due: the first one, or one of which bytes have arrived already.
    is_due: bool,
    /// Since when no request has been in flight, or since when one has been due.
    since: Instant,
    /// In HTTP/2, bytes may belong to no request.
    is_http_2: bool,
}

/// A request in flight, until this is dropped.
pub(super) struct Request(InFlight);

/// Why a connection must end.
pub(super) enum TimedOut {
    /// A header did not arrive in time.
    SlowHeader,
    /// There was no request for too long.
    Idle,
}

impl InFlight {
    /// The requests of a connection that begins now.
    pub(super) fn new() -> Self {
        let activity = Activity { in_flight: 0, is_due: true, since: Instant::now(), is_http_2: false };
        Self(Arc::new(Mutex::new(activity)))
    }

    pub(super) fn begin(&self, version: Version) -> Request {
        let mut activity = self.activity();
        activity.in_flight += 1;
        activity.is_due = false;
        activity.is_http_2 = version >= Version::HTTP_2;
        Request(self.clone())
    }

    /// Wraps the stream through which the requests arrive.
    pub(super) fn track<S>(&self, stream: S) -> Tracked<S> {
        Tracked { stream, requests: self.clone() }
    }

    /// Completes when a header took longer than `header`, counted from its first byte or, for the first one,
    /// from the connection's beginning; or when there was no request for as long as `idle`.
    pub(super) async fn timed_out(self, header: Duration, idle: Duration) -> TimedOut {
        loop {
            let now = Instant::now();
            // It looks so often that nothing can begin and time out in between.
            let mut next = now + header.min(idle);
            if let Some((at, timed_out)) = self.activity().times_out(header, idle) {
                if at <= now {
                    return timed_out;
                }
                next = at.min(now + header);
            }
            sleep_until(next).await;
        }
    }

    fn received(&self) {
        let mut activity = self.activity();
        if activity.in_flight == 0 && !activity.is_due && !activity.is_http_2 {
            activity.is_due = true;
            activity.since = Instant::now();
        }
    }

    /// Nothing panics under the lock, so what it guards is whole.
    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Activity {
    /// When the connection times out as it is now, and why; `None` while a request is in flight.
    fn times_out(&self, header: Duration, idle: Duration) -> Option<(Instant, TimedOut)> {
        match (self.in_flight, self.is_due) {
            (0, true) => Some((self.since + header, TimedOut::SlowHeader)),
            (0, false) => Some((self.since + idle, TimedOut::Idle)),
            (1.., _) => None,
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let mut activity = self.0.activity();
        activity.in_flight -= 1;
        activity.since = Instant::now();
    }
}

/// A stream that reports arriving bytes.
pub(super) struct Tracked<S> {
    stream: S,
    requests: InFlight,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tracked<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.requests.received();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tracked<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
