//! The files in a folder of the operator's own: templates, or catalogues.

use std::io;
use std::path::{Path, PathBuf};

/// What a wrong name in such a folder needs.
pub(crate) const REMEDY: &str = "rename it, or move it away";

/// The files in a folder, by name, without what an editor leaves beside a file: that is no file with a wrong name.
pub(crate) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if !is_left_by_an_editor(&entry.file_name().to_string_lossy()) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Whether this is the name of a backup, a lock or a temporary file of an editor, or of any file that is hidden.
fn is_left_by_an_editor(name: &str) -> bool {
    name.starts_with(['.', '#'])
        || ["~", ".bak", ".orig", ".swp", ".tmp"].into_iter().any(|end| name.ends_with(end))
}
