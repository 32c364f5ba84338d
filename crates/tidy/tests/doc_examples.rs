//! Examples in the documentation of what the facade re-exports: an application depends on `chancery` alone, so they say
//! `chancery::Client` and not `chancery_core::model::Client`. A hidden `# mod chancery { pub use …; }` makes that
//! compile where it stands; what is not re-exported is imported by a hidden `# use`.

use std::collections::BTreeSet;

use chancery_tidy::Repository;
use chancery_tidy::source::{spells, tokens};

const FACADE: &str = "crates/chancery/src/lib.rs";
const API: &str = "docs/public-api.txt";

/// The crates of which the facade re-exports something, as Rust spells them.
fn re_exported(repository: &Repository) -> BTreeSet<String> {
    let tokens = tokens(&repository.read(FACADE));
    let named = tokens.windows(3).filter(|three| spells(three, &["pub", "use"]));
    let named = named.filter_map(|three| three.last()).map(|name| name.text.clone());
    named.filter(|name| name.starts_with("chancery_")).collect()
}

/// What is seen of the examples of a file: each with the number of its first line.
fn examples(text: &str) -> Vec<(usize, Vec<String>)> {
    let (mut examples, mut open): (Vec<(usize, Vec<String>)>, bool) = (Vec::new(), false);
    for (at, line) in text.lines().enumerate() {
        let Some(line) = line.trim_start().strip_prefix("///").map(str::trim) else {
            open = false;
            continue;
        };
        if line.starts_with("```") {
            open = !open;
            if open {
                examples.push((at + 1, Vec::new()));
            }
        } else if open
            && line != "#"
            && !line.starts_with("# ")
            && let Some((_, example)) = examples.last_mut()
        {
            example.push(line.to_owned());
        }
    }
    examples
}

/// `use a::{b, c::{d}};` as `a::b` and `a::c::d`.
fn imports(tree: &str) -> Vec<String> {
    let Some((before, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inside = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut parts, mut depth) = (vec![String::new()], 0_usize);
    for c in inside.chars() {
        depth = match c {
            '{' => depth + 1,
            '}' => depth.saturating_sub(1),
            _ => depth,
        };
        match parts.last_mut() {
            Some(part) if c != ',' || depth > 0 => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| imports(part)).map(|part| format!("{}{part}", before.trim())).collect()
}

#[test]
fn they_use_the_names_of_the_facade() {
    let repository = Repository::open();
    let crates = re_exported(&repository);
    assert!(crates.contains("chancery_core") && crates.contains("chancery_http"), "{crates:?}");
    let api = repository.read(API);
    let api: BTreeSet<&str> = api.lines().filter_map(|line| line.strip_prefix("=== ")).collect();
    let packages = repository.packages().into_iter();
    let folders = packages.filter(|package| crates.contains(&package.name.replace('-', "_")));
    let folders: Vec<String> = folders.map(|package| format!("{}/src/", package.folder)).collect();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for file in repository.files().into_iter().filter(|file| file.ends_with(".rs")) {
        if !folders.iter().any(|folder| file.starts_with(folder)) {
            continue;
        }
        for (line, example) in examples(&repository.read(&file)) {
            let text = example.join(" ");
            if text.contains("chancery_") {
                wrong.push(format!("{file}:{line}: names a crate that an application does not depend on"));
            }
            for statement in text.split("use chancery::").skip(1) {
                let tree = statement.split(';').next().unwrap_or_default();
                for name in imports(tree) {
                    seen += 1;
                    let path = format!("chancery::{name}");
                    if !api.contains(path.as_str()) {
                        wrong.push(format!("{file}:{line}: there is no {path} (docs/public-api.txt)"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "examples of what the facade re-exports: {wrong:#?}");
    assert!(seen > 50, "{seen} names of the facade in examples");
}

#[test]
fn imports_are_read_in_all_their_spellings() {
    for (tree, paths) in [
        ("Client", &["Client"][..]),
        ("{Client, Issuer}", &["Client", "Issuer"]),
        ("a::{B, c::{D, E}, }", &["a::B", "a::c::D", "a::c::E"]),
    ] {
        assert_eq!(imports(tree), paths);
    }
    let text = "/// ```\n/// # use chancery_core::A;\n/// use chancery::A;\n///\n/// ```\nfn a() {}\n";
    assert_eq!(examples(text), [(1, vec!["use chancery::A;".to_owned(), String::new()])]);
}
