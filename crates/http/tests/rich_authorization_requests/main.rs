//! RFC 9396, OAuth 2.0 Rich Authorization Requests: what a client asks for in detail, what a person agrees to, and what
//! tokens and resource servers have of it.

#![expect(clippy::expect_used, reason = "tests")]

use chancery_core::interaction::prompt::CONSENT_DETAILS;
use chancery_core::model::{AuthorizationDetail, Client, ResourceServer};
use chancery_core::policy::{DetailFault, DetailText, DetailType};
use chancery_core::rule::authorization_details::{
    DETAIL_MEMBER_MISSING, DETAIL_MEMBER_TYPE, DETAIL_MEMBER_UNKNOWN, DETAIL_MEMBER_VALUE,
    DETAIL_TYPE_MISSING, DETAIL_TYPE_NOT_ALLOWED, DETAIL_TYPE_UNKNOWN, DETAILS_EXCEED_GRANT,
    DETAILS_MALFORMED, DETAILS_TOO_LONG, DETAILS_WITHDRAWN, DETAILS_WITHOUT_CODE, DETAILS_WITHOUT_PERSON,
};
use chancery_jose::SigningAlgorithm::Es256;
use chancery_testkit::{
    Answer, AuthorizationRequest, ClientKey, Hostile, NegativeTable, Refused, SECRET, Tab, TestProvider,
    TestProviderBuilder, assert_refused,
};
use serde_json::{Value, json};

mod at_another_device;
mod enriched;
mod removed_type;
mod size;
mod type_names;

const ACCOUNTS: &str = "https://accounts.example";
const PAYMENTS: &str = "https://payments.example/v1";

/// `payment_initiation` of RFC 9396 figure 2, cut to what the tests need.
struct Payment;

impl DetailType for Payment {
    fn name(&self) -> &str {
        "payment_initiation"
    }

    fn check(&self, detail: &AuthorizationDetail, _: &Client) -> Result<(), DetailFault> {
        for (name, value) in detail.members() {
            match name {
                "actions" | "locations" => {}
                "amount" if !value.is_string() => return Err(DetailFault::MemberType),
                "amount" if value.as_str().is_some_and(|text| text.starts_with('-')) => {
                    return Err(DetailFault::MemberValue);
                }
                "amount" => {}
                "creditor" if value.is_string() => {}
                "creditor" => return Err(DetailFault::MemberType),
                _ => return Err(DetailFault::MemberUnknown),
            }
        }
        if detail.get("amount").is_some() { Ok(()) } else { Err(DetailFault::MemberMissing) }
    }

    fn text(&self, detail: &AuthorizationDetail, language: &str) -> DetailText {
        let title = if language == "de" { "Geld überweisen" } else { "Transfer money" };
        DetailText { title: title.to_owned(), ..DetailText::of(detail) }
    }
}

/// `account_information` of the same figure, with everything else by default.
struct AccountInformation;

impl DetailType for AccountInformation {
    fn name(&self) -> &str {
        "account_information"
    }

    fn check(&self, detail: &AuthorizationDetail, _: &Client) -> Result<(), DetailFault> {
        match detail.members().all(|(name, _)| matches!(name, "actions" | "locations" | "identifier")) {
            true => Ok(()),
            false => Err(DetailFault::MemberUnknown),
        }
    }
}

fn server(uri: &str, more: Value) -> ResourceServer {
    let mut server = json!({"uri": uri, "introspected_by": ["api"], "any_client": true});
    if let (Some(server), Value::Object(more)) = (server.as_object_mut(), more) {
        server.extend(more);
    }
    serde_json::from_value(server).expect("a resource server")
}

fn client(id: &str, more: Value) -> String {
    let mut metadata = json!({"client_id": id, "client_secret": SECRET,
        "redirect_uris": [format!("https://{id}.example/cb")], "id_token_signed_response_alg": "ES256",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials", "implicit"],
        "response_types": ["code", "code token", "code id_token", "id_token", "none"],
        "chancery": {"refresh_tokens": "always", "resources": [ACCOUNTS, PAYMENTS]}});
    if let (Some(metadata), Value::Object(more)) = (metadata.as_object_mut(), more) {
        metadata.extend(more);
    }
    metadata.to_string()
}

