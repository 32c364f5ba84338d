//! What one part of the settings needs of another, without which no client would be served.

use chancery_core::config::Config;
use chancery_core::error::Complaint;

use super::Settings;

/// Certificates that clients are to call with, where nothing asks for them.
pub(super) fn unseen_certificates(settings: &Settings, engine: &Config) -> Option<Complaint> {
    let rule = "needs certificates: give tls.mtls_listen, or http.client_certificate behind a proxy";
    let is_missing = engine.mtls.is_on() && !settings.can_see_certificates();
    is_missing.then(|| Complaint::new("mtls", rule, "RFC 8705 section 2"))
}
