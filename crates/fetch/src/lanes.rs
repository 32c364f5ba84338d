//! How many requests are in flight. Documents and notices do not wait for each other: whoever makes us ask slow
//! servers for documents delays no logout. Nor does anybody wait for documents of servers that are known to be
//! slow but those who want one of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use crate::https_fetch::{Limits, now};
use crate::target::Host;

/// A host is slow that has kept its place for longer than this the last time.
const QUICK: Duration = Duration::from_secs(1);

/// For how long it counts as slow.
const REMEMBERED: Duration = Duration::from_secs(10 * 60);

/// How many slow hosts are known. Beyond that one makes room for another.
const MOST_SLOW: usize = 4096;

pub(crate) struct Lanes {
    gets: Semaphore,
    /// For documents of slow hosts, beside the others.
    slow_gets: Semaphore,
    /// Until when each slow host counts as one.
    slow: Mutex<HashMap<Host, Instant>>,
    posts: Semaphore,
    per_host: usize,
    /// One for each host that has requests in flight or waiting, and another for notices to it.
    hosts: Mutex<HashMap<(Host, bool), Weak<Semaphore>>>,
}

/// Permission for one request, until this is dropped.
pub(crate) struct Permit<'a> {
    lanes: &'a Lanes,
    host: &'a Host,
    begun: Instant,
    _of_host: OwnedSemaphorePermit,
    _of_lane: SemaphorePermit<'a>,
}

impl Drop for Permit<'_> {
    /// However the request ends, even if nobody waits for it any more.
    fn drop(&mut self) {
        let mut slow = self.lanes.slow();
        let now = now();
        if now.saturating_duration_since(self.begun) <= QUICK {
            slow.remove(self.host);
            return;
        }
        if slow.len() >= MOST_SLOW {
            slow.retain(|_, until| *until > now);
        }
        if slow.len() >= MOST_SLOW
            && let Some(any) = slow.keys().next().cloned()
        {
            slow.remove(&any);
        }
        slow.insert(self.host.clone(), now + REMEMBERED);
    }
}

impl Lanes {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            gets: Semaphore::new(limits.gets),
            slow_gets: Semaphore::new(limits.slow_gets),
            slow: Mutex::default(),
            posts: Semaphore::new(limits.posts),
            per_host: limits.per_host,
            hosts: Mutex::default(),
        }
    }

    /// Waits until this host may have one more request, and then until there may be one more at all, so that
    /// those who wait for a slow host are in nobody else's way.
    pub(crate) async fn enter<'a>(
        &'a self,
        host: &'a Host,
        is_post: bool,
    ) -> Result<Permit<'a>, AcquireError> {
        let of_host = self.host(host, is_post).acquire_owned().await?;
        let lane = match is_post {
            true => &self.posts,
            false if self.is_slow(host) => &self.slow_gets,
            false => &self.gets,
        };
        let of_lane = lane.acquire().await?;
        Ok(Permit { lanes: self, host, begun: now(), _of_host: of_host, _of_lane: of_lane })
    }

    fn is_slow(&self, host: &Host) -> bool {
        self.slow().get(host).is_some_and(|until| *until > now())
    }

    fn slow(&self) -> MutexGuard<'_, HashMap<Host, Instant>> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn host(&self, host: &Host, is_post: bool) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = (host.clone(), is_post);
        if let Some(known) = hosts.get(&lane).and_then(Weak::upgrade) {
            return known;
        }
        hosts.retain(|_, known| known.strong_count() > 0);
        let new = Arc::new(Semaphore::new(self.per_host));
        hosts.insert(lane, Arc::downgrade(&new));
        new
    }
}
