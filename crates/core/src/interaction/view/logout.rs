//! What the pages of a logout show (OIDC RP-Initiated Logout, OIDC Front-Channel Logout).

use chancery_types::RedirectUri;

use super::{AccountView, ClientView, UnregisteredView};
use crate::error::Reason;

/// The page that asks whether to sign out (OIDC RP-Initiated Logout section 2).
pub struct LogoutConfirmView {
    /// Who asks, where that is known.
    pub client: Option<ClientView>,
    /// Who would be signed out.
    pub account: AccountView,
    /// Who is signed in beside this person in this browser.
    pub others: Vec<AccountView>,
    /// What is wrong with the application's request, so that it does not count: the person may sign out all
    /// the same, and stays here afterwards.
    pub problem: Option<&'static Reason>,
    /// The URI of that request that the client has not registered, told to developers only: whoever made the request has
    /// chosen it.
    pub unregistered: Option<UnregisteredView>,
    /// Whether the form was not looked at: it was open too long, or was another browser's.
    pub is_stale: bool,
    /// Hidden fields of the form: name and value. Buttons `action` = `logout`, `logout_all`, `stay`.
    pub fields: Vec<(&'static str, String)>,
}

/// The page after a logout request that leads nowhere else.
#[derive(Default)]
pub struct LogoutDoneView {
    /// Who asked, where that is known: the person can go on to its home page.
    pub client: Option<ClientView>,
    /// Who is signed out by this, as far as that is known.
    pub signed_out: Vec<AccountView>,
    /// Who is still signed in in this browser. Button `action` = `logout_all`, with the fields of [`again`](Self::again).
    pub others: Vec<AccountView>,
    /// Whether there was anybody to sign out: not where somebody has looked for this page, or did not want to sign in.
    pub was_signed_in: bool,
    /// Whether the person has chosen to stay signed in.
    pub is_still_signed_in: bool,
    /// What is posted for this page in another language: name and value; empty where an address shows it.
    pub again: Vec<(&'static str, String)>,
}

/// The page that loads the logout URIs of clients in frames, and goes on when they have been loaded (OIDC
/// Front-Channel Logout section 2).
pub struct LogoutFramesView {
    /// What is loaded, with `iss` and `sid`.
    pub frames: Vec<RedirectUri>,
    /// Where the person goes afterwards; `None` to stay on this page.
    pub next: Option<PostLogoutTarget>,
    /// What the page says if the person stays on it.
    pub done: LogoutDoneView,
}

/// Where a person goes after a logout: one of the client's `post_logout_redirect_uris`, and the `state` of the
/// request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostLogoutTarget {
    /// The URI that was asked for, which a registered one admits.
    pub uri: RedirectUri,
    /// `state`, to be sent along.
    pub state: Option<String>,
}
