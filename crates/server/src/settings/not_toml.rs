//! What is said of a line that is not TOML: how it should be, if that can be seen.

use toml::Table;

use super::catalogue::{ALL, Form};

/// What to write in the place of a line, below the heading of this section.
pub(super) fn remedy(line: &str, section: &str) -> Option<String> {
    let line = line.trim();
    if let Some(curly) = line.chars().find(|c| CURLY.contains(*c)) {
        return Some(format!("{curly} is no quotation mark of TOML: write the straight one, \""));
    }
    for sign in [";", "//", "--"] {
        if let Some(comment) = line.strip_prefix(sign) {
            return Some(format!("a comment begins with #: write # {}", comment.trim_start()));
        }
    }
    let meant = match line.split_once('=') {
        Some((name, value)) => setting(name, value.trim(), section)?,
        None => of_yaml(line, section).or_else(|| of_words(line, section))?,
    };
    (meant != line).then(|| format!("write {meant}"))
}

const CURLY: &str = "\u{201c}\u{201d}\u{201e}\u{2018}\u{2019}\u{201a}\u{ab}\u{bb}";

/// The section that a line of another language opens: `http:` of YAML, `http {` of nginx and Caddy.
pub(super) fn opened(line: &str) -> Option<&str> {
    let name = line.trim().strip_suffix([':', '{'])?.trim_end();
    let is_section = ALL.iter().any(|setting| setting.key.split(['.', '[']).next() == Some(name));
    (is_section && ALL.iter().all(|setting| setting.key != name)).then_some(name)
}

/// A line of YAML, or one that opens a block.
fn of_yaml(line: &str, section: &str) -> Option<String> {
    if let Some(name) = opened(line) {
        return Some(format!("[{name}], and below it its settings, such as name = value"));
    }
    if line.contains('{') || line.ends_with(';') && line.contains('}') {
        let way = "[section] on a line of its own, and each setting below it on one of its own, such as [http] and listen = [\"127.0.0.1:8080\"]";
        return Some(way.to_owned());
    }
    if line == "}" {
        return Some("nothing: a section ends where the next [section] begins".to_owned());
    }
    if let Some(item) = line.strip_prefix("- ") {
        return Some(format!("a list between brackets, such as name = [{}, \u{2026}]", quoted(item.trim())));
    }
    let (name, value) = line.split_once(": ").or_else(|| Some((line.strip_suffix(':')?, "")))?;
    match value.trim() {
        "" => None,
        value => setting(name, value, section),
    }
}

/// A line such as nginx has it: `listen 127.0.0.1:8080;`.
fn of_words(line: &str, section: &str) -> Option<String> {
    let (name, value) = line.split_once(char::is_whitespace)?;
    setting(name, value.trim(), section)
}

/// A setting as TOML has it.
fn setting(name: &str, value: &str, section: &str) -> Option<String> {
    let name = name.trim();
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    let value = value.trim_end_matches([';', ',']).trim_end();
    if name.is_empty() || value.is_empty() || !is_name(name) {
        return None;
    }
    let key = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
    let form = ALL.iter().find(|setting| setting.key == key).map(|setting| setting.form);
    let is_toml = |value: &str| format!("a = {value}").parse::<Table>().is_ok();
    let value = match form {
        Some(Form::Texts) if !value.starts_with('[') => format!("[{}]", quoted(value)),
        Some(Form::Texts) if !is_toml(value) => {
            let items = value.trim_matches(['[', ']']).split(',').map(|item| quoted(item.trim()));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        Some(Form::Switch) => match value.trim_matches('"').to_ascii_lowercase().as_str() {
            "on" | "yes" | "true" | "1" => "true".to_owned(),
            "off" | "no" | "false" | "0" => "false".to_owned(),
            _ => return None,
        },
        Some(Form::Text | Form::Duration | Form::Choice(_)) => quoted(value),
        _ if is_toml(value) => value.to_owned(),
        _ if value.starts_with(['[', '{']) => return None,
        _ => quoted(value),
    };
    Some(format!("{name} = {value}"))
}

/// A text in quotes, whichever of them it has already.
fn quoted(text: &str) -> String {
    format!("{:?}", text.trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_as_it_should_be_is_shown() {
        for (line, section, expected) in [
            ("issuer: https://id.example.org", "", Some("write issuer = \"https://id.example.org\"")),
            ("issuer = https://id.example.org", "", Some("write issuer = \"https://id.example.org\"")),
            ("issuer = \"https://id.example.org", "", Some("write issuer = \"https://id.example.org\"")),
            ("issuer = \"https://id.example.org\";", "", Some("write issuer = \"https://id.example.org\"")),
            ("  listen: 127.0.0.1:8080", "http", Some("write listen = [\"127.0.0.1:8080\"]")),
            ("listen 127.0.0.1:8080;", "http", Some("write listen = [\"127.0.0.1:8080\"]")),
            (
                "listen = [127.0.0.1:1, 127.0.0.1:2]",
                "http",
                Some("write listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]"),
            ),
            ("connections: 100", "http", Some("write connections = 100")),
            ("idle = 7d", "session", Some("write idle = \"7d\"")),
            ("management = True", "session", Some("write management = true")),
            ("management = maybe", "session", None),
            ("http:", "", Some("write [http], and below it its settings, such as name = value")),
            ("http {", "", Some("write [http], and below it its settings, such as name = value")),
            (
                "- 10.0.0.0/8",
                "http",
                Some("write a list between brackets, such as name = [\"10.0.0.0/8\", \u{2026}]"),
            ),
            ("; a comment", "", Some("a comment begins with #: write # a comment")),
            ("// a comment", "", Some("a comment begins with #: write # a comment")),
            (
                "realm = \u{201c}main\u{201d}",
                "",
                Some("\u{201c} is no quotation mark of TOML: write the straight one, \""),
            ),
            (
                "server { listen 8080; }",
                "",
                Some(
                    "write [section] on a line of its own, and each setting below it on one of its own, such as [http] and listen = [\"127.0.0.1:8080\"]",
                ),
            ),
            ("[http", "", None),
            ("nonsense", "", None),
            ("= 5", "", None),
            ("a b = c", "", None),
        ] {
            assert_eq!(remedy(line, section).as_deref(), expected, "{line}");
        }
    }
}
