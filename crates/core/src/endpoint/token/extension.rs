//! RFC 6749 section 4.5: grant types of an application's own.
//! Config     none; the application registers them with the builder
//! Discovery  grant_types_supported

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chancery_types::iana::{ErrorCode, ExtensionGrantName, GrantType};
use chancery_types::{AccountId, Params, ResourceUri, Scopes, Timestamp};

use super::Requester;
use crate::error::{Complaint, Failure, Fault, Refusal};
use crate::model::{
    Access, Authentication, ClaimsRequest, Client, Condition, Entitlement, Factor, GrantId, Granted, Holder,
    Refresh, Target,
};
use crate::policy::ACCOUNT_GONE;
use crate::rule::scope::ScopeRule;

/// A grant type of an application's own (RFC 6749 section 4.5).
///
/// Everything around it is as for the built-in ones: the client has authenticated and is registered for the
/// grant type, and what the application answers passes the same gate. The engine makes the tokens.
///
/// ```
/// # mod chancery {
/// #     pub use chancery_core::error::{Fault, Reason, Refusal};
/// #     pub use chancery_types::{AccountId, Scopes};
/// #     pub mod grant {
/// #         pub use chancery_core::endpoint::token::extension::{Entitled, ExtensionGrant, ExtensionRequest};
/// #         pub use chancery_types::iana::ExtensionGrantName;
/// #     }
/// #     pub mod model { pub use chancery_core::model::{Amr, Factor}; }
/// #     pub mod types { pub use chancery_types::Malformed; pub use chancery_types::iana::ErrorCode; }
/// # }
/// use chancery::{AccountId, Fault, Reason, Refusal, Scopes};
/// use chancery::grant::{Entitled, ExtensionGrant, ExtensionGrantName, ExtensionRequest};
/// use chancery::model::{Amr, Factor};
/// use chancery::types::{ErrorCode, Malformed};
///
/// /// Whoever holds a badge reader may get tokens for the person whose badge it has read.
/// struct Badge(ExtensionGrantName);
///
/// const BADGE_UNKNOWN: Reason = Reason {
///     name: "badge_unknown",
///     code: ErrorCode::InvalidGrant,
///     description: "grant request is invalid",
///     section: "RFC 6749 section 5.2",
/// };
///
/// impl ExtensionGrant for Badge {
///     fn grant_type(&self) -> &ExtensionGrantName {
///         &self.0
///     }
///
///     fn parameters(&self) -> &[&str] {
///         &["badge", "scope"]
///     }
///
///     async fn entitle(&self, asked: ExtensionRequest<'_>) -> Result<Result<Entitled, Refusal>, Fault> {
///         let whose = match asked.parameter("badge") {
///             Some("7") => AccountId::parse("alice").ok(),
///             _ => None,
///         };
///         let Some(account) = whose else { return Ok(BADGE_UNKNOWN.refused()) };
///         let Ok(scopes) = Scopes::parse(asked.parameter("scope").unwrap_or("openid")) else {
///             return Ok(BADGE_UNKNOWN.refused());
///         };
///         let proof = Factor { method: Amr::HARDWARE_KEY, at: asked.now };
///         Ok(Ok(Entitled::person(account, proof, scopes)))
///     }
/// }
///
/// let badge = Badge(ExtensionGrantName::parse("urn:example:badge")?);
/// // let provider = Builder::new(parts, config).with_extension_grant(Arc::new(badge)).build().await?;
/// # Ok::<(), Malformed>(())
/// ```
pub trait ExtensionGrant: Send + Sync {
    /// Its name: the value of `grant_type`, and of `grant_types` in the metadata of clients.
    fn grant_type(&self) -> &ExtensionGrantName;

    /// The parameters that mean something to it. All others are ignored (RFC 6749 section 3.2). None of them
    /// can be one of client authentication.
    fn parameters(&self) -> &[&str];

    /// Those of the parameters that may be sent more than once.
    fn repeatable(&self) -> &[&str] {
        &[]
    }

    /// What the client is entitled to. What was exchanged is the application's: if it is good for one use
    /// only, the application uses it up here.
    ///
    /// # Errors
    /// Outside: a fault. Inside: why it is refused; the code has to be `invalid_request`, `invalid_grant`,
    /// `invalid_scope` or `unauthorized_client`.
    fn entitle(
        &self,
        asked: ExtensionRequest<'_>,
    ) -> impl Future<Output = Result<Result<Entitled, Refusal>, Fault>> + Send;
}

