//! Characters that make a text look like something else. Names that come from outside are shown to people: on
//! pages, in terminals and in the log.

/// Whether a character of a name could make a text look like another one, or give an order to a terminal:
/// control characters, line separators, characters that change the direction of writing, and those that
/// nobody sees (`Default_Ignorable_Code_Point` in Unicode). Joiners and variation selectors are not among
/// them, because names of many scripts need them.
///
/// ```
/// # use chancery_types::is_misleading;
/// assert!("Bank\u{202e}knaB".contains(is_misleading));
/// assert!(!"\u{915}\u{94d}\u{200d}\u{937}".contains(is_misleading));
/// ```
#[must_use]
pub fn is_misleading(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' // Bidi_Control
            | '\u{2028}' | '\u{2029}' // line and paragraph separator
            | '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{206f}' | '\u{feff}' // invisible spaces, hyphens and operators
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{17b4}' | '\u{17b5}' // fillers
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' // annotations and notation
            | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}' // tags
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misleads_and_what_names_need() {
        for (what, characters) in [
            ("C0 and DEL", "\0\u{7}\u{8}\t\n\r\u{1b}\u{1f}\u{7f}"),
            ("C1", "\u{80}\u{85}\u{9b}\u{9f}"),
            ("separators", "\u{2028}\u{2029}"),
            ("marks of direction", "\u{61c}\u{200e}\u{200f}"),
            ("embeddings and overrides", "\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}"),
            ("isolates", "\u{2066}\u{2067}\u{2068}\u{2069}"),
            ("what is not seen", "\u{ad}\u{200b}\u{2060}\u{2061}\u{2064}\u{206a}\u{206f}\u{feff}"),
            ("fillers", "\u{115f}\u{1160}\u{3164}\u{ffa0}\u{17b4}"),
            ("annotations", "\u{fff9}\u{fffa}\u{fffb}"),
            ("tags", "\u{e0001}\u{e0041}\u{e007f}"),
        ] {
            for character in characters.chars() {
                assert!(is_misleading(character), "{what}: {}", character.escape_unicode());
            }
        }
        for (what, text) in [
            ("ASCII", " AZaz09'\"<>&\\~"),
            ("Latin", "Caf\u{e9} e\u{301} \u{2013} \u{201c}Nord\u{201d}\u{a0}\u{2011}"),
            ("Arabic", "\u{627}\u{644}\u{62a}\u{637}\u{628}\u{64a}\u{642}"),
            (
                "Persian, which needs a non-joiner",
                "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            ),
            ("Hindi, which needs a joiner", "\u{915}\u{94d}\u{200d}\u{937}"),
            ("a family", "\u{1f468}\u{200d}\u{1f469}"),
            ("a heart and an ideograph with variation selectors", "\u{2764}\u{fe0f}\u{845b}\u{e0100}"),
            ("Mongolian", "\u{1820}\u{180b}"),
            ("beyond what a tag is", "\u{10fffd}\u{fffc}\u{fffd}"),
        ] {
            assert!(!text.contains(is_misleading), "{what}: {}", text.escape_unicode());
        }
    }
}
