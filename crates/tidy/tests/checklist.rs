//! Each statement of the behaviour checklist is shown by a test, differs on purpose (`docs/differences.md`),
//! or comes with a later feature (`docs/later.md`).
//!
//! `checklist-ids.txt` lists the statements that are judged.

use chancery_tidy::Repository;
use chancery_tidy::checklist::{areas, ids};
use chancery_tidy::source::{spells, tokens};
use std::collections::BTreeSet;

const ALL: &str = "crates/tidy/checklist-ids.txt";
const DOCUMENTS: &[&str] = &["docs/differences.md", "docs/later.md"];

/// The part of a file in which an id counts as shown.
fn tests_in(file: &str, text: String) -> Option<String> {
    let rust = file.ends_with(".rs");
    let in_folder = |folder: &str| file.split('/').any(|part| part == folder);
    if file.starts_with("crates/tidy/") {
        return None;
    }
    if file.starts_with("e2e/")
        || (rust && file.starts_with("crates/") && (in_folder("tests") || in_folder("kit")))
    {
        return Some(text);
    }
    if rust && file.starts_with("crates/") {
        let tokens = tokens(&text);
        let first = tokens
            .windows(7)
            .find(|here| spells(here, &["#", "[", "cfg", "(", "test", ")", "]"]))?
            .first()?
            .line;
        return Some(text.lines().skip(first - 1).collect::<Vec<_>>().join("\n"));
    }
    None
}

#[test]
fn every_statement_is_shown_or_explained() {
    let repository = Repository::open();
    let list = repository.read(ALL);
    let areas = areas(&list);
    let documents = DOCUMENTS.iter().flat_map(|file| ids(&repository.read(file), &areas));
    let files = repository.files();
    let tests = files
        .iter()
        .filter_map(|file| tests_in(file, repository.read(file)))
        .flat_map(|text| ids(&text, &areas));
    let covered: BTreeSet<String> = documents.chain(tests).collect();
    let all = ids(&list, &areas);
    let forgotten: Vec<_> = all.iter().filter(|id| !covered.contains(*id)).collect();
    assert!(forgotten.is_empty(), "in no test, nor in {DOCUMENTS:?}: {forgotten:?}");
}

#[test]
fn ids_count_only_inside_tests() {
    let text = "//! AT-01\nfn f() {}\n#[cfg(test)]\nmod tests { /* AT-02 */ }\n".to_owned();
    assert!(tests_in("crates/core/src/keys.rs", text.clone()).is_some_and(|tests| !tests.contains("AT-01")));
    assert!(tests_in("crates/core/src/keys.rs", "// AT-01".to_owned()).is_none());
    assert!(
        tests_in("crates/http/tests/token.rs", text.clone()).is_some_and(|tests| tests.contains("AT-01"))
    );
    assert!(tests_in("docs/configuration.md", text).is_none());
}
