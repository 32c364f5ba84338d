//! What a page's form or a stored interaction carries, so that the same request is read again when the person comes back.

use chancery_jose::sha256;
use chancery_types::{Malformed, Params};
use serde::{Deserialize, Serialize};

/// Who vouches for the parameters of a request, the weakest first: a client or a profile can demand one at least. It is known
/// when the request is first read, and goes with it through every page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Nobody: a browser brought them, and whoever made the link may have changed them.
    #[default]
    Browser,
}

/// A request as it waits for its person: the parameters that count, form-encoded. Nobody else knows in which form a request
/// waits, nor what makes two requests the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Carrier(String);

impl Carrier {
    /// What has to be carried for a request of these parameters.
    #[must_use]
    pub fn of(params: &Params<'_>) -> Self {
        Self(params.encode())
    }

    /// What a form sent back, to be read from the beginning. Nothing is known about it.
    ///
    /// # Errors
    /// [`Malformed`] when it is none.
    pub fn read(text: &str) -> Result<Params<'_>, Malformed> {
        Params::parse(text)
    }

    /// The parameters, to be read from the beginning.
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

    /// As a form carries it, and as a query with which the same request is started again.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}
