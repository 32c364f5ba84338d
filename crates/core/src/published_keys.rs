//! The keys that clients publish at their `jwks_uri` (RFC 7591 section 2), fetched when they are needed and
//! kept for a while.
//!
//! Clients rotate such keys without telling anybody (OIDC Core section 10.1.1): when none of those that are
//! known helps, the document is fetched again, but at most once a minute, whoever sends nonsense. While the
//! other server is down, the last good keys are used for a day; so they are while one request fetches newer ones, by
//! all others that they help.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use chancery_types::{ClientId, Timestamp};

use crate::error::Fault;
use crate::fetch::{DynFetch, FetchRequest, document};
use crate::model::client::PublicKeys;

/// How long a document is fresh if the other server does not say so, as ours is.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// The longest time for which a document is fresh, whatever the other server says, so that a key that it has
/// withdrawn is soon good for nothing.
const LONGEST_FRESH: Duration = Duration::from_secs(60 * 60);

/// How often a document is fetched at most, and how long a failure is believed.
const PACE: Duration = Duration::from_secs(60);

/// How long keys are used that can no longer be fetched.
const LAST_GOOD: Duration = Duration::from_secs(24 * 60 * 60);

/// How many documents are kept of clients that have registered themselves, and as many of others. Beyond that those
/// without keys are forgotten, and if that is not enough, the half that was not used for the longest time.
const MOST: usize = 2_048;

/// The longest JWK Set that is read, in bytes.
const LONGEST: usize = 64 * 1024;

/// What is known of each `jwks_uri`. Clients that share one share its keys; strangers, for whom less is fetched, share
/// with strangers alone.
#[derive(Default)]
pub struct PublishedKeys {
    of_strangers: Mutex<Sources>,
    of_operators: Mutex<Sources>,
    /// Held by whoever asks a server for a client, so that a client that changes its address again and again has
    /// us ask one at a time.
    asking: Mutex<HashMap<ClientId, Weak<tokio::sync::Mutex<()>>>>,
}

/// By `jwks_uri`.
type Sources = HashMap<Box<str>, Arc<Source>>;

/// A `jwks_uri`, and by whom it was chosen.
pub(crate) struct Address {
    pub(crate) url: Box<str>,
    /// Whether a client has registered it by itself.
    pub(crate) is_of_stranger: bool,
}

#[derive(Default)]
struct Source {
    /// Whoever fetches holds it; those who have no keys that help them wait for what is learned.
    fetching: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    last_good: Option<LastGood>,
    /// When the document was last asked for, successfully or not.
    asked_at: Option<Timestamp>,
    used_at: Option<Timestamp>,
}

struct LastGood {
    keys: Arc<PublicKeys>,
    fetched_at: Timestamp,
    fresh_for: Duration,
}

/// What can be said about the keys at a `jwks_uri`.
pub(crate) struct Looked {
    /// The keys, unless there are none that may still be used.
    pub(crate) keys: Option<Arc<PublicKeys>>,
    /// Why they could not be fetched, told to the one who tried.
    pub(crate) failed: Option<Fault>,
}

impl PublishedKeys {
    /// The keys at this address, of this client if a client has registered it; others than `unhelpful`, if there are others.
    pub(crate) async fn look(
        &self,
        now: Timestamp,
        fetch: &dyn DynFetch,
        (client, address): (Option<&ClientId>, &Address),
        unhelpful: Option<&Arc<PublicKeys>>,
    ) -> Looked {
        let source = self.source(now, address);
        let meanwhile = {
            let known = source.known();
            if let Some(keys) = known.without_asking(now, unhelpful) {
                return Looked { keys, failed: None };
            }
            known.other_than(now, unhelpful)
        };
        // An address that an operator has written does not move.
        let asking = client.map(|client| self.asking(client));
        let Some(_turn) = turn(asking.as_deref(), &source.fetching, meanwhile.is_none()).await else {
            return Looked { keys: meanwhile, failed: None };
        };
        if let Some(keys) = source.known().without_asking(now, unhelpful) {
            return Looked { keys, failed: None };
        }
        let fetched = fetched(fetch, address).await;
        let mut known = source.known();
        let failed = known.learn(now, fetched).err();
        Looked { keys: known.good(now), failed }
    }

