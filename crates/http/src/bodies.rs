//! Request bodies: how long they may be, and how much is held of requests that are not complete.
//!
//! Anybody can begin a request and not end it. What all of them hold together is bounded, and one network's part of it.
//! Where no room is left, whoever has kept us waiting longest makes way and is told to come back: nearly every body comes
//! a moment after its header, and those that never come must not keep out those that come a moment later. A small body
//! that came whole needs no room.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

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
    /// It was waited for longest when room was needed for others.
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
    /// In the order in which they began to hold something.
    holders: BTreeMap<u64, Holder>,
    begun: u64,
}

/// A request that holds something.
struct Holder {
    network: Option<Network>,
    amount: usize,
    /// Wakes the request while it waits for more of its body: then it can be made to give way.
    waiting: Option<Waker>,
}

/// The place of one request among the holders, from when it first holds something.
struct Held {
    bodies: Arc<Bodies>,
    network: Option<Network>,
    place: Option<u64>,
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
        let mut held = Held { bodies: self.clone(), network: peer.map(Network::of), place: None };
        let mut body = pin!(body);
        let mut read = BytesMut::new();
        loop {
            let next = poll_fn(|context| match body.as_mut().poll_frame(context) {
                Poll::Pending if !held.grow_to(WAITING + size(parts) + read.capacity(), Some(context.waker())) => {
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
        if read.len() <= SMALL {
            return Ok(Received { bytes: read.freeze(), _held: None });
        }
        match held.grow_to(read.capacity(), None) {
            true => Ok(Received { bytes: read.freeze(), _held: Some(held) }),
            false => Err(Unread::NoRoom),
        }
    }

    fn occupied(&self) -> MutexGuard<'_, Occupied> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Occupied {
    /// A place for a request that holds nothing yet.
    fn place(&mut self, network: Option<Network>) -> u64 {
        self.begun += 1;
        self.holders.insert(self.begun, Holder { network, amount: 0, waiting: None });
        self.begun
    }

    /// Makes room for more in this place; those who have waited longest make way, of the same network where it is the
    /// network's room that is missing. They are to be woken.
    fn make_room(&mut self, place: u64, network: Option<Network>, more: usize, woken: &mut Vec<Waker>) -> bool {
        loop {
            let of_network = network.and_then(|network| self.by_network.get(&network)).copied().unwrap_or(0);
            let is_network_full = of_network + more > ROOM_OF_A_NETWORK;
            if !is_network_full && self.all + more <= ROOM {
                return true;
            }
            let makes_way = |(other, holder): &(&u64, &Holder)| {
                **other != place && holder.waiting.is_some() && (!is_network_full || holder.network == network)
            };
            let Some(longest) = self.holders.iter().find(makes_way).map(|(other, _)| *other) else { return false };
            woken.extend(self.remove(longest).and_then(|holder| holder.waiting));
        }
    }

    fn add(&mut self, network: Option<Network>, more: usize) {
        self.all += more;
        if let Some(network) = network {
            *self.by_network.entry(network).or_default() += more;
        }
    }

    fn remove(&mut self, place: u64) -> Option<Holder> {
        let holder = self.holders.remove(&place)?;
        self.all -= holder.amount;
        if let Some(network) = holder.network
            && let Some(of_network) = self.by_network.get_mut(&network)
        {
            *of_network -= holder.amount;
            if *of_network == 0 {
                self.by_network.remove(&network);
            }
        }
        Some(holder)
    }
}

/// What the header of a request takes, roughly.
fn size(parts: &Parts) -> usize {
    let fields = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    fields.sum::<usize>() + parts.uri.path().len() + parts.uri.query().map_or(0, str::len)
}

impl Held {
    /// Holds so much, if there is room for what it is more than before and nobody else has got its room meanwhile.
    /// `waiting` wakes the request when it has to make way.
    fn grow_to(&mut self, amount: usize, waiting: Option<&Waker>) -> bool {
        let mut occupied = self.bodies.occupied();
        let place = *self.place.get_or_insert_with(|| occupied.place(self.network));
        let Some(before) = occupied.holders.get(&place).map(|holder| holder.amount) else { return false };
        let more = amount.saturating_sub(before);
        let mut woken = Vec::new();
        let has_room = more == 0 || occupied.make_room(place, self.network, more, &mut woken);
        if has_room {
            occupied.add(self.network, more);
            if let Some(holder) = occupied.holders.get_mut(&place) {
                holder.amount += more;
                holder.waiting = waiting.cloned();
            }
        }
        drop(occupied);
        woken.into_iter().for_each(Waker::wake);
        has_room
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.bodies.occupied().remove(place);
        }
    }
}
