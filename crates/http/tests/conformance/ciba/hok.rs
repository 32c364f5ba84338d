//! The module about tokens that are bound to certificates.

use super::suite::{Shown, in_each};
use crate::fapi::suite::refused;

/// fapi-ciba-id1-ensure-mtls-holder-of-key-required: without the certificate there is no token. What the module
/// probes of TLS is in the listener's own tests.
#[test]
fn no_certificate() {
    in_each(|suite| {
        let auth_req_id = suite.accepted(0, &suite.request(0));
        let without = || Shown { certificate: None, ..suite.shown(0) };
        let codes = ["invalid_client", "invalid_request", "invalid_grant"];
        refused(&suite.poll_with(&auth_req_id, &without()), &codes);
        assert_eq!(suite.decide("allow"), 1);
        refused(&suite.poll_with(&auth_req_id, &without()), &codes);
        // Whoever has the certificate gets it.
        assert_eq!(suite.poll(0, &auth_req_id).status, 200);
    });
}
