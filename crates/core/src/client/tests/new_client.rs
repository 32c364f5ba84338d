//! RFC 7591 section 2: clients that an application writes in Rust become what the same JSON becomes, and what is wrong with
//! them is said in sentences.

use chancery_jose::{SigningAlgorithm, SystemRandom};
use chancery_types::iana::{ClientAuthenticationMethod, GrantType, ResponseType};
use chancery_types::{Issuer, Timestamp};
use serde_json::json;

use crate::client::{Registered, RegistrationRules, register};
use crate::config::Config;
use crate::documents::MemoryRegistry;
use crate::error::Complaints;
use crate::model::client::NewClient;
use crate::model::{ApplicationType, Client, ConsentMode};

const SECRET: &str = "a-secret-of-at-least-32-characters";

fn registered(at: &str, client: &str) -> Result<Registered, Complaints> {
    let offered = Config::default().offered_at(&Issuer::parse(at).unwrap());
    let now = Timestamp::from_secs(0);
    register(client.as_bytes(), &SystemRandom, &RegistrationRules::new(&offered, &SigningAlgorithm::ALL, now))
}

/// What the metadata of this client says.
fn read(client: &NewClient) -> Client {
    registered("https://id.example", client).unwrap().client
}

#[test]
fn each_kind_is_what_it_says() {
    use ClientAuthenticationMethod::{ClientSecretBasic, None};
    use GrantType::{AuthorizationCode, ClientCredentials, RefreshToken};
    let (https, own) = ("https://app.example/cb", "com.example.app:/cb");
    let of_people = vec![AuthorizationCode, RefreshToken];
    let rows = [
        (
            Client::web("a").redirect(https).secret(SECRET),
            ApplicationType::Web,
            ClientSecretBasic,
            &of_people,
        ),
        (Client::spa("a").redirect(https), ApplicationType::Web, None, &of_people),
        (Client::native("a").redirect(own), ApplicationType::Native, None, &of_people),
        (
            Client::machine("a").secret(SECRET),
            ApplicationType::Web,
            ClientSecretBasic,
            &vec![ClientCredentials],
        ),
    ];
    for (client, application_type, method, grants) in rows {
        let text = (*client).to_owned();
        let flow = read(&client).metadata().flow.clone();
        assert_eq!(
            (flow.application_type, flow.token_endpoint_auth_method),
            (application_type, method),
            "{text}"
        );
        assert_eq!(&flow.grant_types, grants, "{text}");
        let has_code = flow.response_types == [ResponseType::Code];
        assert_eq!(has_code, grants.contains(&AuthorizationCode), "{text}");
    }
}

#[test]
fn it_has_what_was_said() {
    let shop = Client::web("shop")
        .name("The Shop")
        .secret(SECRET)
        .redirect("https://shop.example/cb")
        .redirect("https://shop.example/cb2")
        .redirect_after_logout("https://shop.example/bye")
        .api("https://api.example")
        .api("https://other.example")
        .without_consent()
        .set("tos_uri", "https://shop.example/terms")
        .set("chancery.refresh_tokens", "always");
    let expected = json!({
        "client_id": "shop", "client_name": "The Shop", "client_secret": SECRET,
        "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://shop.example/cb", "https://shop.example/cb2"],
        "post_logout_redirect_uris": ["https://shop.example/bye"], "tos_uri": "https://shop.example/terms",
        "chancery": {"default_resource": "https://api.example", "consent": "implied", "refresh_tokens": "always",
            "resources": ["https://api.example", "https://other.example"]},
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&shop).unwrap(), expected);
    let client = read(&shop);
    assert_eq!((client.name(), client.metadata().own.consent), (Some("The Shop"), ConsentMode::Implied));
    assert_eq!(client.default_resource().map(|uri| uri.as_str()), Some("https://api.example"));
    let registry = MemoryRegistry::new();
    assert!(registry.put(&shop).unwrap().is_none(), "it has a secret");
    assert_eq!(
        registry.put(&Client::web("b").redirect("https://b.example/")).unwrap().map(|made| made.len()),
        Some(43)
    );
}

/// What is missing is named as a program writes it.
#[test]
fn a_client_of_people_needs_a_redirect_uri() {
    for new in [Client::web, Client::spa, Client::native] {
        let complaints = registered("https://id.example", &new("app")).err().unwrap();
        assert!(complaints.to_string().contains("redirect_uris: must have at least one URI"), "{complaints}");
        assert!(complaints.to_string().contains("`.redirect(…)`"), "{complaints}");
    }
}

