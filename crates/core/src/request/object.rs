//! RFC 9101, JWT-Secured Authorization Request (JAR): sections 4 to 6, a request object as it is read and
//! checked; OIDC Core section 6.1.

use std::time::Duration;

use chancery_jose::{Compact, Error, JwtClaims, parse_unsecured};
use chancery_types::iana::ErrorCode;
use chancery_types::{Issuer, Params, Timestamp};

use crate::error::Reason;
use crate::model::Client;
use crate::rule::authorization_details::AUTHORIZATION_DETAILS;
use crate::rule::resource::RESOURCE;

/// How far the clock of a client may be from ours.
const TOLERANCE: Duration = Duration::from_secs(10);

/// The longest `jti`, in bytes.
const LONGEST_JTI: usize = 256;

/// The media types that a request object may have, if it has one (section 10.8). Most clients give none.
const TYPES: [&str; 2] = ["JWT", "oauth-authz-req+jwt"];

/// One description for whatever would tell a stranger about the client's keys.
pub(super) const fn unverified(name: &'static str, section: &'static str) -> Reason {
    invalid(name, "could not validate Request Object", section)
}

/// The reason to refuse a request object.
const fn invalid(name: &'static str, description: &'static str, section: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidRequestObject, description, section }
}

reasons! {
    /// The request object is no JWT of a form that is read here, is larger than 16 KiB, or its claims are not
    /// one JSON object with the standard's types.
    pub(super) MALFORMED =
        invalid("request_object_malformed", "Request Object is malformed", "RFC 9101 section 4");
    /// The request object is signed with an algorithm that the client is not registered for or that is not
    /// offered, or it is unsigned, which needs `compatibility.unsigned_request_object`.
    pub(super) ALGORITHM_WRONG = invalid(
        "request_object_algorithm_wrong",
        "unsupported signed request alg",
        "RFC 9101 section 6.2",
    );
    /// The request object is encrypted in a way that is not offered, that needs the client to be registered for it
    /// (`request_object_encryption_alg`), or that is never used: compressed (`zip`), or by RSA1_5 or PBES2.
    pub(super) ENCRYPTION_WRONG = invalid(
        "request_object_encryption_wrong",
        "unsupported encryption of Request Object",
        "RFC 9101 section 6.1",
    );
    /// The header `typ` of the request object says that it is a JWT for another purpose.
    pub(super) TYPE_WRONG =
        invalid("request_object_type_wrong", "JWT is not a Request Object", "RFC 9101 section 10.8");
    /// The request object contains `request` or `request_uri`.
    pub(super) NESTED = invalid(
        "request_object_nested",
        "Request Object must not contain request or request_uri",
        "RFC 9101 section 4",
    );
    /// The `client_id` in the request object is missing or not the one in the parameters.
    pub(super) CLIENT_WRONG = invalid(
        "request_object_client_wrong",
        "request client_id must equal the one in request parameters",
        "RFC 9101 section 6.3",
    );
    /// The `response_type` in the request object is not the one in the parameters.
    pub(super) RESPONSE_TYPE_DIFFERENT = invalid(
        "request_object_response_type_different",
        "request response_type must equal the one in request parameters",
        "OIDC Core section 6.1",
    );
    /// The issuer (`iss`) of the request object is not the client. An unsigned one may have none.
    pub(super) ISSUER_WRONG =
        invalid("request_object_issuer_wrong", "Request Object claims are invalid", "RFC 9101 section 4");
    /// The audience (`aud`) of the request object is not this server. An unsigned one may have none.
    pub(super) AUDIENCE_WRONG =
        invalid("request_object_audience_wrong", "Request Object claims are invalid", "RFC 9101 section 4");
    /// The request object has expired (`exp`).
    pub(super) EXPIRED =
        invalid("request_object_expired", "Request Object has expired", "RFC 7519 section 4.1.4");
    /// The request object is not valid yet (`nbf`, or `iat` if it has no `exp`): the client's clock is more than
    /// ten seconds ahead.
    pub(super) NOT_YET_VALID =
        invalid("request_object_not_yet_valid", "Request Object is not valid yet", "RFC 7519 section 4.1.5");
    /// The profile of the server or the client demands that a request object says from when and until when it is good
    /// (`nbf`, `exp`), and this one does not.
    pub(super) TIMELESS = invalid(
        "request_object_without_time",
        "Request Object must have nbf and exp",
        "FAPI 1.0 part 2 section 5.2.2-13",
    );
    /// The request object is good for longer, or since longer ago, than the profile of the server or the client
    /// permits.
    pub(super) TOO_LONG_VALID = invalid(
        "request_object_lifetime_too_long",
        "Request Object is valid for too long",
        "FAPI 1.0 part 2 section 5.2.2-13",
    );
    /// The signed authentication request does not say when it was made (`iat`).
    pub(super) UNDATED =
        invalid("request_object_without_iat", "Request Object must have iat", "CIBA Core section 7.1.1");
    /// The signed authentication request has no identifier (`jti`), or one that is longer than 256 bytes.
    pub(super) UNIDENTIFIED =
        invalid("request_object_without_jti", "Request Object must have jti", "CIBA Core section 7.1.1");
    /// A parameter in the request object is null, an array although it is neither `resource` nor
    /// `authorization_details`, or an object although it is neither `claims` nor `registration`, or it contains NUL.
    pub(super) VALUE_MALFORMED = invalid(
        "request_object_value_malformed",
        "a parameter of the Request Object has the wrong type",
        "RFC 9101 section 4",
    );
}

