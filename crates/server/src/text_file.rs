//! Reads files that people write.

use std::io::{Error, ErrorKind};
use std::path::Path;

/// The text of a file.
///
/// # Errors
/// Why it cannot be read; of one that is not UTF-8, where that begins.
pub(crate) fn read(path: &Path) -> Result<String, Error> {
    String::from_utf8(std::fs::read(path)?).map_err(|error| {
        let good = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
        let line = good.filter(|byte| **byte == b'\n').count() + 1;
        let why = format!("line {line}: this is not UTF-8: save the file in this encoding");
        Error::new(ErrorKind::InvalidData, why)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_is_not_utf_8_is_named() {
        let path = std::env::temp_dir().join(format!("chancery-text-{}", std::process::id()));
        let said = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path).map_err(|error| error.to_string())
        };
        let (good, wrong) = (said("a\n\u{e4}".as_bytes()), said(b"a\n\xe4\n"));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(good.as_deref(), Ok("a\n\u{e4}"));
        assert!(wrong.as_ref().is_err_and(|why| why.starts_with("line 2: this is not UTF-8")), "{wrong:?}");
    }
}
