//! Members of client metadata whose feature is not supported. One that demands protection is refused, so that
//! the protection is not silently missing.

use super::Reader;

pub(super) fn look_at(from: &mut Reader<'_>) {
    for name in from.names() {
        let response = name
            .strip_suffix("_encrypted_response_alg")
            .or_else(|| name.strip_suffix("_encrypted_response_enc"));
        if response.is_some_and(|response| {
            !matches!(response, "id_token" | "userinfo" | "authorization" | "introspection")
        }) {
            from.complain(name, "these responses are not encrypted here; leave it out");
        }
    }
}
