//! What we build on: few crates, known ones, and a reason for each (CONTRIBUTING.md, "How we write").

use chancery_tidy::{Repository, manifest_section};
use std::collections::BTreeSet;

/// Two stacks for one purpose, bindings to a system library, or a clock inside.
const REFUSED: &[&str] = &["ring", "openssl-sys", "native-tls", "chrono"];

/// Cargo writes into the lock file what a weak feature (`ring?/alloc` of rustls-webpki) names, although no
/// build has it. These are looked for in the builds of all our crates instead.
const ONLY_NAMED: &[&str] = &["ring"];

const INDEX: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

/// The number of crates linked into a package on this platform, itself included.
fn linked(repository: &Repository, package: &str, flags: &[&str]) -> Option<usize> {
    if !repository.packages().iter().any(|found| found.name == package) {
        return None;
    }
    let tree = ["tree", "--locked", "--edges=normal", "--prefix=none", "--package", package];
    let tree = repository.cargo(&[&tree, flags].concat());
    let crates = tree.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>());
    Some(crates.filter(|name| name.len() == 2).collect::<BTreeSet<_>>().len())
}

#[test]
fn the_library_and_the_server_stay_small() {
    let repository = Repository::open();
    for (package, flags, most) in
        [("chancery", ["--no-default-features"].as_slice(), 80), ("chancery-server", [].as_slice(), 200)]
    {
        let Some(linked) = linked(&repository, package, flags) else { continue };
        println!("{package}: {linked} crates of at most {most}");
        assert!(linked <= most, "{package} links {linked} crates, at most {most}");
    }
}

#[test]
fn the_lock_file_holds_nothing_that_we_refuse() {
    let repository = Repository::open();
    let tree =
        ["tree", "--locked", "--workspace", "--all-features", "--edges=all", "--prefix=none", "--format={p}"];
    let built = repository.cargo(&tree);
    let is_built = |name: &str| built.lines().any(|line| line.split_whitespace().next() == Some(name));
    assert!(is_built("rustls-webpki") && !is_built("windows-sys"), "this is not the list of what is built");
    let lock = repository.read("Cargo.lock");
    for refused in REFUSED {
        assert!(!is_built(refused), "{refused} came in; `cargo tree -i {refused}` says how");
        if ONLY_NAMED.contains(refused) {
            continue;
        }
        assert!(
            !lock.contains(&format!("name = \"{refused}\"")),
            "{refused} came in; `cargo tree -i {refused}` says how"
        );
    }
    let elsewhere = lock.lines().find(|line| line.starts_with("source = ") && *line != INDEX);
    assert_eq!(elsewhere, None, "every crate comes from the public registry");
}

#[test]
fn versions_stand_in_one_place_and_features_are_chosen() {
    let repository = Repository::open();
    let declared = manifest_section(&repository.read("Cargo.toml"), "workspace.dependencies");
    for (name, value) in &declared {
        let ours = value.contains("path = ");
        assert!(
            ours || value.contains("default-features = false"),
            "{name}: `default-features = false`, then choose"
        );
    }
    let mut used = BTreeSet::new();
    for package in repository.packages() {
        let manifest = repository.read(&format!("{}/Cargo.toml", package.folder));
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in manifest_section(&manifest, section) {
                // A crate may name itself, to switch on a feature for its own tests.
                let inherited = value.contains("workspace = true") || value.contains("path = \".\"");
                assert!(
                    inherited,
                    "{}: the version of {name} belongs in the root's Cargo.toml",
                    package.folder
                );
                used.insert(name);
            }
        }
        let greedy =
            package.dependencies.iter().find(|dependency| !dependency.ours && dependency.default_features);
        assert!(
            greedy.is_none(),
            "{} takes the default features of {:?}",
            package.folder,
            greedy.map(|found| &found.name)
        );
    }
    let unused: Vec<_> =
        declared.iter().filter(|(name, value)| !value.contains("path = ") && !used.contains(name)).collect();
    assert!(unused.is_empty(), "declared in the root and used by nobody: {unused:?}");
}

#[test]
fn every_dependency_has_its_reason() {
    let repository = Repository::open();
    let pages = repository
        .files()
        .into_iter()
        .filter(|file| file.starts_with("docs/decisions/") && file.ends_with(".md"));
    let reasons: String = pages.map(|page| repository.read(&page)).collect();
    let declared = manifest_section(&repository.read("Cargo.toml"), "workspace.dependencies");
    let ours = |value: &str| value.contains("path = ");
    let without: Vec<_> = declared
        .into_iter()
        .filter(|(name, value)| !ours(value) && !reasons.contains(&format!("`{name}`")))
        .map(|(name, _)| name)
        .collect();
    assert!(without.is_empty(), "no line in docs/decisions/ gives a reason for: {without:?}");
}
