//! A mistake in a statement does not pass the kit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chancery_store::StateStore;
use chancery_store::kit::{self, States};

use super::Pair;
use crate::sql::{LIVE, Sql};

/// Opens a pair whose statements are patched; the case has to fail with it.
fn caught(mistaken: fn() -> Sql, case: fn(&States)) -> bool {
    let pair = Pair::new(mistaken);
    let states = pair.stores.clone().map(|store| store as Arc<dyn StateStore>);
    catch_unwind(AssertUnwindSafe(|| case(&states))).is_err()
}

/// A patch that has nothing to replace would show nothing.
fn patch(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from:?} is not in {text:?}");
    text.replace(from, to)
}

#[test]
fn a_transaction_that_takes_its_lock_late() {
    let mistaken = || {
        let right = Sql::new();
        Sql { begin: patch(&right.begin, "immediate", "deferred"), ..right }
    };
    assert!(caught(mistaken, kit::of_many_redemptions_one_is_first));
    assert!(caught(mistaken, kit::of_many_updates_of_one_state_one_is_done));
}

#[test]
fn life_without_the_parent() {
    let mistaken = || Sql::with_life("r.expires_at > ?1");
    assert!(caught(mistaken, kit::children_die_with_their_parent));
    assert!(caught(mistaken, kit::children_expire_with_their_parent));
    assert!(caught(mistaken, kit::what_is_written_after_a_revocation_is_dead_on_arrival));
}

#[test]
fn life_without_the_grandparent() {
    let mistaken = || Sql::with_life(&patch(LIVE, "p.parent is null or", "true or"));
    assert!(caught(mistaken, kit::children_die_with_their_parent));
}

#[test]
fn expiry_by_the_clock_of_the_machine() {
    let mistaken = || Sql::with_life(&patch(LIVE, "?1", "(unixepoch() * 1000)"));
    assert!(caught(mistaken, kit::expired_is_invisible_before_any_sweep));
}

#[test]
fn an_alias_that_only_the_sweep_frees() {
    let mistaken = || {
        let right = Sql::new();
        Sql { remove_dead: patch(&right.remove_dead, "r.alias = ?3", "(?3 is not null and false)"), ..right }
    };
    assert!(caught(mistaken, kit::a_name_is_free_after_expiry));
}

#[test]
fn a_lease_that_lets_two_workers_in() {
    let mistaken = || {
        let right = Sql::new();
        Sql { lease: patch(&right.lease, "due_at = ?5", "due_at = min(due_at, ?5)"), ..right }
    };
    assert!(caught(mistaken, kit::a_lease_is_held_by_one_worker));
    assert!(caught(mistaken, kit::a_lease_is_held_by_one_worker_of_many));
}

#[test]
fn a_sweep_that_forgets_orphans() {
    let mistaken = || {
        let right = Sql::new();
        Sql { dead_parent: patch(&right.dead_parent, "limit 1", "limit 0"), ..right }
    };
    assert!(caught(mistaken, kit::sweep_removes_what_hangs_on_a_missing_parent));
}

#[test]
fn a_sweep_that_forgets_what_was_dead_on_arrival() {
    let mistaken = || {
        let right = Sql::new();
        Sql { orphaned: patch(&right.orphaned, "where not exists", "where false and exists"), ..right }
    };
    assert!(caught(mistaken, kit::what_is_written_after_a_revocation_is_dead_on_arrival));
}

#[test]
fn a_shorter_life_that_the_sweep_does_not_hear_of() {
    let mistaken = || {
        let right = Sql::new();
        Sql { sweep_sooner: patch(&right.sweep_sooner, "= expires_at", "= sweep_at"), ..right }
    };
    assert!(caught(mistaken, kit::sweep_knows_a_changed_end));
}

#[test]
fn a_consumption_that_is_not_written() {
    let mistaken = || {
        let right = Sql::new();
        Sql { consume: patch(&right.consume, "consumed_at = ?2", "consumed_at = nullif(?2, ?2)"), ..right }
    };
    assert!(caught(mistaken, kit::only_the_first_redemption_writes));
}

#[test]
fn an_update_that_keeps_the_revision() {
    let mistaken = || {
        let right = Sql::new();
        Sql { change: patch(&right.change, "(revision + 1)", "(revision + 0)"), ..right }
    };
    assert!(caught(mistaken, kit::update_is_compare_and_swap));
}

#[test]
fn a_page_that_the_dead_take_places_on() {
    let mistaken = || {
        let right = Sql::new();
        let list_tagged = patch(&right.list_tagged, &format!(" and {LIVE}"), "");
        Sql {
            list_tagged: patch(&list_tagged, "from record where", &format!("from record r where {LIVE} and")),
            ..right
        }
    };
    assert!(caught(mistaken, kit::listing_pages_in_the_order_of_keys));
}
