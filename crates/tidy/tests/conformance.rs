//! Each module of the conformance suite's plans is a black-box test of our own, or comes with a later feature
//! (`docs/later.md`), so that no change can break a plan unseen.

use chancery_tidy::Repository;
use chancery_tidy::conformance::{carried, modules, names};
use std::collections::BTreeSet;

const ALL: &str = "crates/tidy/conformance-modules.txt";
const LATER: &str = "docs/later.md";

/// The texts of the files below these folders that end like this.
fn texts(repository: &Repository, folder: &str, end: &str) -> Vec<String> {
    let files = repository.files().into_iter();
    files
        .filter(|file| file.starts_with(folder) && file.ends_with(end))
        .map(|file| repository.read(&file))
        .collect()
}

#[test]
fn every_module_is_a_test_or_comes_later() {
    let repository = Repository::open();
    let all = modules(&repository.read(ALL));
    let texts = texts(&repository, "crates/http/tests/", ".rs");
    let tested: BTreeSet<String> = texts.iter().flat_map(|text| carried(text)).collect();
    let later = names(&repository.read(LATER));

    let forgotten: Vec<_> =
        all.iter().filter(|module| !tested.contains(*module) && !later.contains(*module)).collect();
    assert!(
        forgotten.is_empty(),
        "in no first paragraph of a test of crates/http/tests, nor in {LATER}: {forgotten:#?}"
    );
    let both: Vec<_> = tested.intersection(&later).collect();
    assert!(both.is_empty(), "tested, and all the same in {LATER}: {both:#?}");
    let unknown: Vec<_> = tested.union(&later).filter(|name| !all.contains(*name)).collect();
    assert!(unknown.is_empty(), "not in {ALL}: {unknown:#?}");
}
