//! The preparation of strings before they are compared (RFC 4518 section 2, as RFC 5280 section 7.1 asks for).

use stringprep::tables;
use unicode_normalization::UnicodeNormalization as _;

/// The string as it is compared: folded, normalised, and with one space where there were several. `None` for one
/// that must not be compared.
///
/// RFC 4518 maps control characters to nothing. Then `bank` and `bank\0` would be the same name, which is how
/// certificates have deceived others before (RFC 8705 section 7.5), so such a string is equal to none.
pub(crate) fn prepared(text: &str) -> Option<String> {
    if text.chars().any(|found| found.is_control() && !tables::x520_mapped_to_space(found)) {
        return None;
    }
    let mapped = text
        .chars()
        .filter(|found| !tables::x520_mapped_to_nothing(*found))
        .map(|found| if tables::x520_mapped_to_space(found) { ' ' } else { found });
    let normalised: String = mapped.flat_map(tables::case_fold_for_nfkc).nfkc().collect();
    if normalised.chars().any(is_prohibited) {
        return None;
    }
    let words: Vec<&str> = normalised.split(' ').filter(|word| !word.is_empty()).collect();
    Some(words.join(" "))
}

/// RFC 4518 section 2.4. Code points that Unicode has assigned since are let through, or nobody could be named
/// in a script that is younger than 2002.
fn is_prohibited(found: char) -> bool {
    tables::private_use(found)
        || tables::non_character_code_point(found)
        || tables::change_display_properties_or_deprecated(found)
        || found == char::REPLACEMENT_CHARACTER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_spaces_and_encodings_are_insignificant() {
        for (one, other) in [
            ("Example Bank", "example   bank"),
            ("Example Bank", "  EXAMPLE\u{a0}BANK "),
            ("Example\tBank", "Example\u{2028}Bank"),
            ("stra\u{df}e", "STRASSE"),
            ("\u{e9}cole", "E\u{301}cole"),
            ("\u{fb01}n", "FIN"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("\u{212b}ngstr\u{f6}m", "\u{e5}ngstro\u{308}m"),
            ("", "   "),
        ] {
            assert_eq!(prepared(one), prepared(other), "{one:?} {other:?}");
            assert!(prepared(one).is_some(), "{one:?}");
        }
    }

    #[test]
    fn everything_else_is_significant() {
        for (one, other) in [
            ("Example Bank", "ExampleBank"),
            ("Example Bank", "Example-Bank"),
            ("bank", "b\u{430}nk"),
            ("ecole", "\u{e9}cole"),
            ("a.b", "ab"),
        ] {
            assert_ne!(prepared(one), prepared(other), "{one:?} {other:?}");
        }
        for never in ["bank\0", "\0", "ba\u{7}nk", "bank\u{7f}", "\u{202e}knab", "\u{fffd}", "\u{e000}"] {
            assert_eq!(prepared(never), None, "{never:?}");
        }
    }
}
