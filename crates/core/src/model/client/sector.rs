//! OIDC Core section 8.1: the sector of a client, for which its pairwise subjects are computed.

use std::collections::BTreeSet;

use chancery_types::iana::{GrantType, SubjectType};
use chancery_types::{RedirectKind, RedirectUri};

use super::{Client, ClientMetadata, Reader};
use crate::model::Sector;

const SECTION: &str = "OIDC Core section 8.1";

/// A pairwise client needs one host that is its own. Without a `sector_identifier_uri` this is the host of all
/// its redirect URIs and of what stands in their place (CIBA Core section 4); a loopback address, a private-use scheme or
/// a wildcard could be anybody's.
pub(super) fn check(from: &mut Reader<'_>, metadata: &ClientMetadata) {
    let name = "sector_identifier_uri";
    let openid = &metadata.openid;
    if openid.subject_type != SubjectType::Pairwise
        || openid.sector_identifier_uri.is_some()
        || from.has(name)
    {
        return;
    }
    let of_ciba = metadata.place_of_ciba();
    let uris: Vec<&RedirectUri> = metadata.flow.redirect_uris.iter().chain(&of_ciba).collect();
    let hosts: BTreeSet<String> = uris.iter().map(|uri| uri.host().to_ascii_lowercase()).collect();
    let is_own = |uri: &RedirectUri| uri.kind() == RedirectKind::Https && !uri.host().contains('*');
    if let Some(uri) = uris.iter().find(|uri| !is_own(uri)) {
        let rule = format!("must be given, because {uri:?} has no host that is the client's own");
        from.complain_by(name, rule, SECTION);
    } else if hosts.len() > 1 && of_ciba.is_some() {
        let rule =
            "must be given, because the redirect URIs, or what stands in their place, have several hosts";
        from.complain_by(name, rule, "CIBA Core section 4");
    } else if hosts.len() > 1 {
        from.complain_by(name, "must be given, because the redirect URIs have several hosts", SECTION);
    }
}

/// After a change of its metadata the client must know people by the same subjects. Otherwise its tokens would be
/// about others from then on (OIDC Core section 12.2), and a client that goes on in the sector of somebody else
/// would learn how people are called there.
pub(crate) fn check_same(from: &mut Reader<'_>, former: &ClientMetadata, metadata: &ClientMetadata) {
    let is_pairwise = metadata.openid.subject_type == SubjectType::Pairwise;
    let has_moved = former.host().is_some_and(|host| metadata.host() != Some(host));
    if is_pairwise && has_moved {
        let rule = "and the hosts of the redirect URIs must leave the client in its sector";
        from.complain_by("sector_identifier_uri", rule, SECTION);
    }
}

/// A logout token has the subject of the whole sector, so that it goes to a host of the sector. Redirect URIs can be
/// anybody's, but what is sent there, the registrant of the client does not see.
pub(crate) fn check_told(from: &mut Reader<'_>, metadata: &ClientMetadata) {
    let is_pairwise = metadata.openid.subject_type == SubjectType::Pairwise;
    let told = metadata.logout.backchannel_logout_uri.as_deref().filter(|_| is_pairwise);
    let Some(told) = told.and_then(|uri| RedirectUri::parse(uri).ok()) else { return };
    let host = |uri: &RedirectUri| uri.host().to_ascii_lowercase();
    let is_of_client = metadata.flow.redirect_uris.iter().any(|uri| host(uri) == host(&told));
    if !is_of_client && metadata.host() != Some(host(&told)) {
        let rule = "of a client with pairwise subjects must have the host of a redirect URI or of the sector_identifier_uri";
        from.complain_by("backchannel_logout_uri", rule, SECTION);
    }
}

/// What a device fetches comes to no redirect URI (RFC 8628 section 3.4), so that anybody could name those of somebody
/// else, or their `sector_identifier_uri`, and learn how people are called in that sector. Whoever registers itself shows
/// that the sector is its own as CIBA Core section 4 has it: it authenticates with a key that is published there. A client
/// for devices alone is a sector by itself.
pub(crate) fn check_devices(from: &mut Reader<'_>, metadata: &ClientMetadata) {
    let is_pairwise = metadata.openid.subject_type == SubjectType::Pairwise;
    let asks = is_pairwise && metadata.flow.grant_types.contains(&GrantType::DeviceCode);
    let Some(sector) = metadata.host().filter(|_| asks) else { return };
    let keys = metadata.jwks_uri.as_deref().and_then(|uri| RedirectUri::parse(uri).ok());
    if !keys.is_some_and(|uri| uri.host().eq_ignore_ascii_case(&sector)) {
        let rule = format!(
            "must be given, at the host {sector}, because subjects are pairwise and the client is for devices"
        );
        from.complain_by("jwks_uri", rule, SECTION);
    } else if !metadata.flow.authenticates_by_published_key() {
        let rule = "must be private_key_jwt or self_signed_tls_client_auth, because subjects are pairwise and the client is for devices";
        from.complain_by("token_endpoint_auth_method", rule, SECTION);
    }
}

impl ClientMetadata {
    /// The host of the `sector_identifier_uri`, or else of the redirect URIs, or of what stands in their place.
    fn host(&self) -> Option<String> {
        let uri = self.openid.sector_identifier_uri.as_ref().or(self.flow.redirect_uris.first());
        let uri = uri.cloned().or_else(|| self.place_of_ciba())?;
        Some(uri.host().to_ascii_lowercase()).filter(|host| !host.is_empty())
    }
}

impl Client {
    /// Which `sub` it gets.
    #[must_use]
    pub fn subject_type(&self) -> SubjectType {
        self.metadata().openid.subject_type
    }

    /// Its sector: the host of its `sector_identifier_uri`, or else of its redirect URIs. A client without either,
    /// to which nobody signs in, is a sector by itself.
    #[must_use]
    pub fn sector(&self) -> Sector {
        let host = self.metadata().host();
        Sector::new(host.as_deref().unwrap_or(self.id().as_str()))
    }
}
