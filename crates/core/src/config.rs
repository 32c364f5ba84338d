//! The tree of sections. Each section's type stands in the module that obeys it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::client::ClientAuthenticationConfig;
use crate::error::Complaint;
use crate::interaction::throttle;
use crate::issue::{access_token, authorization_code, id_token, refresh_token};
use crate::offered::{EndpointSet, Offered, Routes};
use crate::rule::{claims, scope};
use crate::{discovery, interaction, session};

/// The configuration of a provider. Everything has a default.
///
/// ```
/// let config: chancery_core::config::Config = serde_json::from_str(r#"{"session":{"idle":"1d"}}"#)?;
/// assert!(config.complaints().is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Lifetimes of access tokens.
    pub access_token: access_token::AccessTokenConfig,
    /// Lifetimes of codes and grants.
    pub authorization_code: authorization_code::AuthorizationCodeConfig,
    /// Which claims there are.
    pub claims: claims::ClaimsConfig,
    /// How clients prove who they are.
    pub client_authentication: ClientAuthenticationConfig,
    /// More for the metadata.
    pub discovery: discovery::DiscoveryConfig,
    /// Which endpoints are on.
    pub endpoints: EndpointSet,
    /// The ID token.
    pub id_token: id_token::IdTokenConfig,
    /// The pages that a person sees on the way.
    pub interaction: interaction::InteractionConfig,
    /// Lifetimes of refresh tokens.
    pub refresh_token: refresh_token::RefreshTokenConfig,
    /// Where the endpoints are.
    pub routes: Routes,
    /// Which scopes there are.
    pub scopes: scope::ScopesConfig,
    /// Lifetimes of sessions.
    pub session: session::SessionConfig,
    /// Against guessing.
    pub throttle: throttle::ThrottleConfig,
}

impl Config {
    /// What a provider with this configuration offers.
    #[must_use]
    pub fn offered(&self) -> Offered {
        Offered::at(self.endpoints.clone())
    }

