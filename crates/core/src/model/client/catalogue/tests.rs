//! The catalogue against what is read.

use std::collections::BTreeSet;

use chancery_jose::json::Object;
use chancery_types::iana::SubjectType;

use super::*;
use crate::model::client::{ClientMetadata, OwnSettings, Reader, Signing};
use crate::profile::Floor;

/// Every member that is read is explained, and no other one; whatever kind of client it is.
#[test]
fn what_is_read_is_explained() {
    let floor = Floor::of(crate::profile::Profile::Baseline);
    let signing = Signing { algorithms: &[], floor: &floor };
    let mut read: BTreeSet<String> =
        ["client_id", "client_secret", "client_secret_expires_at"].map(str::to_owned).into();
    for json in [
        "{}",
        r#"{"token_endpoint_auth_method":"tls_client_auth","id_token_encrypted_response_alg":"ECDH-ES",
            "userinfo_encrypted_response_alg":"ECDH-ES","request_object_encryption_alg":"ECDH-ES",
            "authorization_encrypted_response_alg":"ECDH-ES","introspection_encrypted_response_alg":"ECDH-ES"}"#,
    ] {
        let object = Object::parse(json.as_bytes()).unwrap();
        let mut reader = Reader::new(&object, RFC7591);
        let _ = ClientMetadata::read(&mut reader, signing, &[SubjectType::Public], None);
        read.extend(reader.asked_for().filter(|name| *name != "chancery").map(str::to_owned));
    }
    let own = serde_json::to_value(every_own()).unwrap();
    read.extend(own.as_object().unwrap().keys().map(|name| format!("chancery.{name}")));
    let explained: BTreeSet<String> = ClientMember::all().map(|member| member.name.to_owned()).collect();
    assert_eq!(explained, read);
    assert_eq!(ClientMember::all().count(), explained.len(), "each once");
}

/// With a value for each member, so that each is written.
fn every_own() -> OwnSettings {
    let uri = || chancery_types::ResourceUri::parse("https://api.example").unwrap();
    OwnSettings {
        any_redirect_scheme: true,
        default_resource: Some(uri()),
        empty_scope_members: true,
        http_loopback_redirects: true,
        introspects: vec![chancery_types::ClientId::parse("a").unwrap()],
        any_loopback_port: true,
        normalised_redirect_match: true,
        pkce_plain: true,
        profile: crate::profile::Profile::Fapi2Security,
        resources: vec![uri()],
        scope_claims_in_id_token: true,
        wildcard_redirect_uris: true,
        ..OwnSettings::default()
    }
}

#[test]
fn a_misspelt_member_is_recognised() {
    for (prefix, typed, said) in [
        ("", "redirect_uri", "; did you mean redirect_uris?"),
        ("", "grant_type", "; did you mean grant_types?"),
        ("", "scopes", "; did you mean scope?"),
        ("chancery.", "refresh_token", "; did you mean refresh_tokens?"),
        ("chancery.", "concent", "; did you mean consent?"),
        ("", "something_else_entirely", ""),
    ] {
        assert_eq!(ClientMember::suggestion(prefix, typed), said, "{prefix}{typed}");
    }
}
