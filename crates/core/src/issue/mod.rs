//! What we give: tokens, codes, responses.

pub mod authorization_code;
