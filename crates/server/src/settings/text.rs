//! The text of a configuration file: what of it is TOML, and what is said of the rest.

use std::collections::BTreeSet;
use std::path::Path;

use chancery_core::error::Complaint;
use serde::Deserialize as _;
use toml::Table;
use toml::de::{DeTable, Deserializer, Error};

use super::catalogue::ALL;
use super::not_toml;

/// What the library says of what is there twice.
const REPEATED: &str = "duplicate key";

/// The settings that a text has, and what of it is there twice.
///
/// # Errors
/// Every place where it is not TOML. What is read of such a text is not what was meant, and nothing is said of it.
pub(super) fn parsed(text: &str, file: &Path) -> Result<(Table, Vec<Complaint>), Vec<Complaint>> {
    let complain = |rule: String| Complaint::new(file.display().to_string(), rule, "TOML 1.1");
    if text.trim_start().starts_with('{') {
        return Err(vec![complain(
            "this looks like JSON, and a configuration is TOML, with lines such as issuer = \"https://id.example.org\": \
             `chancery init` writes one"
                .to_owned(),
        )]);
    }
    let (table, mut errors) = DeTable::parse_recoverable(text);
    let table = Table::deserialize(Deserializer::from(table));
    let table = table.map_err(|error| errors.push(error)).unwrap_or_default();
    errors.sort_by_key(|error| error.span().map(|span| span.start));
    let mut explained = BTreeSet::new();
    let complaint = |error: &Error| {
        if let Some(rule) = repeated(text, error) {
            return Some(complain(rule));
        }
        let number = line_of(text, error);
        let line = text.lines().nth(number - 1).unwrap_or_default();
        // The library says several things of a line that is in another language.
        match not_toml::remedy(line, section_at(text, number)) {
            Some(remedy) if explained.insert(number) => {
                Some(complain(format!("line {number}: this is not TOML: {remedy}")))
            }
            Some(_) => None,
            None => Some(complain(format!("line {number}: this is not TOML: {}", error.message()))),
        }
    };
    let complaints = errors.iter().filter_map(complaint).collect();
    let is_toml = errors.iter().all(|error| error.message() == REPEATED);
    if is_toml { Ok((table, complaints)) } else { Err(complaints) }
}

/// The number of the line with the error, counted from 1.
fn line_of(text: &str, error: &Error) -> usize {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    before.matches('\n').count() + 1
}

/// The section to which a line belongs, in the words of whatever language it is.
fn section_at(text: &str, number: usize) -> &str {
    fn heading(line: &str) -> Option<&str> {
        line.starts_with('[').then(|| line.trim_matches(['[', ']', ' ']))
    }
    let before = text.lines().take(number - 1).map(str::trim);
    before.filter_map(|line| heading(line).or_else(|| not_toml::opened(line))).last().unwrap_or_default()
}

/// What is said of a setting that its section does not have, if it stands below the heading of its own, which is a comment.
pub(super) fn below_comment(text: &str, setting: &str) -> Option<String> {
    let line = named(text).into_iter().find(|line| line.path == setting && !line.is_section)?;
    let (section, name) = setting.rsplit_once('.').unwrap_or(("", setting));
    let above: Vec<&str> = text.lines().take(line.number - 1).map(str::trim).collect();
    let between = above.into_iter().rev().take_while(|line| !line.starts_with('['));
    let heading = between
        .filter_map(|line| line.strip_prefix('#').map(str::trim))
        .find(|comment| comment.starts_with('['))?;
    let own =
        heading.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]")).map(|own| format!("{own}[]"));
    let own = own.or_else(|| Some(heading.strip_prefix('[')?.strip_suffix(']')?.to_owned()))?;
    ALL.iter().find(|known| known.key == format!("{own}.{name}"))?;
    let of = if section.is_empty() { "no section".to_owned() } else { format!("[{section}]") };
    Some(format!(
        "line {}: the `# {heading}` above it is a comment, and so the line belongs to {of}: take the # away there, too",
        line.number
    ))
}

/// What is said of a setting or section that is there twice. The library names the second place alone.
fn repeated(text: &str, error: &Error) -> Option<String> {
    if error.message() != REPEATED {
        return None;
    }
    let number = line_of(text, error);
    let name = error.span().and_then(|span| text.get(span)).unwrap_or_default();
    let lines = named(text);
    let second = lines.iter().find(|line| line.number == number).filter(|line| line.is_of(name));
    let Some(Line { path, block, is_section, .. }) = second else {
        return Some(format!("line {number}: {name} is there twice: keep one of the two"));
    };
    let first = lines.iter().find(|line| line.number < number && line.path == *path && line.block == *block);
    let first = first.map_or_else(String::new, |line| format!(", first in line {}", line.number));
    Some(match is_section {
        true => format!(
            "line {number}: the section [{path}] is there twice{first}: put its settings together under one heading"
        ),
        false => format!("line {number}: {path} is set twice{first}: keep one of the two lines"),
    })
}

/// A line that begins a section or sets something.
struct Line {
    number: usize,
    /// The section, or the setting with its sections in front.
    path: String,
    /// Which of the sections that may be repeated it belongs to, by the line of its heading; 0 for none.
    block: usize,
    is_section: bool,
}

