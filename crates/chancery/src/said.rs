//! What a program hears that has given no event sink: faults, and mistakes in the mounting and in accounts of its own, as lines on standard error.

use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chancery_core::event::{
    ACCOUNT_CHANGED, ACCOUNT_MISSING, Event, FIELDS_MISSING, LoginAttempt, Occasion, PASSWORDS_UNSUPPORTED,
};
use chancery_core::interaction::form_token::FORM_INCOMPLETE;
use chancery_core::ports::EventSink;
use chancery_core::request::addressed::FORM_WITHOUT_ACTION;
use chancery_types::{Timestamp, is_misleading};

/// So many lines are written within [`WHILE`]: a store that is away must not fill a disk.
const LINES: u32 = 10;

/// For how long the lines count.
const WHILE: Duration = Duration::from_secs(60);

/// Writes to standard error what somebody has to mend.
#[derive(Default)]
pub(crate) struct Said(Mutex<Count>);

/// The lines since a time.
#[derive(Default)]
struct Count {
    since: Option<Timestamp>,
    written: u32,
    left_out: u64,
    /// What was said once and for all, by the reasons.
    once: Vec<&'static str>,
}

impl Said {
    /// The line of this event, if it has one and it is written now.
    fn line(&self, occasion: &Occasion<'_>, event: &Event) -> Option<String> {
        let request = &occasion.request_id.0;
        let once = said_once(event);
        let text = match event {
            Event::Faulted { endpoint, fault, .. } => {
                format!("chancery: error: {} (request {request}): {fault}", endpoint.as_str())
            }
            Event::TaskFaulted { task, fault } => format!("chancery: error: task {}: {fault}", task.as_str()),
            Event::PeerUnknown { advice } => format!("chancery: warning: {advice}"),
            Event::MountedElsewhere { advice } => format!("chancery: warning: {advice}"),
            Event::LoginFailed { attempt, reason } => {
                format!("chancery: warning: {}", advice_on(attempt, reason)?)
            }
            Event::Refused { reason, .. } if reason.name == FORM_INCOMPLETE.name => {
                "chancery: warning: the form of a page came back without its hidden fields: put `form.hidden_inputs()` into it".into()
            }
            Event::Refused { reason, .. } if reason.name == FORM_WITHOUT_ACTION.name => {
                "chancery: warning: the form of a page came to the authorization endpoint: give it the `action` of the form, \
                 `form.action`"
                    .into()
            }
            _ => return None,
        };
        let mut count = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if once.is_some_and(|reason| count.once.contains(&reason)) {
            return None;
        }
        if count.since.is_none_or(|since| occasion.at.distance(since) >= WHILE) {
            (count.since, count.written) = (Some(occasion.at), 0);
        }
        if count.written == LINES {
            count.left_out += 1;
            return None;
        }
        count.written += 1;
        count.once.extend(once);
        // What others have said stays on the one line, and reads as it is written.
        let text: String = text.chars().map(|one| if is_misleading(one) { ' ' } else { one }).collect();
        Some(match std::mem::take(&mut count.left_out) {
            0 => text,
            others => format!("{text} ({others} more lines were left out before)"),
        })
    }
}

/// The reason, if the event is of a kind that is said only once: the first says everything, and anybody can cause the others.
fn said_once(event: &Event) -> Option<&'static str> {
    match event {
        Event::LoginFailed { reason: reason @ (PASSWORDS_UNSUPPORTED | FIELDS_MISSING), .. } => Some(reason),
        Event::Refused { reason, .. } => Some(reason.name),
        _ => None,
    }
}

/// What to mend in the application's own accounts, where they contradict themselves or are incomplete.
fn advice_on(attempt: &LoginAttempt, reason: &str) -> Option<String> {
    let incomplete = match reason {
        PASSWORDS_UNSUPPORTED => {
            Some("`Accounts::authenticate` is not implemented, so nobody can sign in with a password")
        }
        FIELDS_MISSING => Some(
            "the form of a login page came back without a field `username` or `password`, and `Accounts::known` knew nobody: \
             give the inputs these names",
        ),
        _ => None,
    };
    if let Some(advice) = incomplete {
        return Some(advice.into());
    }
    let id = attempt.account.as_ref()?.as_str();
    let wrong = match reason {
        ACCOUNT_MISSING => "`Accounts::find` gives no account with exactly this id",
        ACCOUNT_CHANGED => "`Accounts::find` gives it another epoch",
        _ => return None,
    };
    Some(format!(
        "the account {id:?} has signed in, but {wrong}, so the login page came again. Unless it was changed at this moment, let \
         `find` return what the login was made of"
    ))
}

