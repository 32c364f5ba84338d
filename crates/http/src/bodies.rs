//! Request bodies: how long they may be, and how much memory incomplete requests may use.
//!
//! Anybody can begin a request and not finish it. The memory of all incomplete requests is bounded, and so is
//! that of one network's. When a budget is used up, the request that has been incomplete for longest is
//! dropped and asked to come back later (503), because nearly every honest body arrives a moment after its
//! header. A small body that arrives at once needs no budget.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use chancery_types::Network;
use http::request::Parts;
use http_body::Body;

/// The longest body that is read.
pub(crate) const LONGEST: usize = 64 * 1024;

/// The longest body that needs no budget if it arrives at once.
const SMALL: usize = 4 * 1024;

/// What an incomplete request costs beside the bytes that were sent.
const OVERHEAD: usize = 4 * 1024;

/// The budget of all requests together.
const BUDGET: usize = 16 * 1024 * 1024;

/// The budget of one network's requests.
const NETWORK_BUDGET: usize = 2 * 1024 * 1024;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is too long.
    TooLong,
    /// It ended early.
    Incomplete,
    /// It was incomplete for longest when the budget was needed for others.
    OverBudget,
}

/// A body that was read. Its budget is given back when this is dropped.
#[derive(Default)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    _reservation: Option<Reservation>,
}

/// The budget of one Service's requests.
#[derive(Default)]
pub(crate) struct BodyBudget(Mutex<Reserved>);

#[derive(Default)]
struct Reserved {
    all: usize,
    /// The networks with a reservation.
    by_network: HashMap<Network, usize>,
    /// By number, which is the order in which they began.
    requests: BTreeMap<u64, Holding>,
    begun: u64,
}

/// A request with a reservation.
struct Holding {
    network: Option<Network>,
    amount: usize,
    /// Wakes the request. It is set while the request waits for more of its body, when it can be dropped.
    waiting: Option<Waker>,
}

/// The part of the budget that one request uses.
struct Reservation {
    bodies: Arc<BodyBudget>,
    network: Option<Network>,
    number: Option<u64>,
}

impl BodyBudget {
    /// Reads the body of a request with a valid header.
    pub(crate) async fn read<B: Body>(
        self: &Arc<Self>,
        body: B,
        parts: &Parts,
        peer: Option<IpAddr>,
    ) -> Result<Received, BodyError> {
        // If the header says so, nothing is read, and a client that waits for `100 Continue` sends nothing
        // (RFC 9110 section 10.1.1).
        if body.size_hint().lower() > LONGEST as u64 {
            return Err(BodyError::TooLong);
        }
        let mut reservation =
            Reservation { bodies: self.clone(), network: peer.map(Network::of), number: None };
        let mut body = pin!(body);
        let mut read = BytesMut::new();
        loop {
            let next = poll_fn(|context| match body.as_mut().poll_frame(context) {
                Poll::Pending
                    if !reservation
                        .grow_to(OVERHEAD + size(parts) + read.capacity(), Some(context.waker())) =>
                {
                    Poll::Ready(Err(BodyError::OverBudget))
                }
                Poll::Pending => Poll::Pending,
                Poll::Ready(frame) => Poll::Ready(frame.transpose().map_err(|_| BodyError::Incomplete)),
            });
            let Some(frame) = next.await? else { break };
            // Trailers are ignored.
            let Ok(data) = frame.into_data() else { continue };
            if read.len() + data.remaining() > LONGEST {
                return Err(BodyError::TooLong);
            }
            read.put(data);
        }
        if read.len() <= SMALL {
            return Ok(Received { bytes: read.freeze(), _reservation: None });
        }
        match reservation.grow_to(read.capacity(), None) {
            true => Ok(Received { bytes: read.freeze(), _reservation: Some(reservation) }),
            false => Err(BodyError::OverBudget),
        }
    }

    fn reserved(&self) -> MutexGuard<'_, Reserved> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reserved {
    /// Numbers a new request, which has reserved nothing yet.
    fn begin(&mut self, network: Option<Network>) -> u64 {
        self.begun += 1;
        self.requests.insert(self.begun, Holding { network, amount: 0, waiting: None });
        self.begun
    }

    /// Makes room in the budgets by dropping the requests that have waited for longest, of the same network
    /// if its budget is the one that is used up. It returns false if that is not enough. The caller has to
    /// wake them.
    fn reclaim(
        &mut self,
        number: u64,
        network: Option<Network>,
        more: usize,
        woken: &mut Vec<Waker>,
    ) -> bool {
        loop {
            let of_network = network.and_then(|network| self.by_network.get(&network)).copied().unwrap_or(0);
            let is_network_full = of_network + more > NETWORK_BUDGET;
            if !is_network_full && self.all + more <= BUDGET {
                return true;
            }
            let can_be_dropped = |(other, holding): &(&u64, &Holding)| {
                **other != number
                    && holding.waiting.is_some()
                    && (!is_network_full || holding.network == network)
            };
            let Some(longest) = self.requests.iter().find(can_be_dropped).map(|(other, _)| *other) else {
                return false;
            };
            woken.extend(self.remove(longest).and_then(|holding| holding.waiting));
        }
    }

    fn add(&mut self, network: Option<Network>, more: usize) {
        self.all += more;
        if let Some(network) = network {
            *self.by_network.entry(network).or_default() += more;
        }
    }

    fn remove(&mut self, number: u64) -> Option<Holding> {
        let holding = self.requests.remove(&number)?;
        self.all -= holding.amount;
        if let Some(network) = holding.network
            && let Some(of_network) = self.by_network.get_mut(&network)
        {
            *of_network -= holding.amount;
            if *of_network == 0 {
                self.by_network.remove(&network);
            }
        }
        Some(holding)
    }
}

/// The approximate size of a request's header.
fn size(parts: &Parts) -> usize {
    let fields = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
    fields.sum::<usize>() + parts.uri.path().len() + parts.uri.query().map_or(0, str::len)
}

impl Reservation {
    /// Grows to this amount, if the budget allows it and the request was not dropped meanwhile. `waiting`
    /// wakes the request when it is dropped.
    fn grow_to(&mut self, amount: usize, waiting: Option<&Waker>) -> bool {
        let mut reserved = self.bodies.reserved();
        let number = *self.number.get_or_insert_with(|| reserved.begin(self.network));
        let Some(before) = reserved.requests.get(&number).map(|holding| holding.amount) else { return false };
        let more = amount.saturating_sub(before);
        let mut woken = Vec::new();
        let is_granted = more == 0 || reserved.reclaim(number, self.network, more, &mut woken);
        if is_granted {
            reserved.add(self.network, more);
            if let Some(holding) = reserved.requests.get_mut(&number) {
                holding.amount += more;
                holding.waiting = waiting.cloned();
            }
        }
        drop(reserved);
        woken.into_iter().for_each(Waker::wake);
        is_granted
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.bodies.reserved().remove(number);
        }
    }
}