    /// The keys at an address that an operator has written; others than `unhelpful`, if there are others.
    ///
    /// # Errors
    /// [`Fault::unavailable`] if they cannot be fetched, and none were during the last day.
    pub async fn at(
        &self,
        now: Timestamp,
        fetch: &dyn DynFetch,
        url: &str,
        unhelpful: Option<&Arc<PublicKeys>>,
    ) -> Result<Arc<PublicKeys>, Fault> {
        let address = Address { url: url.into(), is_of_stranger: false };
        let looked = self.look(now, fetch, (None, &address), unhelpful).await;
        looked.keys.ok_or_else(|| {
            looked
                .failed
                .unwrap_or_else(|| Fault::unavailable(format!("the keys at {url} cannot be fetched")))
        })
    }

    fn source(&self, now: Timestamp, address: &Address) -> Arc<Source> {
        let sources = if address.is_of_stranger { &self.of_strangers } else { &self.of_operators };
        let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
        if sources.len() >= MOST && !sources.contains_key(&address.url) {
            forget(&mut sources, now);
        }
        let source = match sources.get(&address.url) {
            Some(known) => Arc::clone(known),
            None => Arc::clone(sources.entry(address.url.clone()).or_default()),
        };
        source.known().used_at = Some(now);
        source
    }

    fn asking(&self, client: &ClientId) -> Arc<tokio::sync::Mutex<()>> {
        let mut asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = asking.get(client).and_then(Weak::upgrade) {
            return known;
        }
        asking.retain(|_, known| known.strong_count() > 0);
        let new = Arc::default();
        asking.insert(client.clone(), Arc::downgrade(&new));
        new
    }
}

/// A place in front of the other server: that of the client, and that of the address.
type Turn<'l> = (Option<tokio::sync::MutexGuard<'l, ()>>, tokio::sync::MutexGuard<'l, ()>);

/// Held while another server is asked, and for nothing else. Whoever goes away while asking has not asked, and the next in
/// the line does; `None` for who does not wait in that line while somebody else asks. It is up to the port that the
/// server is not asked twice.
async fn turn<'l>(
    of_client: Option<&'l tokio::sync::Mutex<()>>,
    of_address: &'l tokio::sync::Mutex<()>,
    waits: bool,
) -> Option<Turn<'l>> {
    let of_client = match of_client {
        None => None,
        Some(lock) if waits => Some(lock.lock().await),
        Some(lock) => Some(lock.try_lock().ok()?),
    };
    let of_address = if waits { of_address.lock().await } else { of_address.try_lock().ok()? };
    Some((of_client, of_address))
}

/// Makes room: removes what is of no use, or else the half that was not used for the longest time.
fn forget(sources: &mut Sources, now: Timestamp) {
    sources.retain(|_, source| source.known().good(now).is_some());
    if sources.len() < MOST {
        return;
    }
    let mut used: Vec<Option<Timestamp>> = sources.values().map(|source| source.known().used_at).collect();
    let middle = used.len() / 2;
    let (.., median, _) = used.select_nth_unstable(middle);
    let median = *median;
    sources.retain(|_, source| source.known().used_at > median);
}

impl Source {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// What can be said now without asking the other server; `None` if it has to be asked.
    fn without_asking(
        &self,
        now: Timestamp,
        unhelpful: Option<&Arc<PublicKeys>>,
    ) -> Option<Option<Arc<PublicKeys>>> {
        let is_fresh =
            self.last_good.as_ref().is_some_and(|good| now.distance(good.fetched_at) < good.fresh_for);
        let was_just_asked = self.asked_at.is_some_and(|at| now.distance(at) < PACE);
        let is_enough = is_fresh && self.other_than(now, unhelpful).is_some();
        (is_enough || was_just_asked).then(|| self.good(now))
    }

    /// The last good keys, unless it is known that they do not help.
    fn other_than(&self, now: Timestamp, unhelpful: Option<&Arc<PublicKeys>>) -> Option<Arc<PublicKeys>> {
        self.good(now).filter(|good| unhelpful.is_none_or(|known| !Arc::ptr_eq(good, known)))
    }

    /// The last good keys, unless they are too old.
    fn good(&self, now: Timestamp) -> Option<Arc<PublicKeys>> {
        let good = self.last_good.as_ref().filter(|good| now.distance(good.fetched_at) < LAST_GOOD);
        good.map(|good| Arc::clone(&good.keys))
    }

