//! BCP 47 language tags (RFC 5646).

/// The longest tag that is read (RFC 5646 section 4.4.1).
const LONGEST: usize = 35;

/// Whether this has the form of a language tag: subtags of one to eight letters and digits with hyphens between
/// (RFC 5646 section 2.1), the first of letters alone, and no single letter by itself.
///
/// ```
/// # use chancery_types::is_language_tag;
/// for tag in ["de", "de-CH-1996", "zh-Hant-TW", "x-ours"] {
///     assert!(is_language_tag(tag), "{tag}");
/// }
/// for other in ["", "d", "de_CH", "de-", "-de", "de--CH", "1de", "abcdefghi", "d\u{e4}", "de "] {
///     assert!(!is_language_tag(other), "{other}");
/// }
/// ```
#[must_use]
pub fn is_language_tag(text: &str) -> bool {
    let first = text.split('-').next().unwrap_or_default();
    text.len() <= LONGEST
        && text.len() >= 2
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text.split('-').all(|subtag| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}
