//! Commands for a shell, as a page shows them.

use std::fmt::Write as _;

use chancery_http::Html;

/// Each command is one line that breaks between its words only, so that nothing in quotes looks torn apart. A backslash at
/// the end of a line is not needed then, and would stand alone where that line breaks before it.
pub(crate) fn commands(text: &str) -> String {
    let mut html = String::new();
    for command in text.replace("\\\n", " ").lines() {
        html.push_str("<span class=\"command\">");
        for (at, word) in words(command).into_iter().enumerate() {
            let blank = if at == 0 { "" } else { " " };
            let _ = write!(html, "{blank}<span>{}</span>", Html::escape(word));
        }
        html.push_str("\n</span>");
    }
    html
}

/// The words of a command, as a shell tells them apart (POSIX.1-2024, Shell Command Language, section 2.2).
fn words(command: &str) -> Vec<&str> {
    let (mut quote, mut is_escaped) = (None, false);
    let is_between = |c: char| {
        match (c, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', None | Some('"')) => is_escaped = true,
            ('\'' | '"', None) => quote = Some(c),
            (' ', None) => return true,
            (_, Some(open)) if open == c => quote = None,
            _ => {}
        }
        false
    };
    command.split(is_between).filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_quotes_is_one_word() {
        for (command, expected) in [
            ("a --name 'My app' b", vec!["a", "--name", "'My app'", "b"]),
            ("a name='Jane Roe'", vec!["a", "name='Jane Roe'"]),
            ("a 'it'\\''s mine' b", vec!["a", "'it'\\''s mine'", "b"]),
            ("a \"$(openssl rand -hex 16)\"  b", vec!["a", "\"$(openssl rand -hex 16)\"", "b"]),
            ("a b\\ c \"d \\\" e\"", vec!["a", "b\\ c", "\"d \\\" e\""]),
        ] {
            assert_eq!(words(command), expected);
        }
    }

    #[test]
    fn a_command_is_one_line_without_a_backslash() {
        let html = commands("chancery client add \\\n  --name '<My> app'\nchancery client list");
        let first = "<span class=\"command\"><span>chancery</span> <span>client</span> <span>add</span> \
                     <span>--name</span> <span>&#39;&lt;My&gt; app&#39;</span>\n</span>";
        assert!(html.starts_with(first), "{html}");
        assert_eq!((html.matches("\n</span>").count(), html.contains('\\')), (2, false), "{html}");
    }
}
