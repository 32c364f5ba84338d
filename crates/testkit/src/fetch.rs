//! Other servers, as a test has them answer.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chancery_core::error::Fault;
use chancery_core::fetch::{Fetch, FetchRequest, FetchResponse};
use chancery_core::ports::Clock as _;
use chancery_types::Timestamp;

use crate::clock::HandClock;
use crate::interleaved::let_others_go_on;

/// Answers for each address as a test has said, and remembers what was asked. Whoever was not scripted is not
/// reachable.
pub struct ScriptedFetch {
    clock: Arc<HandClock>,
    answers: Mutex<HashMap<String, (u16, Bytes)>>,
    fresh: Mutex<HashMap<String, Duration>>,
    hanging: Mutex<HashSet<String>>,
    asked: Mutex<Vec<Fetched>>,
    times: Mutex<HashMap<String, Vec<Timestamp>>>,
}

/// When a request is given up that nobody answers.
const PATIENCE: Duration = Duration::from_secs(5);

/// A request that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Where to.
    pub url: String,
    /// The body of a POST; `None` for a GET.
    pub form: Option<String>,
    /// The media type of the body.
    pub content_type: &'static str,
    /// Who asks, as the header `Authorization` says.
    pub authorization: Option<String>,
    /// Whether it was made for a client that has registered itself.
    pub is_of_stranger: bool,
}

impl ScriptedFetch {
    /// Nobody is there yet.
    #[must_use]
    pub fn new(clock: Arc<HandClock>) -> Self {
        Self {
            clock,
            answers: Mutex::default(),
            fresh: Mutex::default(),
            hanging: Mutex::default(),
            asked: Mutex::default(),
            times: Mutex::default(),
        }
    }

    /// From now on this address takes requests and never answers: they are given up after 5 s of the clock in
    /// hand, which another task has to move.
    pub fn hangs(&self, url: &str) {
        lock(&self.hanging).insert(url.to_owned());
    }

    /// From now on nobody is at this address.
    pub fn goes_down(&self, url: &str) {
        lock(&self.answers).remove(url);
    }

    /// When this address was asked, since the beginning.
    pub fn asked_at(&self, url: &str) -> Vec<Timestamp> {
        lock(&self.times).get(url).cloned().unwrap_or_default()
    }

    /// From now on this address answers so.
    pub fn answers(&self, url: &str, status: u16, body: impl Into<Bytes>) {
        lock(&self.answers).insert(url.to_owned(), (status, body.into()));
    }

    /// From now on what this address answers may be kept for so long.
    pub fn is_fresh_for(&self, url: &str, fresh_for: Duration) {
        lock(&self.fresh).insert(url.to_owned(), fresh_for);
    }

    /// What was asked since this was called last.
    pub fn asked(&self) -> Vec<Fetched> {
        std::mem::take(&mut lock(&self.asked))
    }
}

impl Fetch for ScriptedFetch {
    async fn fetch(&self, request: &FetchRequest<'_>) -> Result<FetchResponse, Fault> {
        // Another server takes its time, while others go on.
        let_others_go_on().await;
        let fetched = Fetched {
            url: request.url().to_owned(),
            form: request.body().map(str::to_owned),
            content_type: request.content_type(),
            authorization: request.authorization().map(str::to_owned),
            is_of_stranger: request.is_of_stranger(),
        };
        lock(&self.asked).push(fetched);
        let begun = self.clock.now();
        lock(&self.times).entry(request.url().to_owned()).or_default().push(begun);
        if lock(&self.hanging).contains(request.url()) {
            while self.clock.now().since(begun) < PATIENCE {
                let_others_go_on().await;
            }
            return Err(Fault::unavailable(format!("{} does not answer", request.url())));
        }
        let answer = lock(&self.answers).get(request.url()).cloned();
        let (status, body) =
            answer.ok_or_else(|| Fault::unavailable(format!("{} is down", request.url())))?;
        let answer = request.answered(status, body)?;
        Ok(match lock(&self.fresh).get(request.url()) {
            Some(fresh_for) => answer.with_fresh_for(*fresh_for),
            None => answer,
        })
    }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TestProvider, wait};

    #[test]
    fn a_test_is_every_other_server() {
        let kit = TestProvider::new();
        let fetched = |request: &FetchRequest<'_>| wait(kit.env().fetch.fetch(request));
        let keys = FetchRequest::get("https://client.example/jwks", "application/json", 20);
        assert!(fetched(&keys).is_err(), "nobody is there");
        kit.fetch.answers("https://client.example/jwks", 200, r#"{"keys":[]}"#);
        assert!(
            fetched(&keys)
                .is_ok_and(|answer| answer.status() == 200 && &**answer.body() == br#"{"keys":[]}"#)
        );
        kit.fetch.answers("https://client.example/jwks", 200, "x".repeat(21));
        assert!(fetched(&keys).is_err(), "more than was asked for");
        assert_eq!(kit.fetch.asked().len(), 3);
        let logout = FetchRequest::post("https://client.example/logout", "logout_token=x");
        kit.fetch.answers("https://client.example/logout", 204, "");
        assert!(fetched(&logout).is_ok());
        let told = Fetched {
            url: "https://client.example/logout".to_owned(),
            form: Some("logout_token=x".to_owned()),
            content_type: "application/x-www-form-urlencoded",
            authorization: None,
            is_of_stranger: false,
        };
        assert_eq!(kit.fetch.asked(), [told]);
    }
}
