//! Checks that the repository keeps its own rules.
//!
//! The rules stand in `tests/`, one file each; this library holds what they read with: the files of the
//! repository ([`Repository`]), the tokens of a Rust file ([`source`]), what an application can name
//! ([`public_api`]), the ids of the behaviour checklist ([`checklist`]) and the modules of the conformance suite
//! ([`conformance`]). A rule that needs an exception names it in a list in its own file.

#![expect(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test kit")]

pub mod checklist;
pub mod conformance;
pub mod public_api;
pub mod source;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The working tree this crate stands in.
pub struct Repository {
    root: PathBuf,
}

/// A crate of the workspace, as far as the rules look at it.
pub struct Package {
    /// The package's name, for instance `chancery-types`.
    pub name: String,
    /// Its folder, relative to the root and with `/` between the parts, for instance `crates/store/memory`.
    pub folder: String,
    /// What it declares in `Cargo.toml`.
    pub dependencies: Vec<Dependency>,
}

/// One declared dependency.
pub struct Dependency {
    /// The name of the package depended on.
    pub name: String,
    /// Is it an ordinary dependency, neither for tests nor for the build script?
    pub normal: bool,
    /// Is it another crate of this workspace?
    pub ours: bool,
    /// Does it ask for the default features?
    pub default_features: bool,
}

impl Repository {
    /// Opens the working tree.
    #[must_use]
    pub fn open() -> Self {
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("crates/tidy stands two below");
        Self { root: root.to_owned() }
    }

    /// Paths of all files that are committed or about to be, relative to the root, sorted.
    #[must_use]
    pub fn files(&self) -> Vec<String> {
        // A checkout in a container often belongs to another user, which git would refuse.
        let git = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let mut files: Vec<String> =
            self.run("git", &git).split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect();
        files.retain(|file| self.root.join(file).is_file());
        files.sort();
        files.dedup();
        files
    }

    /// The text of a file; bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn read(&self, file: &str) -> String {
        let bytes = std::fs::read(self.root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn has(&self, file: &str) -> bool {
        self.root.join(file).is_file()
    }

    /// Writes a file that is made from others.
    pub fn write(&self, file: &str, text: &str) {
        std::fs::write(self.root.join(file), text).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    /// The crates of the workspace.
    #[must_use]
    pub fn packages(&self) -> Vec<Package> {
        let text = self.cargo(&["metadata", "--format-version=1", "--no-deps"]);
        let metadata: Value = serde_json::from_str(&text).expect("cargo metadata answers JSON");
        let packages = metadata["packages"].as_array().expect("a list of packages");
        packages.iter().map(|package| self.package(package)).collect()
    }

    fn package(&self, package: &Value) -> Package {
        let manifest = Path::new(package["manifest_path"].as_str().expect("a path"));
        let folder = manifest.parent().and_then(|folder| folder.strip_prefix(&self.root).ok());
        let folder = folder.expect("a crate inside the repository").to_string_lossy().replace('\\', "/");
        let dependencies = package["dependencies"].as_array().expect("a list of dependencies").iter();
        let dependencies = dependencies.map(|dependency| Dependency {
            name: dependency["name"].as_str().expect("a name").to_owned(),
            normal: dependency["kind"].is_null(),
            ours: dependency["path"].is_string(),
            default_features: dependency["uses_default_features"].as_bool().expect("a flag"),
        });
        let name = package["name"].as_str().expect("a name").to_owned();
        Package { name, folder, dependencies: dependencies.collect() }
    }

    /// Runs the cargo that built this crate in the root and gives what it prints.
    #[must_use]
    pub fn cargo(&self, arguments: &[&str]) -> String {
        self.run(env!("CARGO"), arguments)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let run = Command::new(program).args(arguments).current_dir(&self.root).output();
        let output = run.unwrap_or_else(|error| panic!("{program}: {error}"));
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {}: {complaint}", arguments.join(" "));
        String::from_utf8(output.stdout).expect("text")
    }
}

/// The entries of one section of a `Cargo.toml`, as `(key, rest)`: `serde.workspace = true` gives
/// `("serde", "workspace = true")`, `serde = { workspace = true }` gives `("serde", "{ workspace = true }")`.
/// A value that goes on over several lines is joined.
#[must_use]
pub fn manifest_section(manifest: &str, section: &str) -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> = Vec::new();
    let (mut inside, mut open) = (false, 0);
    for line in manifest.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if open == 0 && line.starts_with('[') {
            let header = line.trim_matches(['[', ']']);
            inside = header == section;
            // `[dependencies.name]` is an entry by itself.
            if let Some(name) = header.strip_prefix(section).and_then(|rest| rest.strip_prefix('.')) {
                entries.push((name.to_owned(), String::new()));
                inside = true;
                open = 0;
            }
            continue;
        }
        if !inside || line.is_empty() || line.starts_with('#') {
            continue;
        }
        if open == 0 {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            let (key, rest) = line.split_at(end);
            entries.push((key.to_owned(), rest.trim_start_matches(['.', ' ', '=']).to_owned()));
        } else if let Some((_, value)) = entries.last_mut() {
            value.push_str(line);
        }
        let opening = line.matches(['[', '{']).count();
        open = (open + opening).saturating_sub(line.matches([']', '}']).count());
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::manifest_section;

    #[test]
    fn a_section_is_read_in_all_its_spellings() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = { version = \"1\", features = [\n\
                        \"c\" ] }\n# d = 1\n\n[dev-dependencies]\ne = \"1\"\n";
        let read = manifest_section(manifest, "dependencies");
        assert_eq!(read[0], ("a".to_owned(), "workspace = true".to_owned()));
        assert_eq!(read[1], ("b".to_owned(), "{ version = \"1\", features = [\"c\" ] }".to_owned()));
        assert_eq!(read.len(), 2);
    }
}
