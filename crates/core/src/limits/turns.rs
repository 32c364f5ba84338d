//! Of the attempts that share a count, one is checked while the others wait.
//!
//! An attempt is counted before its password is checked. Without an order, simultaneous correct passwords
//! would count as failures, because none of them is known to be correct yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chancery_types::Key;
use tokio::sync::OwnedMutexGuard;

/// How many attempts may wait for one count. Each takes as long as a password check, so nobody waits for
/// minutes.
const LONGEST_LINE: usize = 64;

type Line = Arc<tokio::sync::Mutex<()>>;

/// The waiting lines, by the key of what is counted.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<Key, Line>>);

/// An attempt's turn, which ends when this is dropped.
pub struct Turn<'t> {
    turns: &'t Turns,
    key: Key,
    line: Option<Line>,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the caller's turn; `None` at once if too many are already waiting.
    pub async fn wait(&self, key: Key) -> Option<Turn<'_>> {
        let line = {
            let mut lines = self.lines();
            let line = lines.entry(key).or_default();
            // Each waiting attempt holds the line twice: in its turn and in the guard that it waits for.
            if Arc::strong_count(line) / 2 > LONGEST_LINE {
                return None;
            }
            Arc::clone(line)
        };
        // Made before the wait, so that a caller that is cancelled meanwhile also leaves the line.
        let mut turn = Turn { turns: self, key, line: Some(Arc::clone(&line)), guard: None };
        turn.guard = Some(line.lock_owned().await);
        Some(turn)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Key, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.guard = None;
        let mut lines = self.turns.lines();
        let line = self.line.take();
        // Only the table and this turn still hold it.
        if line.is_some_and(|line| Arc::strong_count(&line) == 2) {
            lines.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use chancery_types::{Kind, Partition, RealmId};

    use super::*;

    fn key(name: &str) -> Key {
        Key::derive(&RealmId::parse("main").unwrap(), Kind::THROTTLE, Partition([0, 0]), name.as_bytes())
    }

    fn poll<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn one_after_the_other_and_nothing_is_left() {
        let turns = Turns::default();
        let mut first = pin!(turns.wait(key("a")));
        let Poll::Ready(Some(first)) = poll(first.as_mut()) else { panic!("nobody was before") };
        let mut other = pin!(turns.wait(key("b")));
        assert!(matches!(poll(other.as_mut()), Poll::Ready(Some(_))), "another count");
        let mut second = pin!(turns.wait(key("a")));
        assert!(poll(second.as_mut()).is_pending());
        {
            // One attempt waits and is cancelled.
            let mut third = Box::pin(turns.wait(key("a")));
            assert!(poll(third.as_mut()).is_pending());
        }
        drop(first);
        let Poll::Ready(Some(second)) = poll(second.as_mut()) else { panic!("it is its turn") };
        drop(second);
        assert!(turns.lines().is_empty());
    }

    #[test]
    fn a_line_has_an_end() {
        let turns = Turns::default();
        let mut waiting: Vec<_> = (0..200).map(|_| Box::pin(turns.wait(key("a")))).collect();
        let polled: Vec<_> = waiting.iter_mut().map(|turn| poll(turn.as_mut())).collect();
        let refused = polled.iter().filter(|polled| matches!(polled, Poll::Ready(None))).count();
        assert!((200 - 2 * LONGEST_LINE..=200 - LONGEST_LINE).contains(&refused), "{refused}");
    }
}
