//! What an application may decide about clients.

use std::future::Future;

use chancery_jose::{Header, JwtClaims};
use chancery_types::{AccountId, ClientId};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::error::{Fault, Refusal};
use crate::model::{Client, ClientMetadata, ResourceServer, Sector, Subject};
use crate::policy::TokenKind;
use crate::ports::Random;

/// What a client wants with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doing {
    /// To introspect it (RFC 7662).
    Introspection,
    /// To revoke it (RFC 7009).
    Revocation,
}

/// What decides who may see a token.
#[derive(Clone, Copy)]
pub struct TokenView<'a> {
    /// Which kind of token it is.
    pub kind: TokenKind,
    /// The client that it was issued to.
    pub client: &'a ClientId,
    /// The resource server that accepts it.
    pub resource: Option<&'a ResourceServer>,
}

/// An assertion of a client whose signature and claims are good.
#[derive(Clone, Copy)]
pub struct AssertionView<'a> {
    /// Its header.
    pub header: &'a Header,
    /// Its claims.
    pub claims: &'a JwtClaims,
}

/// Who registers a client, or changes it.
#[derive(Clone, Copy)]
pub struct Registrant<'a> {
    /// The network that the request comes from, in the form in which guessing is counted.
    pub network: Option<&'a str>,
    /// The name of the initial access token, if there is one.
    pub initial_access_token: Option<&'a str>,
    /// The claims of the software statement, if there is one.
    pub software_statement: Option<&'a JwtClaims>,
    /// The names of the policies that hold.
    pub policies: &'a [Box<str>],
    /// The client as it is; `None` for a new one.
    pub former: Option<&'a Client>,
}

/// The identity of a new client. What is `None` is made by the engine, of random bytes.
#[derive(Default)]
pub struct Identity {
    /// Its id. It must be no other client's, and no person's.
    pub client_id: Option<ClientId>,
    /// Its secret, if it needs one: at least 32 printable ASCII characters, and 64 if it can be the key of an HMAC.
    pub client_secret: Option<Zeroizing<String>>,
}

/// What an application may decide about clients. Each method has a default.
pub trait ClientPolicy: Send + Sync {
    /// Judges what a client has asked to be registered for, or to be changed into (RFC 7591 section 3.2.1), and may
    /// change it: what it leaves is judged as if the client had asked for it. By default everything is as asked.
    /// What an operator decides about a client (`own`) may be decided here as well.
    ///
    /// ```
    /// # mod chancery {
    /// #     pub use chancery_core::error::{Fault, Reason, Refusal};
    /// #     pub use chancery_core::policy::ClientPolicy;
    /// #     pub mod client { pub use chancery_core::model::{ClientMetadata, ConsentMode}; }
    /// #     pub mod policy { pub use chancery_core::policy::Registrant; }
    /// #     pub mod types { pub use chancery_types::iana::ErrorCode; }
    /// # }
    /// use chancery::{ClientPolicy, Fault, Reason, Refusal};
    /// use chancery::client::{ClientMetadata, ConsentMode};
    /// use chancery::policy::Registrant;
    /// use chancery::types::ErrorCode;
    ///
    /// /// Clients have a name, and those that our own people register ask nobody for consent.
    /// struct Ours;
    ///
    /// const NAMELESS: Reason = Reason {
    ///     name: "client_without_name",
    ///     code: ErrorCode::InvalidClientMetadata,
    ///     description: "client_name is missing",
    ///     section: "house rules",
    /// };
    ///
    /// impl ClientPolicy for Ours {
    ///     async fn register(
    ///         &self,
    ///         asked: &mut ClientMetadata,
    ///         by: Registrant<'_>,
    ///     ) -> Result<Result<(), Refusal>, Fault> {
    ///         if asked.description.client_name.is_none() {
    ///             return Ok(NAMELESS.refused());
    ///         }
    ///         if by.initial_access_token == Some("our-people") {
    ///             asked.own.consent = ConsentMode::Implied;
    ///         }
    ///         Ok(Ok(()))
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// Outside: a fault. Inside: why it is refused; the code should be one of RFC 7591 section 3.2.2.
    fn register(
        &self,
        asked: &mut ClientMetadata,
        by: Registrant<'_>,
    ) -> impl Future<Output = Result<Result<(), Refusal>, Fault>> + Send {
        let _ = (asked, by);
        async { Ok(Ok(())) }
    }

    /// Whether a member of client metadata that nobody here knows is the application's own: then it is kept, can be
    /// read as [`Client::extra`], and is told to the client. By default there is none, and such members are dropped
    /// (RFC 7591 section 2).
    ///
    /// ```
    /// # mod chancery { pub use chancery_core::policy::ClientPolicy; }
    /// use chancery::ClientPolicy;
    /// use serde_json::value::RawValue;
    ///
    /// /// Clients say for which department they are.
    /// struct WithDepartments;
    ///
    /// impl ClientPolicy for WithDepartments {
    ///     fn metadata(&self, name: &str, value: &RawValue) -> Result<bool, String> {
    ///         match (name, value.get()) {
    ///             ("example_department", "\"sales\"" | "\"support\"") => Ok(true),
    ///             ("example_department", _) => Err("must be sales or support".to_owned()),
    ///             _ => Ok(false),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// What is wrong with the value, for whoever registers the client.
    fn metadata(&self, name: &str, value: &RawValue) -> Result<bool, String> {
        let _ = (name, value);
        Ok(false)
    }

