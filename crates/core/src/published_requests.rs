//! The request objects that clients publish at their `request_uris`, kept for as long as OIDC Core section 6.2 and
//! their servers allow: one whose address ends with its own hash cannot change, any other is fresh for what its
//! server says (RFC 9111), and not at all if it says nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chancery_jose::{base64url, sha256};
use chancery_types::{ClientId, Timestamp};

use crate::model::Client;

/// The longest time for which an object is kept that can change, whatever its server says.
const LONGEST_FRESH: Duration = Duration::from_secs(60 * 60);

/// How long one is kept that cannot.
const UNCHANGING: Duration = Duration::from_secs(24 * 60 * 60);

/// How many are kept of clients that have registered themselves, and as many of others. Beyond that those that are
/// not fresh are forgotten, and if that is not enough, the half that was not used for the longest time.
const MOST: usize = 128;

/// What is known of each `request_uri`.
#[derive(Default)]
pub struct PublishedRequests {
    of_strangers: Mutex<Known>,
    of_operators: Mutex<Known>,
}

/// By client and address, the fragment included: another fragment is another version (section 6.2).
type Known = HashMap<(ClientId, Box<str>), Kept>;

struct Kept {
    object: Arc<str>,
    fetched_at: Timestamp,
    fresh_for: Duration,
    used_at: Timestamp,
}

impl Kept {
    fn is_fresh(&self, now: Timestamp) -> bool {
        now.distance(self.fetched_at) < self.fresh_for
    }
}

impl PublishedRequests {
    /// The object at this address of the client, if what was fetched before is still good.
    pub(crate) fn get(&self, now: Timestamp, client: &Client, uri: &str) -> Option<Arc<str>> {
        let mut known = self.of(client).lock().unwrap_or_else(PoisonError::into_inner);
        let kept = known.get_mut(&(client.id().clone(), uri.into())).filter(|kept| kept.is_fresh(now))?;
        kept.used_at = now;
        Some(Arc::clone(&kept.object))
    }

    /// Keeps what was fetched just now, if it may be kept.
    pub(crate) fn learn(
        &self,
        now: Timestamp,
        client: &Client,
        uri: &str,
        (body, object): (&[u8], &Arc<str>),
        fresh_for: Option<Duration>,
    ) {
        let hash = base64url::encode(sha256(body));
        let is_unchanging = uri.split_once('#').is_some_and(|(_, fragment)| fragment == hash);
        let fresh_for =
            if is_unchanging { UNCHANGING } else { fresh_for.unwrap_or_default().min(LONGEST_FRESH) };
        if fresh_for.is_zero() {
            return;
        }
        let mut known = self.of(client).lock().unwrap_or_else(PoisonError::into_inner);
        let key = (client.id().clone(), uri.into());
        if known.len() >= MOST && !known.contains_key(&key) {
            forget(&mut known, now);
        }
        known.insert(key, Kept { object: Arc::clone(object), fetched_at: now, fresh_for, used_at: now });
    }

    fn of(&self, client: &Client) -> &Mutex<Known> {
        if client.is_dynamic() { &self.of_strangers } else { &self.of_operators }
    }
}

/// Makes room.
fn forget(known: &mut Known, now: Timestamp) {
    known.retain(|_, kept| kept.is_fresh(now));
    if known.len() < MOST {
        return;
    }
    let mut used: Vec<Timestamp> = known.values().map(|kept| kept.used_at).collect();
    let middle = used.len() / 2;
    let (.., median, _) = used.select_nth_unstable(middle);
    let median = *median;
    known.retain(|_, kept| kept.used_at > median);
}
