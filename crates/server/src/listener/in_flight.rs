//! What a connection is doing: whether requests are being answered, one is arriving, or nothing happens, and for how long.

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
pub(super) struct InFlight(watch::Sender<Doing>);

/// What a connection is doing.
#[derive(Clone, Copy, Default)]
struct Doing {
    /// Requests that are being answered.
    in_flight: u32,
    /// Requests that have begun so far.
    begun: u64,
    /// The peer has said something since the last answer, and no request has come of it yet.
    is_arriving: bool,
    /// HTTP/2 says things that belong to no request.
    is_http_2: bool,
}

/// One request; answered when this is dropped.
pub(super) struct Request(InFlight);

/// Why a connection has to end.
pub(super) enum Silence {
    /// A request did not come in time, though it was begun or due.
    SlowHeader,
    /// Nobody asked for anything.
    Idle,
}

impl InFlight {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(Doing::default()))
    }

    pub(super) fn begin(&self, version: Version) -> Request {
        self.0.send_modify(|doing| {
            doing.in_flight += 1;
            doing.begun += 1;
            doing.is_arriving = false;
            doing.is_http_2 = version >= Version::HTTP_2;
        });
        Request(self.clone())
    }

    /// The stream through which the requests come.
    pub(super) fn listen<S>(&self, stream: S) -> Listening<S> {
        Listening { stream, requests: self.clone() }
    }

    /// Ready when a request took longer than `header` to come, from the connection's begin or its own first byte on, or
    /// when there was none for as long as `idle`. Counts from this call on, not from the first poll, before which a request
    /// may have come and gone.
    pub(super) fn silence(&self, header: Duration, idle: Duration) -> impl Future<Output = Silence> + use<> {
        let mut doing = self.0.subscribe();
        async move {
            let mut begun = 0;
            loop {
                let is_due = begun == 0 || doing.borrow_and_update().is_arriving;
                let (within, silence) = if is_due { (header, Silence::SlowHeader) } else { (idle, Silence::Idle) };
                let goes_on = doing.wait_for(|doing| doing.begun != begun || (doing.is_arriving && !is_due));
                let Ok(Ok(_)) = timeout(within, goes_on).await else { return silence };
                let Ok(doing) = doing.wait_for(|doing| doing.in_flight == 0).await else { return silence };
                begun = doing.begun;
            }
        }
    }

    fn heard(&self) {
        self.0.send_if_modified(|doing| {
            let is_begin = doing.in_flight == 0 && doing.begun > 0 && !doing.is_http_2 && !doing.is_arriving;
            doing.is_arriving |= is_begin;
            is_begin
        });
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.0.send_modify(|doing| doing.in_flight -= 1);
    }
}

/// A stream that tells when the peer says something.
pub(super) struct Listening<S> {
    stream: S,
    requests: InFlight,
}

impl<S: AsyncRead + Unpin> AsyncRead for Listening<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.requests.heard();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Listening<S> {
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
