//! The operator's commands, which also work while a server runs on the same store.

mod accept_issuer;
mod backup;
mod check;
mod client;
mod differences;
mod init;
mod keys;
mod pages;
mod printed;
mod registration_token;
mod report;
mod session;
mod user;

pub(crate) use self::accept_issuer::accept_issuer;
pub(crate) use self::backup::{backup, restore};
pub(crate) use self::check::check;
pub(crate) use self::client::client;
pub(crate) use self::init::init;
pub(crate) use self::keys::keys;
pub(crate) use self::pages::pages;
pub(crate) use self::registration_token::registration_token;
pub(crate) use self::report::report;
pub(crate) use self::session::session;
pub(crate) use self::user::user;

use std::path::Path;

use chancery_core::error::Complaint;

use crate::arguments::Configured;
use crate::parts::{Opened, open_existing};
use crate::settings::{Settings, Store, load, with_remedy};
use crate::terminal::Escaped;

/// The last line of what is said of a refused change.
const UNCHANGED: &str = "\nNothing was changed.";

/// What a command prints at its end: to the standard output, or to the standard error.
pub(crate) type Output = Result<String, String>;

/// The complaints, one per line and escaped.
pub(crate) fn lines(complaints: &[Complaint]) -> String {
    let line = |complaint: &Complaint| Escaped(&complaint.to_string()).to_string();
    complaints.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Reads the settings and opens the store, which a running server may have open, too.
async fn opened(configured: &Configured) -> Result<(Settings, Opened), String> {
    let settings = load(configured).map_err(|complaints| lines(&complaints))?;
    if matches!(settings.store, Store::Memory) {
        return Err("store.sqlite is not set, so there is no store for this command".to_owned());
    }
    let opened = open_existing(&settings)?;
    opened.check_realm(&settings).await?;
    Ok((settings, opened))
}

/// Reads a file, or the standard input for `-`.
fn content(path: &Path) -> Result<Vec<u8>, String> {
    let read = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| with_remedy(format!("{}: {error}", path.display())))
}
