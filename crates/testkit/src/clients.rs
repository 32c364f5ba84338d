//! The clients and resource servers that every test provider knows, and how a test registers others.

use std::sync::{Arc, PoisonError};

use chancery_core::client::{
    NotRegistered, RegistrationRules, change_fetching, register, register_fetching, replace_secret,
};
use chancery_core::config::Config;
use chancery_core::model::{ResourceServer, TokenFormat};
use chancery_core::ports::Registry as _;
use chancery_jose::SigningAlgorithm;
use chancery_store::Put;
use chancery_types::{ClientId, ResourceUri, Scopes, Timestamp};
use serde_json::Value;

use crate::interleaved::wait;
use crate::provider::TestProvider;

/// The secret of every ready-made client that has one.
pub const SECRET: &str = "a-secret-of-forty-three-characters-for-test";

/// RFC 7591 metadata of the ready-made clients; what each is for stands in the table of the crate's
/// documentation.
pub const READY_MADE: &[&str] = &[
    r#"{"client_id":"web","client_name":"The Web App","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://web.example/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token","client_credentials"],
        "client_uri":"https://web.example/"}"#,
    r#"{"client_id":"post","client_secret":"a-secret-of-forty-three-characters-for-test",
        "token_endpoint_auth_method":"client_secret_post","id_token_signed_response_alg":"ES256",
        "redirect_uris":["https://post.example/cb","https://post.example/cb2"],
        "grant_types":["authorization_code","refresh_token","client_credentials"]}"#,
    r#"{"client_id":"native","application_type":"native","token_endpoint_auth_method":"none",
        "redirect_uris":["http://127.0.0.1/cb","com.example.app:/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token"]}"#,
    r#"{"client_id":"spa","token_endpoint_auth_method":"none","redirect_uris":["https://spa.example/cb"],
        "id_token_signed_response_alg":"ES256","grant_types":["authorization_code","refresh_token"]}"#,
    r#"{"client_id":"operator","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://operator.example/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token"],
        "chancery":{"consent":"implied","refresh_tokens":"always"}}"#,
    r#"{"client_id":"api","client_secret":"a-secret-of-forty-three-characters-for-test",
        "response_types":[],"grant_types":["client_credentials"]}"#,
    r#"{"client_id":"machine","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://machine.example/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token","client_credentials"],
        "chancery":{"default_resource":"https://api.example","refresh_tokens":"always"}}"#,
    r#"{"client_id":"jwt","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://jwt.example/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token","client_credentials"],
        "chancery":{"default_resource":"https://jwt-api.example","refresh_tokens":"always"}}"#,
];

/// `https://api.example` with opaque tokens and `https://jwt-api.example` with JWTs; both know the scopes
/// `read` and `write`, and `api` may introspect the tokens of both.
pub(crate) fn resource_servers() -> Vec<ResourceServer> {
    let server = |uri, format| ResourceServer {
        uri: ResourceUri::parse(uri).expect("a resource URI"),
        name: None,
        scopes: Scopes::parse("read write").expect("scopes"),
        any_client: false,
        format,
        lifetime: None,
        alg: SigningAlgorithm::Es256,
        encryption: None,
        introspected_by: vec![ClientId::parse("api").expect("a client id")],
        authentication: true,
        userinfo: true,
    };
    vec![
        server("https://api.example", TokenFormat::Opaque),
        server("https://jwt-api.example", TokenFormat::Jwt),
    ]
}

/// What a client's own program has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    pub(crate) secret: Option<String>,
    pub(crate) method: String,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) is_pkce_optional: bool,
}

impl Registration {
    /// Reads RFC 7591 metadata; `made` is the secret that the provider made.
    pub(crate) fn read(metadata: &str, made: Option<&str>) -> Self {
        let json: Value = serde_json::from_str(metadata).expect("client metadata is JSON");
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let uris = json["redirect_uris"].as_array().into_iter().flatten();
        Self {
            client_id: text("client_id").expect("a client of a test has a client_id"),
            secret: text("client_secret").or_else(|| made.map(str::to_owned)),
            method: text("token_endpoint_auth_method").unwrap_or_else(|| "client_secret_basic".to_owned()),
            redirect_uris: uris.filter_map(|uri| uri.as_str().map(str::to_owned)).collect(),
            is_pkce_optional: json["chancery"]["pkce_optional"] == Value::Bool(true),
        }
    }
}

impl TestProvider {
    /// Registers a client, or changes one: RFC 7591 metadata with a `client_id`.
    ///
    /// # Panics
    /// When something is wrong with it.
    #[track_caller]
    pub fn put_client(&self, metadata: &str) {
        let made =
            self.registry.put(metadata).unwrap_or_else(|complaints| panic!("{metadata}: {complaints:#?}"));
        self.know(Registration::read(metadata, made.as_ref().map(|secret| secret.as_str())));
    }

