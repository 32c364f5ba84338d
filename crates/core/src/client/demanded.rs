//! What of a client's registration falls short of what a profile demands.

use chancery_jose::SigningAlgorithm;
use chancery_types::iana::{ClientAuthenticationMethod, ErrorCode, GrantType, ResponseType};
use chancery_types::{RedirectKind, RedirectUri, ResourceUri, Scope};

use crate::error::{Complaint, Reason, Refusal, listed};
use crate::model::client::RequestObjectAlgorithm;
use crate::model::{Client, ClientMetadata, IdTokenAlgorithm};
use crate::offered::Offered;
use crate::profile::{BindingMethod, Demands};

reasons! {
    /// The registration of the client breaks what the profile of the server, or its own, demands. `chancery check`
    /// names the demands; `chancery client update` mends the registration.
    pub PROFILE_BROKEN = Reason {
        name: "client_profile_broken",
        code: ErrorCode::UnauthorizedClient,
        description: "the registration of the client does not meet the security profile that it is held to",
        section: "RFC 6749 section 4.1.2.1",
    };
}

/// Whether the client may be used under these demands: its registration could be older than they are.
///
/// # Errors
/// [`PROFILE_BROKEN`].
pub(crate) fn meets(client: &Client, demands: &Demands) -> Result<(), Refusal> {
    let is_met = demands.are_none() || complaints(client.metadata(), demands).is_empty();
    if is_met { Ok(()) } else { PROFILE_BROKEN.refused() }
}

/// Every demand that the registration of the client breaks, or that it cannot meet on a server that offers no more than
/// this.
#[must_use]
pub fn broken_demands(client: &Client, offered: &Offered) -> Vec<Complaint> {
    let mut broken = complaints(client.metadata(), client.demands(&offered.floor));
    broken.extend(unoffered(client.metadata(), offered));
    broken
}

/// The resource servers that the client names and that this provider does not have, each with the member that names it:
/// requests for them would be refused (RFC 8707 section 2).
pub fn unknown_resources(
    client: &Client,
    is_known: impl Fn(&ResourceUri) -> bool,
) -> impl Iterator<Item = (&'static str, &ResourceUri)> {
    let own = &client.metadata().own;
    let default = own.default_resource.iter().map(|uri| ("chancery.default_resource", uri));
    let all = default.chain(own.resources.iter().map(|uri| ("chancery.resources", uri)));
    all.filter(move |(_, uri)| !is_known(uri))
}

/// What the client is held to and this server does not offer, so that it would be refused whatever it asks for.
pub(super) fn unoffered(metadata: &ClientMetadata, offered: &Offered) -> Vec<Complaint> {
    let (flow, demands) = (&metadata.flow, offered.floor.demands(metadata.own.profile));
    let own = "chancery.profile";
    let mut complaints = Vec::new();
    complaints.extend(offered.unsigned_assertion(own, flow.token_endpoint_auth_method, demands));
    if !flow.response_types.is_empty() {
        complaints.extend(offered.unpushed(own, demands));
        complaints.extend(offered.unsigned_request(own, demands));
    }
    let unsigned = |value: &ResponseType| offered.unsigned_response("response_types", *value, demands);
    complaints.extend(flow.response_types.iter().filter_map(unsigned));
    if !flow.grant_types.is_empty() {
        complaints.extend(offered.unbound(own, demands));
    }
    complaints
}

/// Every demand that this metadata breaks.
pub(crate) fn complaints(metadata: &ClientMetadata, demands: &Demands) -> Vec<Complaint> {
    let mut broken = Broken { demands, complaints: Vec::new() };
    broken.authentication(metadata);
    broken.algorithms(metadata);
    broken.responses(metadata);
    broken.redirects(metadata);
    broken.bindings(metadata);
    broken.ciba(metadata);
    broken.own(metadata);
    broken.complaints
}

