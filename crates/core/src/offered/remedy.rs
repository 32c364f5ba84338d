//! What to do about a value of client metadata that is not offered (RFC 7591 section 2).

use chancery_types::nearest::{distance, nearest};

/// The values that a setting offers.
const SETTINGS: [(&str, &[&str]); 8] = [
    ("compatibility.implicit", &["implicit", "id_token", "id_token token"]),
    ("compatibility.hybrid", &["code id_token", "code token", "code id_token token"]),
    ("compatibility.unsigned_id_token", &["none"]),
    ("ciba.offered", &["urn:openid:params:grant-type:ciba"]),
    ("device_authorization.offered", &["urn:ietf:params:oauth:grant-type:device_code"]),
    ("response_modes.jwt", &["jwt", "query.jwt", "fragment.jwt", "form_post.jwt", "web_message.jwt"]),
    ("response_modes.web_message", &["web_message"]),
    ("mtls", &["tls_client_auth", "self_signed_tls_client_auth"]),
];

/// How many letters may differ: some of these names are long, and share most of their letters.
const SLIP: usize = 3;

/// The way out, for an operator: the setting that offers the value. Anybody is told what was probably meant.
pub(crate) fn remedy<'o>(
    value: &str,
    offered: impl IntoIterator<Item = &'o str>,
    is_for_operator: bool,
) -> String {
    let switch = SETTINGS.iter().find(|(_, values)| values.contains(&value)).map(|(setting, _)| *setting);
    match switch {
        Some("mtls") if is_for_operator => format!(": mtls.{value} offers it"),
        Some(setting) if is_for_operator => format!(": {setting} offers it"),
        Some(_) => String::new(),
        None => {
            let meant = nearest(value, offered).filter(|near| distance(value, near) <= SLIP);
            meant.map(|near| format!("; did you mean {near}?")).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_and_a_switch_are_told() {
        let offered = ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"];
        for (value, told) in [
            ("authorisation_code", "; did you mean authorization_code?"),
            ("authorization-code", "; did you mean authorization_code?"),
            ("password", ""),
            ("urn:ietf:params:oauth:grant-type:jwt-bearer", ""),
            ("urn:openid:params:grant-type:ciba", ": ciba.offered offers it"),
            ("self_signed_tls_client_auth", ": mtls.self_signed_tls_client_auth offers it"),
        ] {
            assert_eq!(remedy(value, offered, true), told, "{value}");
        }
        assert_eq!(remedy("implicit", offered, false), "", "clients cannot change the configuration");
    }
}