chancery_types::port_object! {
    /// [`ExtensionGrant`] as an object, as the engine holds it: whatever implements that trait is one.
    pub trait DynExtensionGrant for ExtensionGrant {
        async fn entitle<'a>(
            &'a self,
            asked: ExtensionRequest<'a>,
        ) -> Result<Result<Entitled, Refusal>, Fault>;
        fn grant_type(&self) -> &ExtensionGrantName;
        fn parameters(&self) -> &[&str];
        fn repeatable(&self) -> &[&str];
    }
}

/// A token request of an application's own grant type.
#[derive(Clone, Copy)]
pub struct ExtensionRequest<'a> {
    /// Who asks; it has authenticated by its registered method.
    pub client: &'a Client,
    /// When.
    pub now: Timestamp,
    parameters: &'a [(&'a str, &'a str)],
}

impl<'a> ExtensionRequest<'a> {
    /// The value of a declared parameter; `None` when it was not sent, or empty.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'a str> {
        self.all(name).next()
    }

    /// All values of a declared parameter, in the order in which they came.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(have, _)| *have == name).map(|&(_, value)| value)
    }
}

/// What an application's own grant type entitles a client to.
#[derive(Clone, Debug)]
pub struct Entitled {
    person: Option<(AccountId, Factor)>,
    scopes: Scopes,
    lifetime: Option<Duration>,
    may_refresh: bool,
}

impl Entitled {
    /// Tokens for a person, with these scopes; with `openid` there is an ID token. The factor is what proved
    /// who the person is, and when: `amr` and `auth_time` of the ID token.
    #[must_use]
    pub fn person(account: AccountId, proof: Factor, scopes: Scopes) -> Self {
        Self { person: Some((account, proof)), scopes, lifetime: None, may_refresh: false }
    }

    /// An access token for the client itself. Scopes that are about a person are left out.
    #[must_use]
    pub fn client(scopes: Scopes) -> Self {
        Self { person: None, scopes, lifetime: None, may_refresh: false }
    }

    /// The access tokens of this grant live for at most this long, also those that refresh tokens are exchanged for;
    /// never longer than they would without.
    #[must_use]
    pub fn for_at_most(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }

    /// With a refresh token, if [`TokenPolicy::refresh`](crate::policy::TokenPolicy::refresh) wants one for it.
    /// There is none for the client itself.
    #[must_use]
    pub fn with_refresh_token(self) -> Self {
        Self { may_refresh: true, ..self }
    }
}

/// The parameters of the grant type.
pub(super) struct Request<'p> {
    grant: &'p dyn DynExtensionGrant,
    parameters: Vec<(&'p str, &'p str)>,
}

impl<'p> Request<'p> {
    pub(super) fn read(grant: &'p dyn DynExtensionGrant, params: &'p Params<'_>) -> Result<Self, Refusal> {
        let repeatable = grant.repeatable();
        for name in grant.parameters().iter().filter(|name| !repeatable.contains(name)) {
            params.one(name)?;
        }
        let is_declared = |name: &str| grant.parameters().contains(&name) || repeatable.contains(&name);
        let parameters =
            params.iter().filter(|(name, value)| is_declared(name) && !value.is_empty()).collect();
        Ok(Self { grant, parameters })
    }

    /// Whether the grant type gives the parameter a meaning of its own.
    pub(super) fn declares(&self, name: &str) -> bool {
        self.grant.parameters().contains(&name) || self.grant.repeatable().contains(&name)
    }

    pub(super) fn grant_type(&self) -> GrantType {
        GrantType::Extension(self.grant.grant_type().clone())
    }
}

