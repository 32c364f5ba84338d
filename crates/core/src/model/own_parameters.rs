//! Parameters of authorization requests that mean something to the application (RFC 6749 section 8.2).

/// The application's own parameters of a request, in the order in which they came.
///
/// ```
/// # mod chancery { pub mod model { pub use chancery_core::model::OwnParameters; } }
/// use chancery::model::OwnParameters;
/// let parameters: OwnParameters = [("tenant", "north")].into_iter().collect();
/// assert_eq!(parameters.get("tenant"), Some("north"));
/// assert_eq!(parameters.get("colour"), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnParameters(Vec<(Box<str>, Box<str>)>);

impl OwnParameters {
    /// The value of this parameter; `None` when it was not sent, or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(have, _)| *have == name).map(|(_, value)| value)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

impl<'p> FromIterator<(&'p str, &'p str)> for OwnParameters {
    fn from_iter<T: IntoIterator<Item = (&'p str, &'p str)>>(parameters: T) -> Self {
        Self(parameters.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
