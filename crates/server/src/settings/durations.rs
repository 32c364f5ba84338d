//! What is said of a text that is no duration: which one is meant, if people write it so elsewhere.

use std::time::Duration;

use chancery_core::duration::{self, RULE};

/// What durations are, and the one that is probably meant.
pub(crate) fn rule(text: &str) -> String {
    match meant(text) {
        Some(meant) => format!("write {meant:?}: {RULE}"),
        None => RULE.to_owned(),
    }
}

/// The units as people write them in words, and their lengths in seconds.
const WORDS: [(&[&str], u64); 5] = [
    (&["w", "wk", "wks", "week", "weeks"], 7 * 86_400),
    (&["d", "day", "days"], 86_400),
    (&["h", "hr", "hrs", "hour", "hours"], 3_600),
    (&["m", "min", "mins", "minute", "minutes"], 60),
    (&["s", "sec", "secs", "second", "seconds"], 1),
];

/// The duration that is meant by words (`7 days`), or by ISO 8601 (`P7D`).
fn meant(text: &str) -> Option<String> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix('+').unwrap_or(&text);
    let parts = match text.strip_prefix('p') {
        Some(iso) => of_iso(iso)?,
        None => text.replace(" and ", " ").replace(',', " "),
    };
    let mut seconds: u64 = 0;
    let mut rest = parts.trim();
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at_checked(digits)?;
        let after = after.trim_start();
        let letters = after.bytes().take_while(u8::is_ascii_lowercase).count();
        let (word, after) = after.split_at_checked(letters)?;
        let (_, length) = WORDS.iter().find(|(words, _)| words.contains(&word))?;
        seconds = seconds.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = after.trim_start();
    }
    let meant = duration::format(Duration::from_secs(seconds));
    (!parts.trim().is_empty() && duration::parse(&meant).is_ok()).then_some(meant)
}

/// The same with the units of ISO 8601, of which `M` has two meanings: months have no length.
fn of_iso(iso: &str) -> Option<String> {
    let (date, time) = iso.split_once('t').unwrap_or((iso, ""));
    let has_length = |part: &str, units: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit() || units.as_bytes().contains(&byte))
    };
    (has_length(date, "wd") && has_length(time, "hms")).then(|| format!("{date}{time}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_shown() {
        for (text, expected) in [
            ("7 days", Some("7d")),
            ("1 week", Some("7d")),
            ("2 Weeks", Some("14d")),
            ("P7D", Some("7d")),
            ("P1DT2H", Some("1d2h")),
            ("PT90S", Some("1m30s")),
            ("1 hour, 30 minutes", Some("1h30m")),
            ("30m1h", Some("1h30m")),
            ("7D", Some("7d")),
            ("3600", None),
            ("15min", Some("15m")),
            ("P1M", None),
            ("P1Y", None),
            ("P", None),
            ("soon", None),
            ("", None),
            ("1.5h", None),
            ("-1d", None),
            ("999999999999 weeks", None),
        ] {
            assert_eq!(meant(text).as_deref(), expected, "{text}");
        }
        assert!(rule("7 days").starts_with("write \"7d\": a duration is "));
        assert_eq!(rule("soon"), RULE);
    }
}
