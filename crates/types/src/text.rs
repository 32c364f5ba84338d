//! Values that JSON carries as strings.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a value from a JSON string without copying the string. `what` completes the sentence "not …".
///
/// # Errors
/// When it is not a string, or `read` refuses it.
pub fn deserialize<'de, D: Deserializer<'de>, T>(
    from: D,
    what: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    from.deserialize_str(Text { what, read, value: PhantomData })
}

struct Text<F, T> {
    what: &'static str,
    read: F,
    value: PhantomData<fn() -> T>,
}

impl<T, F: Fn(&str) -> Option<T>> Visitor<'_> for Text<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.read)(text).ok_or_else(|| E::custom(format_args!("not {}", self.what)))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use crate::handle::HandleDigest;
    use crate::{ClientId, Key, RedirectUri};

    fn is_read<T: DeserializeOwned>(json: &str) -> bool {
        serde_json::from_str::<T>(json).is_ok()
    }

    /// Escapes, which force serde to copy the string, do not change what is read.
    #[test]
    fn values_are_read_with_and_without_escapes() {
        let key = format!("\"{}\"", "A".repeat(47));
        assert!(is_read::<Key>(&key) && is_read::<Key>(&key.replacen('A', "\\u0041", 1)));
        assert!(is_read::<HandleDigest>(&format!("\"{}\"", "A".repeat(43))));
        assert_eq!(serde_json::from_str::<ClientId>(r#""\u0061pp""#).unwrap().as_str(), "app");
        assert!(is_read::<RedirectUri>(r#""https:\/\/c.example\/cb""#));
    }

    #[test]
    fn malformed_values_are_refused() {
        for length in (0..100).filter(|length| *length != 47) {
            assert!(!is_read::<Key>(&format!("\"{}\"", "A".repeat(length))), "{length}");
        }
        for length in (0..100).filter(|length| *length != 43) {
            assert!(!is_read::<HandleDigest>(&format!("\"{}\"", "A".repeat(length))), "{length}");
        }
        let key = "A".repeat(46);
        for bad in ["+", "/", "=", "B", " ", "\\u0000", "\u{e4}"] {
            assert!(!is_read::<Key>(&format!("\"{key}{bad}\"")), "{bad}");
        }
        for other in ["null", "1", "[]", "{}", "true", "\"\"", "\"a\\nb\"", "\"\u{e4}\""] {
            assert!(
                !is_read::<ClientId>(other) && !is_read::<Key>(other) && !is_read::<RedirectUri>(other),
                "{other}"
            );
        }
    }
}