impl EventSink for Said {
    fn record(&self, occasion: &Occasion<'_>, event: &Event) {
        if let Some(line) = self.line(occasion, event) {
            let _nobody_reads_it = writeln!(io::stderr(), "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use chancery_core::context::RequestId;
    use chancery_core::error::Fault;
    use chancery_core::offered::Endpoint;

    use super::*;

    fn faulted(fault: &str) -> Event {
        Event::Faulted { endpoint: Endpoint::Token, fault: Fault::internal(fault), client: None }
    }

    #[test]
    fn what_has_to_be_mended_is_a_line() {
        let (said, id) = (Said::default(), RequestId("r1".into()));
        let at = |secs| Occasion::new(Timestamp::from_secs(secs), &id);
        let line = said.line(&at(100), &faulted("no key signs\nPS256\u{202e}now"));
        assert_eq!(line.as_deref(), Some("chancery: error: token (request r1): no key signs PS256 now"));
        let advice = said.line(&at(100), &Event::PeerUnknown { advice: "insert the peer" });
        assert_eq!(advice.as_deref(), Some("chancery: warning: insert the peer"));
        let client = chancery_types::ClientId::parse("app").unwrap();
        let account = chancery_types::AccountId::parse("ada").ok();
        let failed = |reason| Event::LoginFailed {
            attempt: LoginAttempt {
                account: account.clone(),
                name_digest: "d".into(),
                client: client.clone(),
            },
            reason,
        };
        for (reason, said_of_it) in [
            (ACCOUNT_MISSING, Some("gives no account with exactly this id")),
            (ACCOUNT_CHANGED, Some("gives it another epoch")),
            ("wrong_password", None),
        ] {
            let line = said.line(&at(100), &failed(reason));
            let is_right = match said_of_it {
                Some(text) => {
                    line.as_ref().is_some_and(|line| line.contains(text) && line.contains("\"ada\""))
                }
                None => line.is_none(),
            };
            assert!(is_right, "{reason}: {line:?}");
        }
        let quiet = Event::RequestPushed { client: chancery_types::ClientId::parse("app").unwrap() };
        assert_eq!(said.line(&at(100), &quiet), None);
    }

    #[test]
    fn what_anybody_can_cause_is_said_once() {
        let (said, id) = (Said::default(), RequestId("r1".into()));
        let attempt = LoginAttempt {
            account: None,
            name_digest: "d".into(),
            client: chancery_types::ClientId::parse("app").unwrap(),
        };
        let failed = |reason| Event::LoginFailed { attempt: attempt.clone(), reason };
        let refused = |endpoint, reason| Event::Refused {
            endpoint,
            reason,
            client: None,
            redirect_uri: None,
            origins: None,
            methods: None,
        };
        let incomplete = refused(Endpoint::Interaction, &FORM_INCOMPLETE);
        let astray = refused(Endpoint::Authorization, &FORM_WITHOUT_ACTION);
        for (event, text) in [
            (failed(PASSWORDS_UNSUPPORTED), "`Accounts::authenticate` is not implemented"),
            (failed(FIELDS_MISSING), "without a field `username` or `password`"),
            (incomplete, "put `form.hidden_inputs()` into it"),
            (astray, "give it the `action` of the form"),
        ] {
            let lines: Vec<_> = [100, 101, 200]
                .into_iter()
                .filter_map(|secs| said.line(&Occasion::new(Timestamp::from_secs(secs), &id), &event))
                .collect();
            assert!(matches!(&*lines, [line] if line.contains(text)), "{lines:?}");
        }
    }

    #[test]
    fn a_flood_is_a_few_lines_a_minute() {
        let (said, id) = (Said::default(), RequestId("r1".into()));
        let lines = |secs| {
            let occasion = Occasion::new(Timestamp::from_secs(secs), &id);
            (0..100).filter_map(|_| said.line(&occasion, &faulted("away"))).collect::<Vec<_>>()
        };
        assert_eq!((lines(100).len(), lines(101).len()), (10, 0));
        let later = lines(160);
        assert_eq!(later.len(), 10);
        assert!(
            later.first().is_some_and(|line| line.ends_with("(190 more lines were left out before)")),
            "{later:?}"
        );
    }
}
