//! Members of client metadata whose feature is not supported. One that demands protection is refused, so that
//! the protection is not silently missing; one that merely describes is left out, with a notice.

use super::Reader;

pub(super) fn look_at(from: &mut Reader<'_>) {
    for name in from.names() {
        let response = name
            .strip_suffix("_encrypted_response_alg")
            .or_else(|| name.strip_suffix("_encrypted_response_enc"));
        if response.is_some_and(|response| !matches!(response, "id_token" | "userinfo" | "authorization")) {
            from.complain(name, "these responses are not encrypted here; leave it out");
        }
    }
    let name = "introspection_signed_response_alg";
    match from.string(name).as_deref() {
        Some("none") => from.complain(name, "must not be none"),
        Some(_) => from.notice(format!("{name}: these responses are not signed; it was left out")),
        None => {}
    }
}