/// OIDC Registration section 2, RFC 9700 section 2.6: `http` on a loopback host is for native clients; for others while
/// they are developed, at a provider that is in development itself or by their own setting, and never with tokens in the
/// redirect. On any other host it is for nobody.
#[test]
fn http_on_a_loopback_host_is_for_development() {
    let (production, development) = ("https://id.example", "http://localhost:3000");
    for uri in ["http://localhost:5173/callback", "http://127.0.0.1:5173/callback", "http://[::1]/callback"] {
        for new in [Client::web, Client::spa] {
            let client = || new("app").redirect(uri);
            let is_refused = registered(production, &client()).err().map(|complaints| complaints.to_string());
            let said = is_refused.unwrap_or_default();
            assert!(said.starts_with(&format!("redirect_uris: \"{uri}\" must be https; ")), "{said}");
            assert!(said.contains("chancery.http_loopback_redirects"), "{said}");
            assert!(!said.contains('\n') && !said.contains('\\'), "{said}");
            assert!(registered(production, &client().on_loopback()).is_ok(), "{uri}");
            assert!(registered(development, &client()).is_ok(), "{uri}");
        }
        assert!(registered(production, &Client::native("app").redirect(uri)).is_ok());
    }
    let own = Client::web("app").on_loopback();
    let departures = read(&own.clone().redirect("https://a.example")).metadata().own.departures();
    assert_eq!(departures.first().map(|departure| departure.setting), Some("http_loopback_redirects"));
    for uri in [
        "http://app.example/callback",
        "http://192.0.2.1/callback",
        "http://localhost.app.example/",
        "http://10.0.0.1/callback",
        "javascript:alert(1)",
        "app:/callback",
    ] {
        for issuer in [production, development] {
            assert!(registered(issuer, &own.clone().redirect(uri)).is_err(), "{uri}");
            assert!(registered(issuer, &Client::spa("app").redirect(uri)).is_err(), "{uri}");
        }
    }
    let mut config = Config::default();
    config.compatibility.hybrid = true;
    let offered = config.offered_at(&Issuer::parse(development).unwrap());
    let rules = RegistrationRules::new(&offered, &SigningAlgorithm::ALL, Timestamp::from_secs(0));
    let hybrid = own.redirect("http://localhost/").set("response_types", json!(["code id_token token"]));
    assert!(register(hybrid.as_bytes(), &SystemRandom, &rules).is_err(), "tokens in the redirect");
}

/// Whatever is wrong is a line of its own, in plain text, however it is printed.
#[test]
fn what_is_wrong_is_said_in_sentences() {
    let rows = [
        (Client::web(""), "client_id: must not be empty"),
        (Client::web("a").secret("short").redirect("https://a.example/"), "client_secret: "),
        (Client::web("a"), "redirect_uris: "),
        (Client::web("a").redirect("/callback"), "redirect_uris: \"/callback\" must be an absolute"),
        (Client::machine("a").api("notes"), "chancery.default_resource: "),
        (Client::machine("a").set("chancery", 7), "chancery: "),
        (Client::machine("a").set("chancery", 7).without_consent(), "chancery: "),
        (Client::machine("a").set("chancery.unheard_of", 7), "chancery.unheard_of: "),
        (Client::machine("a").set("grant_types", "all"), "grant_types: "),
    ];
    for (client, said) in rows {
        let Err(complaints) = registered("https://id.example", &client) else {
            panic!("{said}: {}", &*client)
        };
        let printed = complaints.to_string();
        assert!(printed.lines().any(|line| line.starts_with(said)), "{said} in {printed}");
        assert_eq!(format!("{complaints:?}"), printed);
        assert!(!printed.contains("Complaint {") && !printed.contains("\\\""), "{printed}");
    }
}

/// Text that is no JSON object is told what it is, or where its mistake is.
#[test]
fn what_is_no_json_object_is_told_where() {
    for (text, said) in [
        ("{\n  \"client_id\": \"a\",\n}", "trailing comma at line 3 column 1"),
        ("{\"client_id\": \"a\"", "EOF while parsing an object at line 1 column 17"),
        (r#"[{"client_id": "a"}]"#, "it is an array; add each client by itself"),
        (" \n", "it is empty"),
        (r#""a""#, "it is a string"),
        ("7", "it is no object"),
        (r#"{"client_id": "a", "client_id": "a"}"#, "a member occurs twice"),
    ] {
        let Err(complaints) = registered("https://id.example", text) else { panic!("{text}") };
        assert_eq!(
            complaints.to_string(),
            format!("metadata: must be one JSON object: {said} (RFC 7591 section 2)"),
            "{text}"
        );
    }
}
