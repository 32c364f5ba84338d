//! RFC 7591, OAuth 2.0 Dynamic Client Registration Protocol: section 2, the metadata of a client that an application writes
//! in Rust.

use std::ops::Deref;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::Client;

/// The metadata of a new client (RFC 7591 section 2), as JSON: it is one with its text, and stands wherever that stands.
/// Nothing is checked before it is registered.
///
/// ```
/// # mod chancery { pub use chancery_core::documents::MemoryRegistry; pub use chancery_core::model::Client; }
/// use chancery::{Client, MemoryRegistry};
///
/// let registry = MemoryRegistry::new();
/// let shop = Client::web("shop").name("The Shop").redirect("https://shop.example/callback");
/// let secret = registry.put(&shop)?; // one was made, because none was given
/// assert!(secret.is_some());
///
/// let app = Client::spa("app").redirect("https://app.example/").api("https://api.example").set("scope", "openid notes");
/// registry.put(&app)?;
/// # Ok::<(), chancery_core::error::Complaints>(())
/// ```
///
/// It has no `Debug`, because it may hold a secret.
#[derive(Clone)]
#[must_use]
pub struct NewClient {
    members: Map<String, Value>,
    text: Zeroizing<String>,
}

impl Client {
    /// A web application whose server keeps a secret: the authorization code with PKCE, and refresh tokens. If no secret is
    /// given, one is made.
    pub fn web(id: &str) -> NewClient {
        NewClient::of(id)
            .set("grant_types", ["authorization_code", "refresh_token"].map(Value::from).to_vec())
    }

    /// An application that runs in a browser and has no secret: the authorization code with PKCE, and refresh tokens.
    pub fn spa(id: &str) -> NewClient {
        Self::web(id).set("token_endpoint_auth_method", "none")
    }

    /// An application on a person's own machine, without a secret (RFC 8252): its redirect URIs are of a scheme of its own, or
    /// `http` on a loopback address, on whichever port.
    pub fn native(id: &str) -> NewClient {
        Self::spa(id).set("application_type", "native")
    }

    /// A program that acts for itself, not for people: client credentials, and the introspection of its own tokens.
    pub fn machine(id: &str) -> NewClient {
        NewClient::of(id)
            .set("grant_types", vec![Value::from("client_credentials")])
            .set("response_types", Vec::<Value>::new())
            .set("redirect_uris", Vec::<Value>::new())
    }
}

impl NewClient {
    fn of(id: &str) -> Self {
        Self { members: Map::new(), text: Zeroizing::default() }.set("client_id", id)
    }

    /// What people are told it is called (`client_name`).
    pub fn name(self, name: &str) -> Self {
        self.set("client_name", name)
    }

    /// Its secret, of at least 32 characters (`client_secret`).
    pub fn secret(self, secret: &str) -> Self {
        self.set("client_secret", secret)
    }

    /// Another address to which people come back when they have signed in (`redirect_uris`).
    pub fn redirect(self, uri: &str) -> Self {
        self.push("redirect_uris", uri)
    }

    /// Another address to which people come back when they have signed out (`post_logout_redirect_uris`).
    pub fn redirect_after_logout(self, uri: &str) -> Self {
        self.push("post_logout_redirect_uris", uri)
    }

    /// Another API that it may ask for, by the name of its resource server. Tokens are for the first one if a request names
    /// none (`chancery.default_resource`, `chancery.resources`).
    pub fn api(self, resource: &str) -> Self {
        let has_default =
            self.members.get("chancery").is_some_and(|own| own.get("default_resource").is_some());
        let first = if has_default { self } else { self.set("chancery.default_resource", resource) };
        first.push("chancery.resources", resource)
    }

    /// The application's own client, for which people are not asked for their consent (`chancery.consent`).
    pub fn without_consent(self) -> Self {
        self.set("chancery.consent", "implied")
    }

    /// Its redirect URIs may be `http` on a loopback host, although it is no native application: while it is being developed
    /// (`chancery.http_loopback_redirects`).
    pub fn on_loopback(self) -> Self {
        self.set("chancery.http_loopback_redirects", true)
    }

    /// Any other member; `chancery.` stands before the name of one of our own.
    pub fn set(mut self, member: &str, value: impl Into<Value>) -> Self {
        *self.member(member) = value.into();
        self.written()
    }

    /// Appends to a list.
    fn push(mut self, member: &str, value: &str) -> Self {
        let list = self.member(member);
        match list.as_array_mut() {
            Some(values) => values.push(value.into()),
            None => *list = Value::from(vec![value]),
        }
        self.written()
    }

    fn member(&mut self, name: &str) -> &mut Value {
        let Some(own) = name.strip_prefix("chancery.") else {
            return self.members.entry(name).or_insert(Value::Null);
        };
        let object = self.members.entry("chancery").or_insert_with(|| Value::Object(Map::new()));
        match object {
            Value::Object(members) => members.entry(own).or_insert(Value::Null),
            // Whoever has set the member as a whole to something else hears of it when it is registered.
            other => other,
        }
    }

    fn written(mut self) -> Self {
        self.text = Zeroizing::new(Value::Object(self.members.clone()).to_string());
        self
    }
}

impl Deref for NewClient {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}
