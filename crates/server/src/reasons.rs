//! Explains the `reason`s in the log.

use std::fmt::Write as _;

use chancery_core::error::{Described, Reason};
use chancery_core::offered::{Caller, Endpoint};
use chancery_types::iana::ErrorCode;
use chancery_types::nearest::did_you_mean;
use serde_json::{Map, Value};

use crate::terminal::Word;

mod remedies;

/// Every reason, or the one of this name.
///
/// # Errors
/// When there is no reason of this name.
pub(crate) fn list(name: Option<&str>) -> Result<String, String> {
    list_of(name, &|_| None)
}

/// What a line of the log has by these names, if it is about a line.
type Members<'m, 'l> = &'m dyn Fn(&'static str) -> Option<&'l str>;

/// The same for a line of the log.
fn list_of(name: Option<&str>, member: Members<'_, '_>) -> Result<String, String> {
    let mut text = String::new();
    for Described { reason, meaning } in
        chancery_http::reasons().filter(|all| name.is_none_or(|name| all.reason.name == name))
    {
        let _never_fails = writeln!(
            text,
            "{}\n    {}\n    the peer gets {}: {} ({})\n{REMEDY}{}",
            reason.name,
            meaning.trim(),
            reason.code,
            reason.description,
            reason.section,
            remedy(reason, member)
        );
    }
    match name {
        Some(name) if text.is_empty() => {
            if rows(name, &TABLES).is_some() {
                return Err(format!(
                    "{name} is no reason, but an event or another word of the log: `chancery log explain {name}` explains it"
                ));
            }
            let near = did_you_mean(name, chancery_http::reasons().map(|known| known.reason.name));
            Err(format!("there is no reason {name}{near}; `chancery reasons` lists them all"))
        }
        _ => Ok(text),
    }
}

/// Who has to do what about a refusal. The line of the log says of which client it is.
fn remedy(reason: &Reason, member: Members<'_, '_>) -> String {
    if let (Some(used), Some(registered)) = (member("used"), member("registered")) {
        return remedies::of_methods(used, registered);
    }
    let caller = member("endpoint").and_then(Endpoint::named).map(|endpoint| endpoint.describe().caller);
    let rest = match reason.code {
        ErrorCode::InvalidRequest | ErrorCode::InvalidRequestObject | ErrorCode::InvalidRequestUri
            // Of other endpoints a program reads the answer, and nobody sees a page.
            if caller == Some(Caller::Browser) && remedies::is_developers(reason.name) =>
        {
            "; a person who sees it opens the application and begins again"
        }
        _ => "",
    };
    format!("{}{rest}", remedies::of(reason.name).unwrap_or("report that nothing is said of this reason"))
}

/// [`explain`] of every line, which are those of standard input for `-`.
///
/// # Errors
/// When there is nothing of a name, or no line at all.
pub(crate) fn explained(typed: &str) -> Result<String, String> {
    let lines = match typed {
        "-" => std::io::read_to_string(std::io::stdin()).map_err(|error| error.to_string())?,
        lines => lines.to_owned(),
    };
    let mut lines = lines.lines().filter(|line| !line.trim().is_empty()).peekable();
    if lines.peek().is_none() {
        return Err("there is nothing to explain: no line was read".to_owned());
    }
    lines.map(explain).collect()
}

/// What the documentation says of a whole line of the log, or of whatever the log has by this name. Of a request id, it says
/// where to look.
///
/// # Errors
/// When there is nothing of this name.
fn explain(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    // journald writes something in front of a line.
    let json = typed.find('{').and_then(|at| typed.get(at..)).map(serde_json::from_str::<Map<String, Value>>);
    if let Some(Ok(line)) = json {
        let member = |name: &str| line.get(name).and_then(Value::as_str);
        return explain_line(member("event"), &member);
    }
    let mut words = typed.split_whitespace();
    if words.any(|word| LEVELS.contains(&word)) {
        let member =
            |name: &str| typed.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        return explain_line(words.next().map(|event| event.trim_end_matches(':')), &member);
    }
    if is_request_id(typed) {
        return Ok(format!(
            "{typed} looks like a request id: `journalctl -u chancery -o cat | grep {}` shows its lines, and \
             `chancery log explain` says what their `event` and `reason` mean\n",
            Word(typed)
        ));
    }
    explain_name(typed)
}

/// What a line with a remedy begins with.
const REMEDY: &str = "    what to do: ";

/// The levels as lines of text have them.
const LEVELS: [&str; 4] = ["ERROR", "WARN", "INFO", "DEBUG"];

