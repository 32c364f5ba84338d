//! What an application can name through the facade, read from the sources: signatures without bodies,
//! comments and private fields. Needs no compiler, so it is the same with each toolchain.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use syn::{Attribute, Expr, Item, Type, UseTree, Visibility};

use crate::Repository;

mod printed;
use printed::{cleaned, printed};

/// The sources of the workspace's libraries.
pub struct Sources {
    crates: BTreeMap<String, BTreeMap<Path, Vec<Item>>>,
}

/// Names that stand in our macros, too, and are not made by them.
const OF_THE_LANGUAGE: &[&str] = &[
    "Box",
    "Clone",
    "Copy",
    "Debug",
    "Display",
    "Eq",
    "Error",
    "Hash",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Result",
    "Self",
    "Send",
    "String",
    "TryFrom",
    "Vec",
];

/// Names of modules from the root of a crate.
type Path = Vec<String>;

/// Where something is defined.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    /// An item: crate, module, name.
    Item(String, Path, String),
    /// What a macro of this module makes.
    Made(String, Path, String),
    /// A module of ours.
    Module(String, Path),
    /// Something of another workspace.
    Foreign(String),
}

impl Sources {
    /// Reads every library of the workspace.
    #[must_use]
    pub fn read(repository: &Repository) -> Self {
        let mut crates = BTreeMap::new();
        for package in repository.packages() {
            let folder = format!("{}/src", package.folder);
            if repository.has(&format!("{folder}/lib.rs")) {
                let mut modules = BTreeMap::new();
                add(&mut modules, repository, Vec::new(), &format!("{folder}/lib.rs"), &folder);
                crates.insert(package.name.replace('-', "_"), modules);
            }
        }
        Self { crates }
    }

    /// Everything that can be named through a crate, each item once: under its shortest path.
    #[must_use]
    pub fn public_api(&self, krate: &str) -> String {
        let mut named: Vec<(String, Found)> = Vec::new();
        self.collect(&Found::Module(krate.to_owned(), Vec::new()), krate, &mut named, &mut BTreeSet::new());
        named.sort_by_key(|(path, _)| (path.matches("::").count(), path.clone()));
        let mut shown: BTreeMap<Found, String> = BTreeMap::new();
        let mut sections: BTreeMap<String, String> = BTreeMap::new();
        for (path, found) in named {
            let text = match shown.get(&found) {
                Some(first) => format!("the same as {first}\n"),
                None => self.describe(&found),
            };
            shown.entry(found).or_insert_with(|| path.clone());
            sections.insert(path, text);
        }
        let mut all = String::new();
        for (path, text) in sections {
            let _ = write!(all, "=== {path}\n{text}\n");
        }
        for (hidden, by) in self.hidden(&shown) {
            let _ = writeln!(all, "--- {hidden} stands in the signature of {by}, and cannot be named");
        }
        all
    }

    /// What a signature names, and nobody else can: each with the first item that names it.
    fn hidden(&self, shown: &BTreeMap<Found, String>) -> BTreeMap<String, String> {
        let mut hidden = BTreeMap::new();
        for (found, path) in shown {
            let Found::Item(krate, module, _) = found else { continue };
            let text = self.describe(found);
            let paths = text.split(|c: char| !c.is_alphanumeric() && !"_:".contains(c));
            let paths: BTreeSet<&str> = paths.map(|path| path.trim_matches(':')).collect();
            let is_type = |path: &&str| {
                let name = path.rsplit("::").next().unwrap_or_default();
                name.starts_with(char::is_uppercase)
                    && name.contains(char::is_lowercase)
                    && !OF_THE_LANGUAGE.contains(&name)
            };
            for written in paths.into_iter().filter(is_type) {
                let names: Vec<String> = written.split("::").map(str::to_owned).collect();
                let named = match names.as_slice() {
                    [name] => self.find(krate, module, name),
                    names => self.resolve(krate, module, names),
                };
                if let Some(Found::Item(of, within, name) | Found::Made(of, within, name)) = &named
                    && named.as_ref().is_some_and(|named| !shown.contains_key(named))
                {
                    hidden.entry(format!("{}::{name}", joined(of, within))).or_insert_with(|| path.clone());
                }
            }
        }
        hidden
    }

    /// All public names of a module and of the modules in it.
    fn collect(
        &self,
        module: &Found,
        path: &str,
        named: &mut Vec<(String, Found)>,
        seen: &mut BTreeSet<Found>,
    ) {
        let Found::Module(krate, within) = module else { return };
        if !seen.insert(module.clone()) {
            return;
        }
        for (name, found) in self.exports(krate, within) {
            let path = format!("{path}::{name}");
            match &found {
                Found::Module(..) => self.collect(&found, &path, named, seen),
                _ => named.push((path, found)),
            }
        }
    }