fn builder() -> TestProviderBuilder {
    TestProvider::builder()
        .configure(|config| {
            config.pushed_requests.offered = true;
            config.compatibility.implicit = true;
            config.compatibility.hybrid = true;
        })
        .detail_type(Payment)
        .detail_type(AccountInformation)
        .resource_server(server(ACCOUNTS, json!({"scopes": ["balance"]})))
        .resource_server(server(PAYMENTS, json!({"format": "jwt"})))
        .client(&client("app", json!({})))
        .client(&client("reader", json!({"authorization_details_types": ["account_information"]})))
}

fn payment() -> Value {
    json!({"type": "payment_initiation", "actions": ["initiate", "status"], "locations": [PAYMENTS],
        "amount": "123.50", "creditor": "Merchant A"})
}

fn accounts() -> Value {
    json!({"type": "account_information", "actions": ["list", "read"], "locations": [ACCOUNTS]})
}

/// A request for these details.
fn asked(kit: &TestProvider, details: &Value) -> AuthorizationRequest {
    kit.authorization_request("app").param("authorization_details", &details.to_string())
}

/// The tokens that the person's yes leads to.
fn granted(kit: &TestProvider, request: &AuthorizationRequest) -> Answer {
    let ua = kit.user_agent();
    let code = request.open(&ua).login("alice").expect_page("consent").allow().expect_code();
    kit.exchange(&code)
}

fn refresh(kit: &TestProvider, tokens: &Answer, details: &Value) -> Answer {
    let request = kit.refresh_request("app", tokens.member("refresh_token"));
    request.param("authorization_details", &details.to_string()).send()
}

/// RAR-11: RFC 9396 sections 3, 7 and 9.2: asked for, shown, granted, told to the client and to whoever may introspect;
/// with a scope or without any.
#[test]
fn from_the_request_to_the_resource_server() {
    let kit = builder().build();
    let details = json!([payment(), accounts()]);
    for scope in [None, Some("openid")] {
        let request = asked(&kit, &details);
        let request = scope.into_iter().fold(request, AuthorizationRequest::scope);
        let tokens = granted(&kit, &request).expect_status(200);
        assert_eq!(tokens["authorization_details"], details);
        assert_eq!(tokens["scope"].as_str(), scope);
        let answer = kit.introspect("app", tokens.member("access_token"));
        assert_eq!((&answer["active"], &answer["authorization_details"]), (&true.into(), &details));
        let answer = kit.introspect("app", tokens.member("refresh_token"));
        assert_eq!(answer["authorization_details"], details);
    }
    let plain = kit.tokens("alice", "app", "openid").expect_status(200);
    assert_eq!(plain["authorization_details"], Value::Null);
    assert_eq!(kit.introspect("app", plain.member("access_token"))["authorization_details"], Value::Null);
}

/// RFC 9396 sections 9.1 and 9.2: a resource server is shown what is its business, as a claim of a JWT or at the
/// introspection; `resource` has no part in what is granted (section 3.2).
#[test]
fn each_resource_server_is_shown_its_own() {
    let kit = builder().build();
    let both =
        json!({"type": "account_information", "locations": [ACCOUNTS, "https://payments.example/v1/status"]});
    let details = json!([payment(), accounts(), both, {"type": "account_information", "identifier": "7"}]);
    let request = asked(&kit, &details).param("resource", ACCOUNTS).param("resource", PAYMENTS);
    let ua = kit.user_agent();
    let code = request.open(&ua).login("alice").expect_page("consent").allow().expect_code();
    let tokens = kit.code_request(&code).param("resource", PAYMENTS).send().expect_status(200);
    let of_payments = json!([payment(), {"type": "account_information", "locations":
        ["https://payments.example/v1/status"]}, {"type": "account_information", "identifier": "7"}]);
    assert_eq!(tokens["authorization_details"], of_payments);
    let jwt = kit.try_verify(tokens.member("access_token"), "app").expect("a JWT of ours");
    assert_eq!(jwt.claims["authorization_details"], of_payments);
    assert_eq!(kit.introspect("api", tokens.member("access_token"))["authorization_details"], of_payments);

    let request = kit.refresh_request("app", tokens.member("refresh_token")).param("resource", ACCOUNTS);
    let tokens = request.send().expect_status(200);
    let of_accounts = json!([accounts(), {"type": "account_information", "locations": [ACCOUNTS]},
        {"type": "account_information", "identifier": "7"}]);
    assert_eq!(tokens["authorization_details"], of_accounts);
    assert_eq!(kit.introspect("api", tokens.member("access_token"))["authorization_details"], of_accounts);
    // What another resource server would be shown is none of this one's.
    let request = kit.refresh_request("app", tokens.member("refresh_token")).param("resource", ACCOUNTS);
    let wanted = json!([payment()]).to_string();
    assert_refused!(request.param("authorization_details", &wanted).send(), DETAILS_EXCEED_GRANT);
}

