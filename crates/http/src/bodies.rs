//! Request bodies: how long they may be, and how much is held of requests that are not complete.
//!
//! Anybody can begin a request and not end it. What all of them hold together is bounded, and one network's part of it;
//! who comes when there is no room left is told to come back. A small body that came whole needs no room, so that those
//! who keep us waiting never keep out those who do not.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use http::request::Parts;
use http_body::Body;

use crate::proxies::Network;

/// The longest body that is read.
pub(crate) const LONGEST: usize = 64 * 1024;

/// The longest body that needs no room when it came whole.
const SMALL: usize = 4 * 1024;

/// What a request that waits costs beside what was sent of it.
const WAITING: usize = 4 * 1024;

/// What all requests may hold together.
const ROOM: usize = 16 * 1024 * 1024;

/// What those of one network may hold.
const ROOM_OF_A_NETWORK: usize = 2 * 1024 * 1024;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is longer than is read.
    TooLong,
    /// It ended before its end.
    BrokenOff,
    /// Too much is held of other requests.
    NoRoom,
}

/// A body that was read; what it holds is given back when this is dropped.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    _held: Option<Held>,
}

/// What the requests to one Service hold.
#[derive(Default)]
pub(crate) struct Bodies(Mutex<Occupied>);

#[derive(Default)]
struct Occupied {
    all: usize,
    /// Networks that hold something.
    by_network: HashMap<Network, usize>,
}

/// What one request holds.
struct Held {
    bodies: Arc<Bodies>,
    network: Option<Network>,
    amount: usize,
}

impl Bodies {
    /// Reads a body whose header was admitted, for a peer as far as one is known.
    pub(crate) async fn read<B: Body>(
        self: &Arc<Self>,
        body: B,
        parts: &Parts,
        peer: Option<IpAddr>,
    ) -> Result<Received, Unread> {
        // What a header announces: nothing of it is read, and nobody is asked to send it (RFC 9110 section 10.1.1).
        if body.size_hint().lower() > LONGEST as u64 {
            return Err(Unread::TooLong);
        }
        let mut held = Held { bodies: self.clone(), network: peer.map(Network::of), amount: 0 };
        let mut body = pin!(body);
        let mut read = BytesMut::new();
        loop {
            let next = poll_fn(|context| match body.as_mut().poll_frame(context) {
                Poll::Pending if !held.grow_to(WAITING + size(parts) + read.capacity()) => {
                    Poll::Ready(Err(Unread::NoRoom))
                }
                Poll::Pending => Poll::Pending,
                Poll::Ready(frame) => Poll::Ready(frame.transpose().map_err(|_| Unread::BrokenOff)),
            });
            let Some(frame) = next.await? else { break };
            // Trailers say nothing here.
            let Ok(data) = frame.into_data() else { continue };
            if read.len() + data.remaining() > LONGEST {
                return Err(Unread::TooLong);
            }
            read.put(data);
        }
        if read.len() > SMALL && !held.grow_to(read.capacity()) {
            return Err(Unread::NoRoom);
        }
        Ok(Received { bytes: read.freeze(), _held: Some(held) })
    }

    fn occupied(&self) -> MutexGuard<'_, Occupied> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the header of a request takes, roughly.
fn size(parts: &Parts) -> usize {
    let fields = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    fields.sum::<usize>() + parts.uri.path().len() + parts.uri.query().map_or(0, str::len)
}

impl Held {
    /// Holds so much, if there is room for what it is more than before.
    fn grow_to(&mut self, amount: usize) -> bool {
        let more = amount.saturating_sub(self.amount);
        if more == 0 {
            return true;
        }
        let mut occupied = self.bodies.occupied();
        let of_network = self.network.and_then(|network| occupied.by_network.get(&network)).copied().unwrap_or(0);
        if occupied.all + more > ROOM || of_network + more > ROOM_OF_A_NETWORK {
            return false;
        }
        occupied.all += more;
        if let Some(network) = self.network {
            occupied.by_network.insert(network, of_network + more);
        }
        self.amount += more;
        true
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.amount == 0 {
            return;
        }
        let mut occupied = self.bodies.occupied();
        occupied.all -= self.amount;
        if let Some(network) = self.network
            && let Some(of_network) = occupied.by_network.get_mut(&network)
        {
            *of_network -= self.amount;
            if *of_network == 0 {
                occupied.by_network.remove(&network);
            }
        }
    }
}