    /// The public names of one module, in order; a module and a function may share one.
    fn exports(&self, krate: &str, module: &Path) -> Vec<(String, Found)> {
        let mut exports = Vec::new();
        let mut of_globs = Vec::new();
        for item in self.items(krate, module) {
            if let Item::Use(used) = item
                && is_public(&used.vis)
            {
                for (name, target) in leaves(&used.tree, Vec::new()) {
                    match name {
                        Some(name) => exports
                            .extend(self.imported(krate, module, &target).map(|found| (name.clone(), found))),
                        None => {
                            if let Some(Found::Module(krate, module)) = self.resolve(krate, module, &target) {
                                of_globs.extend(self.exports(&krate, &module));
                            }
                        }
                    }
                }
            } else if let Some((name, visibility)) = name_of(item)
                && is_public(visibility)
            {
                exports.push((name.clone(), self.own(krate, module, item, &name)));
            }
        }
        exports.append(&mut of_globs);
        exports
    }

    /// Everything that a `use` of this path gets: what shares the name and can be seen from there.
    fn imported(&self, krate: &str, module: &Path, target: &[String]) -> impl Iterator<Item = Found> {
        let within = target.split_last().filter(|(_, before)| !before.is_empty());
        let within = within.and_then(|(last, before)| Some((last, self.resolve(krate, module, before)?)));
        let found = match within {
            Some((last, Found::Module(of, within))) => {
                let is_seen = |visibility: &Visibility| of == krate || is_public(visibility);
                let own = self.items(&of, &within).iter().filter_map(|item| {
                    let (name, visibility) = name_of(item)?;
                    (name == *last && is_seen(visibility)).then(|| self.own(&of, &within, item, last))
                });
                let mut found: Vec<Found> = own.collect();
                for item in self.items(&of, &within) {
                    let Item::Use(used) = item else { continue };
                    for (name, target) in leaves(&used.tree, Vec::new()) {
                        if name.as_ref() == Some(last) && is_seen(&used.vis) {
                            found.extend(self.imported(&of, &within, &target));
                        }
                    }
                }
                if found.is_empty() {
                    found.extend(self.find(&of, &within, last));
                }
                found
            }
            _ => self.resolve(krate, module, target).into_iter().collect(),
        };
        found.into_iter()
    }

    fn own(&self, krate: &str, module: &Path, item: &Item, name: &str) -> Found {
        match item {
            Item::Mod(_) => Found::Module(krate.to_owned(), [module.as_slice(), &[name.to_owned()]].concat()),
            _ => Found::Item(krate.to_owned(), module.clone(), name.to_owned()),
        }
    }

    fn items(&self, krate: &str, module: &Path) -> &[Item] {
        self.crates.get(krate).and_then(|modules| modules.get(module)).map_or(&[], Vec::as_slice)
    }

    /// What a name means in a module.
    fn find(&self, krate: &str, module: &Path, name: &str) -> Option<Found> {
        let items = self.items(krate, module);
        for item in items {
            match item {
                Item::Mod(found) if found.ident == name => {
                    return Some(Found::Module(
                        krate.to_owned(),
                        [module.as_slice(), &[name.to_owned()]].concat(),
                    ));
                }
                Item::Use(_) | Item::Macro(_) => {}
                item if name_of(item).is_some_and(|(found, _)| found == name) => {
                    return Some(Found::Item(krate.to_owned(), module.clone(), name.to_owned()));
                }
                _ => {}
            }
        }
        let uses =
            items.iter().filter_map(|item| if let Item::Use(used) = item { Some(&used.tree) } else { None });
        let bound: Vec<_> = uses.flat_map(|tree| leaves(tree, Vec::new())).collect();
        if let Some((_, target)) = bound.iter().find(|(bound, _)| bound.as_deref() == Some(name)) {
            return self.resolve(krate, module, target);
        }
        let globs = bound.iter().filter(|(bound, _)| bound.is_none());
        let in_glob = globs.filter_map(|(_, target)| match self.resolve(krate, module, target)? {
            // A test's `use super::*`, or a module's of its own parent, leads back.
            Found::Module(of, within) if (of.as_str(), &within) != (krate, module) => {
                self.find(&of, &within, name)
            }
            _ => None,
        });
        if let Some(found) = in_glob.into_iter().next() {
            return Some(found);
        }
        let is_made =
            |item: &Item| matches!(item, Item::Macro(made) if has_word(&made.mac.tokens.to_string(), name));
        items.iter().any(is_made).then(|| Found::Made(krate.to_owned(), module.clone(), name.to_owned()))
    }