/// RAR-12: RFC 9396 sections 6 and 6.1: a token request may ask for less, at the exchange and at each refresh, and the
/// grant stays what it was.
#[test]
fn less_for_one_token() {
    let kit = builder().build();
    let details = json!([payment(), accounts()]);
    let ua = kit.user_agent();
    let code = asked(&kit, &details).open(&ua).login("alice").expect_page("consent").allow().expect_code();
    // RFC 9396 figure 10.
    let wanted = json!([{"type": "account_information", "actions": ["list"], "locations": [ACCOUNTS]}]);
    let exchange = kit.code_request(&code).param("authorization_details", &wanted.to_string());
    let tokens = exchange.send().expect_status(200);
    assert_eq!(tokens["authorization_details"], wanted);
    assert_eq!(kit.introspect("app", tokens.member("access_token"))["authorization_details"], wanted);

    let wide = kit.refresh("app", tokens.member("refresh_token")).expect_status(200);
    assert_eq!(wide["authorization_details"], details);
    // RFC 9396 figure 14: what is not said stays as it was granted.
    let located = json!([{"type": "payment_initiation", "locations": [PAYMENTS]}]);
    let narrow = refresh(&kit, &wide, &located).expect_status(200);
    assert_eq!(narrow["authorization_details"], json!([payment()]));
    let twice = json!([{"type": "payment_initiation"}, payment()]);
    let once = refresh(&kit, &narrow, &twice).expect_status(200);
    assert_eq!(once["authorization_details"], json!([payment()]));
    // RAR-05: nothing in particular.
    let all = refresh(&kit, &once, &json!([])).expect_status(200);
    assert_eq!(all["authorization_details"], details);
    for more in [
        json!([{"type": "account_information", "actions": ["list", "delete"]}]),
        json!([{"type": "account_information", "actions": []}]),
        json!([{"type": "account_information", "identifier": "1"}]),
        json!([{"type": "payment_initiation", "amount": "1000.00"}]),
        json!([accounts(), {"type": "payment_initiation", "creditor": "Mallory"}]),
    ] {
        assert_refused!(refresh(&kit, &all, &more), DETAILS_EXCEED_GRANT);
    }
    // Nothing of that has used the refresh token up.
    let _ = refresh(&kit, &all, &wanted).expect_status(200);
}

/// POL-22, RAR-08: RFC 9396 section 3: a person is asked each time, also about what they have allowed before, also by
/// an operator's own application; without pages there is no answer.
#[test]
fn a_yes_is_for_one_request() {
    let kit = builder().client(&client("own", json!({"chancery": {"consent": "implied"}}))).build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    for id in ["app", "app", "own", "own"] {
        ua.has_consented("alice", id, "openid");
        let request = kit.authorization_request(id).scope("openid");
        let request = request.param("authorization_details", &json!([accounts()]).to_string());
        let silent = request.clone().set("prompt", "none").open(&ua);
        let _ = silent.expect_error("consent_required");
        assert_refused!(silent, CONSENT_DETAILS);
        let page = request.open(&ua).expect_page("consent");
        let tokens = kit.exchange(&page.allow().expect_code()).expect_status(200);
        assert_eq!(tokens["authorization_details"], json!([accounts()]));
    }
    // A no is one.
    let _ = asked(&kit, &json!([accounts()]))
        .open(&ua)
        .expect_page("consent")
        .deny()
        .expect_error("access_denied");
}

