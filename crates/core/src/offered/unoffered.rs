//! What a profile demands and this provider does not offer. Whoever is held to such a demand would be refused at every
//! request, so that neither the configuration nor a registration may say so.

use chancery_jose::SigningAlgorithm;
use chancery_types::iana::{ClientAuthenticationMethod, ResponseType};

use super::{Endpoint, Offered};
use crate::error::{Complaint, listed};
use crate::profile::{BindingMethod, Demands};

impl Offered {
    /// A complaint about this setting if requests have to be pushed and cannot be.
    pub(crate) fn unpushed(&self, setting: &str, demands: &Demands) -> Option<Complaint> {
        let section = demands.pushed?;
        let is_missing = !self.endpoints.has(Endpoint::PushedAuthorizationRequest);
        let rule = "needs pushed requests, which are not offered here: set pushed_requests.offered";
        is_missing.then(|| Complaint::new(setting, rule, section))
    }

    /// A complaint about this setting if access tokens have to be bound to their sender and cannot be.
    pub(crate) fn unbound(&self, setting: &str, demands: &Demands) -> Option<Complaint> {
        let section = demands.bound_tokens()?;
        let has_algorithm = self.dpop_algorithms.iter().any(|alg| demands.algorithms.has(alg));
        let of_dpop = if self.has_dpop() { "dpop.algorithms" } else { "dpop.offered" };
        let ways = [
            (BindingMethod::Key, has_algorithm, of_dpop),
            (
                BindingMethod::Certificate,
                self.certificate_bound_access_tokens,
                "mtls.certificate_bound_access_tokens",
            ),
        ];
        let permitted: Vec<_> = ways.iter().filter(|(way, ..)| demands.bindings.has(way)).collect();
        let is_missing = !permitted.iter().any(|(_, is_on, _)| *is_on);
        let settings = listed(permitted.iter().map(|(.., setting)| *setting));
        let rule = format!("needs access tokens that are bound to their sender: set {settings}");
        is_missing.then(|| Complaint::new(setting, rule, section))
    }

    /// A complaint about this setting if the authorization response of this type has to be signed and cannot be.
    pub(crate) fn unsigned_response(
        &self,
        setting: &str,
        response_type: ResponseType,
        demands: &Demands,
    ) -> Option<Complaint> {
        let is_permitted = demands.forbids_type(response_type).is_none();
        let section = demands.forbids_response(response_type, false).filter(|_| is_permitted)?;
        let rule = format!("needs signed responses for {response_type}: set response_modes.jwt");
        (!self.has_jwt_responses()).then(|| Complaint::new(setting, rule, section))
    }

    /// A complaint about this setting if requests have to be signed and every algorithm for that is forbidden.
    pub(crate) fn unsigned_request(&self, setting: &str, demands: &Demands) -> Option<Complaint> {
        demands.signed?;
        let name = "request_objects.algorithms";
        forbidden("signed requests", &self.request_object_algorithms, demands, setting, name)
    }

    /// A complaint about this setting if clients have to authenticate by certain methods, and there is none of these.
    pub(crate) fn unauthenticated(&self, setting: &str, demands: &Demands) -> Option<Complaint> {
        let section = demands.authentication.section()?;
        let permitted = listed(demands.authentication.permitted().map(|method| method.as_str()));
        let rule = format!(
            "needs {permitted}: set client_authentication.assertion_algorithms, mtls.tls_client_auth or \
             mtls.self_signed_tls_client_auth"
        );
        let has_any = self.authentication_methods.iter().any(|method| demands.authentication.has(method));
        (!has_any).then(|| Complaint::new(setting, rule, section))
    }

    /// A complaint about this setting if whoever authenticates by this method has no algorithm left for its assertions.
    pub(crate) fn unsigned_assertion(
        &self,
        setting: &str,
        method: ClientAuthenticationMethod,
        demands: &Demands,
    ) -> Option<Complaint> {
        let is_signed = method == ClientAuthenticationMethod::PrivateKeyJwt;
        let is_meant = is_signed && self.authentication_methods.contains(&method);
        let name = "client_authentication.assertion_algorithms";
        is_meant
            .then(|| forbidden("assertions", &self.assertion_algorithms, demands, setting, name))
            .flatten()
    }
}

/// A complaint if none of these algorithms is permitted.
fn forbidden(
    what: &str,
    algorithms: &[SigningAlgorithm],
    demands: &Demands,
    setting: &str,
    name: &str,
) -> Option<Complaint> {
    let section = demands.algorithms.section()?;
    let is_missing = !algorithms.iter().any(|alg| demands.algorithms.has(alg));
    let permitted = listed(demands.algorithms.permitted().map(|alg| alg.name()));
    let rule = format!("needs {what} with {permitted}, which are not accepted here: set {name}");
    is_missing.then(|| Complaint::new(setting, rule, section))
}
