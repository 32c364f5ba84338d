//! The memory store keeps every promise of both contracts.

use std::sync::Arc;

use chancery_store::{DocumentStore, StateStore};
use chancery_store_memory::MemoryStore;

macro_rules! state_tests {
    ($($case:ident)*) => { $(#[test] fn $case() {
        let store: Arc<dyn StateStore> = Arc::new(MemoryStore::new());
        chancery_store::kit::$case(&[store]);
    })* };
}
chancery_store::each_state_case!(state_tests);

macro_rules! document_tests {
    ($($case:ident)*) => { $(#[test] fn $case() {
        let store: Arc<dyn DocumentStore> = Arc::new(MemoryStore::new());
        chancery_store::kit::$case(&[store]);
    })* };
}
chancery_store::each_document_case!(document_tests);