/// RFC 9396 section 3.1: the page shows the merged set of requirements: all details, readably, and every scope, whether it
/// was allowed before or not.
#[test]
fn everything_is_shown() {
    let kit = builder().build();
    let ua = kit.user_agent();
    let details = json!([payment(), accounts()]);
    let request = asked(&kit, &details).scope("openid email");
    let _ = request.open(&ua).login("alice").expect_page("consent").allow().expect_code();
    let text = request.open(&ua).expect_page("consent").page().text;
    for shown in ["Transfer money", "123.50", "Merchant A", PAYMENTS, "account_information", "list", "email"]
    {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(!text.contains('{') && !text.contains('"'), "no JSON: {text}");
    // What was allowed before stands beside what was not.
    let text = request.scope("openid email profile").open(&ua).expect_page("consent").page().text;
    assert!(text.contains("email") && text.contains("profile") && text.contains("123.50"), "{text}");
    // What a client writes is text.
    let mut hostile = payment();
    hostile["creditor"] = "<b>Bank</b>\u{202e}\u{200b}".into();
    let page = asked(&kit, &json!([hostile])).open(&ua).expect_page("consent");
    assert!(page.answer().text().contains("&lt;b&gt;Bank&lt;/b&gt;<"), "{}", page.answer().text());
}

/// A form that showed one payment does not allow another one.
#[test]
fn a_yes_is_for_what_was_shown() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let mut other = payment();
    other["amount"] = "999.00".into();
    let shown = asked(&kit, &json!([payment()])).open(&ua).expect_page("consent");
    let other = asked(&kit, &json!([other])).open(&ua).expect_page("consent");
    let request_of = |tab: &Tab<'_, '_>| {
        tab.form().fields.into_iter().find(|(name, _)| name == "request").expect("a request")
    };
    let mut mixed = shown.form().fields;
    for field in mixed.iter_mut().filter(|(name, _)| name == "request") {
        *field = request_of(&other);
    }
    mixed.push(("action".to_owned(), "allow".to_owned()));
    let _ = shown.post(&shown.form().action, &mixed).expect_page("consent");
}

/// PAR-11, JAR-07: RFC 9396 sections 3 and 11.4: pushed, and in a request object as an array or as its text.
#[test]
fn pushed_and_signed_requests() {
    let kit = builder().build();
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let details = json!([payment()]);
    let pushed = kit.push(&asked(&kit, &details));
    let code = pushed.open(&ua).expect_page("consent").allow().expect_code();
    assert_eq!(kit.exchange(&code).expect_status(200)["authorization_details"], details);

    let key = ClientKey::generate(Es256);
    kit.put_client(&client("signer", json!({"jwks": key.jwks()})));
    let signed = |value: &Value| {
        let request = kit.authorization_request("signer");
        let mut claims = json!({"iss": "signer", "aud": kit.issuer().as_str(), "exp": kit.now().secs() + 60,
            "authorization_details": value, "code_challenge_method": "S256"});
        for name in ["client_id", "response_type", "redirect_uri", "state", "code_challenge"] {
            claims[name] = request.value(name).into();
        }
        request.by_value(&key.sign(&json!({"typ": "oauth-authz-req+jwt"}), &claims))
    };
    for value in [details.clone(), details.to_string().into()] {
        let code = signed(&value).open(&ua).expect_page("consent").allow().expect_code();
        assert_eq!(kit.exchange(&code).expect_status(200)["authorization_details"], details);
    }
    for value in [json!({"type": "payment_initiation"}), json!([1]), json!(true), json!("["), json!([{}])] {
        let _ = signed(&value).open(&ua).expect_error("invalid_authorization_details");
    }
}