    /// The id and the secret of a client that registers itself. By default both are random.
    ///
    /// ```
    /// # mod chancery {
    /// #     pub use chancery_core::policy::ClientPolicy;
    /// #     pub use chancery_core::ports::Random;
    /// #     pub use chancery_types::ClientId;
    /// #     pub mod client { pub use chancery_core::model::ClientMetadata; }
    /// #     pub mod policy { pub use chancery_core::policy::Identity; }
    /// # }
    /// use chancery::{ClientId, ClientPolicy, Random};
    /// use chancery::client::ClientMetadata;
    /// use chancery::policy::Identity;
    ///
    /// /// Ids that tell by themselves that nobody here has chosen the client.
    /// struct Prefixed;
    ///
    /// impl ClientPolicy for Prefixed {
    ///     fn identity(&self, _: &ClientMetadata, random: &dyn Random) -> Identity {
    ///         let mut bytes = [0; 16];
    ///         random.fill(&mut bytes);
    ///         let id = format!("dynamic-{:032x}", u128::from_be_bytes(bytes));
    ///         Identity { client_id: ClientId::parse(&id).ok(), ..Identity::default() }
    ///     }
    /// }
    /// ```
    fn identity(&self, metadata: &ClientMetadata, random: &dyn Random) -> Identity {
        let _ = (metadata, random);
        Identity::default()
    }

    /// Whether the client may introspect or revoke this token. Revocation: only the client that it was issued
    /// to (RFC 7009 section 2.1). Introspection: also the clients that the resource server names, and those
    /// registered to introspect this client's tokens; but a refresh token only by its own client (RFC 6749
    /// section 1.5). A public client sees only its own tokens, because anybody can call under its id (RFC
    /// 7662 section 2.1, token scanning).
    fn sees(&self, client: &Client, token: &TokenView<'_>, doing: Doing) -> bool {
        let is_owner = client.id() == token.client;
        let is_named = || {
            let by_resource =
                token.resource.is_some_and(|server| server.introspected_by.contains(client.id()));
            by_resource || client.metadata().own.introspects.contains(token.client)
        };
        let is_for_others = doing == Doing::Introspection && token.kind != TokenKind::RefreshToken;
        is_owner || (is_for_others && !client.is_public() && is_named())
    }

    /// Refuses an assertion of a client for a reason of the application's own (RFC 7523 section 3,
    /// "additional restrictions and policy"): by default none. It is asked before the assertion is used up.
    ///
    /// # Errors
    /// Why it is refused; the code should be `invalid_client` (RFC 7523 section 3.2).
    fn assertion(&self, client: &Client, assertion: &AssertionView<'_>) -> Result<(), Refusal> {
        let _ = (client, assertion);
        Ok(())
    }

    /// Whether scripts of this origin may call the endpoints as this client: by default the origins of its
    /// redirect URIs.
    fn origin(&self, client: &Client, origin: &str) -> bool {
        client.redirects_to(origin)
    }

    /// The pairwise subject of a person in a sector (OIDC Core section 8.1). It must be the same each time,
    /// another one for each sector, and tell nobody the account. It is asked for every token, so it cannot wait.
    /// `None`, the default, for an HMAC of both under a key of the realm.
    fn pairwise(&self, _sector: &Sector, _account: &AccountId) -> Option<Subject<'static>> {
        None
    }
}

chancery_types::port_object! {
    /// [`ClientPolicy`] as an object, as the engine holds it: whatever implements that trait is one.
    pub trait DynClientPolicy for ClientPolicy {
        async fn register<'a>(
            &'a self,
            asked: &'a mut ClientMetadata,
            by: Registrant<'a>,
        ) -> Result<Result<(), Refusal>, Fault>;
        fn metadata(&self, name: &str, value: &RawValue) -> Result<bool, String>;
        fn identity(&self, metadata: &ClientMetadata, random: &dyn Random) -> Identity;
        fn sees(&self, client: &Client, token: &TokenView<'_>, doing: Doing) -> bool;
        fn assertion(&self, client: &Client, assertion: &AssertionView<'_>) -> Result<(), Refusal>;
        fn origin(&self, client: &Client, origin: &str) -> bool;
        fn pairwise(&self, sector: &Sector, account: &AccountId) -> Option<Subject<'static>>;
    }
}

/// The default of every method.
#[derive(Clone, Copy, Debug, Default)]
pub struct DefaultClientPolicy;

impl ClientPolicy for DefaultClientPolicy {}