/// A request object that is well formed. Nothing in it was verified: anybody may have written it.
pub(super) struct RequestObject<'t> {
    /// `None` if nobody has signed it.
    signed: Option<Compact<'t>>,
    claims: JwtClaims,
}

impl<'t> RequestObject<'t> {
    /// Reads a request object, with `may_be_unsigned` also one of the algorithm `none`.
    pub(super) fn read(text: &'t str, may_be_unsigned: bool) -> Result<Self, &'static Reason> {
        let of = |error: Error| if error == Error::UnknownAlgorithm { &ALGORITHM_WRONG } else { &MALFORMED };
        let claims = |payload: &[u8]| JwtClaims::parse(payload).map_err(|_| &MALFORMED);
        match Compact::parse(text) {
            Ok(compact) => {
                let claims = claims(compact.unverified_payload())?;
                Ok(Self { signed: Some(compact), claims })
            }
            Err(Error::UnknownAlgorithm) if may_be_unsigned => {
                let claims = claims(&parse_unsecured(text).map_err(of)?)?;
                Ok(Self { signed: None, claims })
            }
            Err(error) => Err(of(error)),
        }
    }

    /// The signature that has to be verified, if it has one.
    pub(super) fn signed(&self) -> Option<&Compact<'t>> {
        self.signed.as_ref()
    }

    /// When it ends.
    pub(super) fn ends(&self) -> Option<Timestamp> {
        self.claims.exp
    }

    /// Checks everything that it says about itself: its type, its parties, its time, and that it refers to no
    /// other one.
    pub(super) fn check(
        &self,
        client: &Client,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<(), &'static Reason> {
        let claims = &self.claims;
        let header = self.signed.as_ref().map(Compact::header);
        if header.is_some_and(|header| header.typ.is_some() && !TYPES.iter().any(|typ| header.is_type(typ))) {
            return Err(&TYPE_WRONG);
        }
        if claims.raw("request").is_some() || claims.raw("request_uri").is_some() {
            return Err(&NESTED);
        }
        // Section 4: SHOULD, if it is signed; without them an object for another server would do.
        let is_signed = self.signed.is_some();
        if claims.iss.as_deref().map_or(is_signed, |iss| iss != client.id().as_str()) {
            return Err(&ISSUER_WRONG);
        }
        if (is_signed || !claims.aud.is_empty()) && !claims.is_for(issuer.as_str()) {
            return Err(&AUDIENCE_WRONG);
        }
        if claims.exp.is_some_and(|ends| ends + TOLERANCE <= now) {
            return Err(&EXPIRED);
        }
        let begins = [claims.nbf, claims.iat.filter(|_| claims.exp.is_none())];
        if begins.into_iter().flatten().any(|begins| begins > now + TOLERANCE) {
            return Err(&NOT_YET_VALID);
        }
        Ok(())
    }