    /// Everything that is wrong with it.
    #[must_use]
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = self.routes.complaints();
        let mut demand = |is_kept: bool, setting: &str, rule: &str, section: &'static str| {
            if !is_kept {
                complaints.push(Complaint::new(setting, rule, section));
            }
        };
        let lifetimes = [
            ("access_token.opaque", self.access_token.opaque),
            ("access_token.jwt", self.access_token.jwt),
            ("access_token.client_credentials", self.access_token.client_credentials),
            ("authorization_code.lifetime", self.authorization_code.lifetime),
            ("authorization_code.remembered", self.authorization_code.remembered),
            ("authorization_code.grant", self.authorization_code.grant),
            ("id_token.lifetime", self.id_token.lifetime),
            ("interaction.lifetime", self.interaction.lifetime),
            ("interaction.consent", self.interaction.consent),
            ("refresh_token.idle", self.refresh_token.idle),
            ("refresh_token.absolute", self.refresh_token.absolute),
            ("session.idle", self.session.idle),
            ("session.absolute", self.session.absolute),
            ("throttle.first_wait", self.throttle.first_wait),
            ("throttle.longest_wait", self.throttle.longest_wait),
        ];
        for (setting, lifetime) in lifetimes {
            demand(lifetime >= Duration::from_secs(1), setting, "must be at least 1s", "RFC 6749 section 5.1");
        }
        let (code, refresh, session) = (&self.authorization_code, &self.refresh_token, &self.session);
        let ten_minutes = Duration::from_secs(600);
        demand(
            code.lifetime <= ten_minutes,
            "authorization_code.lifetime",
            "must be at most 10m",
            "RFC 6749 section 4.1.2",
        );
        demand(
            code.remembered >= self.access_token.opaque.max(self.access_token.jwt),
            "authorization_code.remembered",
            "must not be shorter than the life of an access token, which a late replay of the code has to end",
            "RFC 6749 section 4.1.2",
        );
        demand(
            code.grant >= refresh.absolute && code.grant >= self.access_token.opaque,
            "authorization_code.grant",
            "must not be shorter than refresh_token.absolute and access_token.opaque, which live under it",
            "RFC 6749 section 1.5",
        );
        demand(
            refresh.idle <= refresh.absolute,
            "refresh_token.idle",
            "must not be longer than refresh_token.absolute",
            "RFC 9700 section 4.14.2",
        );
        demand(
            refresh.grace <= Duration::from_secs(300),
            "refresh_token.grace",
            "must be at most 5m: within it a stolen token and its owner's look alike",
            "RFC 9700 section 4.14.2",
        );
        demand(
            session.idle <= session.absolute,
            "session.idle",
            "must not be longer than session.absolute",
            "OIDC Core section 3.1.2.3",
        );
        demand(
            self.throttle.first_wait <= self.throttle.longest_wait,
            "throttle.first_wait",
            "must not be longer than throttle.longest_wait",
            "RFC 6749 section 10.10",
        );
        demand(self.throttle.failures > 0, "throttle.failures", "must be at least 1", "RFC 6749 section 10.10");
        demand(
            self.throttle.name_failures > 0,
            "throttle.name_failures",
            "must be at least 1",
            "RFC 6749 section 10.10",
        );
        demand(
            self.throttle.network_failures > 0,
            "throttle.network_failures",
            "must be at least 1",
            "RFC 6749 section 10.10",
        );
        complaints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(json: &str) -> Vec<String> {
        let config: Config = serde_json::from_str(json).unwrap();
        config.complaints().into_iter().map(|complaint| complaint.setting).collect()
    }

    /// CONF-05, CONF-06: one row per rule.
    #[test]
    fn what_is_wrong_is_said() {
        let rows = [
            (r#"{"routes":{"token":"token"}}"#, "routes.token"),
            (r#"{"routes":{"token":"/token/"}}"#, "routes.token"),
            (r#"{"routes":{"token":"/t?x"}}"#, "routes.token"),
            (r#"{"routes":{"token":"/a/../b"}}"#, "routes.token"),
            (r#"{"routes":{"token":"/.well-known/x"}}"#, "routes.token"),
            (r#"{"routes":{"token":"/jwks"}}"#, "routes.token"),
            (r#"{"routes":{"userinfo":"/interaction/me"}}"#, "routes.userinfo"),
            (r#"{"access_token":{"opaque":"0s"}}"#, "access_token.opaque"),
            (r#"{"authorization_code":{"lifetime":"11m"}}"#, "authorization_code.lifetime"),
            (r#"{"authorization_code":{"remembered":"30s"}}"#, "authorization_code.remembered"),
            (r#"{"authorization_code":{"grant":"89d"}}"#, "authorization_code.grant"),
            (r#"{"refresh_token":{"idle":"91d"}}"#, "refresh_token.idle"),
            (r#"{"refresh_token":{"grace":"6m"}}"#, "refresh_token.grace"),
            (r#"{"session":{"idle":"91d"}}"#, "session.idle"),
            (r#"{"throttle":{"first_wait":"1h"}}"#, "throttle.first_wait"),
            (r#"{"throttle":{"failures":0}}"#, "throttle.failures"),
            (r#"{"throttle":{"name_failures":0}}"#, "throttle.name_failures"),
            (r#"{"throttle":{"network_failures":0}}"#, "throttle.network_failures"),
        ];
        for (json, setting) in rows {
            assert_eq!(complaints(json), [setting], "{json}");
        }
        assert!(complaints("{}").is_empty());
        assert!(complaints(r#"{"routes":{"token":"/connect/token"}}"#).is_empty());
        assert_eq!(complaints(r#"{"session":{"idle":"0s"},"id_token":{"lifetime":"0s"}}"#).len(), 2, "all at once");
    }

    /// CONF-02: an unknown name is refused, in every section.
    #[test]
    fn unknown_names_are_refused() {
        let sections = serde_json::to_string(&Config::default()).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&sections).unwrap(), Config::default());
        for section in [
            "access_token",
            "authorization_code",
            "claims",
            "client_authentication",
            "discovery",
            "endpoints",
            "id_token",
            "interaction",
            "refresh_token",
            "routes",
            "scopes",
            "session",
            "throttle",
        ] {
            assert!(serde_json::from_str::<Config>(&format!(r#"{{"{section}":{{}}}}"#)).is_ok(), "{section}");
            assert!(serde_json::from_str::<Config>(&format!(r#"{{"{section}":{{"nonsense":1}}}}"#)).is_err());
        }
        assert!(serde_json::from_str::<Config>(r#"{"nonsense":{}}"#).is_err());
    }
}