    /// What a path means in a module.
    fn resolve(&self, krate: &str, module: &Path, path: &[String]) -> Option<Found> {
        let (first, rest) = path.split_first()?;
        let mut at = match first.as_str() {
            "crate" => Found::Module(krate.to_owned(), Vec::new()),
            "self" => Found::Module(krate.to_owned(), module.clone()),
            "super" => Found::Module(krate.to_owned(), module.split_last()?.1.to_vec()),
            name if self.crates.contains_key(name) => Found::Module(name.to_owned(), Vec::new()),
            // `use a::b` in a module that binds `a` by this very `use` is an outside crate.
            name if !self.binds(krate, module, name) => return Some(Found::Foreign(path.join("::"))),
            name => self.find(krate, module, name)?,
        };
        for name in rest {
            at = match at {
                Found::Module(krate, module) if name == "self" => Found::Module(krate, module),
                Found::Module(krate, module) if name == "super" => {
                    Found::Module(krate, module.split_last()?.1.to_vec())
                }
                Found::Module(krate, module) => self.find(&krate, &module, name)?,
                Found::Foreign(_) => return Some(Found::Foreign(path.join("::"))),
                // A variant, or an associated item.
                item => return Some(item),
            };
        }
        Some(at)
    }

    /// Whether a module has a module or an import of this name.
    fn binds(&self, krate: &str, module: &Path, name: &str) -> bool {
        self.items(krate, module).iter().any(|item| match item {
            Item::Mod(found) => found.ident == name,
            Item::Use(used) => leaves(&used.tree, Vec::new()).iter().any(|(bound, target)| {
                bound.as_deref() == Some(name) && target.first().is_some_and(|first| first != name)
            }),
            item => name_of(item).is_some_and(|(found, _)| found == name),
        })
    }

    fn describe(&self, found: &Found) -> String {
        match found {
            Found::Foreign(path) => format!("{path}\n"),
            Found::Made(krate, module, name) => {
                format!("{name} of {}, made by a macro\n", joined(krate, module))
            }
            Found::Module(..) => String::new(),
            Found::Item(krate, module, name) => {
                let defined = self.items(krate, module).iter().filter(|item| {
                    !matches!(item, Item::Use(_) | Item::Mod(_))
                        && name_of(item).is_some_and(|(found, _)| found == *name)
                });
                let mut items: Vec<Item> = defined.filter_map(|item| cleaned(item.clone())).collect();
                let (mut own, mut of_traits) = self.implementations(found);
                items.append(&mut own);
                items.append(&mut of_traits);
                printed(items)
            }
        }
    }

    /// The inherent and the trait implementations for a type, in its own crate.
    fn implementations(&self, of: &Found) -> (Vec<Item>, Vec<Item>) {
        let (mut own, mut of_traits) = (Vec::new(), Vec::new());
        let Found::Item(krate, ..) = of else { return (own, of_traits) };
        for (module, items) in self.crates.get(krate).into_iter().flatten() {
            for item in items {
                let Item::Impl(implementation) = item else { continue };
                let Type::Path(path) = &*implementation.self_ty else { continue };
                let path: Vec<String> =
                    path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
                if self.resolve(krate, module, &path).as_ref() != Some(of) {
                    continue;
                }
                let place = if implementation.trait_.is_some() { &mut of_traits } else { &mut own };
                place.extend(cleaned(item.clone()));
            }
        }
        of_traits.sort_by_key(|item| printed(vec![item.clone()]));
        (own, of_traits)
    }
}

fn joined(krate: &str, module: &Path) -> String {
    module.iter().fold(krate.to_owned(), |path, name| path + "::" + name)
}

/// Reads a file and the modules that it names.
fn add(
    modules: &mut BTreeMap<Path, Vec<Item>>,
    repository: &Repository,
    path: Path,
    file: &str,
    children: &str,
) {
    let text = repository.read(file);
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    add_items(modules, repository, path, parsed.items, children);
}

