//! Explains the `reason`s in the log.

use std::fmt::Write as _;

use chancery_core::error::{Described, Reason};
use chancery_core::offered::{Caller, Endpoint};
use chancery_types::iana::ErrorCode;
use chancery_types::nearest::did_you_mean;
use serde_json::{Map, Value};

use crate::terminal::Word;

/// Every reason, or the one of this name.
///
/// # Errors
/// When there is no reason of this name.
pub(crate) fn list(name: Option<&str>) -> Result<String, String> {
    list_at(name, None)
}

/// The same for a request at this endpoint, if that is known.
fn list_at(name: Option<&str>, endpoint: Option<&str>) -> Result<String, String> {
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
            remedy(reason, endpoint)
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

/// Who has to do what about a refusal, at this endpoint if it is known. The line of the log says of which client it is.
fn remedy(reason: &Reason, endpoint: Option<&str>) -> String {
    if let Some(own) = own_remedy(reason.name) {
        return own.to_owned();
    }
    // Of most endpoints a program reads the answer, and nobody sees a page.
    let caller = endpoint.and_then(Endpoint::named).map(|endpoint| endpoint.describe().caller);
    let is_seen = caller.is_none_or(|caller| caller == Caller::Browser);
    let rest = match reason.code {
        ErrorCode::InvalidRequest | ErrorCode::InvalidRequestObject | ErrorCode::InvalidRequestUri
            if is_seen =>
        {
            "; a person who sees it opens the application and begins again"
        }
        _ => "",
    };
    format!("{}{rest}", remedy_of(reason.code))
}

/// What is to be done about reasons that say more than the code that the peer gets.
fn own_remedy(name: &str) -> Option<&'static str> {
    Some(match name {
        "client_unknown" => {
            "look in the client's own configuration for the client_id that it sends, and compare it with `chancery client list`; it may be \
             registered at another provider or in another realm"
        }
        "authorization_client_unknown" => {
            "ask whoever runs the application for the client_id that it sends, which the log does not have because a secret may stand in \
             its place (the page of a development provider shows it), and compare it with `chancery client list`"
        }
        "client_id_missing" => {
            "ask whoever runs the application: what it sends does not say which client it is"
        }
        "client_disabled" => {
            "nothing, if it is to stay out; `chancery client enable ID` (ID from the line's client_id) lets it in again"
        }
        "client_secret_expired" => {
            "`chancery client secret rotate ID` (ID from the line's client_id) makes another secret, which the client is to be given"
        }
        "client_secrets_throttled" => {
            "find the program that sends wrong secrets by the line's network; if it is your own, give it the right one, and it is let in \
             within minutes"
        }
        "redirect_uri_unregistered" => {
            "compare the line's redirect_uri with `chancery client show ID`; if it is the client's own, `chancery client update ID` with \
             --redirect-uri for each of all its addresses registers it; otherwise somebody has made a link of their own"
        }
        "form_of_another_origin" => {
            "compare the line's origin with its own_origin. null: if it happens to everybody, people see the pages at another address \
             than the issuer's: a proxy that changes scheme, host or port is to be mended, or the issuer. An address of yours: the page there \
             has to be at the issuer's. Otherwise nothing: another site has sent a form here"
        }
        "not_of_front_end" => {
            "compare the line's origin with its own_origin, which is that of interaction.location: if it is an address of your own pages, \
             that setting is to name it; otherwise nothing: another site has called"
        }
        "form_foreign" => {
            "nothing: another site has sent a form here, or pages of your own lack the hidden fields of the form"
        }
        "form_without_cookie" => {
            "one person: their browser blocks cookies. Everybody: the address that people see is not the issuer's, or a proxy drops \
             `Cookie` or `Set-Cookie`"
        }
        "form_incomplete" => {
            "put the hidden fields of the form into pages of your own (docs/own-pages.md, or `form.hidden_inputs()`)"
        }
        name if name.starts_with("form_") => {
            "nothing: the page says so, and the person opens the application and begins again"
        }
        _ => return None,
    })
}

