//! RFC 9396 section 2.1: what a type may be called.

use chancery_core::model::{AuthorizationDetail, Client};
use chancery_core::policy::{DetailFault, DetailType};
use chancery_core::rule::authorization_details::{DETAIL_TYPE_MISSING, DETAIL_TYPE_UNKNOWN};
use chancery_testkit::{TestProvider, assert_refused};
use serde_json::{Value, json};

use super::{asked, builder, granted, refresh};

/// A type of this name, which takes everything.
struct Named(String);

impl DetailType for Named {
    fn name(&self) -> &str {
        &self.0
    }

    fn check(&self, _: &AuthorizationDetail, _: &Client) -> Result<(), DetailFault> {
        Ok(())
    }
}

/// A name is compared as it is written, and stands in a page, in metadata, in tokens and in answers as what it is: a URL with
/// whatever a URL can have, and markup.
#[test]
fn names_that_are_not_plain() {
    for name in [
        "https://types.example/v1/transfer?kind=a&b=%7E%2f#part",
        "urn:example:type:(a,b)*!$'@",
        "<script>alert(1)</script>",
        "\"'`&lt;<b>{{name}}{%raw%}",
        "__proto__",
        "type",
        "\\u0041\\n",
        &"x".repeat(512),
    ] {
        let kit = builder().detail_type(Named(name.to_owned())).build();
        let metadata = kit.get("/.well-known/openid-configuration");
        let supported = metadata["authorization_details_types_supported"].as_array().expect("an array");
        assert!(supported.contains(&json!(name)), "{supported:?}");
        let details = json!([{"type": name, "actions": ["read", "write"], "<i>": {"<u>": ["</p>", 1]}}]);
        let request = asked(&kit, &details);
        let ua = kit.user_agent();
        let page = request.open(&ua).login("alice").expect_page("consent");
        assert!(page.page().text.contains(name), "{}", page.page().text);
        for markup in ["<script>alert", "<b>", "<i>", "<u>", "</p>\"", "<script>a"] {
            assert!(!page.answer().text().contains(markup), "{markup}: {}", page.answer().text());
        }
        let tokens = granted(&kit, &request).expect_status(200);
        assert_eq!(tokens["authorization_details"], details);
        let active = kit.introspect("app", tokens.member("access_token"));
        assert_eq!(active["authorization_details"], details);
        let less = refresh(&kit, &tokens, &json!([{"type": name, "actions": ["read"]}])).expect_status(200);
        assert_eq!(less["authorization_details"][0]["actions"], json!(["read"]));
        for other in
            [name.to_uppercase() + "x", format!("{name} "), format!(" {name}"), format!("{name}\u{0}")]
        {
            let other = json!([{ "type": other }]);
            assert_refused!(refresh(&kit, &tokens, &other), DETAIL_TYPE_UNKNOWN);
        }
        assert_refused!(refresh(&kit, &tokens, &json!([{"type": ""}])), DETAIL_TYPE_MISSING);
        let registered = json!({"client_id": "only", "client_secret": chancery_testkit::SECRET,
            "redirect_uris": ["https://only.example/cb"], "authorization_details_types": [name]});
        kit.put_client(&registered.to_string());
        let only = kit.authorization_request("only").param("authorization_details", &details.to_string());
        let _ = only.open(&ua).expect_page("consent");
    }
}

/// What cannot be written in a URL or read by everybody is no name, and the one who configures it hears which it is.
#[test]
fn names_that_are_none() {
    let long = "x".repeat(10 * 1024);
    for (name, why) in [
        ("", "must be printable ASCII without spaces"),
        ("two words", "must be printable ASCII without spaces"),
        ("gr\u{fc}n", "must be printable ASCII without spaces"),
        ("\u{202e}evil", "must be printable ASCII without spaces"),
        ("line\nbreak", "must be printable ASCII without spaces"),
        ("nul\u{0}", "must be printable ASCII without spaces"),
        (&*long, "must have at most 512 characters"),
    ] {
        let complaints = builder().detail_type(Named(name.to_owned())).try_build().err().unwrap_or_default();
        let said: Vec<String> = complaints.iter().map(ToString::to_string).collect();
        assert!(said.iter().any(|line| line.contains(why) && line.len() < 700), "{name:?}: {said:?}");
    }
    let kit: TestProvider = builder().build();
    let unknown = Value::from(vec![json!({"type": "gr\u{fc}n"})]);
    let _ = asked(&kit, &unknown).open(&kit.user_agent()).expect_error("invalid_authorization_details");
}
