//! OpenID Connect Session Management 1.0 sections 2 and 3.2: what a browser's scripts see of who is signed in,
//! and what a client is told of it.
//! Config     `session.management`
//! Discovery  `check_session_iframe`

use chancery_jose::{base64url, sha256};
use chancery_types::handle::{RotatingHandle, Session};
use chancery_types::{ClientId, RedirectUri};

use super::LIST;
use crate::context::Env;

/// The OP User Agent state of section 3.2: it changes when somebody signs in or out in this browser, or another
/// one of those who are signed in becomes the active one.
///
/// Every script of our origin can read it, so it is a digest of the session cookie's list, of which nothing
/// can be taken back; and it names nobody, not even to those who know the sessions' keys, because the secrets
/// of the handles are part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserState(String);

impl BrowserState {
    /// The state of a browser whose session cookie has this list.
    #[must_use]
    pub fn of(sessions: &[RotatingHandle<Session>]) -> Self {
        let handles: Vec<String> = sessions.iter().take(LIST).map(RotatingHandle::reveal).collect();
        let digest = sha256(format!("browser state {}", handles.join(".")).as_bytes());
        Self(base64url::encode(digest))
    }

    /// That of a browser in which nobody is signed in.
    #[must_use]
    pub fn nobody() -> Self {
        Self::of(&[])
    }

    /// As the cookie has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the client is told, as its page in this browser will show it to the frame of `check_session.js`, which
    /// computes the same. The salt makes each value another one (section 3.2).
    pub(crate) fn session_state(&self, env: &Env, client: &ClientId, target: &RedirectUri) -> String {
        // No page has an origin that is made of a private-use scheme: the frame answers none.
        let origin = target.origin().unwrap_or_else(|| "null".to_owned());
        let salt = base64url::encode(*env.secret::<16>());
        let digest = sha256(format!("{client} {origin} {} {salt}", self.0).as_bytes());
        format!("{}.{salt}", hexadecimal(digest))
    }
}

fn hexadecimal(digest: [u8; 32]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
