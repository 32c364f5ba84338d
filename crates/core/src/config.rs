//! The tree of sections. Each section's type stands in the module that obeys it.

use chancery_types::Issuer;
use chancery_types::iana::{BackchannelTokenDeliveryMode, ExtensionGrantName, ResponseType};
use serde::{Deserialize, Serialize};

use crate::client::{ClientAuthenticationConfig, RegistrationPolicy, StatementIssuer};
use crate::endpoint::{backchannel_authentication, registration};
use crate::error::Complaint;
use crate::interaction::throttle;
use crate::issue::{access_token, authorization_code, id_token, refresh_token};
use crate::offered::{
    AssertionAudience, ClientDefaults, CompatibilityConfig, Endpoint, EndpointSet, MutualTlsConfig, Offered,
    ResponseModesConfig, Routes, SubjectsConfig,
};
use crate::profile::{Demand, Floor, Profile};
use crate::request::{PushedRequestsConfig, RequestObjectsConfig};
use crate::rule::{claims, dpop, scope, step_up};
use crate::{discovery, interaction, session};

/// The configuration of a provider. Everything has a default.
///
/// ```
/// # mod chancery { pub use chancery_core::config::Config; }
/// use chancery::Config;
///
/// let config: Config = serde_json::from_str(r#"{"session":{"idle":"1d"}}"#)?;
/// assert!(config.complaints().is_empty());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The pages on which people see and end what they have here.
    pub account: interaction::AccountConfig,
    /// Lifetimes of access tokens.
    pub access_token: access_token::AccessTokenConfig,
    /// Lifetimes of codes and grants.
    pub authorization_code: authorization_code::AuthorizationCodeConfig,
    /// Clients that ask people at another device.
    pub ciba: backchannel_authentication::CibaConfig,
    /// Which claims there are.
    pub claims: claims::ClaimsConfig,
    /// How clients prove who they are.
    pub client_authentication: ClientAuthenticationConfig,
    /// What clients are registered for if they do not say.
    pub client_defaults: ClientDefaults,
    /// What is loosened for clients that need it.
    pub compatibility: CompatibilityConfig,
    /// Devices whose person decides in another place.
    pub device_authorization: interaction::DeviceAuthorizationConfig,
    /// More for the metadata.
    pub discovery: discovery::DiscoveryConfig,
    /// Tokens that are bound to a key of the client.
    pub dpop: dpop::DpopConfig,
    /// Which endpoints are on.
    pub endpoints: EndpointSet,
    /// The ID token.
    pub id_token: id_token::IdTokenConfig,
    /// The pages that a person sees on the way.
    pub interaction: interaction::InteractionConfig,
    /// What every client is held to.
    pub profile: Profile,
    /// Authorization requests that clients push.
    pub pushed_requests: PushedRequestsConfig,
    /// Certificates of clients.
    pub mtls: MutualTlsConfig,
    /// Lifetimes of refresh tokens.
    pub refresh_token: refresh_token::RefreshTokenConfig,
    /// Who may register clients.
    pub registration: registration::RegistrationConfig,
    /// What clients that register themselves are held to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub registration_policy: Vec<RegistrationPolicy>,
    /// Authorization requests that are JWTs.
    pub request_objects: RequestObjectsConfig,
    /// Which response modes there are besides the usual ones.
    pub response_modes: ResponseModesConfig,
    /// Where the endpoints are.
    pub routes: Routes,
    /// The application's own grant types; the builder has who answers for each.
    #[serde(skip)]
    pub extension_grants: Vec<ExtensionGrantName>,
    /// The types of authorization details; the builder has what each means.
    #[serde(skip)]
    pub authorization_details_types: Vec<String>,
    /// Which scopes there are.
    pub scopes: scope::ScopesConfig,
    /// Lifetimes of sessions.
    pub session: session::SessionConfig,
    /// Whether people can make accounts for themselves.
    pub sign_up: interaction::SignUpConfig,
    /// Which subject identifier types there are.
    pub subjects: SubjectsConfig,
    /// Who vouches for clients that register themselves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub software_statement_issuer: Vec<StatementIssuer>,
    /// Against guessing.
    pub throttle: throttle::ThrottleConfig,
    /// What UserInfo demands of the person's authentication.
    pub userinfo: step_up::RequiredAuthentication,
}

