//! RFC 8628 sections 3.2 and 6.1: the code that a person carries from a device to a browser.

use crate::Malformed;

/// The shortest and the longest code, without its separators.
const LENGTHS: std::ops::RangeInclusive<usize> = 4..=40;

/// What anything else is told that is configured.
const NO_MASK: Malformed =
    Malformed::new("a mask of user codes", "it has 4 to 40 `*`, with `-` and blanks between them");

/// What anything else is told that was typed.
const NO_CODE: Malformed = Malformed::new("a user code", "it has other characters, too few or too many");

/// The characters of user codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum UserCodeAlphabet {
    /// The twenty consonants of RFC 8628 section 6.1: none looks like another one, and they spell no words.
    #[default]
    #[serde(rename = "base-20")]
    Base20,
    /// The ten digits, for whoever has no Latin keyboard.
    #[serde(rename = "digits")]
    Digits,
}

impl UserCodeAlphabet {
    /// Its characters.
    #[must_use]
    pub const fn characters(self) -> &'static [u8] {
        match self {
            Self::Base20 => b"BCDFGHJKLMNPQRSTVWXZ",
            Self::Digits => b"0123456789",
        }
    }
}

/// How user codes are written: a `*` for each character, with `-` and blanks between them.
///
/// ```
/// # mod chancery { pub mod config { pub use chancery_types::UserCodeMask; } }
/// use chancery::config::UserCodeMask;
///
/// assert_eq!(UserCodeMask::parse("***-***-***").map(|mask| mask.characters()), Ok(9));
/// for bad in ["", "**", "----", "****.****", "1234", "* * * * *\u{a0}"] {
///     assert!(UserCodeMask::parse(bad).is_err(), "{bad}");
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "std::borrow::Cow<'_, str>", into = "String")]
pub struct UserCodeMask(Box<str>);

impl Default for UserCodeMask {
    fn default() -> Self {
        Self("****-****".into())
    }
}

impl UserCodeMask {
    /// A mask.
    ///
    /// # Errors
    /// [`Malformed`] if it has other characters than `*`, `-` and blanks, or too few or too many `*`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mask = Self(text.into());
        let is_plain = text.bytes().all(|byte| matches!(byte, b'*' | b'-' | b' '));
        if is_plain && text.len() <= 64 && LENGTHS.contains(&mask.characters()) {
            Ok(mask)
        } else {
            Err(NO_MASK)
        }
    }

    /// How many characters a code has.
    #[must_use]
    pub fn characters(&self) -> usize {
        self.0.bytes().filter(|byte| *byte == b'*').count()
    }

    /// The code as it is shown. One of another length, made before the mask was changed, is shown as it is.
    #[must_use]
    pub fn show(&self, code: &UserCode) -> String {
        if code.as_str().len() != self.characters() {
            return code.as_str().to_owned();
        }
        let mut characters = code.as_str().chars();
        let shown = self.0.chars().filter_map(|of_mask| match of_mask {
            '*' => characters.next(),
            separator => Some(separator),
        });
        shown.collect()
    }
}

impl TryFrom<std::borrow::Cow<'_, str>> for UserCodeMask {
    type Error = Malformed;

    fn try_from(text: std::borrow::Cow<'_, str>) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<UserCodeMask> for String {
    fn from(mask: UserCodeMask) -> Self {
        mask.0.into()
    }
}

/// A user code without separators. It can be guessed, so that it is no secret by itself; it is not printed
/// either.
///
/// ```
/// # mod chancery { pub mod config { pub use chancery_types::UserCode; } }
/// use chancery::config::UserCode;
///
/// let code = UserCode::read("WDJB-MJHT");
/// for typed in ["wdjbmjht", " wdjb mjht ", "WDJB\u{2013}MJHT", "w.d.j.b_m/j/h/t", "\u{ff37}DJBMJHT"] {
///     assert!(UserCode::read(typed) == code, "{typed}");
/// }
/// // A letter of another script is none of ours, whatever it looks like.
/// assert!(UserCode::read("WDJ\u{412}-MJHT").is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode(Box<str>);

impl UserCode {
    /// A new code of so many characters. `random` is asked once for each of them; what is left of the
    /// preference for the first characters of the alphabet is below 2^-59.
    #[must_use]
    pub fn new(alphabet: UserCodeAlphabet, characters: usize, mut random: impl FnMut() -> u64) -> Self {
        let alphabet = alphabet.characters();
        let drawn = (0..characters).filter_map(|_| {
            let at = random() % u64::try_from(alphabet.len()).unwrap_or(1);
            alphabet.get(usize::try_from(at).unwrap_or(0)).map(|byte| char::from(*byte))
        });
        Self(drawn.collect::<String>().into())
    }

    /// What a person has typed: lower case counts as upper case, the wide letters and digits of East Asian
    /// keyboards as the usual ones, and blanks and punctuation do not count (RFC 8628 section 6.1).
    ///
    /// # Errors
    /// [`Malformed`] if it cannot be a code: nobody needs to look for it.
    pub fn read(typed: &str) -> Result<Self, Malformed> {
        let mut code = String::with_capacity(16);
        for character in typed.chars() {
            let character = match character {
                wide @ '\u{ff01}'..='\u{ff5e}' => {
                    char::from_u32(u32::from(wide) - 0xfee0).unwrap_or(char::REPLACEMENT_CHARACTER)
                }
                other => other,
            };
            match character {
                letter if letter.is_ascii_alphanumeric() => code.push(letter.to_ascii_uppercase()),
                blank if blank.is_whitespace() || blank.is_ascii_punctuation() => {}
                '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
                _ => return Err(NO_CODE),
            }
            if code.len() > *LENGTHS.end() {
                return Err(NO_CODE);
            }
        }
        if LENGTHS.contains(&code.len()) { Ok(Self(code.into())) } else { Err(NO_CODE) }
    }

    /// Its characters, in upper case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// DEV-04: every character of the alphabet comes up, and no other.
    #[test]
    fn a_new_code_is_of_its_alphabet() {
        let mut next = 0;
        let mut count = || {
            next += 1;
            next
        };
        let code = UserCode::new(UserCodeAlphabet::Base20, 20, &mut count);
        assert_eq!(code.as_str(), "CDFGHJKLMNPQRSTVWXZB");
        let code = UserCode::new(UserCodeAlphabet::Digits, 10, count);
        assert_eq!(code.as_str(), "1234567890");
        let mask = UserCodeMask::parse("**** ***-***").unwrap();
        assert_eq!(mask.show(&code), "1234 567-890");
        assert_eq!(UserCodeMask::default().show(&code), "1234567890", "of another length");
    }

    /// DEV-05
    #[test]
    fn what_cannot_be_a_code_is_none() {
        let long = "B".repeat(41);
        for typed in ["", "BCD", "   ", "----", "BCDF\u{0}GHJK", "BCDFGHJ\u{212a}", "ＢＣＤ", &long] {
            assert!(UserCode::read(typed).is_err(), "{typed:?}");
        }
    }
}
