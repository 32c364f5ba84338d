//! What we give: tokens, codes, responses.

mod response;
pub use response::AuthorizationResponse;
