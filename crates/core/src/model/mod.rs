//! The domain model: plain data behind private fields.

mod account;
pub use account::{
    Account, AccountRegistration, Epoch, Hint, LoginForm, PasswordChange, Posted, SentCookie, SignUpForm,
};

mod carrier;
pub use carrier::{Carried, Carrier, Source};

mod authorization_detail;
pub use authorization_detail::{AuthorizationDetail, Untyped};

mod claim_name;
pub use claim_name::ClaimName;

mod claim_source;
pub use claim_source::{ClaimSource, ClaimType};

mod claims;
pub use claims::{ClaimAsk, Claims, ClaimsRequest};

pub mod client;
pub use client::{
    ApplicationType, Client, ClientMetadata, ConsentMode, IdTokenAlgorithm, RedirectTarget, RedirectUse,
    RefreshTokens, RegistrationId, SecretMethod,
};

mod resource_server;
pub use resource_server::{ResourceServer, TokenFormat};

mod token_encryption;
pub use token_encryption::TokenEncryption;

mod authentication;
pub use authentication::{Acr, Amr, Authentication, Factor};

mod place;
pub use place::Place;

mod prompt;
pub use prompt::{CustomPromptName, Done, PromptName};

mod own_parameters;
pub use own_parameters::OwnParameters;

pub(crate) mod binding;
pub use binding::{
    BINDING_DEMANDED, CERTIFICATE_MISSING, PROOF_MISSING, Possession, Thumbprint, TokenBinding,
};

mod access_token;
pub use access_token::AccessToken;

mod access;
pub use access::{Access, ResourceScopes};

mod consent;
pub use consent::ConsentAnswer;

mod subject;
pub use subject::{Sector, Subject};

mod grant;
pub use grant::GrantId;

mod granted;
pub use granted::{Granted, Holder};

mod entitlement;
pub use entitlement::{Condition, Entitlement, Refresh, Target};
