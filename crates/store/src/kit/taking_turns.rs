//! Several handles as one store: each step goes to the next handle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chancery_types::Key;

use super::around::Around;
use super::{Method, States};
use crate::{BackendError, Record, StateStore, StoreError};

pub(crate) struct TakingTurns {
    handles: Vec<Arc<dyn StateStore>>,
    turn: AtomicUsize,
}

/// Makes a case look through one handle for what it wrote through another.
pub(crate) fn taking_turns(handles: &States) -> TakingTurns {
    TakingTurns { handles: handles.to_vec(), turn: AtomicUsize::new(0) }
}

impl Around for TakingTurns {
    fn admit(&self, _: Method, _: Option<Key>, _: &[Record]) -> Result<&dyn StateStore, StoreError> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % self.handles.len().max(1);
        Ok(&**self.handles.get(turn).ok_or_else(|| BackendError::new("no handle"))?)
    }
}
