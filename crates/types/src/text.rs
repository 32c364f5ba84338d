//! Values that stand as text in JSON.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a value from its text where it stands, without a copy of the text. `what` completes the sentence "not …".
///
/// # Errors
/// When it is no text, or not one that `read` takes.
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

    /// What is read is what was written, also where JSON writes it otherwise.
    #[test]
    fn values_are_read_where_they_stand() {
        let key = format!("\"{}\"", "A".repeat(47));
        assert!(is_read::<Key>(&key) && is_read::<Key>(&key.replacen('A', "\\u0041", 1)));
        assert!(is_read::<HandleDigest>(&format!("\"{}\"", "A".repeat(43))));
        assert_eq!(serde_json::from_str::<ClientId>(r#""\u0061pp""#).unwrap().as_str(), "app");
        assert!(is_read::<RedirectUri>(r#""https:\/\/c.example\/cb""#));
    }

    #[test]
    fn what_is_no_such_value_is_refused() {
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
            assert!(!is_read::<ClientId>(other) && !is_read::<Key>(other) && !is_read::<RedirectUri>(other), "{other}");
        }
    }
}
