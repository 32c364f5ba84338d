//! Modules about a client that registers itself.

use chancery_core::endpoint::registration::{RegistrationAccess, RegistrationConfig};
use chancery_http::{Content, Html, Locale, Page, Pages, PlainPages};
use chancery_testkit::{Answer, TestProvider};
use http::Method;
use serde_json::{Value, json};

/// Pages that show the logo of the client that asks.
struct PagesWithLogos;

impl Pages for PagesWithLogos {
    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        let html = PlainPages.page(page, locale);
        let Content::Login(view, _) = page.content else { return html };
        let logo = view.client.logo_uri.as_deref().unwrap_or_default();
        Html::new(html.as_str().replacen("<form", &format!("<img src=\"{}\"><form", Html::escape(logo)), 1))
    }
}

fn provider() -> TestProvider {
    let registration = RegistrationConfig {
        access: RegistrationAccess::Open,
        management: true,
        ..RegistrationConfig::default()
    };
    TestProvider::builder()
        .configure(|config| config.registration = registration)
        .pages(PagesWithLogos)
        .build()
}

/// Registers a client as the suite does, with this member.
fn register(kit: &TestProvider, member: &str, value: Value) -> Answer {
    let mut metadata = json!({
        "client_name": "suite and alias",
        "contacts": ["certification@oidf.org"],
        "grant_types": ["authorization_code"],
        "redirect_uris": ["https://localhost.emobix.co.uk:8443/test/a/alias/callback"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
    });
    metadata[member] = value;
    kit.register(&metadata)
}

/// A client with this member logs in, and its login page has this text; then it removes itself, as after every
/// module.
#[track_caller]
fn login_page_has(member: &str, uri: &str, text: &str) {
    let kit = provider();
    let client = register(&kit, member, json!(uri)).expect_status(201);
    assert_eq!(client[member], uri);
    assert!(client["client_secret_expires_at"].is_number());
    let (request, ua) = (kit.authorization_request(client.member("client_id")), kit.user_agent());
    let request = request.scope("openid profile email address phone offline_access");
    let login = request.open(&ua).expect_page("login");
    assert!(login.answer().text().contains(text), "{}", login.answer().text());
    let code = login.login("alice").expect_page("consent").allow().expect_code();
    assert_eq!(kit.exchange(&code).status, 200);
    assert_eq!(kit.send(kit.management_request(&Method::DELETE, &client, None)).status, 204);
}

/// oidcc-registration-logo-uri
#[test]
fn registration_logo_uri() {
    let uri = "https://localhost.emobix.co.uk:8443/images/openid.png";
    login_page_has("logo_uri", uri, &format!("<img src=\"{uri}\">"));
}

/// oidcc-registration-policy-uri
#[test]
fn registration_policy_uri() {
    let uri = "https://localhost.emobix.co.uk:8443/test/a/alias/policy";
    login_page_has("policy_uri", uri, &format!("<a href=\"{uri}\">"));
}

/// oidcc-registration-tos-uri
#[test]
fn registration_tos_uri() {
    login_page_has("tos_uri", "https://openid.net", "<a href=\"https://openid.net\">");
}

/// oidcc-3rd_party-init-login
#[test]
fn third_party_init_login() {
    let kit = provider();
    let uri = "https://localhost.emobix.co.uk:8443/test/a/alias/initiate_login_uri";
    let client = register(&kit, "initiate_login_uri", json!(uri)).expect_status(201);
    assert_eq!(client["initiate_login_uri"], uri);
    let read = kit.send(kit.management_request(&Method::GET, &client, None)).expect_status(200);
    assert_eq!(read["initiate_login_uri"], uri);
}

/// oidcc-3rd_party-init-login-nohttps
#[test]
fn third_party_init_login_nohttps() {
    let kit = provider();
    let uri = "http://localhost.emobix.co.uk:8443/test/a/alias/initiate_login_uri";
    let refused = register(&kit, "initiate_login_uri", json!(uri)).expect_status(400);
    assert_eq!(refused["error"], "invalid_client_metadata");
}

/// oidcc-redirect-uri-regfrag
#[test]
fn redirect_uri_regfrag() {
    let kit = provider();
    let uri = "https://localhost.emobix.co.uk:8443/test/a/alias/callback#foobar";
    let refused = register(&kit, "redirect_uris", json!([uri])).expect_status(400);
    assert_eq!(refused["error"], "invalid_redirect_uri");
}
