//! Modules about what a client answers when it is told of a decision.

use chancery_testkit::Fetched;
use serde_json::{Value, json};

/// A ping as CIBA Core section 10.2 has it: the client's token, and in the body nothing but the request's name.
#[track_caller]
pub(crate) fn check(ping: &Fetched, auth_req_id: &str, token: &str) {
    assert_eq!(ping.form.as_deref(), Some(token));
    let body: Value = serde_json::from_str(ping.form.as_deref().expect("JSON")).expect("JSON");
    assert_eq!(body, json!({"auth_req_id": auth_req_id}));
}
