//! The parameters of one request (RFC 6749 sections 3.1 and 3.2, appendix B).

use std::borrow::Cow;

use form_urlencoded::byte_serialize;

use crate::Malformed;

/// More parameters than any standard request has.
const LIMIT: usize = 200;

/// What anything else is told.
const NO_FORM: Malformed = Malformed::new(
    "a form",
    "its parameters are UTF-8, written as `application/x-www-form-urlencoded`, and none that counts stands twice",
);

/// Decoded form parameters in the order they came. Borrows from the request wherever nothing had to be
/// decoded.
///
/// A parameter that was sent twice fails when it is read, not before, because unknown parameters are ignored
/// (RFC 6749 section 3.1). An empty one counts as not sent.
///
/// ```
/// # mod chancery { pub mod layer { pub use chancery_types::Params; } }
/// use chancery::layer::Params;
/// let params = Params::parse("scope=openid+email&state=&x=1&x=2")?;
/// assert_eq!(params.one("scope"), Ok(Some("openid email")));
/// assert_eq!(params.one("state"), Ok(None));
/// assert!(params.one("x").is_err());
/// # Ok::<(), chancery_types::Malformed>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Params<'a> {
    /// Reads `application/x-www-form-urlencoded` text.
    ///
    /// # Errors
    /// [`Malformed`] for a `%` without two hexadecimal digits, bytes that are not UTF-8, NUL, or more than
    /// 200 pairs.
    pub fn parse(text: &'a str) -> Result<Self, Malformed> {
        let mut pairs = Vec::with_capacity(12);
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if pairs.len() == LIMIT {
                return Err(NO_FORM);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            pairs.push((decode(name)?, decode(value)?));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter that may be sent once.
    ///
    /// # Errors
    /// [`Malformed`] when it was sent more than once.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Malformed> {
        let mut values = self.0.iter().filter(|(have, _)| have == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Ok(Some(value.as_ref()).filter(|value| !value.is_empty())),
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(NO_FORM),
        }
    }

    /// The values of a parameter that may be sent more than once, in the order in which they came.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(have, value)| have == name && !value.is_empty());
        values.map(|(_, value)| value.as_ref())
    }

    /// Whether the parameter was sent with a value, once or more often.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(have, value)| have == name && !value.is_empty())
    }

    /// All pairs, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// The same parameters, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Params<'static> {
        Params(
            self.0
                .into_iter()
                .map(|(n, v)| (Cow::Owned(n.into_owned()), Cow::Owned(v.into_owned())))
                .collect(),
        )
    }

    /// Only the parameters whose names `keep` accepts.
    #[must_use]
    pub fn filtered(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.0.retain(|(name, _)| keep(name));
        self
    }

    /// With this value in the place of all others of the parameter.
    #[must_use]
    pub fn with(self, name: &'static str, value: String) -> Self {
        let mut params = self.filtered(|have| have != name);
        params.0.push((Cow::Borrowed(name), Cow::Owned(value)));
        params
    }

    /// The parameters as `application/x-www-form-urlencoded` text, which [`Params::parse`] reads back
    /// unchanged.
    #[must_use]
    pub fn encode(&self) -> String {
        encode(self.iter())
    }

    /// Whether [`Params::encode`] would write at most so many bytes; nothing is written.
    #[must_use]
    pub fn encodes_within(&self, limit: usize) -> bool {
        // No byte becomes more than three, and beside a pair stand two characters. For practically every request this says it.
        let bytes: usize = self.iter().map(|(name, value)| name.len() + value.len()).sum();
        3 * bytes + 2 * self.iter().count() <= limit || self.encoded_length() <= limit
    }

    fn encoded_length(&self) -> usize {
        let of_byte = |byte: u8| match byte {
            b' ' | b'*' | b'-' | b'.' | b'_' => 1,
            byte if byte.is_ascii_alphanumeric() => 1,
            _ => 3,
        };
        let of_text = |text: &str| text.bytes().map(of_byte).sum();
        let of_pair =
            |(name, value): (&str, &str)| -> usize { [of_text(name), of_text(value), 2].iter().sum() };
        self.iter().map(of_pair).sum::<usize>().saturating_sub(1)
    }
}

/// The pairs in this order, none of which may contain NUL, so that they can be read back.
impl FromIterator<(String, String)> for Params<'static> {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

/// Writes pairs as `application/x-www-form-urlencoded` (RFC 6749 appendix B).
#[must_use]
pub fn encode<'p>(pairs: impl Iterator<Item = (&'p str, &'p str)>) -> String {
    let mut out = String::with_capacity(256);
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.extend(byte_serialize(name.as_bytes()));
        out.push('=');
        out.extend(byte_serialize(value.as_bytes()));
    }
    out
}

/// Decodes one name or value of `application/x-www-form-urlencoded`. It is strict, because an attacker gains
/// when two programs read one request differently.
///
/// # Errors
/// [`Malformed`] for a `%` without two hexadecimal digits, bytes that are not UTF-8, or NUL.
pub fn decode(text: &str) -> Result<Cow<'_, str>, Malformed> {
    if !text.bytes().any(|b| matches!(b, b'%' | b'+' | 0)) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let decoded = match byte {
            b'+' => b' ',
            b'%' => (hex(bytes.next())? << 4) | hex(bytes.next())?,
            other => other,
        };
        if decoded == 0 {
            return Err(NO_FORM);
        }
        out.push(decoded);
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| NO_FORM)
}

fn hex(digit: Option<u8>) -> Result<u8, Malformed> {
    match digit {
        Some(d @ b'0'..=b'9') => Ok(d - b'0'),
        Some(d @ b'a'..=b'f') => Ok(d - b'a' + 10),
        Some(d @ b'A'..=b'F') => Ok(d - b'A' + 10),
        _ => Err(NO_FORM),
    }
}
