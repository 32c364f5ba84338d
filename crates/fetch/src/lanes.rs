//! How many requests are in flight. Documents and notices do not wait for each other: whoever makes us ask slow
//! servers for documents delays no logout.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::https_fetch::Limits;
use crate::target::Host;

pub(crate) struct Lanes {
    gets: Semaphore,
    posts: Semaphore,
    per_host: usize,
    /// One for each host that has requests in flight or waiting, and another for notices to it.
    hosts: Mutex<HashMap<(Host, bool), Weak<Semaphore>>>,
}

/// Permission for one request, until this is dropped.
pub(crate) struct Permit<'a> {
    _host: OwnedSemaphorePermit,
    _lane: SemaphorePermit<'a>,
}

impl Lanes {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            gets: Semaphore::new(limits.gets),
            posts: Semaphore::new(limits.posts),
            per_host: limits.per_host,
            hosts: Mutex::default(),
        }
    }

    /// Waits until this host may have one more request, and then until there may be one more at all, so that
    /// those who wait for a slow host are in nobody else's way.
    pub(crate) async fn enter(&self, host: &Host, is_post: bool) -> Result<Permit<'_>, AcquireError> {
        let lane = if is_post { &self.posts } else { &self.gets };
        Ok(Permit { _host: self.host(host, is_post).acquire_owned().await?, _lane: lane.acquire().await? })
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
