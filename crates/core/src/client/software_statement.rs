//! RFC 7591 section 2.3, software statements: what somebody else than the client vouches for.
//! Config     `[[software_statement_issuer]]`, `registration_policy[].software_statement`
//! Discovery  none
//!
//! A statement is shared by all instances of a software, so that it may be used any number of times, and need not
//! end. What it says counts instead of what the client says, in every language and every form.

use std::sync::Arc;
use std::time::Duration;

use chancery_jose::json::Object;
use chancery_jose::{Compact, Error, Header, JwtClaims, SigningAlgorithm};
use chancery_types::iana::ErrorCode;
use chancery_types::{Issuer, RedirectKind, RedirectUri, Timestamp};
use serde::{Deserialize, Serialize};

use super::dynamic::is_of_identity;
use crate::context::{Call, Env};
use crate::error::{Complaint, Failure, Fault, Reason};
use crate::model::ClaimName;
use crate::model::client::{PublicKeys, choices};

/// How far the clock of an issuer may be from ours.
const TOLERANCE: Duration = Duration::from_secs(10);

const SECTION: &str = "RFC 7591 section 2.3";

const fn invalid(name: &'static str, description: &'static str, section: &'static str) -> Reason {
    Reason { name, code: ErrorCode::InvalidSoftwareStatement, description, section }
}

const fn unapproved(name: &'static str, description: &'static str) -> Reason {
    Reason {
        name,
        code: ErrorCode::UnapprovedSoftwareStatement,
        description,
        section: "RFC 7591 section 3.2.2",
    }
}

reasons! {
    /// The software statement is no signed JWT, is larger than 16 KiB, or its claims are not one JSON object with
    /// the standard's types.
    pub(crate) MALFORMED =
        invalid("software_statement_malformed", "the software statement is malformed", SECTION);
    /// The policy of the registration demands a software statement, and there is none.
    pub(crate) MISSING =
        invalid("software_statement_missing", "a software statement is needed", SECTION);
    /// The software statement is signed with an algorithm that its issuer is not configured for, or it is
    /// unsigned.
    ALGORITHM_WRONG = invalid(
        "software_statement_algorithm_wrong",
        "the algorithm of the software statement is not accepted",
        "RFC 8725 section 3.1",
    );
    /// The header `typ` of the software statement says that it is a JWT for another purpose.
    TYPE_WRONG = invalid(
        "software_statement_type_wrong",
        "the JWT is not a software statement",
        "RFC 8725 section 3.11",
    );
    /// The software statement is for other servers (`aud`).
    AUDIENCE_WRONG = invalid(
        "software_statement_audience_wrong",
        "the software statement is for another server",
        "RFC 7519 section 4.1.3",
    );
    /// The software statement has expired (`exp`).
    EXPIRED = invalid(
        "software_statement_expired",
        "the software statement has expired",
        "RFC 7519 section 4.1.4",
    );
    /// The software statement is not valid yet (`nbf`, `iat`): the issuer's clock is more than ten seconds ahead.
    NOT_YET_VALID = invalid(
        "software_statement_not_yet_valid",
        "the software statement is not valid yet",
        "RFC 7519 section 4.1.5",
    );
    /// No key of the issuer fits the software statement's algorithm and `kid`.
    KEY_UNKNOWN = invalid(
        "software_statement_key_unknown",
        "the software statement cannot be verified",
        SECTION,
    );
    /// The signature of the software statement is not its issuer's.
    SIGNATURE_WRONG = invalid(
        "software_statement_signature_wrong",
        "the software statement cannot be verified",
        SECTION,
    );
    /// The issuer of the software statement is not configured.
    ISSUER_UNKNOWN = unapproved(
        "software_statement_issuer_unknown",
        "the issuer of the software statement is not known here",
    );
    /// The configuration of the issuer names the software (`software_id`) that it may vouch for, and this is
    /// another one.
    SOFTWARE_UNKNOWN = unapproved(
        "software_statement_software_unknown",
        "the software of the statement is not approved here",
    );
    /// A client changes itself with the statement of another issuer than that of its registration.
    ISSUER_CHANGED = unapproved(
        "software_statement_issuer_changed",
        "the software statement must be of the same issuer as before",
    );
}

/// `[[software_statement_issuer]]`: somebody who vouches for clients that register themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatementIssuer {
    /// The `iss` of its statements.
    pub issuer: Box<str>,
    /// Its public keys.
    pub jwks: Option<StatementKeys>,
    /// Where it publishes them instead.
    pub jwks_uri: Option<Box<str>>,
    /// What it signs with.
    pub algorithms: Vec<SigningAlgorithm>,
    /// The policies that its clients are held to, instead of those of `[registration]`; beside those of an initial
    /// access token.
    pub policies: Vec<Box<str>>,
    /// The software (`software_id`) that it may vouch for; empty for any.
    pub software_ids: Vec<Box<str>>,
}

