//! The metadata of a client whose members are given one by one, by flags.

use chancery_core::error::Complaint;
use chancery_core::model::Client;
use chancery_types::iana::GrantType;
use serde_json::{Map, Value, json};

use crate::arguments::{Changed, Kind, Simple};

impl Simple {
    /// The metadata of a client of this kind, if one is named.
    pub(super) fn metadata(self) -> Result<Option<Vec<u8>>, String> {
        let Self { kind, id, name, redirect_uris, post_logout_redirect_uris, refresh_tokens } = self;
        let Some(kind) = kind else { return Ok(None) };
        if refresh_tokens && kind == Kind::Machine {
            return Err(NO_REFRESH_TOKENS.to_owned());
        }
        for (flag, uris) in
            [("--redirect-uri", &redirect_uris), ("--post-logout-redirect-uri", &post_logout_redirect_uris)]
        {
            if let (Some(uri), Kind::Machine) = (uris.first(), kind) {
                return Err(unused_by_machine(flag, uri));
            }
        }
        check_separate(&redirect_uris, &post_logout_redirect_uris)?;
        let mut metadata = match kind {
            Kind::Web => json!({}),
            Kind::Spa => json!({ "token_endpoint_auth_method": "none" }),
            Kind::Native => json!({ "token_endpoint_auth_method": "none", "application_type": "native" }),
            Kind::Machine => json!({ "grant_types": ["client_credentials"], "response_types": [] }),
        };
        let given = [
            ("client_id", id.map(Value::from)),
            ("client_name", name.map(Value::from)),
            ("grant_types", refresh_tokens.then(|| json!(["authorization_code", "refresh_token"]))),
            ("redirect_uris", list(redirect_uris)),
            ("post_logout_redirect_uris", list(post_logout_redirect_uris)),
        ];
        if let Some(members) = metadata.as_object_mut() {
            members.extend(present(given));
        }
        Ok(Some(metadata.to_string().into_bytes()))
    }
}

impl Changed {
    /// The members that are to be others, if any is named.
    pub(super) fn metadata(self) -> Result<Option<Vec<u8>>, String> {
        let Self { name, redirect_uris, post_logout_redirect_uris, refresh_tokens } = self;
        check_separate(&redirect_uris, &post_logout_redirect_uris)?;
        let given = [
            ("client_name", name.map(Value::from)),
            ("redirect_uris", list(redirect_uris)),
            ("post_logout_redirect_uris", list(post_logout_redirect_uris)),
        ];
        let members: Map<String, Value> = present(given).collect();
        Ok((refresh_tokens || !members.is_empty()).then(|| Value::Object(members).to_string().into_bytes()))
    }
}

/// The members that are to be others, with the grant type of refresh tokens beside those that the client has.
pub(super) fn with_refresh_tokens(patch: &[u8], client: &Client) -> Result<Vec<u8>, String> {
    if Kind::of(client) == Some(Kind::Machine) {
        return Err(NO_REFRESH_TOKENS.to_owned());
    }
    let mut members: Map<String, Value> = serde_json::from_slice(patch).map_err(|error| error.to_string())?;
    let mut grant_types = client.metadata().flow.grant_types.clone();
    if !grant_types.contains(&GrantType::RefreshToken) {
        grant_types.push(GrantType::RefreshToken);
    }
    members.insert("grant_types".to_owned(), json!(grant_types));
    Ok(Value::Object(members).to_string().into_bytes())
}

/// RFC 6749 section 4.4.3: client credentials come without a refresh token.
const NO_REFRESH_TOKENS: &str = "--refresh-tokens: a machine asks for another access token with its secret, and gets no refresh \
                                 tokens; leave it out, or add a client of --kind web, spa or native";

/// Why a machine gets no address to send people to.
pub(super) fn unused_by_machine(flag: &str, uri: &str) -> String {
    format!(
        "{flag}: a machine sends nobody to a login, so that {uri:?} would never be used; leave it out, or add a client of \
         --kind web, spa or native"
    )
}

/// Refuses URIs with commas between them: a comma may be a part of a URI, so that each has a flag of its own.
fn check_separate(redirect_uris: &[String], post_logout_redirect_uris: &[String]) -> Result<(), String> {
    let is_joined = |uri: &&String| uri.split(',').skip(1).any(|next| next.trim_start().contains("://"));
    match redirect_uris.iter().chain(post_logout_redirect_uris).find(is_joined) {
        Some(uri) => Err(format!("{uri:?} is several URIs: repeat the flag for each, without commas")),
        None => Ok(()),
    }
}

/// What is wrong, in the words of the command line: what a program in Rust would write is no help there.
pub(super) fn in_flags(mut complaint: Complaint, is_typed: bool) -> Complaint {
    let rule = &complaint.rule;
    let Some((before, rest)) = rule.split_once(" (in Rust `") else { return complaint };
    let Some((_, after)) = rest.split_once("`)") else { return complaint };
    let way = match complaint.setting.ends_with("redirect_uris") && rule.contains("must have at least one") {
        false => "",
        true if is_typed => ": give it by --redirect-uri URI",
        true => ", such as [\"https://app.example.org/callback\"]",
    };
    complaint.rule = format!("{before}{after}{way}");
    complaint
}

/// The URIs as a member, unless there are none.
fn list(uris: Vec<String>) -> Option<Value> {
    (!uris.is_empty()).then(|| uris.into())
}

/// The members that have a value.
fn present<const N: usize>(members: [(&str, Option<Value>); N]) -> impl Iterator<Item = (String, Value)> {
    members.into_iter().filter_map(|(member, value)| Some((member.to_owned(), value?)))
}
