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
