//! What is settled about a provider when it is made: whoever builds upon one asks it here, so that both hold to the same.

use std::sync::Arc;
use std::time::Duration;

use chancery_types::{Issuer, RealmId};

use super::Provider;
use crate::context::Env;
use crate::interaction::Location;
use crate::offered::{EndpointSet, InteractionsByClient, Routes};
use crate::ports::{Clock, Configured};
use crate::rule::dpop::DpopConfig;

impl Provider {
    /// Its issuer.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.env.issuer
    }

    /// What the program has given to the registry of this provider.
    #[must_use]
    pub fn configured(&self) -> Configured {
        self.env.registry.configured(&self.env.realm)
    }

    /// Its realm in the stores.
    #[must_use]
    pub fn realm(&self) -> &RealmId {
        &self.env.realm
    }

    /// The ports that it works with.
    #[must_use]
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// The paths of its endpoints.
    #[must_use]
    pub fn routes(&self) -> &Routes {
        &self.components.config.routes
    }

    /// Which of its endpoints are on.
    #[must_use]
    pub fn endpoints(&self) -> EndpointSet {
        self.components.config.endpoints_on()
    }

    /// Where the pages are, if they are on another origin.
    #[must_use]
    pub fn pages_location(&self) -> Option<&Location> {
        self.components.config.interaction.location.as_ref()
    }

    /// How such pages say which client they are about, if their URL carries no handle.
    #[must_use]
    pub fn interactions_by_client(&self) -> Option<&InteractionsByClient> {
        let by_client = &self.components.config.compatibility.stored_interactions_by_client;
        Some(by_client).filter(|by_client| by_client.is_on())
    }

    /// The longest time for which a session cookie can be valid.
    #[must_use]
    pub fn session_lifetime(&self) -> Duration {
        self.components.config.session.absolute
    }

    /// How it judges DPoP proofs.
    #[must_use]
    pub fn dpop_config(&self) -> &DpopConfig {
        &self.components.config.dpop
    }

    /// The clock that [`Provider::now`] asks.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
}