/// RAR-02, RAR-13, META-36, DISC-07: RFC 9396 section 10: the metadata names the types, and a client that lists some is held to
/// them, also if it does so after a person has agreed.
#[test]
fn types_of_a_client() {
    let kit = builder().build();
    let metadata = kit.get("/.well-known/openid-configuration");
    let types = json!(["payment_initiation", "account_information"]);
    assert_eq!(metadata["authorization_details_types_supported"], types);
    let ua = kit.user_agent();
    ua.signed_in("alice");
    let reader = |details: &Value| {
        kit.authorization_request("reader").param("authorization_details", &details.to_string())
    };
    let code = reader(&json!([accounts()])).open(&ua).expect_page("consent").allow().expect_code();
    let tokens = kit.exchange(&code).expect_status(200);
    let refused = reader(&json!([accounts(), payment()])).open(&ua);
    let _ = refused.expect_error("invalid_authorization_details");
    assert_refused!(refused, DETAIL_TYPE_NOT_ALLOWED);

    kit.put_client(&client("reader", json!({"authorization_details_types": ["payment_initiation"]})));
    assert_refused!(kit.refresh("reader", tokens.member("refresh_token")), DETAILS_WITHDRAWN);
    let seen = kit.introspect("reader", tokens.member("access_token"));
    assert!(seen["authorization_details"].is_null(), "{}", seen.text());
    kit.put_client(&client("reader", json!({"authorization_details_types": []})));
    let _ = reader(&json!([accounts()])).open(&ua).expect_error("invalid_authorization_details");
    let wrong = kit.registry.put(&client("x", json!({"authorization_details_types": ["unknown"]})));
    let wrong = wrong.expect_err("a type that nobody knows");
    assert_eq!(wrong.iter().map(|one| &*one.setting).collect::<Vec<_>>(), ["authorization_details_types"]);
}

/// A type whose `narrow` is careless: it takes whatever is asked for.
struct Careless;

impl DetailType for Careless {
    fn name(&self) -> &str {
        "careless"
    }

    fn check(&self, detail: &AuthorizationDetail, _: &Client) -> Result<(), DetailFault> {
        match detail.get("limit").and_then(Value::as_u64) {
            Some(0..=100) => Ok(()),
            Some(_) => Err(DetailFault::MemberValue),
            None => Err(DetailFault::MemberMissing),
        }
    }

    fn narrow(&self, _: &AuthorizationDetail, asked: &AuthorizationDetail) -> Option<AuthorizationDetail> {
        Some(asked.clone())
    }
}

/// RFC 9396 section 6: what a type says is less is checked like what an authorization request asks for; and no two types have
/// one name, or one that is none.
#[test]
fn what_types_say_is_checked() {
    let kit = builder().detail_type(Careless).build();
    let of = |limit: u64| json!([{"type": "careless", "limit": limit}]);
    let tokens = granted(&kit, &asked(&kit, &of(50))).expect_status(200);
    let less = refresh(&kit, &tokens, &of(7)).expect_status(200);
    assert_eq!(less["authorization_details"], of(7));
    for bad in [of(101), json!([{"type": "careless"}])] {
        assert_refused!(refresh(&kit, &less, &bad), DETAILS_EXCEED_GRANT);
    }
    let complaints =
        builder().detail_type(Careless).detail_type(Careless).try_build().err().unwrap_or_default();
    assert!(
        complaints.iter().any(|complaint| complaint.setting == "authorization_details"),
        "{complaints:?}"
    );
}

/// RAR-01: without a type the parameter means nothing, whatever stands in it.
#[test]
fn off_until_there_is_a_type() {
    let kit = TestProvider::new();
    assert_eq!(
        kit.get("/.well-known/openid-configuration")["authorization_details_types_supported"],
        Value::Null
    );
    let ua = kit.user_agent();
    let request = kit.authorization_request("web").scope("openid").param("authorization_details", "not JSON");
    let code = request.open(&ua).login("alice").expect_page("consent").allow().expect_code();
    let tokens = kit.code_request(&code).param("authorization_details", "[").send().expect_status(200);
    assert_eq!(tokens["authorization_details"], Value::Null);
}

