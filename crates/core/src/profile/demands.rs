//! What can be demanded, each with the section that demands it.

use std::time::Duration;

use chancery_jose::SigningAlgorithm;
use chancery_types::RedirectKind;
use chancery_types::iana::{ClientAuthenticationMethod, ResponseType};

/// A section of a standard.
pub type Section = &'static str;

/// Something that is demanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand<T> {
    /// What is demanded: a limit, or the list of what is permitted.
    pub what: T,
    /// The section that demands it.
    pub section: Section,
}

/// What may be used: whatever is in each of these lists, or anything if there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Among<T: 'static>(Vec<Demand<&'static [T]>>);

impl<T> Default for Among<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: PartialEq> Among<T> {
    /// Nothing but these.
    #[must_use]
    pub fn these(what: &'static [T], section: Section) -> Self {
        Self(vec![Demand { what, section }])
    }

    /// Whether the value may be used.
    #[must_use]
    pub fn has(&self, value: &T) -> bool {
        self.forbids(value).is_none()
    }

    /// The section that does not permit this value.
    #[must_use]
    pub fn forbids(&self, value: &T) -> Option<Section> {
        self.0.iter().find(|demand| !demand.what.contains(value)).map(|demand| demand.section)
    }

    /// The section that limits what may be used, if one does.
    #[must_use]
    pub fn section(&self) -> Option<Section> {
        self.0.first().map(|demand| demand.section)
    }

    /// All sections that limit it.
    pub(crate) fn sections(&self) -> impl Iterator<Item = Section> + '_ {
        self.0.iter().map(|demand| demand.section)
    }

    /// What may be used, if it is limited.
    pub fn permitted(&self) -> impl Iterator<Item = &'static T> {
        let first = self.0.first().map_or(&[][..], |demand| demand.what);
        first.iter().filter(|value| self.has(value))
    }

    fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }
}

/// How it can be known that whoever presents a token is whom it was issued to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingMethod {
    /// By the certificate of the connection (RFC 8705 section 3).
    Certificate,
    /// By a proof that is signed with a key (RFC 9449).
    Key,
}

impl BindingMethod {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::Certificate, Self::Key];
}

/// A response of the authorization endpoint that is permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// What it consists of.
    pub response_type: ResponseType,
    /// Whether it has to be a signed JWT (JARM).
    pub is_signed: bool,
}

/// Everything that a profile can demand. What is `None`, or limits nothing, is not demanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Demands {
    /// How clients may authenticate.
    pub authentication: Among<ClientAuthenticationMethod>,
    /// The audience of a client's assertion is the issuer, as a string and not as an item of an array.
    pub sole_audience: Option<Section>,
    /// What JWTs may be signed with: assertions, request objects, proofs and whatever is issued.
    pub algorithms: Among<SigningAlgorithm>,
    /// The shortest RSA key, in bits.
    pub rsa_bits: Option<Demand<usize>>,
    /// The shortest key of an elliptic curve, in bits.
    pub curve_bits: Option<Demand<usize>>,
    /// Every request of the authorization endpoint was pushed before (RFC 9126).
    pub pushed: Option<Section>,
    /// The longest life of a pushed request.
    pub pushed_lifetime: Option<Demand<Duration>>,
    /// Every request of the authorization endpoint is signed by its client (RFC 9101).
    pub signed: Option<Section>,
    /// Every backchannel authentication request is signed by its client (CIBA).
    pub signed_backchannel: Option<Section>,
    /// Tokens are fetched, and sent to nobody (CIBA).
    pub no_push: Option<Section>,
    /// Parameters outside of a request object do not count.
    pub object_alone: Option<Section>,
    /// A request object has `nbf`, which is past by at most this time, and `exp`, which is after it by at most this
    /// time; and its audience contains the issuer.
    pub object_lifetime: Option<Demand<Duration>>,
    /// What may be asked for, and in which kind of response.
    pub responses: Among<Response>,
    /// PKCE with S256 in every request for a code.
    pub pkce: Option<Section>,
    /// PKCE with S256 in every pushed request for a code.
    pub pkce_if_pushed: Option<Section>,
    /// A request for an ID token has a `nonce`.
    pub nonce: Option<Section>,
    /// A request without the scope `openid` has a `state`.
    pub state: Option<Section>,
    /// Every request names its redirect URI.
    pub redirect_uri_sent: Option<Section>,
    /// Where redirect URIs may lead.
    pub redirects: Among<RedirectKind>,
    /// Redirect URIs are compared as they are written.
    pub exact_redirects: Option<Section>,
    /// Every response names the issuer (RFC 9207).
    pub response_iss: Option<Section>,
    /// An ID token of the authorization endpoint has the hash of the `state`.
    pub s_hash: Option<Section>,
    /// The longest life of a code.
    pub code_lifetime: Option<Demand<Duration>>,
    /// Every access token is bound to its sender, in one of these ways.
    pub bindings: Among<BindingMethod>,
    /// A refresh token stays the same when it is used.
    pub no_rotation: Option<Section>,
    /// No access token is accepted in a query.
    pub header_tokens: Option<Section>,
}

