//! Every promise of both contracts, over two stores on one file.

use std::sync::Arc;

use chancery_store::{DocumentStore, StateStore};

use super::Pair;
use crate::sql::Sql;

macro_rules! state_tests {
    ($($case:ident)*) => { $(#[test] fn $case() {
        let pair = Pair::new(Sql::new);
        chancery_store::kit::$case(&pair.stores.clone().map(|store| store as Arc<dyn StateStore>));
    })* };
}
chancery_store::each_state_case!(state_tests);

macro_rules! document_tests {
    ($($case:ident)*) => { $(#[test] fn $case() {
        let pair = Pair::new(Sql::new);
        chancery_store::kit::$case(&pair.stores.clone().map(|store| store as Arc<dyn DocumentStore>));
    })* };
}
chancery_store::each_document_case!(document_tests);
