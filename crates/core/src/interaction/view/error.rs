//! What the error page shows.

use chancery_types::iana::ErrorCode;
use chancery_types::{ClientId, Issuer, RedirectUri};

use super::ClientView;
use crate::context::RequestId;
use crate::error::{Complaint, Failure, FaultKind, Reason};
use crate::model::RedirectUse;
use crate::request::{Mistake, PageError, UnregisteredUri};

/// The error page: before the redirect URI was verified, or when something broke here.
pub struct ErrorView {
    /// Why, when a peer may know.
    pub reason: Option<&'static Reason>,
    /// What kind of fault, when it is ours.
    pub fault: Option<FaultKind>,
    /// Who asked, where that is known: the person can go on there ([`ClientView::way_on`]).
    pub client: Option<ClientView>,
    /// Name of the request in our log.
    pub request_id: RequestId,
    /// The URI that the client has not registered, told to developers only: whoever made the request has chosen it.
    pub unregistered: Option<UnregisteredView>,
    /// What whoever develops the application can mend, told to developers only.
    pub mistake: Option<MistakeView>,
}

/// A URI to send the browser to that is not registered.
pub struct UnregisteredView {
    /// The client.
    pub client: ClientId,
    /// What it was to be used for.
    pub what_for: RedirectUse,
    /// The URI as it came.
    pub uri: Box<str>,
    /// What keeps the client from registering it.
    pub unregistrable: Option<Complaint>,
    /// Whether the client sends nobody to a login, so that registering the URI would be in vain.
    pub signs_nobody_in: bool,
    /// The command that registers it besides those that are, if it can be; or for a client that signs nobody in, the one
    /// that adds another client with it.
    pub command: Option<String>,
}

/// What whoever develops the application can mend.
pub struct MistakeView {
    /// What it is. Of a `client_id` that no client has, the beginning, if it is longer than any can be.
    pub what: Mistake,
    /// The command that helps, if there is one.
    pub command: Option<String>,
}

/// How many characters of a `client_id` that no client has are shown.
const LONGEST_SHOWN: usize = 255;

impl ErrorView {
    /// What the page of this error says, in this language.
    #[must_use]
    pub fn of(error: &PageError, issuer: &Issuer, request_id: RequestId, language: &str) -> Self {
        let (reason, fault) = match &error.failure {
            Failure::Refused(refusal) => (Some(refusal.reason), None),
            Failure::Broken(fault) => (None, Some(fault.kind())),
        };
        let mut client = error.way_on.as_deref().map(|client| ClientView::of(client, issuer));
        if let Some(client) = &mut client {
            client.speak(language);
        }
        Self { reason, fault, client, request_id, unregistered: None, mistake: None }
    }

    /// With what developers can mend, for a page that nobody else sees. The program is what they type to start `chancery`.
    #[must_use]
    pub fn for_developers(self, error: &PageError, program: Option<&str>) -> Self {
        let unregistered = error.unregistered.as_deref().map(|came| UnregisteredView::of(came, program));
        let mistake = error.mistake.as_ref().map(|mistake| MistakeView::of(mistake, program));
        Self { unregistered, mistake, ..self }
    }

    /// The error code to show.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match (self.reason, self.fault) {
            (Some(reason), _) => reason.code,
            (None, fault) => fault.unwrap_or(FaultKind::Internal).code(),
        }
    }
}

impl UnregisteredView {
    /// For a page that only developers see. The program is what they type to start `chancery`.
    #[must_use]
    pub fn of(came: &UnregisteredUri, program: Option<&str>) -> Self {
        let signs_nobody_in =
            came.what_for == RedirectUse::Response && came.client.metadata().flow.response_types.is_empty();
        let command = if signs_nobody_in { adds } else { registers };
        Self {
            client: came.client.id().clone(),
            what_for: came.what_for,
            uri: came.uri.clone(),
            unregistrable: came.unregistrable.clone(),
            signs_nobody_in,
            command: program.filter(|_| came.unregistrable.is_none()).map(|program| command(program, came)),
        }
    }
}

impl MistakeView {
    fn of(mistake: &Mistake, program: Option<&str>) -> Self {
        let arguments = match mistake {
            Mistake::ClientIdMissing | Mistake::ClientUnknown(_) => Some("client list".to_owned()),
            Mistake::ClientDisabled(id) => Some(format!("client enable {}", quoted(id.as_str()))),
            // Without any address it signs nobody in, so that the application needs another one.
            Mistake::RedirectUriMissing { registered, .. } if registered.is_empty() => {
                Some(format!("client add --kind web \\\n  --redirect-uri {SOME_ADDRESS}"))
            }
            Mistake::AnotherOrigin(_)
            | Mistake::ParameterRepeated(_)
            | Mistake::PushedRequestGone(_)
            | Mistake::RedirectUriMissing { .. } => None,
        };
        let what = match mistake {
            Mistake::ClientUnknown(came) => {
                Mistake::ClientUnknown(came.chars().take(LONGEST_SHOWN).collect())
            }
            told => told.clone(),
        };
        let command = program.zip(arguments).map(|(program, arguments)| format!("{program} {arguments}"));
        Self { what, command }
    }
}

/// The address of an application in a command, in whose place its own is to be put.
const SOME_ADDRESS: &str = "http://localhost:5173/callback";

/// The command that registers one more URI. A list is replaced as a whole, so it names all.
fn registers(program: &str, UnregisteredUri { client, what_for, uri, .. }: &UnregisteredUri) -> String {
    let flag = what_for.parameter().replace('_', "-");
    let all = client.registered_for(*what_for).iter().map(RedirectUri::as_str).chain([&**uri]);
    let flags: String = all.map(|uri| format!(" \\\n  --{flag} {}", quoted(uri))).collect();
    format!("{program} client update {}{flags}", quoted(client.id().as_str()))
}

/// The command that adds a client that signs people in. The one that came has no response type, which no URI changes.
fn adds(program: &str, UnregisteredUri { client, uri, .. }: &UnregisteredUri) -> String {
    let kind = if client.is_public() { "spa" } else { "web" };
    format!("{program} client add --kind {kind} \\\n  --redirect-uri {}", quoted(uri))
}

/// One word for a shell. What does not stand in quotes is a letter, a digit, or means nothing to a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    match word.starts_with(|c: char| c.is_ascii_alphanumeric()) && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