/// The trips to the store are those of a request without details.
#[test]
fn no_further_trips() {
    let kit = builder().build();
    let trips = |with: bool| {
        let ua = kit.user_agent();
        ua.signed_in("alice");
        let request = kit.authorization_request("app").scope("openid").set("prompt", "consent");
        let details = json!([payment()]).to_string();
        let request = if with { request.param("authorization_details", &details) } else { request };
        kit.counting.reset();
        let code = request.open(&ua).expect_page("consent").allow().expect_code();
        let granted = kit.counting.total();
        let tokens = kit.exchange(&code).expect_status(200);
        let _ = kit.introspect("app", tokens.member("access_token"));
        (granted, kit.counting.total())
    };
    let _first_consent = trips(false);
    assert_eq!(trips(true), trips(false));
}

/// RAR-03, RAR-04, RAR-06, CC-05: whatever is wrong is `invalid_authorization_details` (RFC 9396 section 5), at every
/// endpoint, and uses nothing up.
#[test]
fn what_is_refused() {
    let kit = builder().build();
    let long = |length: usize| {
        format!("[{{\"type\":\"account_information\",\"identifier\":\"{}\"}}]", "x".repeat(length))
    };
    let rows = [
        ("not JSON", "payment".to_owned(), &DETAILS_MALFORMED),
        ("cut off", "[{".to_owned(), &DETAILS_MALFORMED),
        ("an object", json!({"type": "account_information"}).to_string(), &DETAILS_MALFORMED),
        ("a string", "\"account_information\"".to_owned(), &DETAILS_MALFORMED),
        ("null", "null".to_owned(), &DETAILS_MALFORMED),
        ("of strings", "[\"account_information\"]".to_owned(), &DETAILS_MALFORMED),
        ("of arrays", "[[]]".to_owned(), &DETAILS_MALFORMED),
        ("of null", "[null]".to_owned(), &DETAILS_MALFORMED),
        (
            "a member twice",
            "[{\"type\":\"account_information\",\"type\":\"payment_initiation\"}]".to_owned(),
            &DETAILS_MALFORMED,
        ),
        ("depth 33", format!("{}{}", "[".repeat(33), "]".repeat(33)), &DETAILS_MALFORMED),
        ("depth 1,000", format!("{}{}", "[".repeat(1_000), "]".repeat(1_000)), &DETAILS_MALFORMED),
        (
            "depth 1,000 of objects",
            format!("[{}1{}]", "{\"a\":".repeat(1_000), "}".repeat(1_000)),
            &DETAILS_MALFORMED,
        ),
        ("9 KiB", long(9 * 1024), &DETAILS_TOO_LONG),
        (
            "many",
            Value::from(vec![json!({"type": "account_information"}); 21]).to_string(),
            &DETAILS_TOO_LONG,
        ),
        ("without a type", json!([{}]).to_string(), &DETAIL_TYPE_MISSING),
        ("an empty type", json!([{"type": ""}]).to_string(), &DETAIL_TYPE_MISSING),
        ("a type that is a number", json!([{"type": 1}]).to_string(), &DETAIL_TYPE_MISSING),
        ("an unknown type", json!([{"type": "openid_credential"}]).to_string(), &DETAIL_TYPE_UNKNOWN),
        (
            "a type in another case",
            json!([{"type": "Account_Information"}]).to_string(),
            &DETAIL_TYPE_UNKNOWN,
        ),
        (
            "actions that are a string",
            json!([{"type": "account_information", "actions": "read"}]).to_string(),
            &DETAIL_MEMBER_TYPE,
        ),
        (
            "an empty action",
            json!([{"type": "account_information", "actions": [""]}]).to_string(),
            &DETAIL_MEMBER_TYPE,
        ),
        (
            "a location that is a number",
            json!([{"type": "account_information", "locations": [1]}]).to_string(),
            &DETAIL_MEMBER_TYPE,
        ),
        (
            "an identifier that is an array",
            json!([{"type": "account_information", "identifier": []}]).to_string(),
            &DETAIL_MEMBER_TYPE,
        ),
    ];
    for (_, details, why) in &rows {
        let ua = kit.user_agent();
        let request = kit.authorization_request("app").param("authorization_details", details);
        let tab = request.post(&ua);
        let _ = tab.expect_error("invalid_authorization_details");
        assert_refused!(tab, **why);
        assert_refused!(kit.push_request(&request).send(), **why);
    }
    // At the token endpoint, what the type knows of one alone.
    let tokens = granted(&kit, &asked(&kit, &json!([payment(), accounts()]))).expect_status(200);
    let refreshed = |details: &str| {
        let request = kit.refresh_request("app", tokens.member("refresh_token"));
        request.param("authorization_details", details).send()
    };
    for (what, details, why) in &rows {
        let answer = refreshed(details);
        assert_eq!(answer.status, 400, "{what}");
        assert_refused!(answer, **why);
    }
    let ua = kit.user_agent();
    for (details, why) in [
        (json!([{"type": "payment_initiation", "amount": "1", "currency": "EUR"}]), &DETAIL_MEMBER_UNKNOWN),
        (json!([{"type": "payment_initiation", "amount": 1}]), &DETAIL_MEMBER_TYPE),
        (json!([{"type": "payment_initiation", "amount": "-1"}]), &DETAIL_MEMBER_VALUE),
        (json!([{"type": "payment_initiation"}]), &DETAIL_MEMBER_MISSING),
        (json!([payment(), {"type": "payment_initiation"}]), &DETAIL_MEMBER_MISSING),
    ] {
        let tab = asked(&kit, &details).open(&ua);
        let _ = tab.expect_error("invalid_authorization_details");
        assert_refused!(tab, *why);
    }
    for response_type in ["code token", "id_token", "none"] {
        let request = asked(&kit, &json!([payment()])).scope("openid").set("nonce", "n");
        let tab = request.set("response_type", response_type).open(&ua);
        let _ = tab.expect_error("invalid_request");
        assert_refused!(tab, DETAILS_WITHOUT_CODE);
    }
    let of_client = kit.client_credentials_request("app");
    let of_client = of_client.param("authorization_details", &json!([accounts()]).to_string());
    assert_refused!(of_client.send(), DETAILS_WITHOUT_PERSON);
    let twice = json!([accounts()]).to_string();
    NegativeTable::new(&kit)
        .row(
            "twice",
            asked(&kit, &json!([payment()])).param("authorization_details", &twice),
            Refused::Client("invalid_request"),
        )
        .row(
            "twice, refreshing",
            kit.refresh_request("app", tokens.member("refresh_token"))
                .param("authorization_details", &twice)
                .param("authorization_details", &twice),
            Refused::Json(400, "invalid_request"),
        )
        .run();
    let _ = refreshed("").expect_status(200);
}

/// Whatever is sent, the answer is a standard one, and never ours to be ashamed of.
#[test]
fn ten_thousand_generated_requests() {
    let kit = builder().build();
    let tokens = granted(&kit, &asked(&kit, &json!([payment(), accounts()]))).expect_status(200);
    let refresh_token = tokens.member("refresh_token");
    let hostile = Hostile::new(9396);
    for at in 0..2_500_usize {
        let good = json!([payment(), accounts()]).to_string();
        let cut: String = good.chars().take(at % good.len()).collect();
        let text = hostile.text(at % 300);
        let mixed = format!("[{{\"type\":\"account_information\",\"identifier\":{text}}}]");
        for details in [cut, text, mixed, good.replacen(',', &hostile.text(3), 1 + at % 7)] {
            let request = kit.authorization_request("app").param("authorization_details", &details);
            let answer = match at % 4 {
                0 => kit.send(request.to_http()),
                1 => kit.push_request(&request).send(),
                2 => kit.send(hostile.request(&request.to_http())),
                _ => {
                    let request = kit.refresh_request("app", refresh_token);
                    request.param("authorization_details", &details).send()
                }
            };
            assert!(answer.status.as_u16() < 500, "{details}: {}", answer.text());
        }
    }
}
