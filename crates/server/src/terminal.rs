//! What people read on a terminal: untrusted text that does nothing there, and numbers of things.

use std::fmt;

use chancery_types::is_misleading;

/// Untrusted text, on one line: misleading characters and others that cannot be printed are escaped.
#[derive(Clone, Copy)]
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text is not in quotes, so quotes need no escape.
        let text = self.0.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\"");
        // Some characters count as printable although nobody sees them.
        text.split_inclusive(is_misleading).try_for_each(|part| match part.strip_suffix(is_misleading) {
            Some(before) => write!(f, "{before}{}", part[before.len()..].escape_unicode()),
            None => f.write_str(part),
        })
    }
}

impl Escaped<'_> {
    /// Escapes each line of a text of ours, which may quote untrusted text.
    pub(crate) fn lines(text: &str) -> String {
        text.lines().map(|line| Escaped(line).to_string() + "\n").collect()
    }
}

/// One word of a command that somebody is told to type, in quotes if a shell would read it otherwise. It is written without a
/// backslash, which [`Escaped`] doubles.
#[derive(Clone, Copy)]
pub(crate) struct Word<'a>(pub(crate) &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+,".contains(c);
        match !self.0.is_empty() && self.0.chars().all(is_plain) {
            true => f.write_str(self.0),
            false => write!(f, "'{}'", self.0.replace('\'', "'\"'\"'")),
        }
    }
}

/// How many there are, as a sentence has it: `1 client`, `2 clients`, `0 people`.
pub(crate) fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        let said = [0, 1, 2].map(|count| counted(count, "person", "people"));
        assert_eq!(said, ["0 people", "1 person", "2 people"]);
    }

    #[test]
    fn a_word_is_one_word_for_a_shell() {
        for (text, typed) in [
            ("photos", "photos"),
            ("https://a.example/x", "https://a.example/x"),
            ("my app", "'my app'"),
            ("$(reboot)", "'$(reboot)'"),
            ("a;b", "'a;b'"),
            ("~", "'~'"),
            ("it's", "'it'\"'\"'s'"),
            ("", "''"),
        ] {
            assert_eq!(Word(text).to_string(), typed);
        }
    }

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
            ("hangul\u{3164}filler\u{115f}", "hangul\\u{3164}filler\\u{115f}"),
            ("tags\u{e0041}", "tags\\u{e0041}"),
            ("", ""),
        ] {
            assert_eq!(Escaped(text).to_string(), shown);
        }
        assert_eq!(Escaped::lines("one\ntwo\u{1b}\r\n"), "one\ntwo\\u{1b}\n");
    }
}
