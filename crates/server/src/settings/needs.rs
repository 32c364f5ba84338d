//! What one part of the settings needs of another, or of what the server can do, without which no client would be served.

use std::net::SocketAddr;

use chancery_core::config::Config;
use chancery_core::error::Complaint;
use chancery_core::model::Acr;

use super::Settings;

/// Addresses that are given twice, of which the system hands out only the first: the server would not start.
pub(super) fn shared_addresses(settings: &Settings) -> Vec<Complaint> {
    let tls = settings.tls.as_ref();
    let all = [
        ("http.listen", settings.http.listen.as_slice()),
        ("tls.listen", tls.map_or(&[], |tls| &tls.listen)),
        ("tls.mtls_listen", tls.map_or(&[], |tls| &tls.mtls_listen)),
        ("management.listen", settings.management.as_slice()),
    ];
    let all: Vec<(&str, SocketAddr)> =
        all.into_iter().flat_map(|(name, list)| list.iter().map(move |address| (name, *address))).collect();
    let mut complaints = Vec::new();
    for (place, (setting, address)) in all.iter().enumerate() {
        if let Some((other, taken)) = all.iter().take(place).find(|(_, before)| overlap(*before, *address)) {
            let rule = match (setting, address) == (other, taken) {
                true => format!("{address} is there twice: remove one"),
                false => {
                    format!("{address} is taken by {taken} of {other}: give one of the two another port")
                }
            };
            complaints.push(Complaint::new(*setting, rule, "docs/configuration.md"));
        }
    }
    complaints
}

/// Whether no two sockets can listen at these addresses. At port 0 the system chooses a free one.
fn overlap(one: SocketAddr, other: SocketAddr) -> bool {
    let is_host_shared = one.ip() == other.ip() || one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && one.port() != 0 && one.is_ipv4() == other.is_ipv4() && is_host_shared
}

/// Authentication context classes that are demanded and that nobody can reach: people sign in with a password alone.
pub(super) fn unreached_classes(engine: &Config) -> impl Iterator<Item = Complaint> {
    let demanded = engine.userinfo.acr_values.iter().map(|acr| ("userinfo.acr_values", acr.0.as_ref()));
    let wanted = engine.client_defaults.default_acr_values.iter();
    let wanted = wanted.map(|acr| ("client_defaults.default_acr_values", acr.as_ref()));
    demanded.chain(wanted).filter(|(_, acr)| *acr != Acr::PASSWORD).map(|(setting, acr)| {
        let rule = format!(
            "nobody can reach {acr:?}: people sign in with a password, which is {:?}: write that, or leave it out",
            Acr::PASSWORD
        );
        Complaint::new(setting, rule, "RFC 9470 section 5")
    })
}

/// Certificates that clients are to call with, where nothing asks for them.
pub(super) fn unseen_certificates(settings: &Settings, engine: &Config) -> Option<Complaint> {
    let mtls = &engine.mtls;
    let (setting, also) = if mtls.tls_client_auth {
        let also = match settings.client_authorities.is_empty() {
            true => "; and name the authorities that vouch for clients in tls.client_authorities",
            false => "",
        };
        ("mtls.tls_client_auth", also)
    } else if mtls.self_signed_tls_client_auth {
        ("mtls.self_signed_tls_client_auth", "")
    } else {
        ("mtls.certificate_bound_access_tokens", "")
    };
    let rule = format!(
        "needs the certificates of clients: give an address in tls.mtls_listen, or set http.client_certificate behind a proxy{also}"
    );
    let is_missing = mtls.is_on() && !settings.can_see_certificates();
    is_missing.then(|| Complaint::new(setting, rule, "RFC 8705 section 2"))
}
