//! OpenID Connect RP-Initiated Logout 1.0 section 3.1, Back-Channel Logout 1.0 section 2.2 and Front-Channel
//! Logout 1.0 section 2: where a person may go after a logout, and where a client is notified of one.

use chancery_types::RedirectUri;
use serde::{Deserialize, Serialize};

use super::openid::is_false;
use super::{Flow, Reader, RedirectUse, flow};

/// Where a person may go after a logout, and where a client is notified that a session has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logout {
    /// Where a person may go after a logout.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// The URI that the server calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_uri: Option<Box<str>>,
    /// Whether the client cannot do without `sid` in a logout token. It is sent anyway.
    #[serde(default, skip_serializing_if = "is_false")]
    pub backchannel_logout_session_required: bool,
    /// The URI that the browser loads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_uri: Option<Box<str>>,
    /// Whether the client cannot do without `iss` and `sid` in that request. They are sent anyway.
    #[serde(default, skip_serializing_if = "is_false")]
    pub frontchannel_logout_session_required: bool,
}

impl Logout {
    pub(super) fn read(from: &mut Reader<'_>, flow: &Flow) -> Self {
        Self {
            post_logout_redirect_uris: flow::redirect_uris(
                from,
                RedirectUse::Logout.member(),
                flow.application_type,
                false,
            ),
            backchannel_logout_uri: backchannel_uri(from, flow),
            backchannel_logout_session_required: from
                .boolean("backchannel_logout_session_required")
                .unwrap_or(false),
            frontchannel_logout_uri: frontchannel_uri(from, flow),
            frontchannel_logout_session_required: from
                .boolean("frontchannel_logout_session_required")
                .unwrap_or(false),
        }
    }

    /// Whether the client has any logout URI.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.backchannel_logout_uri.is_some() || self.frontchannel_logout_uri.is_some()
    }
}

/// `https`, or `http` for a client that authenticates; without a fragment.
fn backchannel_uri(from: &mut Reader<'_>, flow: &Flow) -> Option<Box<str>> {
    const SECTION: &str = "OIDC Back-Channel Logout section 2.2";
    let name = "backchannel_logout_uri";
    let uri = from.url(name, !flow.is_public())?;
    match RedirectUri::parse(&uri) {
        Ok(_) => Some(uri),
        Err(_) => {
            from.complain_by(name, "must not have a fragment", SECTION);
            None
        }
    }
}

/// Longest `frontchannel_logout_uri` in bytes: with `iss` and `sid` it has to be a URL that every server reads.
const LONGEST_FRAME: usize = 1536;

/// Of the scheme, host and port of one of the redirect URIs: a page of the client, in a frame of ours.
fn frontchannel_uri(from: &mut Reader<'_>, flow: &Flow) -> Option<Box<str>> {
    const SECTION: &str = "OIDC Front-Channel Logout section 2";
    let name = "frontchannel_logout_uri";
    let uri = from.url(name, true)?;
    let Ok(parsed) = RedirectUri::parse(&uri) else {
        from.complain_by(name, "must not have a fragment", SECTION);
        return None;
    };
    if uri.len() > LONGEST_FRAME {
        from.complain_by(name, "must not be longer than 1536 bytes", SECTION);
        return None;
    }
    let origin = parsed.origin();
    if origin.is_none() || !flow.redirect_uris.iter().any(|redirect| redirect.origin() == origin) {
        from.complain_by(name, "must have scheme, host and port of one of the redirect_uris", SECTION);
        return None;
    }
    Some(uri)
}