impl Default for StatementIssuer {
    fn default() -> Self {
        Self {
            issuer: Box::default(),
            jwks: None,
            jwks_uri: None,
            algorithms: vec![SigningAlgorithm::Rs256, SigningAlgorithm::Ps256, SigningAlgorithm::Es256],
            policies: Vec::new(),
            software_ids: Vec::new(),
        }
    }
}

/// Public keys in a configuration: a JWK Set (RFC 7517 section 5) as a text.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StatementKeys {
    json: String,
    keys: Arc<PublicKeys>,
}

impl TryFrom<String> for StatementKeys {
    type Error = String;

    fn try_from(json: String) -> Result<Self, String> {
        let keys = PublicKeys::parse(json.as_bytes()).map_err(|error| {
            format!(
                "jwks: must be a JWK Set as JSON, such as '{{\"keys\": [{{\"kty\": \"EC\", …}}]}}': {error}"
            )
        })?;
        Ok(Self { json, keys: Arc::new(keys) })
    }
}

impl From<StatementKeys> for String {
    fn from(keys: StatementKeys) -> Self {
        keys.json
    }
}

impl PartialEq for StatementKeys {
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

impl Eq for StatementKeys {}

impl StatementIssuer {
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut complain = |rule: &str| {
            let rule = format!("{:?}: {rule}", self.issuer);
            complaints.push(Complaint::new("software_statement_issuer", rule, SECTION));
        };
        if self.issuer.is_empty() {
            complain("issuer must be the iss of its statements");
        }
        if self.jwks.is_some() == self.jwks_uri.is_some() {
            complain("must have jwks or jwks_uri, and not both");
        }
        let is_https = |uri: &str| RedirectUri::parse(uri).is_ok_and(|uri| uri.kind() == RedirectKind::Https);
        if self.jwks_uri.as_deref().is_some_and(|uri| !is_https(uri)) {
            complain("jwks_uri must be an https URL");
        }
        if self.algorithms.is_empty() || self.algorithms.iter().any(|alg| alg.is_symmetric()) {
            complain(
                "algorithms must be some with a public key, because those who verify must not be able to sign",
            );
        }
        complaints
    }

    /// Its keys; others than `unhelpful`, if there are others.
    async fn keys(
        &self,
        call: &Call,
        env: &Env,
        unhelpful: Option<&Arc<PublicKeys>>,
    ) -> Result<Arc<PublicKeys>, Fault> {
        match (&self.jwks, &self.jwks_uri) {
            (Some(jwks), _) => Ok(Arc::clone(&jwks.keys)),
            (None, Some(url)) => env.published_keys.at(call.now, &*env.fetch, url, unhelpful).await,
            (None, None) => Err(Fault::internal("an issuer of software statements has no keys")),
        }
    }

    async fn verify(
        &self,
        call: &Call,
        env: &Env,
        compact: &Compact<'_>,
    ) -> Result<Result<(), Error>, Fault> {
        let keys = self.keys(call, env, None).await?;
        let verified = keys.verify(compact).map(|_| ());
        if verified.is_ok() || self.jwks_uri.is_none() {
            return Ok(verified);
        }
        // It may have published another key since.
        let newer = self.keys(call, env, Some(&keys)).await?;
        Ok(if Arc::ptr_eq(&newer, &keys) { verified } else { newer.verify(compact).map(|_| ()) })
    }
}

/// A software statement that somebody vouches for whom the configuration names.
pub struct SoftwareStatement<'s> {
    text: &'s str,
    claims: JwtClaims,
    /// Who vouches.
    pub(crate) issuer: &'s StatementIssuer,
}

impl<'s> SoftwareStatement<'s> {
    /// A statement as it comes with a request.
    ///
    /// # Errors
    /// Why it does not count.
    pub(crate) async fn verified(
        call: &Call,
        env: &Env,
        issuers: &'s [StatementIssuer],
        text: &'s str,
    ) -> Result<Self, Failure> {
        let (compact, statement) = Self::unverified(issuers, text)?;
        statement.check(compact.header(), &env.issuer, call.now)?;
        match statement.issuer.verify(call, env, &compact).await? {
            Ok(()) => {}
            Err(Error::KeyNotForAlgorithm) => return KEY_UNKNOWN.refused(),
            Err(_) => return SIGNATURE_WRONG.refused(),
        }
        statement.approved()?;
        Ok(statement)
    }