    fn learn(&mut self, now: Timestamp, fetched: Result<(PublicKeys, Duration), Fault>) -> Result<(), Fault> {
        self.asked_at = Some(now);
        let (keys, fresh_for) = fetched?;
        let before = self.last_good.take().map(|good| good.keys);
        // The same keys stay the same value, which was made ready once and is known not to help.
        let keys = before.filter(|before| **before == keys).unwrap_or_else(|| Arc::new(keys));
        self.last_good = Some(LastGood { keys, fetched_at: now, fresh_for });
        Ok(())
    }
}

async fn fetched(fetch: &dyn DynFetch, address: &Address) -> Result<(PublicKeys, Duration), Fault> {
    let request = FetchRequest::get(&address.url, "application/jwk-set+json, application/json", LONGEST)
        .of_stranger(address.is_of_stranger);
    let answer = document(fetch, &request).await?;
    let keys = PublicKeys::parse(answer.body());
    let keys = keys.map_err(|error| {
        Fault::unavailable(format!("{} is no set of public keys: {error}", request.place()))
    })?;
    Ok((keys, answer.fresh_for().unwrap_or(FRESH).clamp(PACE, LONGEST_FRESH)))
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;

    use super::*;
    use crate::fetch::{Fetch, FetchResponse};
    use crate::ports::BoxFuture;

    /// Every server keeps us waiting, but while it has an answer.
    #[derive(Default)]
    struct Hanging {
        asked: Mutex<usize>,
        answer: Mutex<Option<&'static str>>,
    }

    impl Hanging {
        fn asked(&self) -> usize {
            *self.asked.lock().unwrap()
        }

        fn answers(&self, with: Option<&'static str>) {
            *self.answer.lock().unwrap() = with;
        }
    }

    impl Fetch for Hanging {
        async fn fetch(&self, request: &FetchRequest<'_>) -> Result<FetchResponse, Fault> {
            *self.asked.lock().unwrap() += 1;
            std::future::poll_fn(|_| match *self.answer.lock().unwrap() {
                Some(answer) => Poll::Ready(request.answered(200, Bytes::from_static(answer.as_bytes()))),
                None => Poll::Pending,
            })
            .await
        }
    }

    /// What one who asks has by now.
    fn by_now<T>(of: &mut BoxFuture<'_, T>) -> Option<T> {
        match of.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    const OLD: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"old","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    const NEW: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"new","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    const AT: Timestamp = Timestamp::from_secs(0);

    /// An address whose keys were fetched at the beginning and are then, when they are old, asked for by nobody yet.
    struct Fetched {
        known: PublishedKeys,
        fetch: Hanging,
        client: ClientId,
        address: Address,
        old: Arc<PublicKeys>,
    }

    impl Fetched {
        fn new() -> Self {
            let client = ClientId::parse("app").unwrap();
            let address = Address { url: "https://app.example/jwks".into(), is_of_stranger: false };
            let (known, fetch) = (PublishedKeys::default(), Hanging::default());
            fetch.answers(Some(OLD));
            let mut first: BoxFuture<'_, _> =
                Box::pin(known.look(AT, &fetch, (Some(&client), &address), None));
            let old = by_now(&mut first).unwrap().keys.unwrap();
            drop(first);
            fetch.answers(None);
            Self { known, fetch, client, address, old }
        }

        fn look(
            &self,
            at: Timestamp,
            unhelpful: Option<&'static str>,
        ) -> BoxFuture<'_, Option<Arc<PublicKeys>>> {
            let unhelpful = unhelpful.map(|_| &self.old);
            Box::pin(async move {
                let of = (Some(&self.client), &self.address);
                self.known.look(at, &self.fetch, of, unhelpful).await.keys
            })
        }

        fn is_old(&self, keys: Option<Option<Arc<PublicKeys>>>) -> bool {
            keys.flatten().is_some_and(|keys| Arc::ptr_eq(&keys, &self.old))
        }
    }

    /// Who comes first when keys have become old asks for newer ones; the others go on with those that are known.
    #[test]
    fn one_waits_while_old_keys_are_fetched_again() {
        let of = Fetched::new();
        let later = AT + FRESH;
        let mut first = of.look(later, None);
        assert!(by_now(&mut first).is_none());
        for _ in 0..10 {
            assert!(of.is_old(by_now(&mut of.look(later, None))), "nobody else waits");
        }
        assert_eq!(of.fetch.asked(), 2);
        // It has gone away, and the next one asks in its place.
        drop(first);
        let mut next = of.look(later, None);
        assert!(by_now(&mut next).is_none());
        assert_eq!(of.fetch.asked(), 3);
        of.fetch.answers(Some(NEW));
        let newer = by_now(&mut next).flatten().unwrap();
        assert!(!Arc::ptr_eq(&newer, &of.old));
        assert!(Arc::ptr_eq(&newer, &by_now(&mut of.look(later, None)).flatten().unwrap()));
        assert_eq!(of.fetch.asked(), 3);
    }

    /// Whom the known keys do not help waits for the one who asks already, and nobody asks twice.
    #[test]
    fn whoever_needs_another_key_waits_with_the_one_who_asks() {
        let of = Fetched::new();
        let later = AT + FRESH;
        let mut waiting = [of.look(later, None), of.look(later, Some("old")), of.look(later, Some("old"))];
        assert!(waiting.iter_mut().all(|one| by_now(one).is_none()));
        assert!(of.is_old(by_now(&mut of.look(later, None))));
        of.fetch.answers(Some(NEW));
        let all: Vec<_> = waiting.iter_mut().map(|one| by_now(one).flatten().unwrap()).collect();
        assert!(all.iter().all(|keys| !Arc::ptr_eq(keys, &of.old) && Arc::ptr_eq(keys, &all[0])));
        assert_eq!(of.fetch.asked(), 2);
    }

    /// Also who asks at another address for the same client keeps nobody waiting who has keys.
    #[test]
    fn a_client_that_asks_elsewhere_uses_the_keys_that_are_known() {
        let of = Fetched::new();
        let later = AT + FRESH;
        let elsewhere = Address { url: "https://elsewhere.example/jwks".into(), is_of_stranger: false };
        let mut first: BoxFuture<'_, _> =
            Box::pin(of.known.look(later, &of.fetch, (Some(&of.client), &elsewhere), None));
        assert!(by_now(&mut first).is_none());
        assert!(of.is_old(by_now(&mut of.look(later, None))));
    }

    /// Keys of the day before are good for nobody, whoever asks for newer ones.
    #[test]
    fn keys_that_are_too_old_are_waited_for() {
        let of = Fetched::new();
        let limit = AT + LAST_GOOD;
        let mut first = of.look(limit - Duration::from_millis(1), None);
        assert!(by_now(&mut first).is_none());
        assert!(of.is_old(by_now(&mut of.look(limit - Duration::from_millis(1), None))));
        assert!(by_now(&mut of.look(limit, None)).is_none());
        assert_eq!(of.fetch.asked(), 2);
    }

    #[test]
    fn a_client_that_moves_has_one_server_asked_at_a_time() {
        let (known, fetch, now) = (PublishedKeys::default(), Hanging::default(), Timestamp::from_secs(0));
        let [moving, other] = ["moving", "other"].map(|id| ClientId::parse(id).unwrap());
        let address = |n| Address { url: format!("https://{n}.example/jwks").into(), is_of_stranger: true };
        let urls: Vec<Address> = (0..20).map(address).collect();
        let look = |client, address| -> BoxFuture<'_, Looked> {
            Box::pin(known.look(now, &fetch, (Some(client), address), None))
        };
        let mut all: Vec<BoxFuture<'_, Looked>> = urls.iter().map(|url| look(&moving, url)).collect();
        all.push(look(&other, &urls[19]));
        let mut context = Context::from_waker(Waker::noop());
        let mut go_on = |all: &mut Vec<BoxFuture<'_, Looked>>| {
            assert!(all.iter_mut().all(|one| one.as_mut().poll(&mut context).is_pending()));
            fetch.asked()
        };
        assert_eq!(go_on(&mut all), 2, "one for each client");
        drop(all.remove(0));
        assert_eq!(go_on(&mut all), 3, "the next in the line");
        drop(all);
        let mut later = vec![look(&other, &urls[0])];
        assert_eq!(go_on(&mut later), 4);
        assert_eq!(known.asking.lock().unwrap().len(), 1, "nobody else asks");
    }
}
