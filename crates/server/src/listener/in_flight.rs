//! What happens on a connection: requests are answered, one is arriving, or it is idle; and for how long.

use std::io::{IoSlice, Result};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Version;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio::time::timeout;

/// The requests of a connection.
#[derive(Clone)]
pub(super) struct InFlight(watch::Sender<Activity>);

/// What happens on a connection.
#[derive(Clone, Copy, Default)]
struct Activity {
    /// Requests that are being answered.
    in_flight: u32,
    /// Requests that have begun so far.
    begun: u64,
    /// Bytes have arrived since the last answer, but no complete header yet.
    is_arriving: bool,
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
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Activity::default()))
    }

    pub(super) fn begin(&self, version: Version) -> Request {
        self.0.send_modify(|activity| {
            activity.in_flight += 1;
            activity.begun += 1;
            activity.is_arriving = false;
            activity.is_http_2 = version >= Version::HTTP_2;
        });
        Request(self.clone())
    }

    /// Wraps the stream through which the requests arrive.
    pub(super) fn track<S>(&self, stream: S) -> Tracked<S> {
        Tracked { stream, requests: self.clone() }
    }

    /// Completes when a header took longer than `header`, counted from its first byte or, for the first one,
    /// from the connection's beginning; or when there was no request for as long as `idle`. The time runs
    /// from this call, not from the first poll, before which a request may already have been answered.
    pub(super) fn timed_out(&self, header: Duration, idle: Duration) -> impl Future<Output = TimedOut> + use<> {
        let mut activity = self.0.subscribe();
        async move {
            let mut begun = 0;
            loop {
                let is_due = begun == 0 || activity.borrow_and_update().is_arriving;
                let (within, timed_out) = if is_due { (header, TimedOut::SlowHeader) } else { (idle, TimedOut::Idle) };
                let next = activity.wait_for(|activity| activity.begun != begun || (activity.is_arriving && !is_due));
                let Ok(Ok(_)) = timeout(within, next).await else { return timed_out };
                let Ok(activity) = activity.wait_for(|activity| activity.in_flight == 0).await else {
                    return timed_out;
                };
                begun = activity.begun;
            }
        }
    }

    fn received(&self) {
        self.0.send_if_modified(|activity| {
            let is_begin =
                activity.in_flight == 0 && activity.begun > 0 && !activity.is_http_2 && !activity.is_arriving;
            activity.is_arriving |= is_begin;
            is_begin
        });
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.0.send_modify(|activity| activity.in_flight -= 1);
    }
}

/// A stream that reports arriving bytes.
pub(super) struct Tracked<S> {
    stream: S,
    requests: InFlight,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tracked<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
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
