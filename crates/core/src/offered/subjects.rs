//! OIDC Core section 8: the subject identifier types that clients may be registered for.
//! Config     `[subjects]`
//! Discovery  `subject_types_supported`

use chancery_types::iana::SubjectType;
use serde::{Deserialize, Serialize};

use crate::error::{Complaint, SectionCheck};

/// `[subjects]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubjectsConfig {
    /// What clients may be registered for. The first is for those that do not say; a client that is registered
    /// already keeps what it has.
    pub types: Vec<SubjectType>,
}

impl Default for SubjectsConfig {
    fn default() -> Self {
        Self { types: SubjectType::ALL.to_vec() }
    }
}

impl SubjectsConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        let is_repeated = self
            .types
            .iter()
            .enumerate()
            .any(|(at, one)| self.types.iter().skip(at + 1).any(|other| other == one));
        SectionCheck::of("subjects")
            .demand(
                !self.types.is_empty() && !is_repeated,
                "types",
                "must be public, pairwise or both, each once",
                "OIDC Core section 8",
            )
            .complaints()
    }
}
