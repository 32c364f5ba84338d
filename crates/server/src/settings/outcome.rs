//! What comes of reading the settings.

use chancery_core::error::Complaint;

use super::Settings;

/// Settings as far as they can be read, and everything that is wrong with them.
pub(crate) struct Read {
    /// With defaults in place of what is wrong; `None` if there is nothing to go on with.
    pub(crate) settings: Option<Settings>,
    pub(crate) complaints: Vec<Complaint>,
}

impl Read {
    /// The settings, if nothing is wrong.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub(super) fn good(self) -> Result<Settings, Vec<Complaint>> {
        match self {
            Self { settings: Some(settings), complaints } if complaints.is_empty() => Ok(settings),
            Self { complaints, .. } => Err(complaints),
        }
    }
}