    /// A statement whose signature nobody has looked at.
    pub(super) fn unverified(
        issuers: &'s [StatementIssuer],
        text: &'s str,
    ) -> Result<(Compact<'s>, Self), &'static Reason> {
        let compact = Compact::parse(text).map_err(|error| match error {
            Error::UnknownAlgorithm => &ALGORITHM_WRONG,
            _ => &MALFORMED,
        })?;
        let statement = Self::read(issuers, text, compact.unverified_payload())?;
        Ok((compact, statement))
    }

    /// Checks what a statement says about itself.
    pub(super) fn check(
        &self,
        header: &Header,
        here: &Issuer,
        now: Timestamp,
    ) -> Result<(), &'static Reason> {
        if !self.issuer.algorithms.iter().any(|alg| alg.is_same_as(header.alg)) {
            return Err(&ALGORITHM_WRONG);
        }
        // A JWT with a type of its own is for something else; there is none for statements.
        if header.typ.is_some() && !header.is_type("JWT") {
            return Err(&TYPE_WRONG);
        }
        let claims = &self.claims;
        if !claims.aud.is_empty() && !claims.is_for(here.as_str()) {
            return Err(&AUDIENCE_WRONG);
        }
        if claims.exp.is_some_and(|ends| ends + TOLERANCE <= now) {
            return Err(&EXPIRED);
        }
        if [claims.nbf, claims.iat].into_iter().flatten().any(|begins| begins > now + TOLERANCE) {
            return Err(&NOT_YET_VALID);
        }
        Ok(())
    }

    /// The statement of a client's registration, which was verified then. It goes on to count, even if it has
    /// expired since, for as long as its issuer is configured.
    ///
    /// # Errors
    /// If it is not.
    pub(crate) fn registered(issuers: &'s [StatementIssuer], text: &'s str) -> Result<Self, Failure> {
        let compact = Compact::parse(text).map_err(|_| Fault::internal("a damaged software statement"))?;
        let statement = Self::read(issuers, text, compact.unverified_payload())?;
        statement.approved()?;
        Ok(statement)
    }

    fn read(issuers: &'s [StatementIssuer], text: &'s str, payload: &[u8]) -> Result<Self, &'static Reason> {
        let claims = JwtClaims::parse(payload).map_err(|_| &MALFORMED)?;
        let iss = claims.iss.as_deref().ok_or(&MALFORMED)?;
        let issuer = issuers.iter().find(|issuer| *issuer.issuer == *iss).ok_or(&ISSUER_UNKNOWN)?;
        Ok(Self { text, claims, issuer })
    }

    /// Whether its issuer may vouch for this software.
    fn approved(&self) -> Result<(), Failure> {
        let approved = &self.issuer.software_ids;
        let software = self.claims.string("software_id").ok().flatten();
        if !approved.is_empty() && !software.is_some_and(|id| approved.iter().any(|known| **known == *id)) {
            return SOFTWARE_UNKNOWN.refused();
        }
        Ok(())
    }

    /// The same, unless a client that is registered with `former` changes its issuer by it: each vouches for its
    /// own.
    pub(crate) fn after(self, former: &Self) -> Result<Self, Failure> {
        if self.issuer.issuer == former.issuer.issuer { Ok(self) } else { ISSUER_CHANGED.refused() }
    }

    /// As it was sent.
    #[must_use]
    pub fn text(&self) -> &'s str {
        self.text
    }

    /// All of its claims.
    #[must_use]
    pub fn claims(&self) -> &JwtClaims {
        &self.claims
    }

    /// What counts of what the client has sent: what the statement says, and of the rest what it says nothing about.
    /// A claim that is `null` says that there is no such member.
    pub(super) fn over<'a>(&'a self, sent: Object<'a>) -> Object<'a> {
        let vouched: Vec<_> = self.claims.others().filter(|(name, _)| is_metadata(name)).collect();
        let is_vouched = |name: &str| vouched.iter().any(|(claim, _)| subject(claim) == subject(name));
        sent.under(vouched.iter().copied(), |name| !is_vouched(name))
    }
}

/// Whether a claim can be client metadata.
fn is_metadata(claim: &str) -> bool {
    !is_of_identity(claim) && !matches!(claim, "software_statement" | "chancery")
}

/// What a member is about, in whatever language or form.
fn subject(member: &str) -> &str {
    match ClaimName::of(member).claim {
        "jwks_uri" => "jwks",
        member => choices::of(member).unwrap_or(member),
    }
}