/// Why it happened according to a line with this event and these members, and what happened.
fn explain_line<'l>(event: Option<&'l str>, member: Members<'_, 'l>) -> Result<String, String> {
    let event = event.ok_or("the line has no member `event`: is it one of this log?")?;
    let whys = ["reason", "why", "fault"].into_iter().filter_map(member);
    // What is a reason may be the name of an event, too: of a line, each member is looked up where it belongs.
    let why: String = whys
        .map(|name| {
            list_of(Some(name), member)
                .ok()
                .or_else(|| rows(name, &[VALUES]))
                .map_or_else(|| explain_name(name), Ok)
        })
        .collect::<Result<_, _>>()?;
    let mut what = match rows(event, &[EVENTS, LINES]) {
        Some(what) => what,
        None => explain_name(event)?,
    };
    // Where the remedy is that of the reason, it was said with it.
    if !why.is_empty() && matches!(event, "refused" | "faulted" | "task_faulted") {
        what =
            what.lines().filter(|line| !line.starts_with(REMEDY)).map(|line| format!("{line}\n")).collect();
    }
    Ok(why + &what)
}

/// Whether it has the form of a request id: 128 random bits in base64url, or as a UUID. Names are in lower case with `_`.
fn is_request_id(typed: &str) -> bool {
    let is_name = typed.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_uuid = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    !is_name
        && (typed.len() == 22 && typed.bytes().all(is_base64url)
            || typed.len() == 36 && typed.bytes().all(is_uuid))
}

/// What these tables say of a name, if it is in one of them.
fn rows(name: &str, tables: &[Table]) -> Option<String> {
    let said = tables
        .iter()
        .flat_map(|table| table.rows().filter(|row| row.has(name)).map(|row| (table.said)(&row)));
    Some(said.collect::<String>()).filter(|said| !said.is_empty())
}

/// What is documented by this name: a reason, an event, a value of one of its members, or a line of the server.
fn explain_name(code: &str) -> Result<String, String> {
    let explained = list(Some(code)).unwrap_or_default() + &rows(code, &TABLES).unwrap_or_default();
    if !explained.is_empty() {
        return Ok(explained);
    }
    let known = TABLES.iter().flat_map(Table::rows).flat_map(|row| row.names());
    let near = did_you_mean(code, chancery_http::reasons().map(|known| known.reason.name).chain(known));
    Err(format!(
        "the log has no reason, event, value or line {code}{near}; `chancery reasons` lists the reasons, and docs/events.md has \
         the rest"
    ))
}

/// A table of `docs/events.md`.
struct Table {
    /// How the line with its headings begins.
    head: &'static str,
    /// What a row of it says.
    said: fn(&Row) -> String,
}

/// The first cells of a row.
struct Row {
    named: &'static str,
    text: &'static str,
    last: &'static str,
    /// What is to be done about an event.
    remedy: Option<&'static str>,
}

const EVENTS: Table = Table {
    head: "| event | when |",
    said: |row| {
        let remedy = row.remedy.unwrap_or("nothing");
        row.said(&format!(
            "an event of the log (docs/events.md), with {}\n    what to do: {remedy}",
            row.last
        ))
    },
};

const VALUES: Table =
    Table { head: "| value |", said: |row| row.said(&format!("a value of {} (docs/events.md)", row.last)) };

const LINES: Table = Table { head: "| line |", said: |row| row.said(&format!("what to do: {}", row.last)) };

const TABLES: [Table; 3] = [EVENTS, VALUES, LINES];

impl Table {
    fn rows(&self) -> impl Iterator<Item = Row> + use<> {
        let page = include_str!("../../../docs/events.md");
        let table = page.split_once(self.head).map_or("", |(_, rest)| rest);
        let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
        rows.filter_map(|row| {
            let mut cells = row.trim_matches(['|', ' ']).split(" | ");
            let (named, text) = (cells.next()?, cells.next()?);
            Some(Row { named, text, last: cells.next().unwrap_or_default(), remedy: cells.next() })
        })
    }
}

impl Row {
    fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.named.split('`').skip(1).step_by(2)
    }

    fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    fn said(&self, last: &str) -> String {
        format!("{}\n    {}\n    {}\n", self.named.replace('`', ""), self.text, last.replace('`', ""))
    }
}

/// The table of `docs/reasons.md`.
pub(crate) fn table() -> String {
    let mut page = String::from("| reason | what it means | the peer gets | section |\n|---|---|---|---|\n");
    for Described { reason, meaning } in chancery_http::reasons() {
        let meaning = meaning.trim();
        let _never_fails = writeln!(
            page,
            "| `{}` | {meaning} | `{}` {} | {} |",
            reason.name, reason.code, reason.description, reason.section
        );
    }
    page
}

#[cfg(test)]
mod tests;
