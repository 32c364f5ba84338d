//! The clients and resource servers that every test provider knows.

use chancery_core::model::{ResourceServer, TokenFormat};
use chancery_jose::SigningAlgorithm;
use chancery_types::{ClientId, ResourceUri, Scopes};
use serde_json::Value;

/// The secret of every ready-made client that has one.
pub const SECRET: &str = "a-secret-of-forty-three-characters-for-test";

/// RFC 7591 metadata of the ready-made clients; what each is for stands in the table of the crate's
/// documentation.
pub const READY_MADE: &[&str] = &[
    r#"{"client_id":"web","client_name":"The Web App","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://web.example/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token","client_credentials"],
        "client_uri":"https://web.example/"}"#,
    r#"{"client_id":"post","client_secret":"a-secret-of-forty-three-characters-for-test",
        "token_endpoint_auth_method":"client_secret_post","id_token_signed_response_alg":"ES256",
        "redirect_uris":["https://post.example/cb","https://post.example/cb2"],
        "grant_types":["authorization_code","refresh_token","client_credentials"]}"#,
    r#"{"client_id":"native","application_type":"native","token_endpoint_auth_method":"none",
        "redirect_uris":["http://127.0.0.1/cb","com.example.app:/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token"]}"#,
    r#"{"client_id":"spa","token_endpoint_auth_method":"none","redirect_uris":["https://spa.example/cb"],
        "id_token_signed_response_alg":"ES256","grant_types":["authorization_code","refresh_token"]}"#,
    r#"{"client_id":"operator","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://operator.example/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token"],
        "chancery":{"consent":"implied","refresh_tokens":"always"}}"#,
    r#"{"client_id":"api","client_secret":"a-secret-of-forty-three-characters-for-test",
        "response_types":[],"grant_types":["client_credentials"]}"#,
    r#"{"client_id":"machine","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://machine.example/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token","client_credentials"],
        "chancery":{"default_resource":"https://api.example","refresh_tokens":"always"}}"#,
    r#"{"client_id":"jwt","client_secret":"a-secret-of-forty-three-characters-for-test",
        "redirect_uris":["https://jwt.example/cb"],"id_token_signed_response_alg":"ES256",
        "grant_types":["authorization_code","refresh_token","client_credentials"],
        "chancery":{"default_resource":"https://jwt-api.example","refresh_tokens":"always"}}"#,
];

/// `https://api.example` with opaque tokens and `https://jwt-api.example` with JWTs; both know the scopes
/// `read` and `write`, and `api` may introspect the tokens of both.
pub(crate) fn resource_servers() -> Vec<ResourceServer> {
    let server = |uri, format| ResourceServer {
        uri: ResourceUri::parse(uri).expect("a resource URI"),
        scopes: Scopes::parse("read write").expect("scopes"),
        format,
        lifetime: None,
        alg: SigningAlgorithm::Es256,
        encryption: None,
        introspected_by: vec![ClientId::parse("api").expect("a client id")],
        userinfo: true,
    };
    vec![
        server("https://api.example", TokenFormat::Opaque),
        server("https://jwt-api.example", TokenFormat::Jwt),
    ]
}

/// What a client's own program has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) client_id: String,
    pub(crate) secret: Option<String>,
    pub(crate) method: String,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) is_pkce_optional: bool,
}

impl Registration {
    /// Reads RFC 7591 metadata; `made` is the secret that the provider made.
    pub(crate) fn read(metadata: &str, made: Option<&str>) -> Self {
        let json: Value = serde_json::from_str(metadata).expect("client metadata is JSON");
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let uris = json["redirect_uris"].as_array().into_iter().flatten();
        Self {
            client_id: text("client_id").expect("a client of a test has a client_id"),
            secret: text("client_secret").or_else(|| made.map(str::to_owned)),
            method: text("token_endpoint_auth_method").unwrap_or_else(|| "client_secret_basic".to_owned()),
            redirect_uris: uris.filter_map(|uri| uri.as_str().map(str::to_owned)).collect(),
            is_pkce_optional: json["chancery"]["pkce_optional"] == Value::Bool(true),
        }
    }
}