impl Line {
    /// Whether this is the last part of its path.
    fn is_of(&self, key: &str) -> bool {
        self.path.rsplit('.').next() == Some(&*plain(key))
    }
}

/// All such lines. A text of several lines could look like some, which no setting has.
fn named(text: &str) -> Vec<Line> {
    let (mut section, mut block) = (String::new(), 0);
    let line = |(at, line): (usize, &str)| {
        let (number, line) = (at + 1, line.trim());
        if let Some(heading) = line.strip_prefix('[') {
            let is_repeated = heading.starts_with('[');
            section = plain(heading.trim_start_matches('[').split(']').next()?);
            block = if is_repeated { number } else { 0 };
            return Some(Line { number, path: section.clone(), block, is_section: true });
        }
        let (key, _) = line.split_once('=').filter(|(key, _)| !key.starts_with('#'))?;
        let key = plain(key);
        let path = if section.is_empty() { key } else { format!("{section}.{key}") };
        Some(Line { number, path, block, is_section: false })
    };
    text.lines().enumerate().filter_map(line).collect()
}

/// A key without blanks and quotes.
fn plain(key: &str) -> String {
    let parts = key.split('.').map(|part| part.trim().trim_matches(['"', '\'']));
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        let complaints = match parsed(text, Path::new("chancery.toml")) {
            Ok((_, complaints)) | Err(complaints) => complaints,
        };
        complaints.into_iter().map(|complaint| complaint.rule).collect()
    }

    /// Of a section that may be repeated, the configuration of `init` has the heading as a comment, too.
    #[test]
    fn a_line_below_a_heading_that_is_a_comment_is_told_so() {
        let below = "[discovery]\n# documentation = \"\"\n\n# APIs.\n# [[resource_server]]\n# Its name.\nname = 'API'\n";
        let hint = "line 7: the `# [[resource_server]]` above it is a comment, and so the line belongs to [discovery]: take the # \
                    away there, too";
        for (text, setting, expected) in [
            (below, "discovery.name", Some(hint)),
            (below, "discovery.nme", None),
            (&below.replace("# [[", "[["), "resource_server.name", None),
            (
                "# [http]\nlisten = []\n",
                "listen",
                Some(
                    "line 2: the `# [http]` above it is a comment, and so the line belongs to no section: take the # away there, too",
                ),
            ),
            (&below.replace("name =", "names ="), "discovery.names", None),
            (&below.replace("name =", "[keys]\nname ="), "keys.name", None),
        ] {
            assert_eq!(below_comment(text, setting).as_deref(), expected, "{setting} in {text}");
        }
    }

    /// What is there twice is named with both lines.
    #[test]
    fn what_is_repeated_is_named() {
        for (text, expected) in [
            (
                "realm = 'a'\n# realm = 'x'\nrealm = 'b'",
                "line 3: realm is set twice, first in line 1: keep one of the two lines",
            ),
            (
                "[http]\n[session]\nidle = '1d'\n\n'idle' = '2d'",
                "line 5: session.idle is set twice, first in line 3: keep one of the two lines",
            ),
            (
                "[session]\nidle = '1d'\n[http]\n[ session ]\nabsolute = '9d'",
                "line 4: the section [session] is there twice, first in line 1: put its settings together under one heading",
            ),
            (
                "session.idle = '1d'\n[session]\nabsolute = '9d'",
                "line 2: the section [session] is there twice: put its settings together under one heading",
            ),
            (
                "[[resource_server]]\nuri = 'a'\n[[resource_server]]\nuri = 'b'\nname = 'B'\nuri = 'c'",
                "line 6: resource_server.uri is set twice, first in line 4: keep one of the two lines",
            ),
            (
                "[discovery]\nextra = { a = '1', b = '2', a = '3' }",
                "line 2: a is there twice: keep one of the two",
            ),
        ] {
            assert_eq!(said(text), [expected], "{text}");
        }
    }

    #[test]
    fn other_errors_have_their_line() {
        assert_eq!(said("realm = 'a'\n"), [""; 0]);
        let of_json = said(" {\"issuer\": \"https://id.example.org\"}\n");
        assert!(of_json.len() == 1 && of_json.iter().all(|line| line.contains("JSON")), "{of_json:?}");
        let said = said("\nissuer = https://id.example.org\n");
        assert!(said.iter().all(|line| line.starts_with("line 2: this is not TOML: ")), "{said:?}");
        assert!(said.iter().all(|line| !line.contains("quotation mark")), "{said:?}");
        for curly in
            ["\u{201c}main\u{201d}", "\u{201e}main\u{201c}", "\u{2018}main\u{2019}", "\"main\u{201d}"]
        {
            let said = super::tests::said(&format!("# \u{201c}\nrealm = {curly}\n"));
            let hinted = said
                .iter()
                .filter(|line| line.contains("is no quotation mark of TOML: write the straight one"));
            assert!(!said.is_empty() && hinted.count() == said.len(), "{curly}: {said:?}");
        }
    }
}
