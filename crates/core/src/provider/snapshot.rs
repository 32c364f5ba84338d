//! The snapshot that requests are answered from, assembled from named components.

use std::collections::BTreeMap;
use std::sync::Arc;

use chancery_types::Timestamp;
use chancery_x509::Authorities;

use crate::client::{Authenticator, ClientAuthenticationConfig};
use crate::config::Config;
use crate::context::Env;
use crate::discovery::{self, Announcement, Metadata, StaticDocument};
use crate::endpoint::Served;
use crate::endpoint::authorization::AuthorizationEndpoint;
use crate::endpoint::backchannel_authentication::BackchannelAuthenticationEndpoint;
use crate::endpoint::device_authorization::DeviceAuthorizationEndpoint;
use crate::endpoint::end_session::EndSessionEndpoint;
use crate::endpoint::introspection::IntrospectionEndpoint;
use crate::endpoint::pushed_authorization_request::PushedAuthorizationRequestEndpoint;
use crate::endpoint::registration::RegistrationEndpoint;
use crate::endpoint::revocation::RevocationEndpoint;
use crate::endpoint::token::TokenEndpoint;
use crate::endpoint::token::extension::ExtensionGrants;
use crate::endpoint::userinfo::UserInfoEndpoint;
use crate::error::Fault;
use crate::interaction::throttle::Throttle;
use crate::interaction::{AccountPages, Interactions, visit};
use crate::issue::TokenIssuer;
use crate::keys::KeySet;
use crate::offered::{Component, Endpoint, MutualTlsMetadata};
use crate::policy::{DynAuthorizationPolicy, DynClientPolicy, DynTokenPolicy, PromptOrder};
use crate::request::{Recognised, Resolver, Rules};
use crate::rule::authorization_details::DetailTypes;
use crate::rule::claims::ClaimsRule;
use crate::rule::dpop::Dpop;
use crate::rule::pairwise::Subjects;
use crate::rule::pkce::Pkce;
use crate::rule::scope::ScopeRule;
use crate::session::Sessions;

/// What a snapshot is made from besides the keys.
pub(super) struct Components {
    pub(super) config: Config,
    pub(super) authorization_policy: Arc<dyn DynAuthorizationPolicy>,
    pub(super) token_policy: Arc<dyn DynTokenPolicy>,
    pub(super) client_policy: Arc<dyn DynClientPolicy>,
    pub(super) extensions: ExtensionGrants,
    pub(super) details: DetailTypes,
    pub(super) authorities: Arc<Authorities>,
    pub(super) ui_locales: Vec<String>,
}

/// Everything that requests are answered from. It never changes and is only replaced as a whole.
pub struct Snapshot {
    /// The metadata (RFC 8414 section 3.2).
    pub discovery: StaticDocument,
    /// The JWK Set (RFC 7517 section 5).
    pub jwks: StaticDocument,
    pub(super) keys: Arc<KeySet>,
    pub(super) keys_generation: u64,
    /// When it was made. This is in the future if the clock has been set back since.
    pub(super) made_at: Timestamp,
    /// When a key next changes its state.
    pub(super) old_at: Option<Timestamp>,
    pub(super) interactions: Arc<Interactions>,
    pub(super) authorization: AuthorizationEndpoint,
    pub(super) end_session: EndSessionEndpoint,
    pub(super) authenticator: Authenticator,
    pub(super) registration: RegistrationEndpoint,
    pub(super) dpop: Arc<Dpop>,
    /// Whether introspection is on or not, resource servers in the same program are told of their tokens.
    pub(super) introspection: IntrospectionEndpoint,
    /// The endpoints for clients that are switched on.
    pub(super) client_endpoints: BTreeMap<Endpoint, Served>,
}

