//! What binds a page's form to its request, its browser and its session: an AEAD token in the form itself,
//! because nothing is stored for a page that anybody can fetch (ARCHITECTURE.md, "Invariants").

use std::time::Duration;

use chancery_jose::{base64url, constant_time_eq, sha256};
use chancery_types::iana::ErrorCode;
use chancery_types::{ClientId, Key, Params, Timestamp};
use serde::{Deserialize, Serialize};

use crate::context::{Call, Env};
use crate::error::{Fault, Reason};
use crate::event::{Endpoint, RefusedClient};
use crate::keys::KeySet;
pub(crate) use crate::keys::{open, seal};
use crate::model::{Carrier, Done, PromptName, Source};
use crate::records::InteractionId;

/// How long a page can be left open at most.
pub const LIFETIME: Duration = Duration::from_secs(3600);

/// What an event says of a form that was refused. The person sees a page, not this.
const fn refused(name: &'static str, description: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidRequest, description, section: "RFC 9700 section 4.7" }
}

reasons! {
    /// The browser did not send the cookie that every page of ours sets.
    pub FORM_WITHOUT_COOKIE = refused("form_without_cookie", "the browser sent no cookie of ours");
    /// The form carries no token, or one that this server did not make.
    pub FORM_FOREIGN = refused("form_foreign", "the form is not one of ours");
    /// The page was open for longer than `interaction.lifetime`.
    pub FORM_TOO_OLD = refused("form_too_old", "the page was open too long");
    /// The page was made for another browser.
    pub FORM_OF_ANOTHER_BROWSER = refused("form_of_another_browser", "the page is another browser's");
    /// The page was made for another request.
    pub FORM_OF_ANOTHER_REQUEST = refused("form_of_another_request", "the page is another request's");
    /// The page was shown in another session.
    pub FORM_OF_ANOTHER_SESSION = refused("form_of_another_session", "the page is another session's");
    /// Another session of the browser has got a new secret since the form was sent, which the answer must not
    /// replace by the former one.
    pub FORM_OF_FORMER_SESSION = refused("form_of_former_session", "another tab signed in at the same moment");
    /// The page showed something else than what would be allowed now.
    pub FORM_OUTDATED = refused("form_outdated", "the page showed something else");
    /// The interaction was answered before.
    pub FORM_ANSWERED = refused("form_answered", "the request was answered before");
    /// The interaction that the page belongs to no longer exists.
    pub FORM_OF_NOTHING = refused("form_of_nothing", "the request of the page is gone");
    /// The form does not carry the request that it belongs to.
    pub FORM_INCOMPLETE = Reason {
        name: "form_incomplete",
        code: ErrorCode::InvalidRequest,
        description: "the form does not carry its request",
        section: "OIDC Core section 3.1.2.3",
    };
}

/// What a form token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormToken {
    /// Which page the form is on.
    pub prompt: PromptName,
    /// Which interaction it belongs to: the same on all pages of one, so that it is answered once.
    pub interaction: InteractionId,
    /// Digest of the request's parameters, or of the stored interaction's key.
    #[serde(with = "digest")]
    pub subject: [u8; 32],
    /// Who vouched for the request when its page was made.
    pub source: Source,
    /// Digest of the browser cookie.
    #[serde(with = "digest")]
    pub browser: [u8; 32],
    /// The session in which the page was shown, if there was one.
    pub session: Option<Key>,
    /// When the request was first seen.
    pub first_seen: Timestamp,
    /// When the page was made.
    pub issued_at: Timestamp,
    /// What the person had done for the request.
    pub done: Done,
    /// Digest of what the page asked to be allowed; zeros where it asked nothing.
    #[serde(with = "digest")]
    pub shown: [u8; 32],
}

impl FormToken {
    /// Seals the token under the newest root secret.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub fn seal(&self, env: &Env, keys: &KeySet) -> Result<String, Fault> {
        seal(env, keys, FORM, self)
    }

    /// Opens a token that one of our pages carried.
    ///
    /// # Errors
    /// [`FORM_FOREIGN`], [`FORM_TOO_OLD`]
    pub fn open(
        env: &Env,
        keys: &KeySet,
        now: Timestamp,
        lifetime: Duration,
        text: &str,
    ) -> Result<Self, &'static Reason> {
        let token: Self = open(env, keys, FORM, text).ok_or(&FORM_FOREIGN)?;
        // A page that is shown again and again does not keep its request young.
        let age = now.distance(token.issued_at.min(token.first_seen));
        if age <= lifetime.min(LIFETIME) { Ok(token) } else { Err(&FORM_TOO_OLD) }
    }

    /// The token of a form that came back, if its page was made for this browser and this request.
    pub(super) fn of_form(
        (call, env): (&Call, &Env),
        keys: &KeySet,
        lifetime: Duration,
        form: &Params<'_>,
        (subject, source): (&[u8; 32], Source),
    ) -> Result<Self, &'static Reason> {
        if call.browser.is_none() {
            return Err(&FORM_WITHOUT_COOKIE);
        }
        let text = form.one("token").ok().flatten().ok_or(&FORM_FOREIGN)?;
        let token = Self::open(env, keys, call.now, lifetime, text)?;
        if !token.is_of_browser(call.browser.as_deref()) {
            return Err(&FORM_OF_ANOTHER_BROWSER);
        }
        if token.subject == *subject && token.source == source {
            Ok(token)
        } else {
            Err(&FORM_OF_ANOTHER_REQUEST)
        }
    }

    /// Which of our pages the form is on, for whichever browser and request and however long ago it was made.
    pub(super) fn page_of(env: &Env, keys: &KeySet, form: &Params<'_>) -> Option<PromptName> {
        let token: Self = open(env, keys, FORM, form.one("token").ok()??)?;
        Some(token.prompt)
    }

    /// Who vouched for this request when one of our pages was made for it; nobody, if none was.
    pub(super) fn source(
        env: &Env,
        keys: &KeySet,
        now: Timestamp,
        lifetime: Duration,
        form: &Params<'_>,
        request: &Carrier,
    ) -> Source {
        let text = form.one("token").ok().flatten();
        let token = text.and_then(|text| Self::open(env, keys, now, lifetime, text).ok());
        let of_request = token.filter(|token| token.subject == request.digest());
        of_request.map_or(Source::Browser, |token| token.source)
    }

    /// Whether the browser that posts the form is the one that got the page.
    #[must_use]
    pub fn is_of_browser(&self, cookie: Option<&[u8; 16]>) -> bool {
        cookie.is_some_and(|cookie| constant_time_eq(&self.browser, &sha256(cookie)))
    }
}

/// The form of an interaction's page.
const FORM: &str = "interaction";

/// The challenge of the page that carries this token: as unlike any other as the token, and made of it again
/// when it comes back.
pub(super) fn challenge(token: &str) -> String {
    base64url::encode(sha256(&[b"challenge", token.as_bytes()].concat()))
}

/// Tells of a form that was not looked at.
pub(super) fn form_refused(call: &Call, env: &Env, reason: &'static Reason, client: Option<&ClientId>) {
    env.record_failure(
        call,
        Endpoint::Interaction,
        client.cloned().map(RefusedClient::Claimed),
        &reason.into(),
    );
}

/// A digest as text.
pub(crate) mod digest {
    use chancery_jose::base64url;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(digest: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&base64url::encode(digest))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let bytes = base64url::decode(&String::deserialize(from)?).ok();
        bytes.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| de::Error::custom("not a digest"))
    }
}