impl Demands {
    /// Whether nothing is demanded.
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether access tokens have to be bound to their sender.
    #[must_use]
    pub fn bound_tokens(&self) -> Option<Section> {
        self.bindings.section()
    }

    /// The section that does not permit this response type, in whichever kind of response.
    #[must_use]
    pub fn forbids_type(&self, response_type: ResponseType) -> Option<Section> {
        self.forbids_response(response_type, true)
    }

    /// The section that does not permit this response, signed or not.
    #[must_use]
    pub fn forbids_response(&self, response_type: ResponseType, is_signed: bool) -> Option<Section> {
        let permits = |response: &Response| {
            response.response_type == response_type && (is_signed || !response.is_signed)
        };
        self.responses.0.iter().find(|demand| !demand.what.iter().any(permits)).map(|demand| demand.section)
    }

    /// All of these demands and of those; of two demands of one kind the stricter one.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            authentication: self.authentication.and(other.authentication),
            sole_audience: self.sole_audience.or(other.sole_audience),
            algorithms: self.algorithms.and(other.algorithms),
            rsa_bits: at_least(self.rsa_bits, other.rsa_bits),
            curve_bits: at_least(self.curve_bits, other.curve_bits),
            pushed: self.pushed.or(other.pushed),
            pushed_lifetime: at_most(self.pushed_lifetime, other.pushed_lifetime),
            signed: self.signed.or(other.signed),
            signed_backchannel: self.signed_backchannel.or(other.signed_backchannel),
            no_push: self.no_push.or(other.no_push),
            object_alone: self.object_alone.or(other.object_alone),
            object_lifetime: at_most(self.object_lifetime, other.object_lifetime),
            responses: self.responses.and(other.responses),
            pkce: self.pkce.or(other.pkce),
            pkce_if_pushed: self.pkce_if_pushed.or(other.pkce_if_pushed),
            nonce: self.nonce.or(other.nonce),
            state: self.state.or(other.state),
            redirect_uri_sent: self.redirect_uri_sent.or(other.redirect_uri_sent),
            redirects: self.redirects.and(other.redirects),
            exact_redirects: self.exact_redirects.or(other.exact_redirects),
            response_iss: self.response_iss.or(other.response_iss),
            s_hash: self.s_hash.or(other.s_hash),
            code_lifetime: at_most(self.code_lifetime, other.code_lifetime),
            bindings: self.bindings.and(other.bindings),
            no_rotation: self.no_rotation.or(other.no_rotation),
            header_tokens: self.header_tokens.or(other.header_tokens),
        }
    }
}

/// The shorter one of two limits.
fn at_most<T: Ord>(one: Option<Demand<T>>, other: Option<Demand<T>>) -> Option<Demand<T>> {
    one.into_iter().chain(other).min_by(|one, other| one.what.cmp(&other.what))
}

/// The higher one of two limits.
fn at_least<T: Ord>(one: Option<Demand<T>>, other: Option<Demand<T>>) -> Option<Demand<T>> {
    one.into_iter().chain(other).max_by(|one, other| one.what.cmp(&other.what))
}
