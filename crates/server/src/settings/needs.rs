//! What one part of the settings needs of another, without which no client would be served.

use chancery_core::config::Config;
use chancery_core::error::Complaint;
use chancery_core::profile::BindingMethod;

use super::Settings;

/// Certificates that clients are to call with, where nothing asks for them.
pub(super) fn unseen_certificates(settings: &Settings, engine: &Config) -> Option<Complaint> {
    let rule = "needs certificates: give tls.mtls_listen, or http.client_certificate behind a proxy";
    let is_missing = engine.mtls.is_on() && !settings.can_see_certificates();
    is_missing.then(|| Complaint::new("mtls", rule, "RFC 8705 section 2"))
}

/// Access tokens that the profile demands to be bound, where they cannot be: no client would get one.
pub(super) fn unbound_tokens(engine: &Config) -> Option<Complaint> {
    let demands = engine.profile.demands();
    let section = demands.bound_tokens()?;
    let ways = [
        (BindingMethod::Key, engine.dpop.offered, "dpop.offered"),
        (
            BindingMethod::Certificate,
            engine.mtls.certificate_bound_access_tokens,
            "mtls.certificate_bound_access_tokens",
        ),
    ];
    let permitted: Vec<_> = ways.iter().filter(|(way, ..)| demands.bindings.has(way)).collect();
    if permitted.iter().any(|(_, is_on, _)| *is_on) {
        return None;
    }
    let settings: Vec<&str> = permitted.iter().map(|(.., setting)| *setting).collect();
    let rule = format!("needs access tokens that are bound to their sender: set {}", settings.join(" or "));
    Some(Complaint::new("profile", rule, section))
}