    /// Registers a client, or changes one, and fetches what it has published, as a registration by a command or at the
    /// endpoint does.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn put_client_fetching(&self, metadata: &str) -> Result<(), NotRegistered> {
        let rules = RegistrationRules {
            can_fetch: true,
            ..RegistrationRules::new(&self.offered, &SigningAlgorithm::ALL, self.now())
        };
        let made = register_fetching(metadata.as_bytes(), &*self.random, &rules, &*self.fetch);
        let client = wait(made)?.client;
        let realm = &self.env().realm;
        let seen = wait(self.registry.client(realm, client.id())).expect("the registry");
        let seen = seen.map(|client| client.revision());
        let put = wait(self.registry.put_client(realm, seen, Arc::new(client.configured())));
        assert!(matches!(put, Ok(Put::Done(_))), "{put:?}");
        self.know_client(metadata);
        Ok(())
    }

    /// An operator changes the client while the provider runs, as `chancery client update` does.
    ///
    /// # Errors
    /// What is wrong with the change.
    pub fn change_client(&self, client: &str, patch: &str) -> Result<(), NotRegistered> {
        let (realm, id) = (&self.env().realm, ClientId::parse(client).expect("a client id"));
        let former = wait(self.registry.client(realm, &id)).expect("the registry").expect("the client");
        let rules = RegistrationRules {
            can_fetch: true,
            ..RegistrationRules::new(&self.offered, &SigningAlgorithm::ALL, self.now())
        };
        let changed = change_fetching(&former, patch.as_bytes(), &*self.random, &rules, &*self.fetch);
        let changed = Arc::new(wait(changed)?.client);
        let put = wait(self.registry.put_client(realm, Some(former.revision()), changed));
        assert!(matches!(put, Ok(Put::Done(_))), "{put:?}");
        Ok(())
    }

    /// Stores a client that was registered while the server demanded nothing beyond the baseline, and offered whatever
    /// the client's own profile demands.
    ///
    /// # Panics
    /// When something else is wrong with it.
    #[track_caller]
    pub fn put_older_client(&self, metadata: &str) {
        let mut config = Config::default();
        config.pushed_requests.offered = true;
        config.dpop.offered = true;
        config.mtls.certificate_bound_access_tokens = true;
        let offered = config.offered();
        let rules = RegistrationRules::new(&offered, &SigningAlgorithm::ALL, self.now());
        let made = register(metadata.as_bytes(), &*self.random, &rules);
        let client = made.unwrap_or_else(|complaints| panic!("{metadata}: {complaints:#?}")).client;
        let put = wait(self.registry.put_client(&self.env().realm, None, Arc::new(client)));
        assert!(matches!(put, Ok(Put::Done(_))), "{put:?}");
        self.know_client(metadata);
    }

    /// The kit can act as the client with this metadata.
    pub(crate) fn know_client(&self, metadata: &str) {
        self.know(Registration::read(metadata, None));
    }

    fn know(&self, registration: Registration) {
        let mut known = self.registrations.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(registration.client_id.clone(), registration);
    }

    /// The client is removed, and another one with the same `client_id` is registered.
    ///
    /// # Panics
    /// When something is wrong with it.
    #[track_caller]
    pub fn replace_client(&self, metadata: &str) {
        let registration = Registration::read(metadata, None);
        self.remove_client(&registration.client_id);
        let rules = RegistrationRules::new(&self.offered, &SigningAlgorithm::ALL, self.now());
        let made = register(metadata.as_bytes(), &*self.random, &rules);
        let client = made.unwrap_or_else(|complaints| panic!("{metadata}: {complaints:#?}")).client;
        let put =
            wait(self.registry.put_client(&self.env().realm, None, Arc::new(client))).expect("the registry");
        assert!(matches!(put, Put::Done(_)), "{put:?}");
        self.know(registration);
    }

    /// Replaces a client's secret; the one that it had is good until `other_ends`. The kit goes on with that
    /// one, as a client that has not heard of the new one, which is returned.
    ///
    /// # Panics
    /// When there is no such client with a secret.
    #[must_use]
    pub fn replace_secret(&self, client: &str, other_ends: Timestamp) -> String {
        let (realm, id) = (self.env().realm.clone(), ClientId::parse(client).expect("a client id"));
        let seen = wait(self.registry.client(&realm, &id)).expect("the registry").expect("a client");
        let rules = RegistrationRules::new(&self.offered, &SigningAlgorithm::ALL, self.now());
        let session = self.provider.session_lifetime();
        let made = replace_secret(&seen, other_ends, session, &*self.random, &rules);
        let made = made.expect("a client with a secret");
        let put = wait(self.registry.put_client(&realm, Some(seen.revision()), Arc::new(made.client)));
        assert!(matches!(put, Ok(Put::Done(_))), "{put:?}");
        made.secret_to_show.expect("a new secret").to_string()
    }

    /// The registration of a client is gone.
    pub fn remove_client(&self, client: &str) {
        self.registry.remove(&ClientId::parse(client).expect("a client id"));
    }

    pub(crate) fn registration(&self, client: &str) -> Registration {
        let known = self.registrations.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(client).unwrap_or_else(|| panic!("the kit knows no client {client}")).clone()
    }
}