impl Config {
    /// What a provider with this configuration offers.
    #[must_use]
    pub fn offered(&self) -> Offered {
        let offered = Offered {
            subject_types: self.subjects.types.clone(),
            dpop_algorithms: self.dpop.offered_algorithms(),
            authorization_details_types: self.authorization_details_types.clone(),
            client_defaults: self.client_defaults.clone(),
            ..Offered::at(self.endpoints_on(), &self.compatibility)
                .with_assertion_algorithms(&self.client_authentication.assertion_algorithms)
                .with_request_object_algorithms(&self.request_objects.algorithms)
                .with_request_object_encryption(&self.request_objects.encryption_algorithms)
                .with_response_modes(&self.response_modes)
                .with_delivery_modes(self.ciba.offered_modes())
                .with_mutual_tls(&self.mtls)
                .with_extension_grants(&self.extension_grants)
        };
        offered.held_to(self.floor())
    }

    /// What a provider with this configuration offers at this issuer. One that is `http` on a loopback address is in
    /// development, and so may be its web clients: they may have such redirect URIs, too.
    #[must_use]
    pub fn offered_at(&self, issuer: &Issuer) -> Offered {
        let mut offered = self.offered();
        offered.redirects.http_loopback |= !issuer.is_https();
        offered
    }

    /// What clients may and have to push: what the section says, and what the profile demands.
    #[must_use]
    pub fn pushed_requests(&self) -> PushedRequestsConfig {
        let is_demanded = self.profile.demands().pushed.is_some();
        PushedRequestsConfig {
            offered: self.pushed_requests.offered || is_demanded,
            required: self.pushed_requests.required || is_demanded,
            ..self.pushed_requests.clone()
        }
    }

    /// Which endpoints are on: those of `[endpoints]`, and those that a section of their own switches on.
    #[must_use]
    pub fn endpoints_on(&self) -> EndpointSet {
        let mut on = self.endpoints.clone();
        on.switch(Endpoint::PushedAuthorizationRequest, self.pushed_requests().offered);
        on.switch(Endpoint::BackchannelAuthentication, self.ciba.offered);
        on.switch(Endpoint::DeviceAuthorization, self.device_authorization.offered);
        on.switch(Endpoint::Approvals, self.ciba.offered);
        on.switch(Endpoint::UserCode, self.device_authorization.offered);
        // Nobody could sign in there.
        if self.interaction.location.is_some() {
            on.switch(Endpoint::Account, false);
        }
        on.switch(Endpoint::CheckSession, self.session.management);
        on.switch(Endpoint::Registration, self.registration.is_on());
        on.switch(Endpoint::ClientConfiguration, self.registration.is_on() && self.registration.management);
        on
    }

    /// What every client is held to.
    fn floor(&self) -> Floor {
        match self.compatibility.assertion_audience {
            AssertionAudience::Issuer => Floor::of(self.profile),
            AssertionAudience::Endpoints => Floor::with_endpoint_audiences(self.profile),
        }
    }

    /// The settings that contradict what the profile demands of every client.
    fn contradictions(&self) -> Vec<Complaint> {
        let floor = self.floor();
        let demands = floor.server();
        let loosened = self.compatibility.contradictions(demands).into_iter().map(|contradiction| {
            let rule = format!("must be left out: profile is {}", self.profile.as_str());
            Complaint::new(format!("compatibility.{}", contradiction.setting), rule, contradiction.section)
        });
        let lifetime = demands.code_lifetime.filter(|demand| self.authorization_code.lifetime > demand.what);
        let lifetime = lifetime.map(|Demand { what, section }| {
            let rule = format!("must be at most {}s: profile is {}", what.as_secs(), self.profile.as_str());
            Complaint::new("authorization_code.lifetime", rule, section)
        });
        // Every response that can be asked for has to be a JWT.
        let offered = self.offered();
        let unsigned = |value: &ResponseType| demands.forbids_response(*value, false);
        let is_signed =
            self.response_modes.jwt || !offered.response_types.iter().all(|value| unsigned(value).is_some());
        let unsigned =
            offered.response_types.first().and_then(unsigned).filter(|_| !is_signed).map(|section| {
                let profile = self.profile.as_str();
                let rule =
                    format!("must be true, because only signed responses are offered: profile is {profile}");
                Complaint::new("response_modes.jwt", rule, section)
            });
        let modes = self.ciba.offered_modes();
        let pushes = demands.no_push.filter(|_| modes.contains(&BackchannelTokenDeliveryMode::Push));
        let pushes = pushes.map(|section| {
            let rule = format!("must not have push: profile is {}", self.profile.as_str());
            Complaint::new("ciba.delivery_modes", rule, section)
        });
        let missing = [
            offered.unauthenticated("profile", demands),
            offered.unsigned_request("profile", demands),
            offered.unbound("profile", demands),
        ];
        loosened.chain(lifetime).chain(unsigned).chain(pushes).chain(missing.into_iter().flatten()).collect()
    }

