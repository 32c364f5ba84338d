//! The two forms of a line: a JSON object for programs, or text for whoever develops.

use chancery_jose::ClaimsWriter;
use chancery_types::is_misleading;

use super::{Format, Level};
use crate::terminal::Escaped;

/// The fields of a line that is being written. Whatever others wrote into them, it stays one line, and nothing
/// in it acts on a terminal.
pub(super) enum Fields {
    Json(ClaimsWriter),
    Text {
        line: String,
        /// Comes at the end, because it says least to a reader.
        request: Option<String>,
    },
}

impl Fields {
    /// A line begins with when, how bad and what.
    pub(super) fn begin(format: Format, time: &str, level: Level, event: &str) -> Self {
        match format {
            Format::Json => {
                let mut line = ClaimsWriter::new();
                line.string("time", time).string("level", level.as_str()).string("event", event);
                Self::Json(line)
            }
            Format::Text => {
                let level = level.as_str().to_uppercase();
                Self::Text { line: format!("{time} {level:5} {event}"), request: None }
            }
        }
    }

    /// Which request it belongs to.
    pub(super) fn request(&mut self, id: &str) {
        match self {
            Self::Json(line) => {
                line.string("request_id", id);
            }
            Self::Text { request, .. } => *request = Some(id.to_owned()),
        }
    }

    /// The network that a request came from.
    pub(super) fn network(&mut self, network: Option<&str>) -> &mut Self {
        match (&*self, network) {
            (Self::Text { .. }, Some(network)) if is_this_machine(network) => {
                self.string("network", "this machine")
            }
            _ => self.string_if("network", network),
        }
    }

    /// A sentence about the process.
    pub(super) fn message(&mut self, message: &str) {
        match self {
            Self::Json(line) => {
                line.string("message", message);
            }
            Self::Text { line, .. } => line.push_str(&format!(": {}", Escaped(message))),
        }
    }

    pub(super) fn string(&mut self, name: &str, value: &str) -> &mut Self {
        match self {
            Self::Json(line) => {
                line.string(name, value);
            }
            Self::Text { line, .. } => push_field(line, name, value),
        }
        self
    }

    pub(super) fn string_if(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.string(name, value),
            None => self,
        }
    }

    pub(super) fn integer(&mut self, name: &str, value: i64) -> &mut Self {
        match self {
            Self::Json(line) => {
                line.integer(name, value);
            }
            Self::Text { line, .. } => line.push_str(&format!(" {name}={value}")),
        }
        self
    }

    pub(super) fn boolean(&mut self, name: &str, value: bool) -> &mut Self {
        match self {
            Self::Json(line) => {
                line.boolean(name, value);
            }
            Self::Text { line, .. } => line.push_str(&format!(" {name}={value}")),
        }
        self
    }

    /// Appends the whole line.
    pub(super) fn end(self, text: &mut String) {
        match self {
            Self::Json(line) => push_inert(text, &line.finish()),
            Self::Text { mut line, request } => {
                if let Some(request) = request {
                    push_field(&mut line, "request_id", &request);
                }
                text.push_str(&line);
            }
        }
        text.push('\n');
    }
}

/// Whether a network, as counters name it, is the loopback interface.
fn is_this_machine(network: &str) -> bool {
    let address = network.strip_suffix("/64").unwrap_or(network).parse::<std::net::IpAddr>();
    // Of IPv6 the first 64 bits are left, and no other address has those of `::1`.
    address.is_ok_and(|address| address.is_loopback() || network == "::/64")
}

/// Appends ` name=value`. A value is in quotes where it could be taken for something else.
fn push_field(line: &mut String, name: &str, value: &str) {
    line.push(' ');
    line.push_str(name);
    line.push('=');
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b'=');
    if !value.is_empty() && value.bytes().all(is_plain) {
        return line.push_str(value);
    }
    push_inert(line, &serde_json::Value::from(value).to_string());
}

