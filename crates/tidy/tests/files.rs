//! Size and names of files, and words that no file contains (CONTRIBUTING.md, "How we write").

use std::collections::BTreeSet;

use chancery_tidy::source::{spells, tokens};
use chancery_tidy::{Repository, manifest_section};

const MOST_LINES: usize = 600;

/// Tables made by a program; nobody reads them from top to bottom.
const GENERATED: &[&str] = &[];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "shared"];

/// Starts of paths that exist on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/tmp/", "bash"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
];

/// Hosts of package registries: where packages come from is decided by whoever installs.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("files.", "pythonhosted.org"),
    concat!("pypi", ".org"),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("proxy.", "golang.org"),
    concat!("deb.", "debian.org"),
];

#[test]
fn no_rust_file_is_longer_than_a_reader_bears() {
    let repository = Repository::open();
    let rust = repository
        .files()
        .into_iter()
        .filter(|file| file.ends_with(".rs") && !GENERATED.contains(&file.as_str()));
    let long: Vec<_> = rust.filter(|file| repository.read(file).lines().count() > MOST_LINES).collect();
    assert!(long.is_empty(), "more than {MOST_LINES} lines; split at a concept: {long:#?}");
}

#[test]
fn names_of_files_and_modules_say_what_is_inside() {
    let repository = Repository::open();
    let mut empty = Vec::new();
    for file in repository.files().into_iter().filter(|file| file.ends_with(".rs")) {
        if file.split(['/', '.']).any(|part| EMPTY_NAMES.contains(&part)) {
            empty.push(file.clone());
        }
        let modules = tokens(&repository.read(&file));
        let modules = modules.windows(2).filter(|pair| spells(pair, &["mod"])).filter_map(|pair| pair.last());
        let modules = modules.filter(|name| EMPTY_NAMES.contains(&name.text.as_str()));
        empty.extend(modules.map(|name| format!("{file}:{}: mod {}", name.line, name.text)));
    }
    assert!(empty.is_empty(), "names that say nothing: {empty:#?}");
}

#[test]
fn lints_are_never_switched_off_silently() {
    let repository = Repository::open();
    let mut silent = Vec::new();
    for file in repository.files().into_iter().filter(|file| file.ends_with(".rs")) {
        let tokens = tokens(&repository.read(&file));
        let attributes = tokens.windows(3).filter(|window| {
            spells(window, &["[", "allow", "("])
                || (spells(window, &[",", "allow", "("]) && window.len() == 3)
        });
        silent.extend(
            attributes.filter_map(|window| window.first()).map(|token| format!("{file}:{}", token.line)),
        );
    }
    assert!(silent.is_empty(), "use `expect` with a reason: {silent:#?}");
}

#[test]
fn every_crate_obeys_the_lints_of_the_workspace() {
    let repository = Repository::open();
    let root = manifest_section(&repository.read("Cargo.toml"), "workspace.lints.rust");
    assert!(root.contains(&("unsafe_code".to_owned(), "\"forbid\"".to_owned())), "unsafe code is forbidden");
    for package in repository.packages() {
        let lints = manifest_section(&repository.read(&format!("{}/Cargo.toml", package.folder)), "lints");
        assert_eq!(lints, [("workspace".to_owned(), "true".to_owned())], "[lints] of {}", package.folder);
    }
}

#[test]
fn nothing_names_a_machine_or_a_registry() {
    let repository = Repository::open();
    let mut named = Vec::new();
    for file in repository.files() {
        let text = repository.read(&file);
        for (number, line) in text.lines().enumerate() {
            let place =
                || format!("{file}:{}: {}", number + 1, line.trim().chars().take(120).collect::<String>());
            if MACHINE_PATHS.iter().chain(REGISTRY_HOSTS).any(|word| line.contains(word)) {
                named.push(place());
            }
            if file.ends_with("package-lock.json")
                && line.trim_start().starts_with("\"resolved\"")
                && line.contains("://")
            {
                named.push(place());
            }
        }
    }
    assert!(named.is_empty(), "what another machine cannot know: {named:#?}");
}

/// What is tested is what is shipped: a command for one crate would choose other features of the
/// dependencies.
#[test]
fn every_cargo_command_of_the_pipeline_means_the_whole_workspace() {
    let repository = Repository::open();
    for script in [".ci/run", "test"] {
        let text = repository.read(script);
        let commands: Vec<_> = text
            .lines()
            .filter(|line| line.trim_start().trim_start_matches("step ").starts_with("cargo "))
            .collect();
        assert!(!commands.is_empty(), "{script} runs cargo");
        let narrow =
            commands.iter().find(|line| !line.contains("--workspace") && !line.contains("fmt --all"));
        assert_eq!(narrow, None, "{script}");
    }
}

/// A picture that the page of pictures does not show is seen by nobody, and one that it or README shows has to be there.
#[test]
fn every_picture_of_the_pages_is_shown() {
    const FOLDER: &str = "docs/pages/";
    let repository = Repository::open();
    let names = |text: &str, before: &str| -> BTreeSet<String> {
        let names = text.split(before).skip(1).filter_map(|rest| rest.split([')', '"']).next());
        names.filter(|name| name.ends_with(".png")).map(str::to_owned).collect()
    };
    let files = repository.files();
    let there =
        files.iter().filter_map(|file| file.strip_prefix(FOLDER)).filter(|name| name.ends_with(".png"));
    let there: BTreeSet<String> = there.map(str::to_owned).collect();
    let shown = names(&repository.read("docs/pages/README.md"), "](");
    let cover = names(&repository.read("README.md"), FOLDER);
    let missing: Vec<_> = shown.union(&cover).filter(|name| !there.contains(*name)).collect();
    assert!(missing.is_empty(), "shown, but not there: {missing:?}");
    let unseen: Vec<_> =
        there.iter().filter(|name| !shown.contains(*name) && !cover.contains(*name)).collect();
    assert!(unseen.is_empty(), "shown nowhere: {unseen:?}");
    assert!(!cover.is_empty(), "README shows no page");
}