/// What the application says, as far as the client may have it. Its scopes are read as if the client had
/// asked for them.
pub(super) async fn entitle(
    caller: Requester<'_>,
    asked: &Request<'_>,
    resource: Option<&ResourceUri>,
    rule: &ScopeRule,
) -> Result<Entitlement, Failure> {
    let Requester { call, env, client } = caller;
    let request = ExtensionRequest { client, now: call.now, parameters: &asked.parameters };
    let said = match asked.grant.entitle(request).await? {
        Ok(said) => said,
        Err(refusal) => return Err(permitted(asked, refusal)),
    };
    let (is_named, resource) = (resource.is_some(), caller.resource(resource, said.person.is_some()).await?);
    let text = said.scopes.to_string();
    let read = match said.person {
        Some(_) => rule.asked(Some(&text), client, resource.as_slice())?,
        None => rule.asked_of_no_person(Some(&text), client, resource.as_slice())?,
    };
    env.record_ignored(call, client, &read.unknown, &read.withheld);
    // RFC 6749 section 5.1: the answer has to say which scope was granted, and it cannot say "none" (section 3.3).
    if read.known.is_empty() && request.parameter("scope").is_some() {
        return read.why_nothing().refused();
    }
    let scopes = read.known;
    let Some((account, proof)) = said.person else {
        let what = Entitlement::of_client(client, Target { resource, scopes, details: Vec::new(), is_named });
        return Ok(Entitlement { grant_type: asked.grant_type(), lifetime: said.lifetime, ..what });
    };
    let account = env.account(&account).await?.ok_or(&ACCOUNT_GONE)?;
    let resource = resource.filter(|server| is_named || server.knows_any(&scopes));
    let access = Access::of(&scopes, resource.as_slice());
    let granted = Granted {
        client: client.id().clone(),
        registration: client.registration(),
        grant: GrantId::new(env.partition(), *env.secret::<16>()),
        granted_at: call.now,
        authentication: Authentication {
            account: account.id,
            epoch: account.epoch,
            factors: vec![Factor { at: proof.at.min(call.now), ..proof }],
            acr: None,
        },
        // No browser has signed in, so there is no session to name.
        sid: "".into(),
        resources: access.resources,
        scopes,
        details: Vec::new(),
        claims: ClaimsRequest::default(),
    };
    Ok(Entitlement {
        grant_type: asked.grant_type(),
        target: Target { is_named, ..Target::of_grant(&granted, resource) },
        holder: Holder::Person(Box::new(granted)),
        nonce: None,
        lifetime: said.lifetime,
        refresh: if said.may_refresh { Refresh::New } else { Refresh::No },
        condition: Condition::Begin,
    })
}

/// The refusal, if it is one of RFC 6749 section 5.2 that a grant type can have. Client and grant type were
/// judged before, so the other codes would not be true.
fn permitted(asked: &Request<'_>, refusal: Refusal) -> Failure {
    match refusal.reason.code {
        ErrorCode::InvalidRequest
        | ErrorCode::InvalidGrant
        | ErrorCode::InvalidScope
        | ErrorCode::UnauthorizedClient => refusal.into(),
        code => {
            let name = asked.grant.grant_type().as_str();
            Fault::internal(format!("the grant type {name} refused with {}", code.as_str())).into()
        }
    }
}

/// What the application has registered.
#[derive(Clone, Default)]
pub(crate) struct ExtensionGrants(Vec<Arc<dyn DynExtensionGrant>>);

impl ExtensionGrants {
    /// The parameters of the token endpoint that never are a grant type's (RFC 6749 sections 2.3.1 and 4.5,
    /// RFC 7521 section 4.2).
    const RESERVED: [&'static str; 5] =
        ["grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"];

    pub(crate) fn add(&mut self, grant: Arc<dyn DynExtensionGrant>) {
        self.0.push(grant);
    }

    /// Everything that is wrong with them. All names that clients can be registered for need somebody who
    /// answers.
    pub(crate) fn complaints(&self, offered: &[ExtensionGrantName]) -> Vec<Complaint> {
        let complain = |rule: String| Complaint::new("extension_grants", rule, "RFC 6749 section 4.5");
        let mut complaints = Vec::new();
        let mut names = BTreeSet::new();
        for grant in &self.0 {
            let name = grant.grant_type();
            if !names.insert(name) {
                complaints.push(complain(format!("{:?} is registered twice", name.as_str())));
            }
            let declared = grant.parameters().iter().chain(grant.repeatable());
            for taken in declared.filter(|declared| Self::RESERVED.contains(declared)) {
                complaints.push(complain(format!("{:?} cannot have the parameter {taken}", name.as_str())));
            }
        }
        let orphans = offered.iter().filter(|name| !names.contains(name));
        complaints.extend(orphans.map(|name| complain(format!("nothing answers for {:?}", name.as_str()))));
        complaints
    }

    pub(super) fn named(&self, name: &ExtensionGrantName) -> Option<&dyn DynExtensionGrant> {
        self.0.iter().find(|grant| grant.grant_type() == name).map(|grant| &**grant)
    }
}
