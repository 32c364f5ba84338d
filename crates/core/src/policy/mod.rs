//! What an application may decide itself, and the gate that every token has to pass.

pub(crate) mod authorization;
pub use authorization::{
    AuthorizationPolicy, CustomPrompt, DefaultAuthorizationPolicy, DynAuthorizationPolicy,
    INTERACTION_REQUIRED, PersonView, RequestView,
};

mod detail_type;
pub use detail_type::{
    COMMON_ARRAYS, DetailFault, DetailMember, DetailText, DetailType, DetailValue, DetailView, DynDetailType,
    Words, at_location, narrowed, readable,
};

mod prompt_order;
pub use prompt_order::PromptOrder;

mod client;
pub use client::{
    AssertionView, ClientPolicy, DefaultClientPolicy, Doing, DynClientPolicy, Identity, Registrant, TokenView,
};

mod token;
pub use token::{DefaultTokenPolicy, DynTokenPolicy, JwtDraft, TokenKind, TokenPolicy};

pub(crate) mod clear;
pub use clear::{
    ACCOUNT_DISABLED, ACCOUNT_GONE, AUDIENCE_WITHDRAWN, CLIENT_DISABLED, CLIENT_REPLACED, Cleared,
    SCOPES_WITHDRAWN, SIGNED_OUT_EVERYWHERE, SUBJECT_IS_A_CLIENT, clear,
};
pub(crate) use clear::{Authority, Gate, gate};
