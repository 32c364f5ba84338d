//! The public API of the facade is the committed one: what an application can name changes only where
//! somebody sees it.

use chancery_tidy::Repository;
use chancery_tidy::public_api::Sources;
use chancery_tidy::source::{spells, tokens};

const SNAPSHOT: &str = "docs/public-api.txt";

const RENEW: &str = "cargo test -p chancery --test public_api -- --ignored renew";

fn api(repository: &Repository) -> String {
    let head = format!(
        "What an application can name through the crate `chancery`, with all its features. After a change:\n{RENEW}\n\n"
    );
    head + &Sources::read(repository).public_api("chancery")
}

#[test]
fn the_public_api_is_the_committed_one() {
    let repository = Repository::open();
    let (committed, now) = (repository.read(SNAPSHOT).replace("\r\n", "\n"), api(&repository));
    let line = committed.lines().zip(now.lines()).position(|(committed, now)| committed != now);
    let near = |text: &str| {
        let from =
            line.unwrap_or_else(|| committed.lines().count().min(now.lines().count())).saturating_sub(3);
        text.lines().skip(from).take(8).collect::<Vec<_>>().join("\n")
    };
    assert!(
        committed == now,
        "the public API has changed. Committed:\n{}\n\nNow:\n{}\n\nIf it is meant: {RENEW}",
        near(&committed),
        near(&now)
    );
}

/// What stands in a signature and cannot be named, and why not.
const HIDDEN: &[(&str, &str)] = &[
    ("chancery_core::context::Env", ENGINE),
    ("chancery_core::interaction::Decided", "of no method that an application sees"),
    ("chancery_core::keys::DerivedKeys", ENGINE),
    ("chancery_core::model::token_encryption::Written", "the form in which it is stored"),
    ("chancery_core::offered::Component", ENGINE),
    ("chancery_core::profile::Floor", ENGINE),
    ("chancery_core::profile::demands::Demands", ENGINE),
    ("chancery_core::provider::snapshot::Snapshot", ENGINE),
    ("chancery_core::records::Body", ENGINE),
    ("chancery_jose::jwe::Fill", "a closure, which nobody has to name"),
    ("chancery_jose::jwe::shared_key::SharedKey", ENGINE),
    ("chancery_jose::verify::sealed::Sealed", "keeps others from implementing a trait"),
    ("chancery_types::handle::sealed::Sealed", "keeps others from implementing a trait"),
];

/// For crates of ours, such as `http`, which depend on the engine itself.
const ENGINE: &str = "of the engine itself";

/// An application can name whatever it gets or has to give.
#[test]
fn what_stands_in_a_signature_can_be_named() {
    // The committed one, which the first test compares.
    let api = Repository::open().read(SNAPSHOT);
    let lines = api.lines().filter_map(|line| line.strip_prefix("--- "));
    let hidden: Vec<&str> = lines.filter_map(|line| line.split(' ').next()).collect();
    let known: Vec<&str> = HIDDEN.iter().map(|(name, _)| *name).collect();
    assert_eq!(hidden, known, "re-export it in crates/chancery/src/lib.rs, or say here why not");
}

/// What it offers is chosen name by name.
#[test]
fn the_facade_has_no_globs() {
    let repository = Repository::open();
    let text = tokens(&repository.read("crates/chancery/src/lib.rs"));
    let globs: Vec<usize> =
        text.windows(2).filter(|pair| spells(pair, &["::", "*"])).map(|pair| pair[0].line).collect();
    assert!(globs.is_empty(), "globs in lines {globs:?}");
}

#[test]
#[ignore = "writes the snapshot"]
fn renew() {
    let repository = Repository::open();
    repository.write(SNAPSHOT, &api(&repository));
}
