//! Which crate may use which (ARCHITECTURE.md, "Map").

#![expect(clippy::panic, reason = "tests")]

use chancery_tidy::Repository;
use std::collections::BTreeSet;

/// A folder and what its crate may use; what those may use comes with them.
const ARROWS: &[(&str, &[&str])] = &[
    ("crates/seeded", &[]),
    ("crates/types", &[]),
    ("crates/jose", &["crates/types"]),
    ("crates/x509", &["crates/jose"]),
    ("crates/store", &["crates/types", "crates/seeded"]),
    ("crates/store/memory", &["crates/store"]),
    ("crates/store/sqlite", &["crates/store"]),
    ("crates/core", &["crates/store", "crates/x509"]),
    ("crates/http", &["crates/core"]),
    ("crates/pages", &["crates/http"]),
    ("crates/accounts", &["crates/core"]),
    ("crates/fetch", &["crates/core"]),
    ("crates/resource", &["crates/http"]),
    (
        "crates/chancery",
        &[
            "crates/http",
            "crates/pages",
            "crates/accounts",
            "crates/fetch",
            "crates/resource",
            "crates/store/memory",
            "crates/store/sqlite",
        ],
    ),
    ("crates/testkit", &["crates/http", "crates/store/memory"]),
    ("crates/server", &["crates/chancery"]),
    ("crates/tidy", &[]),
    ("crates/planter", &[]),
    // What is built on Chancery sees only what it promises.
    ("examples", &["crates/chancery"]),
    ("e2e", &["crates/chancery"]),
    ("bench", &["crates/chancery", "crates/testkit"]),
];

/// The line of [`ARROWS`] for a folder: its own, or that of the folder it stands in.
fn arrows(folder: &str) -> &'static [&'static str] {
    let of = |wanted: &str| ARROWS.iter().find(|(name, _)| *name == wanted).map(|(_, may_use)| *may_use);
    let top = folder.split('/').next().unwrap_or_default();
    let found = of(folder).or_else(|| of(top));
    found.unwrap_or_else(|| {
        panic!("{folder} is not in the table: give it its line in ARROWS and in the architecture")
    })
}

fn with_all_below(folder: &str) -> BTreeSet<&'static str> {
    let below = arrows(folder).iter();
    below.flat_map(|used| std::iter::once(*used).chain(with_all_below(used))).collect()
}

#[test]
fn every_crate_uses_only_what_is_below_it() {
    let packages = Repository::open().packages();
    let mut wrong = Vec::new();
    for package in &packages {
        let allowed = with_all_below(&package.folder);
        for dependency in
            package.dependencies.iter().filter(|dependency| dependency.normal && dependency.ours)
        {
            let used = packages.iter().find(|other| other.name == dependency.name);
            let Some(used) = used else {
                panic!("{} depends on {} of elsewhere", package.name, dependency.name)
            };
            if !allowed.contains(used.folder.as_str()) {
                wrong.push(format!("{} uses {}", package.folder, used.folder));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that do not exist: {wrong:#?}");
}

#[test]
fn the_table_reaches_all_that_lies_below() {
    assert!(
        with_all_below("crates/http").is_superset(&["crates/types", "crates/jose", "crates/store"].into())
    );
    assert!(!with_all_below("crates/core").contains("crates/http"));
    assert!(!with_all_below("crates/store/sqlite").contains("crates/core"));
}
