//! The table at the end of each test file: one row per MUST NOT.

use bytes::Bytes;
use chancery_core::event::Event;
use http::Request;
use http::header::LOCATION;

use crate::answer::Answer;
use crate::events;
use crate::provider::TestProvider;
use crate::user_agent::HtmlPage;

/// How a request has to be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// By JSON with this status and `error`.
    Json(u16, &'static str),
    /// By an error page with this status and code; nobody is redirected.
    Page(u16, &'static str),
    /// By a redirect to the client with this `error`.
    Client(&'static str),
    /// By 401 with challenges that name no error, and without a body (RFC 6750 section 3.1).
    Challenge,
    /// By this status alone: a path, a method or a size that no endpoint sees, so that there is no event.
    Status(u16),
}

/// Requests that have to be refused. Each row is sent by itself; then the answer is as expected, nothing was
/// written, nothing was issued, and exactly one event says why.
///
/// ```
/// use chancery_testkit::{NegativeTable, Refused, TestProvider};
/// let kit = TestProvider::new();
/// NegativeTable::new(&kit)
///     .row("an unknown grant type", kit.token_request("web").param("grant_type", "x"),
///         Refused::Json(400, "unsupported_grant_type"))
///     .row("an unregistered redirect URI", kit.authorization_request("web").set("redirect_uri", "https://evil.example/"),
///         Refused::Page(400, "invalid_request"))
///     .run();
/// ```
pub struct NegativeTable<'k> {
    kit: &'k TestProvider,
    rows: Vec<(String, Request<Bytes>, Refused)>,
}

impl<'k> NegativeTable<'k> {
    /// Without rows.
    #[must_use]
    pub fn new(kit: &'k TestProvider) -> Self {
        Self { kit, rows: Vec::new() }
    }

    /// With a row: what it is, what is sent, how it is refused.
    #[must_use]
    pub fn row(
        mut self,
        name: impl Into<String>,
        request: impl Into<Request<Bytes>>,
        refused: Refused,
    ) -> Self {
        self.rows.push((name.into(), request.into(), refused));
        self
    }

    /// Sends every row.
    ///
    /// # Panics
    /// With every row that was not refused as it has to be.
    #[track_caller]
    pub fn run(self) {
        assert!(!self.rows.is_empty(), "a table without rows shows nothing");
        let wrong: Vec<String> = self.rows.into_iter().filter_map(|row| check(self.kit, row)).collect();
        assert!(wrong.is_empty(), "rows that were not refused as they have to be:\n{}", wrong.join("\n"));
    }
}

/// What is wrong with the answer to a row, if anything.
fn check(kit: &TestProvider, (name, request, refused): (String, Request<Bytes>, Refused)) -> Option<String> {
    kit.counting.reset();
    let answer = kit.send(request);
    let written = kit.counting.writes();
    let reasons = events::refusals(&answer.events);
    let has_issued = answer.events.iter().any(|event| {
        matches!(
            event,
            Event::TokensIssued { .. } | Event::AuthorizationGranted { .. } | Event::UserInfoServed { .. }
        )
    });
    let events_expected = usize::from(!matches!(refused, Refused::Status(_)));
    let is_right = told(&answer, refused) == Some(refused) && written == 0 && !has_issued;
    if is_right && reasons.len() == events_expected {
        return None;
    }
    let told = told(&answer, refused);
    Some(format!(
        "- {name}: expected {refused:?}, got {told:?} (status {}, {written} writes, reasons {reasons:?}, {:?})",
        answer.status,
        String::from_utf8_lossy(&answer.body).chars().take(200).collect::<String>()
    ))
}

/// How it was refused, in the form that is expected; nothing when it was not, or in another form.
fn told(answer: &Answer, expected: Refused) -> Option<Refused> {
    let status = answer.status.as_u16();
    match expected {
        Refused::Json(_, code) => (answer.json()["error"] == code).then_some(Refused::Json(status, code)),
        Refused::Page(_, code) => {
            let page = HtmlPage::read(&String::from_utf8_lossy(&answer.body));
            let is_it =
                page.name == "error" && page.text.contains(code) && !answer.headers.contains_key(LOCATION);
            is_it.then_some(Refused::Page(status, code))
        }
        Refused::Client(code) => {
            let location = answer.header("location")?;
            let is_it = location.contains(&format!("error={code}&")) && !location.contains("code=");
            (is_it && status == 303).then_some(Refused::Client(code))
        }
        Refused::Challenge => {
            let names_no_error =
                answer.header("www-authenticate").is_some_and(|told| !told.contains("error="));
            (status == 401 && names_no_error && answer.body.is_empty()).then_some(Refused::Challenge)
        }
        Refused::Status(_) => Some(Refused::Status(status)),
    }
}
