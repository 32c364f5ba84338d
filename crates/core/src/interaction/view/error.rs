//! What the error page shows.

use chancery_types::iana::ErrorCode;

use super::ClientView;
use crate::context::RequestId;
use crate::error::{Failure, FaultKind, Reason};
use crate::request::PageError;

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
}

impl ErrorView {
    /// What the page of this error says, in this language.
    #[must_use]
    pub fn of(error: &PageError, request_id: RequestId, language: &str) -> Self {
        let (reason, fault) = match &error.failure {
            Failure::Refused(refusal) => (Some(refusal.reason), None),
            Failure::Broken(fault) => (None, Some(fault.kind())),
        };
        let mut client = error.way_on.as_deref().map(ClientView::of);
        if let Some(client) = &mut client {
            client.speak(language);
        }
        Self { reason, fault, client, request_id }
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