fn add_items(
    modules: &mut BTreeMap<Path, Vec<Item>>,
    repository: &Repository,
    path: Path,
    items: Vec<Item>,
    children: &str,
) {
    let items: Vec<Item> = items.into_iter().filter(|item| !is_for_tests(item)).collect();
    for item in &items {
        let Item::Mod(module) = item else { continue };
        let name = module.ident.to_string();
        let inner = [path.as_slice(), std::slice::from_ref(&name)].concat();
        let folder = format!("{children}/{name}");
        match &module.content {
            Some((_, items)) => add_items(modules, repository, inner, items.clone(), &folder),
            None => {
                let files = [format!("{folder}.rs"), format!("{folder}/mod.rs")];
                let file = files.iter().find(|file| repository.has(file));
                add(
                    modules,
                    repository,
                    inner,
                    file.unwrap_or_else(|| panic!("no file for {folder}")),
                    &folder,
                );
            }
        }
    }
    modules.insert(path, items);
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_for_tests(item: &Item) -> bool {
    let is_test = |attribute: &Attribute| {
        let Ok(condition) = attribute.parse_args::<syn::Meta>() else { return false };
        attribute.path().is_ident("cfg") && (condition.path().is_ident("test") || is_for_backends(&condition))
    };
    attributes(item).iter().any(is_test)
}

/// The store's kit, a feature that only the tests of backends turn on.
fn is_for_backends(condition: &syn::Meta) -> bool {
    let syn::Meta::NameValue(feature) = condition else { return false };
    let Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) = &feature.value else { return false };
    feature.path.is_ident("feature") && name.value() == "kit"
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// The name of an item that can be named from elsewhere.
fn name_of(item: &Item) -> Option<(String, &Visibility)> {
    let (ident, visibility) = match item {
        Item::Const(item) => (&item.ident, &item.vis),
        Item::Enum(item) => (&item.ident, &item.vis),
        Item::Fn(item) => (&item.sig.ident, &item.vis),
        Item::Mod(item) => (&item.ident, &item.vis),
        Item::Static(item) => (&item.ident, &item.vis),
        Item::Struct(item) => (&item.ident, &item.vis),
        Item::Trait(item) => (&item.ident, &item.vis),
        Item::Type(item) => (&item.ident, &item.vis),
        _ => return None,
    };
    Some((ident.to_string(), visibility))
}

/// What a `use` binds, each name with its path; a glob binds no name.
fn leaves(tree: &UseTree, before: Path) -> Vec<(Option<String>, Path)> {
    let with = |name: String| [before.as_slice(), &[name]].concat();
    match tree {
        UseTree::Path(path) => leaves(&path.tree, with(path.ident.to_string())),
        UseTree::Name(name) if name.ident == "self" => vec![(before.last().cloned(), before)],
        UseTree::Name(name) => vec![(Some(name.ident.to_string()), with(name.ident.to_string()))],
        UseTree::Rename(rename) => vec![(Some(rename.rename.to_string()), with(rename.ident.to_string()))],
        UseTree::Glob(_) => vec![(None, before)],
        UseTree::Group(group) => group.items.iter().flat_map(|tree| leaves(tree, before.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str, &str)]) -> Sources {
        let mut crates: BTreeMap<String, BTreeMap<Path, Vec<Item>>> = BTreeMap::new();
        for (krate, module, text) in files {
            let module = module.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
            let items = syn::parse_file(text).expect("Rust").items;
            crates.entry((*krate).to_owned()).or_default().insert(module, items);
        }
        Sources { crates }
    }

    /// Through re-exports, modules and new names; each item once, with its implementations and without what
    /// is private.
    #[test]
    fn the_api_is_what_can_be_named() {
        let sources = sources(&[
            (
                "facade",
                "",
                "pub use core::{inner, Thing, thing}; pub use core::inner::Other as Named; use core::Hidden;",
            ),
            (
                "core",
                "",
                "mod thing; pub use thing::thing; pub use thing::Thing; pub mod inner; pub struct Hidden; makes! { pub Made }",
            ),
            (
                "core",
                "thing",
                "/// Doc.\npub struct Unseen; pub fn thing() {}\n#[derive(Clone)] pub struct Thing { pub a: u8, b: u16 }\n\
                impl Thing { pub fn open(&self) -> u8 { 1 } fn closed() {} pub(crate) fn ours() {} }\n\
                impl Default for Thing { fn default() -> Self { Thing { a: 1, b: 2 } } }",
            ),
            (
                "core",
                "inner",
                "pub use crate::Made; pub(crate) struct Ours; pub const SIZE: usize = 7;\n\
                pub enum Other { A { x: u8 }, B }\n\
                mod elsewhere { use super::Other; impl Other { pub fn is_a(&self) -> bool { true } } }",
            ),
            (
                "core",
                "inner::elsewhere",
                "use super::Other; impl Other { pub fn is_a(&self) -> bool { true } }",
            ),
        ]);
        let api = sources.public_api("facade");
        for line in [
            "=== facade::Thing\n#[derive(Clone)]\n#[private_fields]\npub struct Thing {\n    pub a: u8,\n}\n",
            "    pub fn open(&self) -> u8 {}\n",
            "impl Default for Thing {}\n",
            "=== facade::thing\npub fn thing() {}\n",
            "=== facade::Named\npub enum Other {\n",
            "    pub fn is_a(&self) -> bool {}\n",
            "=== facade::inner::Other\nthe same as facade::Named\n",
            "=== facade::inner::SIZE\npub const SIZE: usize = _;\n",
            "=== facade::inner::Made\nMade of core, made by a macro\n",
        ] {
            assert!(api.contains(line), "{line} in {api}");
        }
        for hidden in ["Unseen", "Hidden", "Ours", "closed", "ours", "b: u16", "Doc."] {
            assert!(!api.contains(hidden), "{hidden} in {api}");
        }
    }
}