/// What forbids a redirect URI that the client's type may have.
pub(crate) fn of_redirect_uri(uri: &RedirectUri, demands: &Demands) -> Option<Complaint> {
    let section = demands.redirects.forbids(&uri.kind())?;
    let permitted = listed(demands.redirects.permitted().map(|kind| match kind {
        RedirectKind::HttpLoopback => "http on a loopback host",
        RedirectKind::PrivateUse => "of a scheme with a dot",
        // No profile permits any other kind.
        _ => "https",
    }));
    let rule = format!("{:?} must be {permitted}", uri.as_str());
    Some(Complaint::new("redirect_uris", rule, section))
}

struct Broken<'d> {
    demands: &'d Demands,
    complaints: Vec<Complaint>,
}

impl Broken<'_> {
    /// Complains about this member if there is a section that forbids what it says.
    fn unless(&mut self, forbidden_by: Option<&'static str>, member: &str, rule: impl FnOnce() -> String) {
        if let Some(section) = forbidden_by {
            self.complaints.push(Complaint::new(member, rule(), section));
        }
    }

    fn authentication(&mut self, metadata: &ClientMetadata) {
        let (flow, demands) = (&metadata.flow, self.demands);
        let method = flow.token_endpoint_auth_method;
        let permitted = || listed(demands.authentication.permitted().map(|method| method.as_str()));
        self.unless(demands.authentication.forbids(&method), "token_endpoint_auth_method", || {
            format!("must be {}, not {method}", permitted())
        });
        if method == ClientAuthenticationMethod::PrivateKeyJwt {
            self.key(metadata, "private_key_jwt", |alg| flow.signs_assertions(alg));
        }
        if let Some(section) = demands.signed.filter(|_| !flow.response_types.is_empty()) {
            let has_keys = metadata.jwks.is_some() || metadata.jwks_uri.is_some();
            self.unless(Some(section).filter(|_| !has_keys), "jwks", || {
                "or jwks_uri must be given, because requests have to be signed".to_owned()
            });
        }
    }

    /// Complains if none of the client's registered keys is for a permitted algorithm.
    fn key(&mut self, metadata: &ClientMetadata, what: &str, signs: impl Fn(SigningAlgorithm) -> bool) {
        let Some(jwks) = &metadata.jwks else { return };
        let algorithms = &self.demands.algorithms;
        let Some(section) = algorithms.section() else { return };
        let mut permitted =
            SigningAlgorithm::ALL.into_iter().filter(|alg| algorithms.has(alg) && signs(*alg));
        let has_key = permitted.any(|alg| jwks.keys().set().candidates(None, alg).next().is_some());
        let names = listed(algorithms.permitted().map(|alg| alg.name()));
        self.unless(Some(section).filter(|_| !has_key), "jwks", || {
            format!("must have a key for {names}, for {what}")
        });
    }

    fn algorithms(&mut self, metadata: &ClientMetadata) {
        let (openid, flow) = (&metadata.openid, &metadata.flow);
        self.algorithm("token_endpoint_auth_signing_alg", flow.token_endpoint_auth_signing_alg);
        if may_get_id_tokens(metadata) {
            match openid.id_token_signed_response_alg {
                IdTokenAlgorithm::Signed(alg) => self.algorithm("id_token_signed_response_alg", Some(alg)),
                IdTokenAlgorithm::Unsigned => self.unsigned("id_token_signed_response_alg"),
            }
        }
        self.algorithm("userinfo_signed_response_alg", openid.userinfo_signed_response_alg);
        let responses = &metadata.authorization_responses;
        let must_be_signed =
            flow.response_types.iter().any(|value| self.demands.forbids_response(*value, false).is_some());
        let of_responses = match must_be_signed {
            // Nothing else says what they are signed with.
            true => Some(responses.signing_algorithm()),
            false => responses.authorization_signed_response_alg,
        };
        self.algorithm("authorization_signed_response_alg", of_responses);
        let introspection = metadata.introspection_responses.introspection_signed_response_alg;
        self.algorithm("introspection_signed_response_alg", introspection);
        match metadata.request_objects.request_object_signing_alg {
            Some(RequestObjectAlgorithm::Signed(alg)) => {
                self.algorithm("request_object_signing_alg", Some(alg));
            }
            Some(RequestObjectAlgorithm::Unsigned) => self.unsigned("request_object_signing_alg"),
            None => {}
        }
    }

    fn algorithm(&mut self, member: &str, alg: Option<SigningAlgorithm>) {
        let Some(alg) = alg else { return };
        let algorithms = &self.demands.algorithms;
        let names = || listed(algorithms.permitted().map(|alg| alg.name()));
        self.unless(algorithms.forbids(&alg), member, || format!("must be {}, not {}", names(), alg.name()));
    }

    fn unsigned(&mut self, member: &str) {
        self.unless(self.demands.algorithms.section(), member, || "must not be none".to_owned());
    }

    fn responses(&mut self, metadata: &ClientMetadata) {
        let (flow, demands) = (&metadata.flow, self.demands);
        let modes = flow.response_modes.as_deref();
        let may_be_signed = modes.is_none_or(|modes| modes.iter().any(|mode| mode.is_jwt()));
        for response_type in &flow.response_types {
            let forbidden = demands.forbids_type(*response_type);
            self.unless(forbidden, "response_types", || format!("must not have {response_type}"));
            let forbidden = demands.forbids_response(*response_type, may_be_signed);
            self.unless(
                forbidden.filter(|_| demands.forbids_type(*response_type).is_none()),
                "response_modes",
                || format!("must have a mode whose responses are signed, for {response_type}"),
            );
        }
    }

    fn redirects(&mut self, metadata: &ClientMetadata) {
        let demands = self.demands;
        for uri in &metadata.flow.redirect_uris {
            self.complaints.extend(of_redirect_uri(uri, demands));
            self.unless(demands.exact_redirects.filter(|_| uri.has_wildcard()), "redirect_uris", || {
                format!("must not have {:?} with its wildcard", uri.as_str())
            });
        }
    }

    /// Complains about a way to bind tokens that is not permitted, without which the client would get none.
    fn bindings(&mut self, metadata: &ClientMetadata) {
        let registered = metadata.sender_constraint;
        for (is_set, way, member) in [
            (registered.dpop_bound_access_tokens, BindingMethod::Key, "dpop_bound_access_tokens"),
            (
                registered.tls_client_certificate_bound_access_tokens,
                BindingMethod::Certificate,
                "tls_client_certificate_bound_access_tokens",
            ),
        ] {
            self.unless(self.demands.bindings.forbids(&way).filter(|_| is_set), member, || {
                "must be left out, because tokens have to be bound in another way".to_owned()
            });
        }
    }

    fn ciba(&mut self, metadata: &ClientMetadata) {
        let (ciba, demands) = (&metadata.ciba, self.demands);
        if ciba.backchannel_token_delivery_mode.is_none() {
            return;
        }
        self.unless(demands.no_push.filter(|_| ciba.is_push()), "backchannel_token_delivery_mode", || {
            "must be poll or ping".to_owned()
        });
        let member = "backchannel_authentication_request_signing_alg";
        let alg = ciba.backchannel_authentication_request_signing_alg;
        self.unless(demands.signed_backchannel.filter(|_| alg.is_none()), member, || {
            "must be given, because requests have to be signed".to_owned()
        });
        self.algorithm(member, alg);
    }

    fn own(&mut self, metadata: &ClientMetadata) {
        for contradiction in metadata.own.contradictions(self.demands) {
            self.unless(Some(contradiction.section), &format!("chancery.{}", contradiction.setting), || {
                "must be left out".to_owned()
            });
        }
    }
}

/// Whether any request of the client can lead to an ID token: at the authorization endpoint, at another device, or by
/// a grant type of an application's own, which can stand for a person.
fn may_get_id_tokens(metadata: &ClientMetadata) -> bool {
    let (flow, scope) = (&metadata.flow, metadata.flow.scope.as_ref());
    let has_people = |grant: &GrantType| {
        matches!(grant, GrantType::Extension(_) | GrantType::DeviceCode | GrantType::Ciba)
    };
    let is_for_people =
        !flow.response_types.is_empty() || flow.grant_types.iter().any(has_people) || metadata.ciba.is_push();
    is_for_people && scope.is_none_or(|scope| scope.contains(Scope::OPENID))
}
