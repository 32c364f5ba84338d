//! RFC 7591, OAuth 2.0 Dynamic Client Registration Protocol: section 2, client metadata; OpenID Connect
//! Dynamic Client Registration 1.0: section 2.

use chancery_jose::{KeyManagementAlgorithm, SigningAlgorithm};
use chancery_types::RedirectUri;
use chancery_types::iana::{ClientAuthenticationMethod, SubjectType};
use serde::{Deserialize, Serialize};

use super::openid::OIDC;
use super::request_objects::ENCRYPTION_ALG;
use super::{
    AuthorizationResponses, Ciba, Description, Flow, IdTokenAlgorithm, IntrospectionResponses, Jwks, Logout,
    MutualTls, OpenId, OwnSettings, Reader, RequestObjects, SenderConstraint, Signing, ciba, keys, sector,
    unsupported,
};

/// Client metadata as it was registered, grouped by specification. As JSON it is the flat object of RFC 7591
/// section 2, so that stored metadata can be shown again. A new member is a field of its group and a line in
/// that group's `read`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// What people are told about the client.
    #[serde(flatten)]
    pub description: Description,
    /// What OAuth needs to know about the client.
    #[serde(flatten)]
    pub flow: Flow,
    /// Its public keys. They stand here and not in a group because a flattened group cannot keep JSON as it
    /// was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Jwks>,
    /// Where it publishes its public keys, if they are not registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<Box<str>>,
    /// What OpenID Connect adds.
    #[serde(flatten)]
    pub openid: OpenId,
    /// Where a person may go after a logout, and where the client is notified of one.
    #[serde(flatten)]
    pub logout: Logout,
    /// How it wants the responses to its requests as JWTs.
    #[serde(flatten)]
    pub authorization_responses: AuthorizationResponses,
    /// How it wants the answers to its introspections as JWTs.
    #[serde(flatten)]
    pub introspection_responses: IntrospectionResponses,
    /// How it sends its requests as JWTs.
    #[serde(flatten)]
    pub request_objects: RequestObjects,
    /// How it asks people at another device.
    #[serde(flatten)]
    pub ciba: Ciba,
    /// Whether its access tokens are good only in its own hands.
    #[serde(flatten)]
    pub sender_constraint: SenderConstraint,
    /// Its certificate.
    #[serde(flatten)]
    pub mutual_tls: MutualTls,
    /// The one member that is Chancery's own.
    #[serde(default, rename = "chancery")]
    pub own: OwnSettings,
}

impl ClientMetadata {
    /// Reads every known member; the reader collects what is wrong and what is left out. Unknown members are
    /// ignored, as RFC 7591 section 2 requires.
    ///
    /// `own` are the settings of a client that registers itself, which cannot choose them; an operator writes
    /// them into the metadata.
    pub(crate) fn read(
        from: &mut Reader<'_>,
        signing: Signing<'_>,
        subject_types: &[SubjectType],
        own: Option<OwnSettings>,
    ) -> Self {
        unsupported::look_at(from);
        let description = Description::read(from);
        let own = own.unwrap_or_else(|| OwnSettings::read(from));
        from.permit(own.redirects());
        let flow = Flow::read(from);
        let (jwks, jwks_uri) = keys::read(from, &flow);
        let mutual_tls = MutualTls::read(from, flow.token_endpoint_auth_method);
        let read = Self {
            description,
            ciba: Ciba::read(from, &flow),
            logout: Logout::read(from, &flow),
            sender_constraint: SenderConstraint::read(from, &flow),
            flow,
            jwks,
            jwks_uri,
            openid: OpenId::read(from, signing, own.profile, subject_types),
            authorization_responses: AuthorizationResponses::read(from, signing.algorithms),
            introspection_responses: IntrospectionResponses::read(from, signing.algorithms),
            request_objects: RequestObjects::read(from),
            mutual_tls,
            own,
        };
        let has_id_token = read.flow.response_types.iter().any(|value| value.has_id_token());
        if read.openid.id_token_signed_response_alg == IdTokenAlgorithm::Unsigned && has_id_token {
            let rule =
                "must not be none, because the response types have ID tokens from the authorization endpoint";
            from.complain_by("id_token_signed_response_alg", rule, OIDC);
        }
        read.check_encryption(from);
        sector::check(from, &read);
        ciba::check(from, &read);
        if read.own.pkce_optional && read.flow.is_public() {
            // Anybody could redeem a code that leaks from a public client; only the verifier tells them from
            // the client.
            let rule = "a client without authentication must use PKCE";
            from.complain_by("chancery.pkce_optional", rule, "RFC 9700 section 2.1.1");
        }
        read
    }

