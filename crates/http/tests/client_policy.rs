//! What an application decides about clients that register themselves: `ClientPolicy::register`, `metadata` and
//! `identity`.

#![expect(clippy::panic, reason = "tests")]

use chancery_core::endpoint::registration::RegistrationAccess;
use chancery_core::error::{Fault, Reason, Refusal};
use chancery_core::model::{ClientMetadata, ConsentMode};
use chancery_core::policy::{ClientPolicy, Identity, Registrant};
use chancery_core::ports::{Random, Registry as _};
use chancery_testkit::{Answer, NegativeTable, Refused, TestProvider, wait};
use chancery_types::ClientId;
use chancery_types::iana::{ClientAuthenticationMethod, ErrorCode};
use http::Method;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use zeroize::Zeroizing;

const NOT_OURS: Reason = Reason {
    name: "not_ours",
    code: ErrorCode::UnapprovedSoftwareStatement,
    description: "this software is not ours",
    section: "house rules",
};

struct House;

impl ClientPolicy for House {
    async fn register(
        &self,
        asked: &mut ClientMetadata,
        by: Registrant<'_>,
    ) -> Result<Result<(), Refusal>, Fault> {
        assert!(by.network.is_some() && by.initial_access_token.is_none());
        assert!(by.software_statement.is_none() && by.policies.iter().any(|name| **name == *"default"));
        let description = &mut asked.description;
        match description.client_name.as_deref() {
            Some("theirs") => return Ok(NOT_OURS.refused()),
            Some("later") => return Err(Fault::unavailable("the application cannot tell now")),
            Some("ours") => asked.own.consent = ConsentMode::Implied,
            Some("quiet") => asked.flow.token_endpoint_auth_method = ClientAuthenticationMethod::None,
            Some("impossible") => asked.flow.redirect_uris.clear(),
            _ => {}
        }
        let change = if by.former.is_some() { "changed" } else { "new" };
        description.software_version = Some(change.into());
        Ok(Ok(()))
    }

    fn metadata(&self, name: &str, value: &RawValue) -> Result<bool, String> {
        match (name, value.get()) {
            ("example_team", "\"a\"" | "{\"b\":[1, 2]}") => Ok(true),
            ("example_team", _) => Err("must be a team".to_owned()),
            (
                "client_secret"
                | "registration_access_token"
                | "software_statement"
                | "client_id"
                | "chancery",
                _,
            ) => {
                panic!("{name} is nobody's own")
            }
            _ => Ok(false),
        }
    }

    fn identity(&self, metadata: &ClientMetadata, random: &dyn Random) -> Identity {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        let secret = match metadata.description.client_name.as_deref() {
            Some("guessable") => "short",
            _ => "a-secret-that-the-application-has-made-by-itself",
        };
        Identity {
            client_id: ClientId::parse(&format!("app-{:08x}", u32::from_be_bytes(bytes))).ok(),
            client_secret: Some(Zeroizing::new(secret.to_owned())),
        }
    }
}

fn provider() -> TestProvider {
    let kit = TestProvider::builder().client_policy(House).configure(|config| {
        config.registration.access = RegistrationAccess::Open;
        config.registration.management = true;
        config.registration.network_quota = 0;
    });
    kit.build()
}

fn called(name: &str) -> Value {
    json!({ "redirect_uris": ["https://rp.example/cb"], "client_name": name })
}

fn put(kit: &TestProvider, given: &Answer, body: &Value) -> Answer {
    kit.send(kit.management_request(&Method::PUT, given, Some(body)))
}

/// REG-08: an application judges what is asked for, and may change it; what it makes of it is what is registered.
#[test]
fn an_application_judges_and_changes() {
    let kit = provider();
    let given = kit.register(&called("ours")).expect_status(201);
    assert_eq!((&given["software_version"], given.json().get("chancery")), (&json!("new"), None));
    let tokens = kit.tokens("alice", given.member("client_id"), "openid");
    assert!(tokens["id_token"].is_string(), "without consent");
    let quiet = kit.register(&called("quiet")).expect_status(201);
    assert_eq!(quiet["token_endpoint_auth_method"], "none");
    assert_eq!(quiet.json().get("client_secret"), None);
    let mut change = called("ours");
    change["client_id"] = given["client_id"].clone();
    assert_eq!(put(&kit, &given, &change).expect_status(200)["software_version"], "changed");
}

/// META-39, CMETA-16: members of the application's own are kept, told, and replaced by an update.
#[test]
fn members_of_the_application_s_own() {
    let kit = provider();
    let mut metadata = called("x");
    metadata["example_team"] = json!("a");
    metadata["example_other"] = json!("a");
    let given = kit.register(&metadata).expect_status(201);
    assert_eq!((&given["example_team"], given.json().get("example_other")), (&json!("a"), None));
    let realm = &kit.env().realm;
    let extra = || {
        let id = ClientId::parse(given.member("client_id")).expect("an id");
        let client = wait(kit.registry.client(realm, &id)).expect("the registry").expect("the client");
        client.extra("example_team").map(|value| value.get().to_owned())
    };
    assert_eq!(extra().as_deref(), Some("\"a\""));
    let id = &given["client_id"];
    let body = format!(
        r#"{{"client_id":{id},"redirect_uris":["https://rp.example/cb"],"example_team":{{"b":[1, 2]}}}}"#
    );
    let token = given.member("registration_access_token");
    let path = format!("/clients/{}", given.member("client_id"));
    let request = chancery_testkit::json_request(&Method::PUT, &path, Some(token), body.as_bytes());
    let changed = kit.send(request).expect_status(200);
    assert_eq!(changed["example_team"], json!({ "b": [1, 2] }));
    let mut change = called("x");
    change["client_id"] = id.clone();
    change["example_team"] = Value::Null;
    let without = put(&kit, &changed, &change).expect_status(200);
    assert_eq!((without.json().get("example_team"), extra()), (None, None));
}

/// REG-03, REG-04: an application may make ids and secrets itself.
#[test]
fn identities_of_the_application_s_own() {
    let kit = provider();
    let given = kit.register(&called("x")).expect_status(201);
    assert!(given.member("client_id").starts_with("app-"));
    assert_eq!(given["client_secret"], "a-secret-that-the-application-has-made-by-itself");
    let _ = kit.tokens("alice", given.member("client_id"), "openid");
}

/// What an application refuses is not stored; and what it makes is judged like what a client sends.
#[test]
fn what_is_not_registered() {
    let kit = provider();
    let clients = kit.clients();
    let request = |metadata: &Value| kit.registration_request(metadata);
    let mut team = called("x");
    team["example_team"] = json!(7);
    NegativeTable::new(&kit)
        .row("refused", request(&called("theirs")), Refused::Json(400, "unapproved_software_statement"))
        .row(
            "changed into nonsense",
            request(&called("impossible")),
            Refused::Json(400, "invalid_redirect_uri"),
        )
        .row("a member of its own", request(&team), Refused::Json(400, "invalid_client_metadata"))
        .run();
    // What the application does wrong is not the client's fault.
    assert_eq!(kit.register(&called("later")).status, 503);
    assert_eq!(kit.register(&called("guessable")).status, 500);
    assert_eq!(kit.clients(), clients);
}