impl Snapshot {
    /// Assembles the components.
    pub(super) async fn make(components: &Components, env: &Env, now: Timestamp) -> Result<Self, Fault> {
        let Components { config, authorization_policy, token_policy, client_policy, .. } = components;
        let Components { extensions, authorities, ui_locales, .. } = components;
        // Read before the keys, so that the next check notices a change that happens in between.
        let keys_generation = env.private_keys.generation(&env.realm);
        let keys = Arc::new(KeySet::load(&*env.private_keys, &env.realm).await?);

        let offered = Arc::new(config.offered_at(&env.issuer));
        let types = env.accounts.claim_types(&env.realm);
        let claims = ClaimsRule::new(config.claims.clone()).with_types(types);
        let scope = ScopeRule::new(&config.scopes, claims.scopes());
        let pkce = Pkce::new(&config.compatibility);
        let subjects = Arc::new(Subjects::new(Arc::clone(&keys), Arc::clone(client_policy)));
        let details = Arc::new(components.details.clone());
        let issuer = Arc::new(TokenIssuer {
            keys: Arc::clone(&keys),
            subjects: Arc::clone(&subjects),
            policy: Arc::clone(token_policy),
            claims: Arc::new(claims.clone()),
            details: Arc::clone(&details),
            authorization_code: config.authorization_code.clone(),
            access_token: config.access_token.clone(),
            id_token: config.id_token.clone(),
            jwt_responses: offered.has_jwt_responses(),
            unsigned_id_tokens: offered.unsigned_id_tokens,
            empty_scope_members: config.compatibility.empty_scope_members,
            refresh_token: config.refresh_token.clone(),
            floor: offered.floor.clone(),
        });
        let page_address = |endpoint: Endpoint| {
            let path = config.routes.path(endpoint).filter(|_| offered.endpoints.has(endpoint));
            path.map(|path| format!("{}{path}", env.issuer).into())
        };
        let interactions = Arc::new(Interactions {
            rules: Rules {
                resolver: Resolver::new(
                    Recognised::new(&**authorization_policy),
                    (config.request_objects.clone(), config.pushed_requests()),
                    &config.compatibility,
                    Arc::clone(&offered),
                    Arc::clone(&keys),
                    env.fetch.reaches_others(),
                ),
                offered: Arc::clone(&offered),
                details: Arc::clone(&details),
                scope: scope.clone(),
                pkce,
                claims: claims.clone(),
                keys: Arc::clone(&keys),
                issuer: env.issuer.clone(),
                prompts: PromptOrder::of(&**authorization_policy, config.sign_up.offered),
                policy: Arc::clone(authorization_policy),
            },
            sessions: Sessions::new(config.session.clone(), Arc::clone(&subjects)),
            issuer: issuer.clone(),
            config: config.interaction.clone(),
            sign_up: config.sign_up.clone(),
            is_stored_by_client: config.compatibility.stored_interactions_by_client.is_on(),
            device_authorization: config.device_authorization.clone(),
            approvals: format!(
                "{}{}",
                env.issuer,
                config.routes.path(Endpoint::Approvals).unwrap_or_default()
            )
            .into(),
            account: AccountPages {
                address: page_address(Endpoint::Account),
                logout: page_address(Endpoint::EndSession),
                config: config.account.clone(),
            },
            itself: visit::itself(env, now)?,
            throttle: Throttle::new(config.throttle.clone()),
            reachable: env.accounts.levels(&env.realm),
        });
        let end_session = EndSessionEndpoint {
            keys: Arc::clone(&keys),
            sessions: Sessions::new(config.session.clone(), subjects),
            lifetime: config.interaction.lifetime,
            is_on: offered.endpoints.has(Endpoint::EndSession),
            redirects: offered.redirects,
        };
        let dpop = Arc::new(Dpop::new(
            config.dpop.clone(),
            &offered.floor,
            env.issuer.clone(),
            &config.routes,
            &config.mtls,
            Arc::clone(&keys),
        ));
        let authorization = AuthorizationEndpoint::new(Arc::clone(&interactions));
        let pushed = PushedAuthorizationRequestEndpoint {
            interactions: Arc::clone(&interactions),
            dpop: Arc::clone(&dpop),
            config: config.pushed_requests(),
        };
        let page = config.routes.path(Endpoint::UserCode).unwrap_or_default();
        let device_authorization = DeviceAuthorizationEndpoint {
            interactions: Arc::clone(&interactions),
            verification_uri: format!("{}{page}", env.issuer).into(),
        };
        let backchannel_authentication = BackchannelAuthenticationEndpoint {
            interactions: Arc::clone(&interactions),
            dpop: Arc::clone(&dpop),
            config: config.ciba.clone(),
            has_user_codes: env.accounts.has_user_codes(&env.realm),
            algorithms: offered.request_object_algorithms.clone(),
        };
        let token = TokenEndpoint {
            issuer: issuer.clone(),
            scopes: Arc::new(scope.clone()),
            offered: offered.clone(),
            dpop: Arc::clone(&dpop),
            extensions: extensions.clone(),
        };
        let introspection = IntrospectionEndpoint {
            issuer: issuer.clone(),
            policy: client_policy.clone(),
            offered: offered.clone(),
        };
        let revocation = RevocationEndpoint { issuer: issuer.clone(), policy: client_policy.clone() };
        let userinfo = UserInfoEndpoint {
            issuer: issuer.clone(),
            claims: Arc::new(claims.clone()),
            dpop: Arc::clone(&dpop),
            authentication: config.userinfo.clone(),
            may_token_be_in_query: config.compatibility.query_access_token,
        };

        let management = offered.endpoints.has(Endpoint::ClientConfiguration);
        let path = config.routes.path(Endpoint::ClientConfiguration).filter(|_| management);
        let registration = RegistrationEndpoint {
            config: config.registration.clone(),
            policies: config.registration_policy.clone(),
            statement_issuers: config.software_statement_issuer.clone(),
            policy: Arc::clone(client_policy),
            offered: offered.clone(),
            keys: Arc::clone(&keys),
            management: path.map(|path| format!("{}{path}", env.issuer).into()),
        };

        let mutual_tls = MutualTlsMetadata::new(&config.mtls, &config.routes, &offered.endpoints);
        let announcement = Announcement {
            issuer: &env.issuer,
            routes: &config.routes,
            offered: &offered,
            ui_locales,
            config: &config.discovery,
        };
        // In a block, because the components are not to be kept while something is signed.
        let metadata = {
            let components: [&dyn Component; 15] = [
                &*offered,
                &scope,
                &*details,
                &claims,
                &pkce,
                &*dpop,
                &*interactions,
                &interactions.rules.resolver,
                &interactions.rules,
                &backchannel_authentication,
                &*issuer,
                &userinfo,
                &introspection,
                &end_session,
                &mutual_tls,
            ];
            discovery::metadata(&announcement, &components, now)
        };
        let signed = match config.discovery.signed {
            true => signed(&metadata, &issuer, env, now).await?,
            false => None,
        };
        let discovery = metadata.document(signed.as_deref());
        let client_endpoints = [
            (Endpoint::PushedAuthorizationRequest, Served::ToClient(Box::new(pushed))),
            (Endpoint::BackchannelAuthentication, Served::ToClient(Box::new(backchannel_authentication))),
            (Endpoint::DeviceAuthorization, Served::ToClient(Box::new(device_authorization))),
            (Endpoint::Token, Served::ToClient(Box::new(token))),
            (Endpoint::Introspection, Served::ToClient(Box::new(introspection.clone()))),
            (Endpoint::Revocation, Served::ToClient(Box::new(revocation))),
            (Endpoint::UserInfo, Served::ToBearer(Box::new(userinfo))),
        ];
        Ok(Self {
            discovery,
            jwks: StaticDocument::new(keys.jwks_json(now)),
            keys_generation,
            made_at: now,
            old_at: keys.next_change(now),
            authorization,
            end_session,
            authenticator: Authenticator {
                config: ClientAuthenticationConfig {
                    assertion_algorithms: offered.assertion_algorithms.clone(),
                    ..config.client_authentication.clone()
                },
                mutual_tls: config.mtls.clone(),
                authorities: Arc::clone(authorities),
                audience: config.compatibility.assertion_audience,
                floor: offered.floor.clone(),
                routes: config.routes.clone(),
                keys: Arc::clone(&keys),
                policy: client_policy.clone(),
            },
            registration,
            dpop,
            introspection,
            client_endpoints: client_endpoints
                .into_iter()
                .filter(|(on, _)| offered.endpoints.has(*on))
                .collect(),
            interactions,
            keys,
        })
    }
}

/// The metadata as a JWT (RFC 8414 section 2.1), signed with whatever ID tokens can be signed with. It is signed anew with
/// each snapshot, so that it is always a key that signs now; where none does, nothing is signed.
async fn signed(
    metadata: &Metadata<'_>,
    issuer: &TokenIssuer,
    env: &Env,
    now: Timestamp,
) -> Result<Option<String>, Fault> {
    let alg = issuer.algorithms(now).into_iter().find(|alg| !alg.is_symmetric());
    let Some(alg) = alg else { return Ok(None) };
    let claims = metadata.claims(now);
    issuer.keys.sign_jwt(env, now, alg, Some("JWT"), claims.as_bytes()).await.map(Some)
}