/// Appends JSON in which nothing acts on a terminal. JSON itself escapes only the controls below U+0020; here
/// DEL, C1 controls and other misleading characters are escaped, too (RFC 8259 section 7), and a parser reads
/// the same.
pub(crate) fn push_inert(text: &mut String, json: &str) {
    if json.is_ascii() && !json.as_bytes().contains(&0x7f) {
        return text.push_str(json);
    }
    for c in json.chars() {
        if is_misleading(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(format: Format, write: impl FnOnce(&mut Fields)) -> String {
        let mut fields = Fields::begin(format, "1970-01-01T00:00:00.000Z", Level::Info, "test");
        write(&mut fields);
        let mut text = String::new();
        fields.end(&mut text);
        text
    }

    /// Whatever others wrote into a line, a terminal shows it and a parser reads it.
    #[test]
    fn nothing_in_a_line_acts_on_a_terminal() {
        for (value, json) in [
            ("Grüße, 日本, 🙂", "Grüße, 日本, 🙂"),
            ("\u{9b}2J", r"\u009b2J"),
            ("del\u{7f}", r"del\u007f"),
            ("user\u{202e}nimda", r"user\u202enimda"),
            ("\u{2066}x\u{2069}\u{61c}\u{200f}", r"\u2066x\u2069\u061c\u200f"),
            ("a\u{2028}b\u{2029}", r"a\u2028b\u2029"),
            ("zero\u{200b}\u{feff}", r"zero\u200b\ufeff"),
            ("tag\u{e0041}", r"tag\udb40\udc41"),
            ("\u{1b}[2J\r\n", r"\u001b[2J\u000d\u000a"),
        ] {
            let text = line(Format::Json, |line| {
                line.string("message", value);
            });
            assert!(text.contains(&format!(r#""message":"{json}""#)), "{text}");
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read["message"], value);
            for text in [
                line(Format::Text, |line| {
                    line.string("value", value);
                }),
                line(Format::Text, |line| line.message(value)),
            ] {
                let (content, end) = text.split_at(text.len() - 1);
                assert!(end == "\n" && !content.contains(is_misleading), "{text:?}");
            }
        }
    }

    #[test]
    fn a_line_of_text_is_read_by_people() {
        let text = line(Format::Text, |line| {
            line.request("r1");
            line.string("client_id", "web").integer("wait_seconds", 3).boolean("active", true);
            line.network(Some("2001:db8:1:2::/64")).string_if("account", None);
        });
        assert_eq!(
            text,
            "1970-01-01T00:00:00.000Z INFO  test client_id=web wait_seconds=3 active=true \
             network=2001:db8:1:2::/64 request_id=r1\n"
        );
        let text = line(Format::Text, |line| line.message("http on 127.0.0.1:3000"));
        assert_eq!(text, "1970-01-01T00:00:00.000Z INFO  test: http on 127.0.0.1:3000\n");
    }

    /// Programs get the address; people are told what it means.
    #[test]
    fn loopback_is_this_machine() {
        for network in ["::/64", "127.0.0.1", "127.1.2.3"] {
            let said = |format| {
                line(format, |line| {
                    line.network(Some(network));
                })
            };
            assert!(said(Format::Text).ends_with(" network=\"this machine\"\n"), "{network}");
            assert!(said(Format::Json).contains(&format!(r#""network":"{network}""#)), "{network}");
        }
        for network in ["192.0.2.1", "::1:0:0:0:0/64", "2001:db8::/64", "1::/64"] {
            let text = line(Format::Text, |line| {
                line.network(Some(network));
            });
            assert!(text.ends_with(&format!(" network={network}\n")), "{text}");
        }
    }

    /// Nobody writes a field that is not there.
    #[test]
    fn a_value_cannot_be_taken_for_another_field() {
        for (value, shown) in [
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("a=b", r#""a=b""#),
            ("\"", r#""\"""#),
            ("\\", r#""\\""#),
            ("x account=admin", r#""x account=admin""#),
            ("x\nINFO", r#""x\nINFO""#),
            ("Grüße", r#""Grüße""#),
            ("\u{a0}", "\"\u{a0}\""),
        ] {
            let text = line(Format::Text, |line| {
                line.string("value", value);
            });
            assert_eq!(text, format!("1970-01-01T00:00:00.000Z INFO  test value={shown}\n"));
        }
    }
}
