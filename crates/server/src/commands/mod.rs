//! What an operator does, also while the server runs on the same store.

mod check;
mod client;
mod init;
mod keys;
mod user;

pub(crate) use self::check::check;
pub(crate) use self::client::client;
pub(crate) use self::init::init;
pub(crate) use self::keys::keys;
pub(crate) use self::user::user;

use std::path::Path;

use chancery_core::error::Complaint;

use crate::arguments::Configured;
use crate::parts::{Opened, open_made};
use crate::settings::{Settings, Store, load};
use crate::terminal::Shown;

/// What a command says at its end: a text for the standard output, or one for the standard error.
pub(crate) type Said = Result<String, String>;

/// Complaints one per line, whatever they quote.
pub(crate) fn lines(complaints: &[Complaint]) -> String {
    let line = |complaint: &Complaint| Shown(&complaint.to_string()).to_string();
    complaints.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Reads the settings and opens the store that a running server has open, too.
fn opened(configured: &Configured) -> Result<(Settings, Opened), String> {
    let settings = load(configured).map_err(|complaints| lines(&complaints))?;
    if matches!(settings.store, Store::Memory) {
        return Err("store.sqlite is not set: there is no store that this command could change".to_owned());
    }
    let opened = open_made(&settings)?;
    Ok((settings, opened))
}

/// A file, or the standard input for `-`.
fn content(path: &Path) -> Result<Vec<u8>, String> {
    let read = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| format!("{}: {error}", path.display()))
}
