//! What binds a page's form to its request, its browser and its session: an AEAD token in the form itself, because
//! nothing is stored for a page that anybody can fetch (architecture section 9.1).

use std::time::Duration;

use chancery_jose::{base64url, constant_time_eq, sha256};
use chancery_types::iana::ErrorCode;
use chancery_types::{Key, Timestamp};

use crate::context::Env;
use crate::error::{Fault, Reason};
use crate::keys::{DerivedKeys, KeySet};
use crate::model::StepDone;
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
    /// The page showed something else than what would be allowed now.
    pub FORM_OUTDATED = refused("form_outdated", "the page showed something else");
    /// The interaction was answered before.
    pub FORM_ANSWERED = refused("form_answered", "the request was answered before");
    /// The interaction that the page belongs to no longer exists.
    pub FORM_OF_NOTHING = refused("form_of_nothing", "the request of the page is gone");
}

/// Which page the form is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormStep {
    /// The login page.
    Login,
    /// The account chooser.
    SelectAccount,
    /// The consent page.
    Consent,
}

/// What a form token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormToken {
    /// Which page the form is on.
    pub step: FormStep,
    /// Which interaction it belongs to: the same on all pages of one, so that it is answered once.
    pub interaction: InteractionId,
    /// Digest of the request's parameters, or of the stored interaction's handle.
    pub subject: [u8; 32],
    /// Digest of the browser cookie.
    pub browser: [u8; 32],
    /// The session in which the page was shown, if there was one.
    pub session: Option<Key>,
    /// When the request was first seen (t₀).
    pub first_seen: Timestamp,
    /// When the page was made.
    pub issued_at: Timestamp,
    /// What the person had done for the request.
    pub done: Vec<StepDone>,
    /// Digest of what the page asked to be allowed; zeros where it asked nothing.
    pub shown: [u8; 32],
}

impl FormToken {
    /// Seals the token under the newest root secret.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub fn seal(&self, env: &Env, keys: &KeySet) -> Result<String, Fault> {
        let DerivedKeys { version, form_token: key, .. } = keys.newest();
        let sealed = key.seal(*env.secret::<12>(), env.realm.as_str().as_bytes(), &self.to_bytes());
        let sealed = sealed.map_err(|error| Fault::internal(error.to_string()))?;
        Ok(base64url::encode([&version.to_be_bytes()[..], &sealed].concat()))
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
        let read = || {
            let bytes = base64url::decode(text).ok()?;
            let (version, sealed) = bytes.split_first_chunk::<4>()?;
            let key = &keys.derived(u32::from_be_bytes(*version))?.form_token;
            Self::from_bytes(&key.open(env.realm.as_str().as_bytes(), sealed)?)
        };
        let token = read().ok_or(&FORM_FOREIGN)?;
        // A page that is shown again and again does not keep its request young.
        let age = now.distance(token.issued_at.min(token.first_seen));
        if age <= lifetime.min(LIFETIME) { Ok(token) } else { Err(&FORM_TOO_OLD) }
    }

    /// Whether the browser that posts the form is the one that got the page.
    #[must_use]
    pub fn is_of_browser(&self, cookie: Option<&[u8; 16]>) -> bool {
        cookie.is_some_and(|cookie| constant_time_eq(&self.browser, &sha256(cookie)))
    }

    /// A fixed layout: step, done, interaction, first seen, issued at, subject, browser, shown, session.
    fn to_bytes(&self) -> Vec<u8> {
        let step = match self.step {
            FormStep::Login => 1,
            FormStep::SelectAccount => 2,
            FormStep::Consent => 3,
        };
        let done = self.done.iter().fold(0, |bits, step| bits | bit(*step));
        let session = self.session.as_ref().map_or(&[][..], Key::as_bytes);
        [
            &[step, done][..],
            self.interaction.as_bytes(),
            &self.first_seen.millis().to_be_bytes(),
            &self.issued_at.millis().to_be_bytes(),
            &self.subject,
            &self.browser,
            &self.shown,
            session,
        ]
        .concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([step, done], rest) = bytes.split_first_chunk::<2>()?;
        let (interaction, rest) = rest.split_first_chunk::<16>()?;
        let (first_seen, rest) = rest.split_first_chunk::<8>()?;
        let (issued_at, rest) = rest.split_first_chunk::<8>()?;
        let (subject, rest) = rest.split_first_chunk::<32>()?;
        let (browser, rest) = rest.split_first_chunk::<32>()?;
        let (shown, session) = rest.split_first_chunk::<32>()?;
        let step = match step {
            1 => FormStep::Login,
            2 => FormStep::SelectAccount,
            3 => FormStep::Consent,
            _ => return None,
        };
        let all = [StepDone::Login, StepDone::SelectAccount, StepDone::Consent];
        Some(Self {
            step,
            interaction: InteractionId::from_bytes(*interaction),
            subject: *subject,
            browser: *browser,
            shown: *shown,
            session: if session.is_empty() { None } else { Some(Key::from_bytes(session)?) },
            first_seen: Timestamp::from_millis(i64::from_be_bytes(*first_seen)),
            issued_at: Timestamp::from_millis(i64::from_be_bytes(*issued_at)),
            done: all.into_iter().filter(|step| done & bit(*step) != 0).collect(),
        })
    }
}

const fn bit(step: StepDone) -> u8 {
    match step {
        StepDone::Login => 1,
        StepDone::SelectAccount => 2,
        StepDone::Consent => 4,
    }
}
