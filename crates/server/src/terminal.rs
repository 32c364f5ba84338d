//! Text of others on a terminal.

use std::fmt;

/// Text that somebody else has chosen, on one line: what could move the cursor, begin a new line, or turn the direction of
/// writing around is shown as an escape and has no effect.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Quotes need no escape where no quotes are around.
        f.write_str(&self.0.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""))
    }
}

impl Shown<'_> {
    /// The same for a text of ours that has several lines, some of which may quote others.
    pub(crate) fn lines(text: &str) -> String {
        text.lines().map(|line| Shown(line).to_string() + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_act_on_a_terminal_is_escaped() {
        for (text, shown) in [
            ("Grüße, 日本 and O'Brien \"Bob\"", "Grüße, 日本 and O'Brien \"Bob\""),
            ("e\u{301}te\u{301}", "e\u{301}te\u{301}"),
            ("a\nb\r\nc", "a\\nb\\r\\nc"),
            ("tab\tnul\0", "tab\\tnul\\0"),
            ("\u{1b}[2J\u{1b}]0;title\u{7}", "\\u{1b}[2J\\u{1b}]0;title\\u{7}"),
            ("\u{9b}2J del\u{7f}", "\\u{9b}2J del\\u{7f}"),
            ("user\u{202e}nimda", "user\\u{202e}nimda"),
            ("\u{2066}x\u{2069}\u{200f}\u{61c}", "\\u{2066}x\\u{2069}\\u{200f}\\u{61c}"),
            ("line\u{2028}paragraph\u{2029}", "line\\u{2028}paragraph\\u{2029}"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("back\\slash \\u{1b}", "back\\\\slash \\\\u{1b}"),
            ("tags\u{e0041}", "tags\\u{e0041}"),
            ("", ""),
        ] {
            assert_eq!(Shown(text).to_string(), shown);
        }
        assert_eq!(Shown::lines("one\ntwo\u{1b}\r\n"), "one\ntwo\\u{1b}\n");
    }
}
