//! Security profiles: what each of them demands, beyond what every request is held to (RFC 9700).
//! Config     `profile`, also of a client
//! Discovery  none; what a profile of the server forbids is missing from what is offered
//!
//! A profile is compiled to [`Demands`] once, and rules compare with these: no rule asks which profile it is.
//! The profile of the server is a floor. A client can be held to another one besides, but never to less.

use serde::{Deserialize, Serialize};

mod demands;
pub use demands::{Among, BindingMethod, Demand, Demands, Response, Section};

mod fapi;

/// What a provider or a client is held to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Profile {
    /// RFC 9700, unless a compatibility setting leaves it.
    #[default]
    Baseline,
    /// FAPI 1.0, part 2: Advanced.
    #[serde(rename = "fapi1-advanced")]
    Fapi1Advanced,
    /// FAPI 2.0 Security Profile.
    #[serde(rename = "fapi2-security")]
    Fapi2Security,
    /// FAPI 2.0 Message Signing, which includes the Security Profile.
    #[serde(rename = "fapi2-message-signing")]
    Fapi2MessageSigning,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 4] =
        [Self::Baseline, Self::Fapi1Advanced, Self::Fapi2Security, Self::Fapi2MessageSigning];

    /// As it is written in settings.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Fapi1Advanced => "fapi1-advanced",
            Self::Fapi2Security => "fapi2-security",
            Self::Fapi2MessageSigning => "fapi2-message-signing",
        }
    }

    /// Whether it demands nothing by itself.
    #[must_use]
    pub fn is_baseline(&self) -> bool {
        *self == Self::Baseline
    }

    /// What it demands.
    #[must_use]
    pub fn demands(self) -> Demands {
        match self {
            Self::Baseline => Demands::default(),
            Self::Fapi1Advanced => fapi::advanced(),
            Self::Fapi2Security => fapi::security(),
            Self::Fapi2MessageSigning => fapi::message_signing(),
        }
    }
}

/// What the requests of each client are held to: the demands of the server's profile and those of the client's
/// own, the stricter one of each.
///
/// ```
/// # mod chancery { pub use chancery_core::profile::Profile; }
/// # use chancery_core::profile::Floor;
/// use chancery::Profile;
///
/// let floor = Floor::of(Profile::Baseline);
/// assert!(floor.demands(Profile::Baseline).pushed.is_none());
/// assert!(floor.demands(Profile::Fapi2Security).pushed.is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    server: Profile,
    /// In the order of [`Profile::ALL`].
    of_clients: [Demands; 4],
}

impl Floor {
    /// The floor of a server with this profile.
    #[must_use]
    pub fn of(server: Profile) -> Self {
        Self::made(server, &server.demands())
    }

    /// The floor of a server with this profile whose clients may have assertions for endpoints, as the drafts of
    /// FAPI 2.0 had them. A client's own profile may still demand the issuer.
    #[must_use]
    pub fn with_endpoint_audiences(server: Profile) -> Self {
        Self::made(server, &Demands { sole_audience: None, ..server.demands() })
    }

    fn made(server: Profile, floor: &Demands) -> Self {
        let demands = |client: Profile| match client == server {
            true => client.demands(),
            false => floor.clone().and(client.demands()),
        };
        Self { server, of_clients: Profile::ALL.map(demands) }
    }

    /// The profile of the server.
    #[must_use]
    pub fn profile(&self) -> Profile {
        self.server
    }

    /// What every client is held to.
    #[must_use]
    pub fn server(&self) -> &Demands {
        self.demands(Profile::Baseline)
    }

    /// What a client with this profile of its own is held to.
    #[must_use]
    pub fn demands(&self, client: Profile) -> &Demands {
        let [baseline, fapi1_advanced, fapi2_security, fapi2_message_signing] = &self.of_clients;
        match client {
            Profile::Baseline => baseline,
            Profile::Fapi1Advanced => fapi1_advanced,
            Profile::Fapi2Security => fapi2_security,
            Profile::Fapi2MessageSigning => fapi2_message_signing,
        }
    }
}

impl Default for Floor {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chancery_jose::SigningAlgorithm;
    use chancery_types::iana::{ClientAuthenticationMethod, ResponseType};

    use super::*;

    #[test]
    fn names_are_those_of_the_settings() {
        for profile in Profile::ALL {
            assert_eq!(serde_json::to_value(profile).unwrap(), profile.as_str());
        }
    }

    /// FAPI-01: a client's own profile adds to that of the server and takes nothing away, in whichever order.
    #[test]
    fn the_stricter_demand_counts() {
        for server in Profile::ALL {
            for client in Profile::ALL {
                let (one, other) = (Floor::of(server), Floor::of(client));
                let (one, other) = (one.demands(client), other.demands(server));
                for demands in [one, other] {
                    for alone in [server.demands(), client.demands()] {
                        assert!(demands.pushed.is_some() || alone.pushed.is_none());
                        assert!(demands.signed.is_some() || alone.signed.is_none());
                        assert!(demands.pkce.is_some() || alone.pkce.is_none());
                        assert!(demands.no_rotation.is_some() || alone.no_rotation.is_none());
                        for alg in SigningAlgorithm::ALL {
                            assert!(!demands.algorithms.has(&alg) || alone.algorithms.has(&alg));
                        }
                        for response_type in ResponseType::ALL {
                            assert!(
                                demands.forbids_type(*response_type).is_some()
                                    || alone.forbids_type(*response_type).is_none()
                            );
                        }
                    }
                }
                let life = |demands: &Demands| demands.code_lifetime.map(|demand| demand.what);
                assert_eq!(life(one), life(other));
            }
        }
        let both = Floor::of(Profile::Fapi1Advanced);
        let both = both.demands(Profile::Fapi2Security);
        assert!(both.pushed.is_some() && both.signed.is_some());
        assert_eq!(both.code_lifetime.unwrap().what, Duration::from_secs(60));
        assert!(!both.bindings.has(&BindingMethod::Key) && both.bindings.has(&BindingMethod::Certificate));
        // FAPI 1.0 has `code` only in a signed response, FAPI 2.0 has no ID token in it.
        assert!(both.forbids_type(ResponseType::CodeIdToken).is_some());
        assert!(both.forbids_type(ResponseType::Code).is_none());
        assert!(both.forbids_response(ResponseType::Code, false).is_some());
        assert!(both.forbids_response(ResponseType::Code, true).is_none());
    }

    #[test]
    fn the_baseline_demands_nothing() {
        let floor = Floor::default();
        let demands = floor.server();
        assert_eq!(*demands, Demands::default());
        assert!(SigningAlgorithm::ALL.iter().all(|alg| demands.algorithms.has(alg)));
        assert!(ClientAuthenticationMethod::ALL.iter().all(|method| demands.authentication.has(method)));
        assert!(ResponseType::ALL.iter().all(|of| demands.forbids_response(*of, false).is_none()));
    }
}
