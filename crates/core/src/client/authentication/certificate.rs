//! RFC 8705, OAuth 2.0 Mutual-TLS Client Authentication and Certificate-Bound Access Tokens: section 2,
//! `tls_client_auth` and `self_signed_tls_client_auth`.
//! Config     `mtls.tls_client_auth`, `mtls.self_signed_tls_client_auth`
//! Discovery  none of its own
//!
//! The handshake has shown that the peer has the key of its certificate, and nothing else. Whose the certificate is
//! follows from the client alone whose id the request has.

use chancery_types::iana::ClientAuthenticationMethod;
use chancery_x509::{ClientCertificate, Untrusted};

use super::{Authenticator, METHOD_UNREGISTERED, authentication_failed_by};
use crate::client::keys;
use crate::context::{Call, Env};
use crate::error::{Failure, Reason};
use crate::model::Client;

const RFC8705: &str = "RFC 8705 section 2";
const RFC5280: &str = "RFC 5280 section 6";

reasons! {
    /// The client authenticates by a certificate, and the request came without one. A proxy that ends TLS has to
    /// hand it on; see the setting `http.client_certificate`. The certificate of a trusted proxy itself is nobody's.
    MISSING = authentication_failed_by("certificate_missing", RFC8705);
    /// The certificate cannot be read.
    MALFORMED = authentication_failed_by("certificate_malformed", RFC5280);
    /// The certificate has expired, or one of its chain.
    EXPIRED = authentication_failed_by("certificate_expired", RFC5280);
    /// The certificate is not valid yet.
    NOT_YET_VALID = authentication_failed_by("certificate_not_yet_valid", RFC5280);
    /// The certificate is an authority's, or its key is for something else than to authenticate a client.
    NOT_FOR_CLIENTS = authentication_failed_by("certificate_not_for_clients", RFC5280);
    /// No chain leads from the certificate to an authority that is trusted. Those in between have to be sent along.
    UNTRUSTED = authentication_failed_by("certificate_untrusted", RFC5280);
    /// The certificate does not have the name that the client is registered with.
    SUBJECT_WRONG = authentication_failed_by("certificate_subject_wrong", "RFC 8705 section 2.1");
    /// The certificate is none of those that the client has registered or publishes.
    UNREGISTERED = authentication_failed_by("certificate_unregistered", "RFC 8705 section 2.2");
}

impl Authenticator {
    /// Compares the certificate that the peer has shown with what the client is registered for.
    pub(super) async fn certified(&self, call: &Call, env: &Env, client: &Client) -> Result<(), Failure> {
        let method = client.metadata().flow.token_endpoint_auth_method;
        let is_by_name = method == ClientAuthenticationMethod::TlsClientAuth;
        let is_on = if is_by_name {
            self.mutual_tls.tls_client_auth
        } else {
            self.mutual_tls.self_signed_tls_client_auth
        };
        if !is_on {
            return METHOD_UNREGISTERED.refused();
        }
        let Some(certificate) = call.certificate.as_deref() else { return MISSING.refused() };
        if is_by_name {
            Ok(self.vouched_for(call, client, certificate)?)
        } else {
            registered(call, env, client, certificate).await
        }
    }

    /// RFC 8705 section 2.1: an authority vouches for the certificate, and it has the client's name.
    fn vouched_for(
        &self,
        call: &Call,
        client: &Client,
        certificate: &ClientCertificate,
    ) -> Result<(), &'static Reason> {
        self.authorities.check(certificate, call.now).map_err(|why| match why {
            Untrusted::Malformed => &MALFORMED,
            Untrusted::Expired => &EXPIRED,
            Untrusted::NotYetValid => &NOT_YET_VALID,
            Untrusted::NotForClients => &NOT_FOR_CLIENTS,
            Untrusted::Unknown => &UNTRUSTED,
        })?;
        let read = certificate.read().map_err(|_| &MALFORMED)?;
        let name = client.metadata().mutual_tls.certificate_subject.as_ref();
        if name.is_some_and(|name| name.is_of(&read)) { Ok(()) } else { Err(&SUBJECT_WRONG) }
    }
}

/// RFC 8705 section 2.2: the certificate is one of the client's. Nobody vouches for it, but its time counts: whoever
/// has a certificate end means to use it no longer.
async fn registered(
    call: &Call,
    env: &Env,
    client: &Client,
    certificate: &ClientCertificate,
) -> Result<(), Failure> {
    if !keys::any(call, env, client, |keys| keys.has_certificate(certificate)).await? {
        return UNREGISTERED.refused();
    }
    let Ok(read) = certificate.read() else { return MALFORMED.refused() };
    if read.is_valid_at(call.now) {
        Ok(())
    } else if read.has_begun(call.now) {
        EXPIRED.refused()
    } else {
        NOT_YET_VALID.refused()
    }
}
