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
