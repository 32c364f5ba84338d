//! Tests for backends: every promise of both contracts as a named case, and wrappers for the tests of the
//! engine.
//!
//! ```no_run
//! use std::sync::Arc;
//! use chancery_store::StateStore;
//! use chancery_store::kit::STATE_CASES;
//! use chancery_store_memory::MemoryStore;
//!
//! for (name, case) in STATE_CASES {
//!     println!("{name}");
//!     let handles: [Arc<dyn StateStore>; 1] = [Arc::new(MemoryStore::new())];
//!     case(&handles);
//! }
//! ```
//!
//! With [`each_state_case!`](crate::each_state_case) and [`each_document_case!`](crate::each_document_case) a
//! backend turns each case into a test of its own. A case gets an empty store, as one handle or as several on
//! the same records. With several, successive steps take turns between them, and contention is between all.
//! Nothing here needs an async runtime.

mod wait;
pub use wait::wait;

mod around;
pub use around::Method;

mod counting;
pub use counting::Counting;

mod counting_documents;
pub use counting_documents::CountingDocuments;

mod failing;
pub use failing::Failing;

mod sample;

mod taking_turns;

mod names;
pub use names::*;

mod steps;
pub use steps::*;

mod trees;
pub use trees::*;

mod tagged;
pub use tagged::*;

mod contention;
pub use contention::*;

mod walk;
pub use walk::*;

mod documents;
pub use documents::*;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::{DocumentStore, StateStore};

/// One or more handles on the same records, of which there are none at first.
pub type States = [Arc<dyn StateStore>];

/// One or more handles on the same documents, of which there are none at first.
pub type Documents = [Arc<dyn DocumentStore>];

/// Hands the names of all cases of [`StateStore`] to a macro.
#[macro_export]
macro_rules! each_state_case {
    ($do:ident) => {
        $do! {
            a_lease_is_held_by_one_worker
            a_lease_is_held_by_one_worker_of_many
            a_lease_takes_only_what_is_live_and_due
            a_name_is_free_after_expiry
            a_name_is_free_after_revocation
            a_revision_is_never_repeated
            a_step_stays_in_one_partition
            a_tree_is_three_deep
            a_walk_at_random_agrees_with_a_map
            an_alias_is_unique_among_the_unexpired
            an_empty_batch_is_a_step
            any_failure_in_a_batch_leaves_everything_as_it_was
            children_die_with_their_parent
            children_expire_with_their_parent
            expired_is_invisible_before_any_sweep
            listing_pages_in_the_order_of_keys
            of_many_inserts_of_one_alias_one_is_done
            of_many_inserts_of_one_key_one_is_done
            of_many_redemptions_one_is_first
            of_many_revocations_one_sends_notices
            of_many_updates_of_one_state_one_is_done
            only_the_first_redemption_writes
            only_the_revocation_that_ended_it_writes
            replay_against_winner_leaves_nothing_alive
            revocation_by_tag_takes_only_its_own
            revocation_with_seen_ends_only_what_was_seen
            sweep_keeps_its_limit
            sweep_knows_a_changed_end
            sweep_removes_the_expired
            sweep_removes_what_hangs_on_a_missing_parent
            update_is_compare_and_swap
            what_is_inserted_is_found
            what_is_written_after_a_revocation_is_dead_on_arrival
        }
    };
}

/// Hands the names of all cases of [`DocumentStore`] to a macro.
#[macro_export]
macro_rules! each_document_case {
    ($do:ident) => {
        $do! {
            a_document_has_several_aliases
            a_document_is_found_by_id_and_alias
            a_documents_alias_is_unique_and_free_after
            a_removed_document_is_not_what_was_seen
            changes_name_what_was_written
            changes_that_are_not_all_remembered_are_any
            documents_are_listed_in_pages
            of_many_new_documents_of_one_alias_one_is_done
            of_many_puts_over_one_state_one_is_done
            new_documents_are_written_all_or_none
            put_is_compare_and_swap
            realms_and_kinds_do_not_meet
        }
    };
}

macro_rules! table {
    ($($case:ident)*) => {
        /// Every case of [`StateStore`] by name.
        pub const STATE_CASES: &[(&str, fn(&States))] = &[$((stringify!($case), $case)),*];
    };
}
each_state_case!(table);

/// The names of the cases that fail, each with a fresh store: this shows that the kit catches a fault.
pub fn failing_cases<S: AsRef<States>>(fresh: impl Fn() -> S) -> Vec<&'static str> {
    let fails = |case: &fn(&States)| catch_unwind(AssertUnwindSafe(|| case(fresh().as_ref()))).is_err();
    STATE_CASES.iter().filter(|(_, case)| fails(case)).map(|(name, _)| *name).collect()
}
