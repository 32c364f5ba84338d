//! The pages on which a person decides about what was asked for in the background (CIBA Core section 8).

use std::time::Duration;

use super::{AccountView, ClientView, DetailView, FormView, ResourceView, SharedClaim};
use crate::interaction::approvals::ApprovalProblem;

/// What waits for the person.
pub struct ApprovalsView {
    /// Who is signed in; `None` where the page says that there is nothing to decide.
    pub account: Option<AccountView>,
    /// What waits, the oldest first.
    pub waiting: Vec<WaitingView>,
    /// Why there is nothing to decide.
    pub problem: Option<ApprovalProblem>,
    /// The request that the person was looking for, as its link names it: it may wait for another account of
    /// theirs.
    pub reference: Option<String>,
}

/// One of those.
pub struct WaitingView {
    /// Who asks.
    pub client: ClientView,
    /// What the client shows, too.
    pub binding_message: Option<String>,
    /// How long ago it was asked.
    pub asked_before: Duration,
    /// How long it waits.
    pub ends_in: Duration,
    /// How its link names it.
    pub reference: String,
}

/// The page of one request (CIBA Core section 7.1, RFC 10027 section 6.1.14).
pub struct ApproveView {
    /// Who asks.
    pub client: ClientView,
    /// Who is asked.
    pub account: AccountView,
    /// What the client shows, too: the person compares it.
    pub binding_message: Option<String>,
    /// This server's own scopes that are asked for.
    pub scopes: Vec<String>,
    /// Single claims that are asked for.
    pub claims: Vec<String>,
    /// What the client gets to know with these scopes and claims, as far as anything is known.
    pub shared: Vec<SharedClaim>,
    /// Those of these scopes and claims of which nothing is known, so that nothing is shared by them.
    pub unknown: Vec<String>,
    /// The resource servers to which access is asked for.
    pub resources: Vec<ResourceView>,
    /// The authorization details that are asked for.
    pub details: Vec<DetailView>,
    /// How long ago it was asked.
    pub asked_before: Duration,
    /// How long it waits.
    pub ends_in: Duration,
    /// The address that it was asked from.
    pub address: Option<String>,
    /// The form: buttons `action` = `allow`, `deny`.
    pub form: FormView,
}

/// What was decided.
pub struct ApprovalDoneView {
    /// Who asked.
    pub client: ClientView,
    /// Whether the client gets what it has asked for.
    pub is_approved: bool,
    /// What is posted for this page in another language.
    pub again: FormView,
}