    /// Checks that it is good for no longer than a profile demands, and since no longer ago (FAPI 2.0 Message Signing
    /// section 5.3.1-3 and -4).
    pub(super) fn check_lifetime(&self, longest: Duration, now: Timestamp) -> Result<(), &'static Reason> {
        let (Some(begins), Some(ends)) = (self.claims.nbf, self.claims.exp) else { return Err(&TIMELESS) };
        match ends > begins + longest || now > begins + longest {
            true => Err(&TOO_LONG_VALID),
            false => Ok(()),
        }
    }

    /// What a signed authentication request says of itself besides (CIBA Core section 7.1.1): its identifier, and when it
    /// ends.
    pub(super) fn identified(&self, now: Timestamp) -> Result<(&str, Timestamp), &'static Reason> {
        let made = self.claims.iat.ok_or(&UNDATED)?;
        if made > now + TOLERANCE {
            return Err(&NOT_YET_VALID);
        }
        let jti = self.claims.jti.as_deref().filter(|jti| !jti.is_empty() && jti.len() <= LONGEST_JTI);
        let ends = self.claims.exp.ok_or(&TIMELESS)?;
        Ok((jti.ok_or(&UNIDENTIFIED)?, ends + TOLERANCE))
    }

    /// The parameters that it holds, of those that mean something here.
    pub(super) fn parameters(
        &self,
        means_something: impl Fn(&str) -> bool,
    ) -> Result<Params<'static>, &'static Reason> {
        let nonce = self.claims.nonce.iter().map(|nonce| ("nonce".to_owned(), nonce.clone()));
        let others = self.claims.others().filter(|(name, _)| means_something(name));
        let mut parameters = nonce.collect::<Vec<_>>();
        for (name, json) in others {
            let values = values(name, json.get())?;
            parameters.extend(values.into_iter().map(|value| (name.to_owned(), value)));
        }
        match parameters.iter().any(|(_, value)| value.contains('\0')) {
            true => Err(&VALUE_MALFORMED),
            false => Ok(parameters.into_iter().collect()),
        }
    }
}

/// The values of a parameter. Several resource servers are an array of strings (RFC 8707 section 2.1).
fn values(name: &str, json: &str) -> Result<Vec<String>, &'static Reason> {
    if name == RESOURCE && json.starts_with('[') {
        return serde_json::from_str(json).map_err(|_| &VALUE_MALFORMED);
    }
    value(name, json).map(|value| vec![value])
}

/// The value of a parameter from its JSON. Numbers, true and false stand for their text, and the parameters that are
/// JSON themselves stay as they were written (OIDC Core sections 5.5 and 6.1, RFC 9396 section 3, FAPI-CIBA section 5.3).
fn value(name: &str, json: &str) -> Result<String, &'static Reason> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map_err(|_| &VALUE_MALFORMED),
        Some(b'{') if matches!(name, "claims" | "registration" | "request_context") => Ok(json.to_owned()),
        // Whatever it is, whoever knows what it means says what is wrong with it (RFC 9396 section 5).
        Some(b'{' | b'[') if name == AUTHORIZATION_DETAILS => Ok(json.to_owned()),
        Some(b'{' | b'[' | b'n') | None => Err(&VALUE_MALFORMED),
        Some(_) => Ok(json.to_owned()),
    }
}
