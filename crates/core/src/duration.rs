//! Spans of time as a configuration writes them: `"10m"`, `"90d"`, `"1h30m"`.
//!
//! A field of a configuration says `#[serde(with = "crate::duration")]`, an optional one
//! `#[serde(with = "crate::duration::optional")]`.

use std::time::Duration;

use chancery_types::Malformed;
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serializer};

/// The units, longest first, and their length in milliseconds.
/// What anything else is told.
const NO_DURATION: Malformed = Malformed::new(
    "a duration",
    "it is a number with a unit, such as 90s, 15m or 1h30m, and at most 100 years",
);

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// What a complaint says about a text that is not one.
pub const RULE: &str =
    "a duration is whole numbers with a unit, the longest unit first: \"30s\", \"10m\", \"1h30m\", \"14d\"";

/// Reads one or more pairs of a whole number and a unit: `d`, `h`, `m`, `s`, `ms`; each unit at most once,
/// longest first.
///
/// ```
/// # use chancery_core::duration;
/// use std::time::Duration;
/// assert_eq!(duration::parse("1h30m"), Ok(Duration::from_secs(5400)));
/// assert!(duration::parse("10").is_err());
/// ```
///
/// # Errors
/// [`Malformed`] for anything else, and for more than 100 years.
pub fn parse(text: &str) -> Result<Duration, Malformed> {
    let mut total: u64 = 0;
    let mut rest = text;
    let mut longest = 0;
    while longest == 0 || !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits).ok_or(NO_DURATION)?;
        let letters = after.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, after) = after.split_at_checked(letters).ok_or(NO_DURATION)?;
        let at = UNITS
            .iter()
            .position(|(name, _)| *name == unit)
            .filter(|at| *at >= longest)
            .ok_or(NO_DURATION)?;
        let (_, length) = UNITS.get(at).ok_or(NO_DURATION)?;
        let number: u64 = number.parse().map_err(|_| NO_DURATION)?;
        total = number.checked_mul(*length).and_then(|part| total.checked_add(part)).ok_or(NO_DURATION)?;
        longest = at + 1;
        rest = after;
    }
    if total > 36_525 * 86_400_000 { Err(NO_DURATION) } else { Ok(Duration::from_millis(total)) }
}

/// Writes what [`parse`] reads back; less than a millisecond is cut off.
#[must_use]
pub fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (unit, length) in UNITS {
        if rest >= length {
            text.push_str(&(rest / length).to_string());
            text.push_str(unit);
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// For `#[serde(with = "crate::duration")]`.
///
/// # Errors
/// Those of the serialiser.
pub fn serialize<S: Serializer>(duration: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&format(*duration))
}

/// For `#[serde(with = "crate::duration")]`.
///
/// # Errors
/// What a duration looks like, when it is not one.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from).map_err(|_| D::Error::custom(RULE))?;
    parse(&text).map_err(|_| D::Error::custom(RULE))
}

/// The same for `Option<Duration>`; beside it stands `#[serde(default)]`.
pub mod optional {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    /// For `#[serde(with = "crate::duration::optional")]`.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => to.serialize_str(&crate::duration::format(*duration)),
            None => to.serialize_none(),
        }
    }

    /// For `#[serde(with = "crate::duration::optional")]`.
    ///
    /// # Errors
    /// What a duration looks like, when it is not one.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        crate::duration::deserialize(from).map(Some)
    }
}

/// A setting that is a duration, or zero for none.
pub mod zero_is_none {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    /// For `#[serde(with = "crate::duration::zero_is_none")]`.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        crate::duration::serialize(&duration.unwrap_or_default(), to)
    }

    /// For `#[serde(with = "crate::duration::zero_is_none")]`.
    ///
    /// # Errors
    /// What a duration looks like, when it is not one.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Some(crate::duration::deserialize(from)?).filter(|duration| !duration.is_zero()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for millis in [0, 1, 999, 1_000, 61_000, 5_400_000, 86_400_000, 90 * 86_400_000 + 3_600_001] {
            let duration = Duration::from_millis(millis);
            assert_eq!(parse(&format(duration)), Ok(duration), "{}", format(duration));
        }
        assert_eq!(format(Duration::from_secs(14 * 86_400)), "14d");
        assert_eq!(parse("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_refused() {
        for bad in [
            "",
            "10",
            "m",
            "10 m",
            "-1s",
            "1.5h",
            "1m1h",
            "1m1m",
            "1y",
            "10M",
            "1h ",
            "36526d",
            "1d99999999999999999999s",
        ] {
            assert_eq!(parse(bad), Err(NO_DURATION), "{bad:?}");
        }
    }

    #[test]
    fn a_configuration_reads_it() {
        #[derive(serde::Deserialize)]
        struct Section {
            #[serde(with = "crate::duration")]
            life: Duration,
            #[serde(default, with = "crate::duration::optional")]
            grace: Option<Duration>,
        }
        let section: Section = serde_json::from_str(r#"{"life":"10m"}"#).unwrap();
        assert_eq!((section.life, section.grace), (Duration::from_secs(600), None));
        let section: Section = serde_json::from_str(r#"{"life":"1s","grace":"30s"}"#).unwrap();
        assert_eq!(section.grace, Some(Duration::from_secs(30)));
        assert!(serde_json::from_str::<Section>(r#"{"life":600}"#).is_err());
    }
}
