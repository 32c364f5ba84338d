//! Slows down the guessing of client secrets, which may be weak if an operator allowed it.
//!
//! Wrong secrets are counted by client and network, so that requests with the correct secret from another
//! network are not affected; and in memory, so that no access to the store is needed. Each node therefore
//! counts on its own. A secret that is sent again and again counts as one guess, so that an instance that
//! still uses an old secret does not block the others beside it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chancery_jose::sha256;
use chancery_types::Timestamp;

/// How many wrong secrets cause no wait.
const FREE: u32 = 10;

/// The first wait; each further wrong secret doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How long wrong secrets are remembered.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);

/// How many pairs of client and network are remembered. Beyond that the ones with the fewest wrong secrets
/// are forgotten, so that nobody can make their own disappear by sending made-up client ids.
const MOST: usize = 16_384;

/// What is counted together: the digest of client and network.
type Counted = [u8; 32];

#[derive(Default)]
struct Wrong {
    /// Digests of the wrong secrets that caused no wait, to recognise repetitions.
    free: Vec<[u8; 8]>,
    count: u32,
    not_before: Option<Timestamp>,
    last_at: Option<Timestamp>,
}

/// The wrong secrets of the last minutes.
#[derive(Default)]
pub struct ClientSecrets(Mutex<HashMap<Counted, Wrong>>);

impl ClientSecrets {
    /// How long secrets of this client are refused unchecked from this network. An unknown peer could be
    /// anybody and is never slowed down.
    #[must_use]
    pub fn wait(&self, now: Timestamp, network: Option<&str>, client_id: &str) -> Option<Duration> {
        // No digest is computed as long as nobody has guessed.
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return None;
        }
        let counted = counted(network, client_id)?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let not_before = known.get(&counted)?.not_before?;
        // A wait longer than the maximum was set by a clock that was ahead, and is over.
        Some(not_before.since(now)).filter(|wait| !wait.is_zero() && *wait <= LONGEST_WAIT)
    }

    /// Counts a wrong secret.
    pub fn failed(&self, now: Timestamp, network: Option<&str>, client_id: &str, secret: &str) {
        let Some(counted) = counted(network, client_id) else { return };
        let digest = *sha256(secret.as_bytes()).first_chunk().unwrap_or(&[0; 8]);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(&counted) {
            forget(&mut known, now);
        }
        let wrong = known.entry(counted).or_default();
        if wrong.last_at.is_some_and(|at| now.distance(at) > REMEMBERED) {
            *wrong = Wrong::default();
        }
        if wrong.free.contains(&digest) {
            return;
        }
        wrong.count = wrong.count.saturating_add(1);
        wrong.last_at = Some(now);
        match wrong.count.checked_sub(FREE) {
            None | Some(0) => wrong.free.push(digest),
            Some(over) => {
                let wait = FIRST_WAIT.saturating_mul(1 << (over - 1).min(20)).min(LONGEST_WAIT);
                wrong.not_before = Some(now + wait);
            }
        }
    }
}

/// Makes room: removes what is over, or else the half with the fewest wrong secrets.
fn forget(known: &mut HashMap<Counted, Wrong>, now: Timestamp) {
    known.retain(|_, wrong| wrong.last_at.is_some_and(|at| now.distance(at) <= REMEMBERED));
    if known.len() >= MOST {
        let mut by_count: Vec<(u32, Counted)> =
            known.iter().map(|(key, wrong)| (wrong.count, *key)).collect();
        let (least, ..) = by_count.select_nth_unstable(MOST / 2);
        for (_, key) in least {
            known.remove(key);
        }
    }
}

fn counted(network: Option<&str>, client_id: &str) -> Option<Counted> {
    Some(sha256([network?, client_id].join("\0").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nobody can escape their wait by filling the memory with made-up names, and the memory is bounded.
    #[test]
    fn made_up_names_push_nobody_out() {
        let (secrets, now) = (ClientSecrets::default(), Timestamp::from_secs(1_800_000_000));
        for n in 0..=FREE {
            secrets.failed(now, Some("198.51.100.7"), "web", &n.to_string());
        }
        for n in 0..3 * MOST {
            secrets.failed(now, Some("198.51.100.7"), &format!("made up {n}"), "x");
        }
        assert!(secrets.0.lock().unwrap().len() <= MOST);
        assert!(secrets.wait(now, Some("198.51.100.7"), "web").is_some());
        assert!(secrets.wait(now, Some("203.0.113.9"), "web").is_none());
        assert!(secrets.wait(now, None, "web").is_none());
    }
}
