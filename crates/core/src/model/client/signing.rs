//! What the tokens and responses of a client are signed with if it does not say.

use chancery_jose::SigningAlgorithm;

use crate::profile::{Floor, Profile};

/// What this server signs with for its clients.
#[derive(Clone, Copy)]
pub(crate) struct Signing<'s> {
    /// The algorithms of the keys.
    pub(crate) algorithms: &'s [SigningAlgorithm],
    /// What each client is held to.
    pub(crate) floor: &'s Floor,
}

impl Signing<'_> {
    /// The algorithm for a client of this profile that names none: RS256 (OIDC Registration section 2, JARM section 3),
    /// or else, where a profile forbids that, the first that is permitted and that we sign with.
    pub(crate) fn default_for(self, client: Profile) -> SigningAlgorithm {
        let permitted = &self.floor.demands(client).algorithms;
        let standard = SigningAlgorithm::Rs256;
        let is_ours = |alg: &SigningAlgorithm| self.algorithms.contains(alg);
        let first = || SigningAlgorithm::ALL.into_iter().find(|alg| permitted.has(alg) && is_ours(alg));
        // If there is none, the client is refused because of the standard one.
        if permitted.has(&standard) { standard } else { first().unwrap_or(standard) }
    }
}