    /// Everything that is wrong with it. Each section knows its own rules.
    #[must_use]
    pub fn complaints(&self) -> Vec<Complaint> {
        [
            self.routes.complaints(),
            self.access_token.complaints(),
            self.account.complaints(),
            self.compatibility.complaints(self.interaction.location.is_some()),
            self.contradictions(),
            self.authorization_code.complaints(&self.access_token, &self.refresh_token),
            self.claims.complaints(),
            self.client_defaults.complaints(&self.offered()),
            self.ciba.complaints(self.interaction.location.is_some()),
            self.device_authorization.complaints(self.interaction.location.is_some()),
            self.discovery.complaints(),
            self.dpop.complaints(),
            self.id_token.complaints(),
            self.interaction.complaints(),
            self.pushed_requests().complaints(),
            self.refresh_token.complaints(),
            self.registration.complaints(
                &self.registration_policy,
                &self.software_statement_issuer,
                &self.extension_grants,
            ),
            self.session.complaints(),
            self.subjects.complaints(),
            self.throttle.complaints(),
        ]
        .concat()
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
            (r#"{"authorization_code":{"remembered":"10m"}}"#, "authorization_code.remembered"),
            (r#"{"authorization_code":{"grant":"89d"}}"#, "authorization_code.grant"),
            (r#"{"pushed_requests":{"lifetime":"11m"}}"#, "pushed_requests.lifetime"),
            (r#"{"pushed_requests":{"open_limit":0}}"#, "pushed_requests.open_limit"),
            (r#"{"pushed_requests":{"required":true}}"#, "pushed_requests.required"),
            (r#"{"refresh_token":{"idle":"91d"}}"#, "refresh_token.idle"),
            (r#"{"refresh_token":{"grace":"6m"}}"#, "refresh_token.grace"),
            (r#"{"ciba":{"lifetime":"31m"}}"#, "ciba.lifetime"),
            (r#"{"ciba":{"interval":"61s"}}"#, "ciba.interval"),
            (r#"{"ciba":{"delivery_modes":[]}}"#, "ciba.delivery_modes"),
            (r#"{"ciba":{"delivery_modes":["poll","ping","poll"]}}"#, "ciba.delivery_modes"),
            (r#"{"ciba":{"open_limit":0}}"#, "ciba.open_limit"),
            (r#"{"ciba":{"binding_message_length":0}}"#, "ciba.binding_message_length"),
            (r#"{"ciba":{"binding_message_length":201}}"#, "ciba.binding_message_length"),
            (
                r#"{"ciba":{"offered":true,"delivery_modes":["poll","push"]},"profile":"fapi2-security","dpop":{"offered":true}}"#,
                "ciba.delivery_modes",
            ),
            (r#"{"claims":{"locales":["de","de_CH"]}}"#, "claims.locales"),
            (r#"{"claims":{"locales":[""]}}"#, "claims.locales"),
            (r#"{"claims":{"extra":["a",""]}}"#, "claims.extra"),
            (r#"{"claims":{"extra":["iss#de"]}}"#, "claims.extra"),
            (r#"{"claims":{"scopes":{"staff":["badge","sub"]}}}"#, "claims.scopes"),
            (r#"{"claims":{"scopes":{"staff":[""]}}}"#, "claims.scopes"),
            (r#"{"registration":{"management":true}}"#, "registration.management"),
            (r#"{"registration":{"policies":[]}}"#, "registration.policies"),
            (r#"{"registration":{"policies":["partners"]}}"#, "registration.policies"),
            (r#"{"registration_policy":[{"name":""}]}"#, "registration_policy"),
            (r#"{"registration_policy":[{"name":"a"},{"name":"a"}]}"#, "registration_policy"),
            (r#"{"registration_policy":[{"secret_lifetime":"0s"}]}"#, "registration_policy"),
            (r#"{"session":{"idle":"91d"}}"#, "session.idle"),
            (r#"{"subjects":{"types":[]}}"#, "subjects.types"),
            (r#"{"subjects":{"types":["pairwise","pairwise"]}}"#, "subjects.types"),
            (r#"{"discovery":{"extra":{"issuer":"https://a.example"}}}"#, "discovery.extra.issuer"),
            (r#"{"dpop":{"algorithms":[]}}"#, "dpop.algorithms"),
            (r#"{"dpop":{"algorithms":["ES256","HS256"]}}"#, "dpop.algorithms"),
            (r#"{"dpop":{"proof_lifetime":"301s"}}"#, "dpop.proof_lifetime"),
            (r#"{"dpop":{"clock_tolerance":"301s"}}"#, "dpop.clock_tolerance"),
            (r#"{"ciba":{"person_limit":0}}"#, "ciba.person_limit"),
            (r#"{"ciba":{"notify":{"url":"http://hook.example/"}}}"#, "ciba.notify.url"),
            (r#"{"ciba":{"notify":{"url":"https://hook.example/#x"}}}"#, "ciba.notify.url"),
            (
                r#"{"ciba":{"offered":true},"interaction":{"location":"https://login.example/"}}"#,
                "ciba.offered",
            ),
            (r#"{"device_authorization":{"lifetime":"31m"}}"#, "device_authorization.lifetime"),
            (r#"{"device_authorization":{"interval":"61s"}}"#, "device_authorization.interval"),
            (r#"{"device_authorization":{"open_limit":0}}"#, "device_authorization.open_limit"),
            (r#"{"device_authorization":{"account_guesses":0}}"#, "device_authorization.account_guesses"),
            (r#"{"device_authorization":{"network_guesses":0}}"#, "device_authorization.network_guesses"),
            (
                r#"{"device_authorization":{"user_code_mask":"******"}}"#,
                "device_authorization.user_code_mask",
            ),
            (
                r#"{"device_authorization":{"user_code_mask":"****-****","user_code_alphabet":"digits"}}"#,
                "device_authorization.user_code_mask",
            ),
            (
                r#"{"device_authorization":{"offered":true},"interaction":{"location":"https://login.example/"}}"#,
                "device_authorization.offered",
            ),
            (r#"{"throttle":{"first_wait":"1h"}}"#, "throttle.first_wait"),
            (r#"{"throttle":{"failures":0}}"#, "throttle.failures"),
            (r#"{"throttle":{"name_failures":0}}"#, "throttle.name_failures"),
            (r#"{"throttle":{"network_failures":0}}"#, "throttle.network_failures"),
        ];
        for (json, setting) in rows {
            assert_eq!(complaints(json), [setting], "{json}");
        }
        // Shorter than access tokens of either format live.
        let both = complaints(r#"{"authorization_code":{"remembered":"30s"}}"#);
        assert_eq!(both, ["authorization_code.remembered"; 2]);
        assert!(complaints("{}").is_empty());
        assert!(complaints(r#"{"routes":{"token":"/connect/token"}}"#).is_empty());
        assert_eq!(
            complaints(r#"{"session":{"idle":"0s"},"id_token":{"lifetime":"0s"}}"#).len(),
            2,
            "all at once"
        );
    }

    /// CONF-05: every lifetime and wait is at least a second, whichever section it stands in.
    #[test]
    fn nothing_lives_for_less_than_a_second() {
        let lifetimes = [
            ("access_token", &["opaque", "jwt", "client_credentials"][..]),
            ("account", &["fresh_login"]),
            ("authorization_code", &["lifetime", "remembered", "grant"]),
            ("ciba", &["lifetime", "interval"]),
            ("device_authorization", &["lifetime", "interval"]),
            ("dpop", &["proof_lifetime"]),
            ("id_token", &["lifetime"]),
            ("interaction", &["lifetime", "consent"]),
            ("pushed_requests", &["lifetime"]),
            ("refresh_token", &["idle", "absolute"]),
            ("registration", &["unused_lifetime"]),
            ("session", &["idle", "absolute"]),
            ("throttle", &["first_wait", "longest_wait"]),
        ];
        for (section, settings) in lifetimes {
            for setting in settings {
                let found = complaints(&format!(r#"{{"{section}":{{"{setting}":"0s"}}}}"#));
                assert!(found.contains(&format!("{section}.{setting}")), "{section}.{setting}: {found:?}");
            }
        }
    }

    /// CONF-02: an unknown name is refused, in every section.
    #[test]
    fn unknown_names_are_refused() {
        let sections = serde_json::to_string(&Config::default()).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&sections).unwrap(), Config::default());
        for section in [
            "access_token",
            "account",
            "authorization_code",
            "ciba",
            "claims",
            "client_authentication",
            "client_defaults",
            "compatibility",
            "device_authorization",
            "discovery",
            "dpop",
            "endpoints",
            "id_token",
            "interaction",
            "mtls",
            "pushed_requests",
            "refresh_token",
            "registration",
            "request_objects",
            "response_modes",
            "routes",
            "scopes",
            "session",
            "subjects",
            "throttle",
            "userinfo",
        ] {
            assert!(serde_json::from_str::<Config>(&format!(r#"{{"{section}":{{}}}}"#)).is_ok(), "{section}");
            assert!(serde_json::from_str::<Config>(&format!(r#"{{"{section}":{{"nonsense":1}}}}"#)).is_err());
        }
        assert!(serde_json::from_str::<Config>(r#"{"nonsense":{}}"#).is_err());
    }
}
