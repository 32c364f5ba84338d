//! The request that a page's form or a stored interaction carries, so that the same request is read again
//! when the person comes back.

use chancery_jose::sha256;
use chancery_types::{Malformed, Params};
use serde::{Deserialize, Serialize};

/// Who vouches for the parameters of a request; a client or a profile can demand it. It is determined when the
/// request is first read and stays with it through every page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nobody: a browser sent them, and whoever made the link may have changed them.
    #[default]
    Browser,
    /// The client, which has signed all of them as a request object (RFC 9101).
    Signed,
    /// The client, which has sent them by itself (RFC 9126).
    Pushed,
    /// The client, which has sent them by itself, and signed.
    PushedAndSigned,
}

impl Source {
    /// The same for a request that its client has sent by itself.
    #[must_use]
    pub fn pushed(self) -> Self {
        if self.is_signed() { Self::PushedAndSigned } else { Self::Pushed }
    }

    /// Whether the client has sent the request by itself.
    #[must_use]
    pub fn is_pushed(self) -> bool {
        matches!(self, Self::Pushed | Self::PushedAndSigned)
    }

    /// Whether the client has signed the request.
    #[must_use]
    pub fn is_signed(self) -> bool {
        matches!(self, Self::Signed | Self::PushedAndSigned)
    }
}

/// A request that waits for its person: its relevant parameters, form-encoded. Only this type knows the form
/// of a waiting request and what makes two requests the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Carrier(String);

/// A request that a form or a record has carried.
pub struct Carried<'a> {
    /// Its parameters. They are untrusted and have to be validated from the beginning.
    pub params: Params<'a>,
    /// Whether it is sealed, because its client has encrypted or pushed it.
    pub is_confidential: bool,
}

impl Carrier {
    /// The carrier for a request with these parameters.
    #[must_use]
    pub fn of(params: &Params<'_>) -> Self {
        Self(params.encode())
    }

    /// Reads what a form sent back. It is untrusted and has to be validated from the beginning.
    ///
    /// # Errors
    /// [`Malformed`] when it is none.
    pub fn read(text: &str) -> Result<Params<'_>, Malformed> {
        Params::parse(text)
    }

    /// The parameters, to be validated from the beginning.
    ///
    /// # Errors
    /// [`Malformed`] when there are none.
    pub fn params(&self) -> Result<Params<'_>, Malformed> {
        Self::read(&self.0)
    }

    /// What tells this request from others.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }

    /// The text that a form carries.
    #[must_use]
    pub fn as_text(&self) -> &str {
        &self.0
    }

    /// The text that a form carries, which is also the query that starts the same request again.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}
