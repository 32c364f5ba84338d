//! The order of the `mod` lines in `crates/core/src/lib.rs` is the layering: a module uses only those named
//! before it (ARCHITECTURE.md, "Map").

use chancery_tidy::Repository;
use chancery_tidy::source::{Token, from_root, tokens, without_tests};

const CORE: &str = "crates/core/src/";

/// The modules that a `lib.rs` names, in order.
fn modules(lib: &[Token]) -> Vec<String> {
    let named = lib.windows(3).filter_map(|window| match window {
        [word, name, end] if word.text == "mod" && matches!(end.text.as_str(), ";" | "{") => {
            Some(name.text.clone())
        }
        _ => None,
    });
    named.collect()
}

/// What a file of the module number `own` takes from the root of the crate without being allowed to.
fn breaches(file: &str, text: &str, modules: &[String], own: usize) -> Vec<String> {
    let folders = file.matches('/').count();
    let depth = if file.ends_with("/mod.rs") { folders } else { folders + 1 };
    let taken = from_root(&without_tests(&tokens(text)), depth).into_iter();
    let allowed = |name: &str| modules.iter().position(|module| module == name).is_some_and(|at| at <= own);
    taken
        .filter(|found| !allowed(&found.name))
        .map(|found| match found.name.as_str() {
            "*" => format!(
                "{file}:{}: reaches the root by `super` or `*`; name the module by `crate::`",
                found.line
            ),
            name if modules.iter().any(|module| module == name) => {
                format!("{file}:{}: `{name}` is named after its user", found.line)
            }
            name => format!("{file}:{}: `crate::{name}` is not a module; name where it stands", found.line),
        })
        .collect()
}

#[test]
fn a_module_of_core_uses_only_those_named_before_it() {
    let repository = Repository::open();
    let files = repository.files();
    let lib = files.iter().find(|file| **file == format!("{CORE}lib.rs")).expect("core has a lib.rs");
    let modules = modules(&without_tests(&tokens(&repository.read(lib))));
    let mut wrong = Vec::new();
    for path in files.iter().filter(|file| file.ends_with(".rs") && *file != lib) {
        let Some(file) = path.strip_prefix(CORE) else { continue };
        let is_test = file.ends_with("/tests.rs") || file.contains("/tests/");
        let own = file.split(['/', '.']).next().unwrap_or_default();
        match modules.iter().position(|module| module == own) {
            Some(own) if !is_test => wrong.extend(breaches(file, &repository.read(path), &modules, own)),
            Some(_) => {}
            None => wrong.push(format!("{file}: no line in lib.rs names it")),
        }
    }
    assert!(wrong.is_empty(), "the order of the modules is broken:\n{}", wrong.join("\n"));
}

#[test]
fn a_breach_of_the_order_is_seen() {
    let modules = modules(&tokens("pub mod error;\nmod model;\n#[cfg(test)] mod kit;\nmod keys { }"));
    assert_eq!(modules, ["error", "model", "kit", "keys"]);
    assert!(breaches("model/client.rs", "use crate::{error::A, model::B};", &modules, 1).is_empty());
    assert_eq!(breaches("model/client.rs", "use crate::keys::K;", &modules, 1).len(), 1);
    assert_eq!(breaches("model/mod.rs", "use super::keys::K;", &modules, 1).len(), 1);
    assert_eq!(breaches("model/client.rs", "use super::super::keys::K;", &modules, 1).len(), 1);
    assert_eq!(breaches("model/client.rs", "use crate::Promoted;", &modules, 1).len(), 1);
    assert!(
        breaches("model/client.rs", "#[cfg(test)] mod tests { use crate::keys::K; }", &modules, 1).is_empty()
    );
}