/// The same by what the peer gets.
fn remedy_of(code: ErrorCode) -> &'static str {
    use ErrorCode as Code;
    match code {
        Code::InvalidClient | Code::UnauthorizedClient => {
            "compare what the client sends with what it is registered for (`chancery client show ID`, ID from the line's client_id); \
             `chancery client update ID` and `chancery client secret rotate ID` change that"
        }
        Code::InvalidClientMetadata
        | Code::InvalidRedirectUri
        | Code::InvalidSoftwareStatement
        | Code::UnapprovedSoftwareStatement => {
            "whoever registers the client mends its metadata (docs/registration.md); what is permitted here is in [registration] and \
             [[registration_policy]]"
        }
        Code::InvalidGrant
        | Code::ExpiredToken
        | Code::InvalidToken
        | Code::ExpiredLoginHintToken
        | Code::InvalidUserCode
        | Code::MissingUserCode
        | Code::UnknownUserId => {
            "once in a while nothing: the client begins again; if one client does it often, its developer looks for what is sent twice, \
             too late or to the wrong server"
        }
        Code::InvalidScope
        | Code::InvalidTarget
        | Code::InsufficientScope
        | Code::InvalidAuthorizationDetails => {
            "compare what is asked for with `chancery client show ID`, and with [scopes], [claims], [authorization_details] and \
             [[resource_server]] of the configuration"
        }
        Code::InvalidDpopProof | Code::UseDpopNonce => {
            "the developer of the client mends how its proofs are made; look at the clocks of both machines, and whether the client calls \
             the server by its issuer's address"
        }
        Code::AccessDenied
        | Code::AccountSelectionRequired
        | Code::ConsentRequired
        | Code::InteractionRequired
        | Code::LoginRequired
        | Code::AuthorizationPending
        | Code::SlowDown
        | Code::InsufficientUserAuthentication
        | Code::UnmetAuthenticationRequirements
        | Code::TransactionFailed => {
            "nothing: the client is told so and asks again, with the person at hand; if one client never stops, its developer looks at how \
             it handles this error"
        }
        Code::TemporarilyUnavailable | Code::ServerError => {
            "look for lines `faulted`, `not_ready` and `login_busy` at the same time; `chancery log explain` says of each what to do"
        }
        Code::UnsupportedGrantType
        | Code::UnsupportedResponseMode
        | Code::UnsupportedResponseType
        | Code::UnsupportedTokenType
        | Code::RegistrationNotSupported
        | Code::RequestNotSupported
        | Code::RequestUriNotSupported => {
            "switch it on in the configuration if it is wanted (docs/configuration.md), or let the client ask for what \
             /.well-known/openid-configuration offers"
        }
        Code::InvalidRequest
        | Code::InvalidRequestObject
        | Code::InvalidRequestUri
        | Code::InvalidBindingMessage => {
            "the developer of the client (the line's client_id) mends the request; `chancery client show ID` shows what it is registered \
             for"
        }
    }
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
        return explain_line(member("event"), member);
    }
    let mut words = typed.split_whitespace();
    if words.any(|word| LEVELS.contains(&word)) {
        let member =
            |name: &str| typed.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
        return explain_line(words.next().map(|event| event.trim_end_matches(':')), member);
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
fn explain_line<'l>(
    event: Option<&'l str>,
    member: impl Fn(&'static str) -> Option<&'l str>,
) -> Result<String, String> {
    let event = event.ok_or("the line has no member `event`: is it one of this log?")?;
    let endpoint = member("endpoint");
    let whys = ["reason", "why", "fault"].into_iter().filter_map(&member);
    // What is a reason may be the name of an event, too: of a line, each member is looked up where it belongs.
    let why: String = whys
        .map(|name| {
            list_at(Some(name), endpoint)
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
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// After a change, replace the end of the page by the output of `chancery reasons --markdown`.
    #[test]
    fn the_committed_page_has_every_reason() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reasons.md");
        assert!(std::fs::read_to_string(path).unwrap().contains(table().trim_end()));
    }

    #[test]
    fn whatever_the_log_says_is_explained() {
        for (code, said) in [
            ("pkce_missing", "code_challenge is required"),
            ("login_throttled", "too many had failed"),
            ("client_updated", "changed or removed itself"),
            ("wrong_password", "wrong_password\n    the password is not that of the person"),
            ("unknown_name", "nobody has the name"),
            ("disabled", "a value of login_failed (docs/events.md)"),
            ("name_taken", "a value of sign_up_refused"),
            ("not_ready", "what to do: as message says: make room"),
            ("login_throttled", "what to do: one person waits for wait_seconds"),
            ("client_keys_unavailable", "fetch.allow_hosts"),
            ("client_keys_unavailable", "the peer gets invalid_client"),
            ("tokens_issued", "what to do: nothing"),
            ("client_unknown", "what to do: look in the client's own configuration"),
            ("form_too_old", "what to do: nothing: the page says so"),
            ("form_of_another_origin", "what to do: compare the line's origin with its own_origin"),
            ("not_of_front_end", "interaction.location"),
        ] {
            let text = explain(code).unwrap();
            assert!(text.contains(said), "{code}: {text}");
        }
        for (code, near) in [
            ("pkce_mising", "pkce_missing"),
            ("login_faild", "login_failed"),
            ("client_disable", "client_disabled"),
            ("wrong_pasword", "wrong_password"),
            ("not_redy", "not_ready"),
        ] {
            assert!(explain(code).unwrap_err().contains(&format!("did you mean {near}?")), "{code}");
        }
        assert!(explain("`").is_err() && explain("").is_err());
    }

    /// Whoever is in a hurry pastes what is in front of them.
    #[test]
    fn a_whole_line_and_a_request_id_are_understood() {
        let line = r#"{"time":"2026-11-27T12:00:00.000Z","level":"warn","event":"refused","request_id":"Qb0c2vJt8mW1xY7kR4sZ9g",
            "endpoint":"authorization","reason":"redirect_uri_unregistered","section":"RFC 9700 section 2.1"}"#;
        let said = explain(line).unwrap();
        assert!(
            said.contains("refused\n    a request was refused") && said.contains("`chancery client show ID`"),
            "{said}"
        );
        let line = r#"{"event":"login_failed","reason":"wrong_password"}"#;
        assert!(explain(line).unwrap().contains("the password is not that of the person"));
        assert!(
            explain(r#"{"event":"started","message":"version 1"}"#).unwrap().contains("what to do: nothing")
        );
        let line = "Nov 27 12:00:00 id chancery[7]: 2026-11-27T12:00:00.000Z WARN  login_failed request_id=x reason=wrong_password";
        assert!(
            explain(line).unwrap().starts_with("wrong_password\n    the password is not that of the person")
        );
        assert!(
            explain(&format!("id chancery[7]: {}", r#"{"event":"started"}"#)).unwrap().starts_with("started")
        );
        assert!(explain(r#"{"level":"warn"}"#).unwrap_err().contains("`event`"));
        assert!(explain(r#"{"event":"login_faild"}"#).unwrap_err().contains("did you mean login_failed?"));
        for id in ["Qb0c2vJt8mW1xY7kR4sZ9g", "c6b0a0ae-6a6e-4d8f-9d5e-0d9a4c7f7a11"] {
            assert!(explain(id).unwrap().contains(&format!("| grep {id}`")), "{id}");
        }
    }

    /// What is said of a line is about its endpoint, and of an event that asks for something, what that is.
    #[test]
    fn each_event_says_what_to_do_at_its_endpoint() {
        let at = |endpoint: &str, reason: &str| {
            explain(&format!(r#"{{"event":"refused","endpoint":"{endpoint}","reason":"{reason}"}}"#)).unwrap()
        };
        for endpoint in ["token", "introspection"] {
            let said = at(endpoint, "several_authentication_mechanisms");
            assert!(!said.contains("interaction") && !said.contains("a person"), "{said}");
            assert_eq!(said.matches("what to do: ").count(), 1, "{said}");
        }
        assert!(
            at("authorization", "several_authentication_mechanisms")
                .contains("opens the application and begins again")
        );
        for row in EVENTS.rows() {
            assert!(row.remedy.is_some_and(|remedy| !remedy.is_empty()), "{}", row.named);
        }
    }

    /// The names in the sources, where each stands after its level.
    #[test]
    fn every_line_of_the_server_is_explained_and_every_explained_line_is_written() {
        let mut written = BTreeSet::new();
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                let is_test = entry.ends_with("tests.rs") || entry.ends_with("reasons.rs");
                if entry.is_dir() {
                    folders.push(entry);
                } else if !is_test {
                    written.extend(names_after_a_level(&std::fs::read_to_string(entry).unwrap()));
                }
            }
        }
        assert!(written.len() > 20, "{written:?}");
        let explained: BTreeSet<String> =
            LINES.rows().flat_map(|row| row.names()).map(str::to_owned).collect();
        assert_eq!(written, explained, "docs/events.md, \"Lines of the server\"");
    }

    fn names_after_a_level(source: &str) -> Vec<String> {
        let source = source.split("mod tests {").next().unwrap();
        let source = source.replace(".answer(", ".say(");
        let said =
            source.split(".say").filter_map(|rest| rest.strip_prefix('(').or(rest.strip_prefix("_of(")));
        let names = said.filter_map(|rest| {
            let (_, name) = rest.trim_start().strip_prefix("Level::")?.split_once('"')?;
            Some(name.split('"').next()?.to_owned())
        });
        names.collect()
    }

    /// Every value that the engine can write is explained.
    #[test]
    fn every_value_is_explained() {
        use chancery_core::event::GrantEnd::*;
        let whys = [CodeReplayed, RefreshTokenReplayed, RevokedByClient, ConsentWithdrawn, TokensUndelivered];
        for value in whys.map(|why| why.as_str()) {
            assert!(VALUES.rows().any(|row| row.has(value)), "{value}");
        }
        // What the rows of the events name as reasons.
        for row in EVENTS.rows().filter(|row| row.text.contains("the reason is")) {
            let (_, listed) = row.text.split_once("the reason is").unwrap();
            let listed = listed.split(". ").next().unwrap();
            for value in listed.split('`').skip(1).step_by(2) {
                assert!(VALUES.rows().any(|row| row.has(value)), "{value}");
            }
        }
    }

    #[test]
    fn one_is_found_by_its_name() {
        assert!(list(Some("pkce_missing")).unwrap().contains("code_challenge is required"));
        assert!(list(Some("pkce")).is_err());
        let event = list(Some("scopes_ignored")).unwrap_err();
        assert!(
            event.contains("`chancery log explain scopes_ignored`") && !event.contains("did you mean"),
            "{event}"
        );
    }
}