    /// Whoever is sent something encrypted has a key for it (OIDC Core section 10.2).
    fn check_encryption(&self, from: &mut Reader<'_>) {
        let of_requests = self.request_objects.request_object_encryption_alg.map(|alg| (ENCRYPTION_ALG, alg));
        if self.flow.is_public() {
            let all = self.encrypted_for_it().chain(of_requests);
            for (member, alg) in all.filter(|(_, alg)| alg.is_symmetric()) {
                let rule = format!("{alg} needs a client that authenticates, and its secret");
                from.complain_by(member, rule, "OIDC Core section 10.2");
            }
        }
        for (member, alg) in self.encrypted_for_it().filter(|(_, alg)| !alg.is_symmetric()) {
            if let Some(jwks) = &self.jwks {
                if jwks.keys().set().encryption_keys(alg).next().is_none() {
                    let rule = format!("must have a key for encryption by {alg}, the {member}");
                    from.complain_by("jwks", rule, "OIDC Core section 10.2");
                }
            } else if self.jwks_uri.is_none() {
                let rule = format!("{alg} needs a key of the client: give jwks or jwks_uri");
                from.complain_by(member, rule, "OIDC Core section 10.2");
            }
        }
    }

    /// By which algorithms something is encrypted for the client, each with the member that says so.
    fn encrypted_for_it(&self) -> impl Iterator<Item = (&'static str, KeyManagementAlgorithm)> {
        self.openid
            .encryption_algorithms()
            .chain(self.authorization_responses.encryption_algorithm())
            .chain(self.introspection_responses.encryption_algorithm())
    }

    /// Every address that this server itself asks for the client.
    pub(crate) fn fetched(&self) -> impl Iterator<Item = &str> {
        let sector = self.openid.sector_identifier_uri.as_ref().map(RedirectUri::as_str);
        let told = [
            self.logout.backchannel_logout_uri.as_deref(),
            self.ciba.backchannel_client_notification_endpoint.as_deref(),
        ];
        let one = [self.jwks_uri.as_deref(), sector].into_iter().chain(told);
        let published = self.request_objects.request_uris.iter().map(|uri| &**uri);
        one.flatten().chain(published)
    }

    /// Whether the client's secret itself is needed and not its digest: as the key of an HMAC, or to derive one
    /// for encryption.
    #[must_use]
    pub fn needs_secret_itself(&self) -> bool {
        self.hmac_secret_length().is_some() || self.derives_keys()
    }

    /// Whether keys are derived from the client's secret by which something is encrypted for it, or by it (OIDC
    /// Core section 10.2).
    fn derives_keys(&self) -> bool {
        self.encrypted_for_it().any(|(_, alg)| alg.is_symmetric()) || self.request_objects.derives_keys()
    }

    /// The HMAC algorithm that the client is registered for, if any; its key is the client's secret (OIDC
    /// Core section 10.1).
    #[must_use]
    pub fn hmac_algorithm(&self) -> Option<SigningAlgorithm> {
        let signed =
            [self.openid.id_token_signed_response_alg.signed(), self.openid.userinfo_signed_response_alg];
        signed.into_iter().flatten().find(|alg| alg.is_symmetric())
    }

    /// Whether the client shares a secret with this server: to authenticate, for an HMAC, or for encryption.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        match self.flow.token_endpoint_auth_method {
            ClientAuthenticationMethod::None => false,
            ClientAuthenticationMethod::PrivateKeyJwt
            | ClientAuthenticationMethod::TlsClientAuth
            | ClientAuthenticationMethod::SelfSignedTlsClientAuth => self.needs_secret_itself(),
            ClientAuthenticationMethod::ClientSecretBasic
            | ClientAuthenticationMethod::ClientSecretPost
            | ClientAuthenticationMethod::ClientSecretJwt => true,
        }
    }

    /// The fewest bytes that the client's secret may have because it is the key of an HMAC (RFC 7518 section
    /// 3.2); `None` if it is never one.
    #[must_use]
    pub fn hmac_secret_length(&self) -> Option<usize> {
        let shares = self.flow.token_endpoint_auth_method == ClientAuthenticationMethod::ClientSecretJwt;
        // Without a registered algorithm the shortest has to do; the client chooses one that its secret fits.
        let assertion = self.flow.token_endpoint_auth_signing_alg.or(Some(SigningAlgorithm::Hs256));
        let request_object = self.request_objects.hmac_algorithm();
        let response = self.authorization_responses.hmac_algorithm();
        let introspection = self.introspection_responses.hmac_algorithm();
        let all =
            [self.hmac_algorithm(), assertion.filter(|_| shares), request_object, response, introspection];
        all.into_iter().flatten().map(|alg| alg.hash().length()).max()
    }
}
