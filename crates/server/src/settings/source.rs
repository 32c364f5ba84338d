//! Which configuration file is meant.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chancery_core::error::Complaint;

use super::{Read, Settings, environment, read, with_remedy};
use crate::arguments::{Configured, DEVELOPMENT};
use crate::text_file;

/// The name of a configuration file.
pub(crate) const FILE: &str = "chancery.toml";

/// A configuration file, and whether it is that of a development provider, for which the environment does not change what
/// makes it one ([`environment::of_development`]).
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) is_development: bool,
    /// Whether nobody has named it.
    was_found: bool,
    /// Whether it is looked for in the current folder, because nobody has named another.
    is_of_folder: bool,
}

impl Source {
    /// That of the development provider in a folder.
    fn development(folder: &Path, was_found: bool) -> Self {
        Self { path: folder.join(FILE), is_development: true, was_found, is_of_folder: false }
    }

    /// From a flag or the variable; or what there is in the current folder.
    pub(crate) fn of(configured: &Configured) -> Self {
        if let Some(folder) = &configured.dev {
            return Self::development(folder, false);
        }
        let variable = || std::env::var_os(environment::CONFIGURATION).map(PathBuf::from);
        let named = configured.config.clone().or_else(variable);
        let development = Self::development(Path::new(DEVELOPMENT), true);
        match named {
            None if !Path::new(FILE).exists() && development.path.is_file() => development,
            named => {
                let is_of_folder = named.is_none();
                let path = named.unwrap_or_else(|| PathBuf::from(FILE));
                Self { path, is_development: false, was_found: false, is_of_folder }
            }
        }
    }
}

/// Reads the settings.
///
/// # Errors
/// Everything that is wrong, at once.
pub(crate) fn load(configured: &Configured) -> Result<Settings, Vec<Complaint>> {
    load_all(configured).good()
}

/// Reads the settings as far as they can be read. If they are those of a development provider that nobody has named, it
/// says so.
pub(crate) fn load_all(configured: &Configured) -> Read {
    let Source { path, is_development, was_found, is_of_folder } = Source::of(configured);
    // Whoever has misspelt the variable has named nothing, and means neither this folder nor a development provider.
    let mut slips =
        if is_of_folder || was_found { environment::slips(std::env::vars_os()) } else { Vec::new() };
    slips.retain(|slip| is_of_folder || slip.rule.contains(environment::CONFIGURATION));
    if was_found && !slips.is_empty() {
        return Read { settings: None, complaints: slips };
    }
    let text = text_file::read(&path).map_err(|error| {
        let rule = match error.kind() {
            ErrorKind::NotFound if is_development => {
                "does not exist: a development provider makes it when it is started, by `chancery dev`".to_owned()
            }
            ErrorKind::NotFound if path.as_os_str().is_empty() => {
                return Complaint::new(
                    "--config or CHANCERY_CONFIG",
                    "is empty: name the configuration, such as chancery.toml, or leave both out",
                    "docs/configuration.md",
                );
            }
            ErrorKind::NotFound => {
                "does not exist: name the configuration with --config or CHANCERY_CONFIG, write one with `chancery init`, or start a development provider with `chancery`; for one that there is, go to the folder in which it was started, or name its own with --dev=FOLDER"
                    .to_owned()
            }
            ErrorKind::IsADirectory => {
                format!("is a folder: name the file in it, such as {}", path.join(FILE).display())
            }
            ErrorKind::PermissionDenied if is_of_folder && std::fs::metadata(&path).is_err() => format!(
                "cannot be read in this folder by the user of this command ({error}): name the configuration with --config or \
                 CHANCERY_CONFIG"
            ),
            _ => {
                let before = format!("{}: ", path.display());
                let said = with_remedy(format!("{before}{error}"));
                said.strip_prefix(&before).unwrap_or(&said).to_owned()
            }
        };
        Complaint::new(path.display().to_string(), rule, "docs/configuration.md")
    });
    if was_found {
        eprintln!("Using the development provider in ./{DEVELOPMENT}.");
    }
    match text {
        Ok(text) if is_development => {
            let (variables, unread) = environment::of_development(std::env::vars_os());
            if !unread.is_empty() {
                eprintln!(
                    "Not read for a development provider, whose own file has it: {}.",
                    unread.join(", ")
                );
            }
            read(&text, variables.into_iter(), &configured.set, &path)
        }
        Ok(text) => read(&text, std::env::vars_os(), &configured.set, &path),
        Err(complaint) => {
            Read { settings: None, complaints: std::iter::once(complaint).chain(slips).collect() }
        }
    }
}
