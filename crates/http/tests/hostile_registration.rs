//! Generated metadata for the registration endpoint and for the configuration endpoint of a client: it is
//! registered or refused by the standard's error, never a panic, never a 5xx, nothing stored that was refused.

use chancery_core::endpoint::registration::{RegistrationAccess, RegistrationConfig};
use chancery_testkit::{Answer, SeededRandom, TestProvider, json_request};
use http::Method;
use serde_json::{Map, Value, json};

/// How many requests each endpoint gets.
const REQUESTS: usize = 10_000;

/// The members that somebody reads, and some that nobody does.
const MEMBERS: &[&str] = &[
    "application_type",
    "backchannel_logout_uri",
    "chancery",
    "client_id",
    "client_id_issued_at",
    "client_name",
    "client_name#de",
    "client_secret",
    "client_secret_expires_at",
    "client_uri",
    "contacts",
    "default_acr_values",
    "default_max_age",
    "dpop_bound_access_tokens",
    "frontchannel_logout_uri",
    "grant_types",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "id_token_signed_response_alg",
    "initiate_login_uri",
    "introspection_signed_response_alg",
    "jwks",
    "jwks_uri",
    "logo_uri",
    "logo_uri#fr",
    "nonsense",
    "policy_uri",
    "post_logout_redirect_uris",
    "redirect_uris",
    "registration_access_token",
    "registration_client_uri",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "request_object_signing_alg",
    "request_uris",
    "require_auth_time",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "response_modes",
    "response_types",
    "scope",
    "sector_identifier_uri",
    "software_id",
    "software_statement",
    "software_version",
    "subject_type",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "tos_uri",
    "userinfo_encrypted_response_alg",
    "userinfo_signed_response_alg",
    "",
];

/// Texts that have broken somebody's parser, and those that mean something.
const TEXTS: &[&str] = &[
    "",
    " ",
    "none",
    "web",
    "native",
    "code",
    "token",
    "id_token",
    "code id_token",
    "implicit",
    "refresh_token",
    "authorization_code",
    "client_credentials",
    "password",
    "query",
    "fragment",
    "form_post",
    "RS256",
    "ES256",
    "HS256",
    "HS512",
    "EdDSA",
    "RSA-OAEP",
    "RSA1_5",
    "dir",
    "A128CBC-HS256",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "public",
    "pairwise",
    "openid profile",
    "openid  \"",
    "ops@rp.example",
    "https://rp.example/cb",
    "https://rp.example/cb#",
    "http://127.0.0.1/cb",
    "com.example.app:/cb",
    "javascript:alert(1)",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://*.example/",
    "https://%00/",
    "https://\u{202e}/",
    "\u{0}",
    "\u{202e}",
    "\u{fffd}",
    "%",
    "..",
    "-1",
    "1e400",
    "web",
    "eyJhbGciOiJub25lIn0.e30.",
];

struct Generator(SeededRandom);

impl Generator {
    fn pick<T: Clone>(&self, from: &[T]) -> T {
        self.0.one_of(from).clone()
    }

    fn value(&self, depth: usize) -> Value {
        match self.0.below(if depth == 0 { 7 } else { 10 }) {
            0 => Value::Null,
            1 => json!(self.0.below(2) == 0),
            2 => json!(self.pick(&[0_i64, -1, 1, 60, i64::MAX, i64::MIN])),
            3 => json!(self.pick(&[0.5, 1e300, -0.0])),
            4 => json!("x".repeat(self.pick(&[1, 255, 256, 2_048, 5_000]))),
            5 | 6 => json!(self.pick(TEXTS)),
            7 | 8 => (0..self.0.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let names = ["keys", "kty", "d", "k", "n", "consent", "enabled", "__proto__"];
                (0..self.0.below(4)).map(|_| (self.pick(&names).to_owned(), self.value(depth - 1))).collect()
            }
        }
    }

    /// Good metadata with some members replaced, and now and then a byte of it.
    fn metadata(&self, good: &Value) -> Vec<u8> {
        let mut members: Map<String, Value> = good.as_object().cloned().unwrap_or_default();
        for _ in 0..self.0.below(5) {
            members.insert(self.pick(MEMBERS).to_owned(), self.value(3));
        }
        let mut bytes = Value::from(members).to_string().into_bytes();
        if self.0.below(8) == 0 {
            let at = self.0.below(bytes.len());
            bytes.insert(at, u8::try_from(self.0.below(256)).unwrap_or(0));
        }
        bytes
    }
}

fn provider() -> TestProvider {
    TestProvider::builder()
        .configure(|config| {
            config.registration = RegistrationConfig {
                access: RegistrationAccess::Open,
                management: true,
                network_quota: 0,
                total_quota: 0,
                ..RegistrationConfig::default()
            };
        })
        .build()
}

/// What is wrong with an answer, if anything.
fn complaint(answer: &Answer, done: u16, stored: bool) -> Option<String> {
    let status = answer.status.as_u16();
    let error = answer.json().get("error").and_then(Value::as_str);
    let is_error = matches!(
        error,
        Some(
            "invalid_client_metadata"
                | "invalid_redirect_uri"
                | "invalid_request"
                | "invalid_software_statement"
                | "unapproved_software_statement"
        )
    );
    let text = answer.text();
    match () {
        () if status == done => (!stored).then(|| "said to be done, but not stored".to_owned()),
        () if stored => Some("stored, although it was refused".to_owned()),
        () if status != 400 || !is_error => Some(format!("{status} {text}")),
        () if !text.is_ascii() || text.len() > 1_200 => Some(format!("the description: {text}")),
        () => None,
    }
}

/// REG-01, REG-05: 10,000 registrations; each is stored as it is answered, or refused.
#[test]
fn generated_registrations() {
    let kit = provider();
    let generator = Generator(SeededRandom::new(7));
    let good = json!({ "redirect_uris": ["https://rp.example/cb"], "client_name": "A client" });
    let (mut done, mut clients) = (0, kit.clients());
    for at in 0..REQUESTS {
        let body = generator.metadata(&good);
        let answer = kit.send(json_request(&Method::POST, "/register", None, &body));
        let now = kit.clients();
        if let Some(wrong) = complaint(&answer, 201, now == clients + 1) {
            panic!("request {at}: {wrong}: {}", String::from_utf8_lossy(&body));
        }
        if answer.status == 201 {
            done += 1;
            assert_ne!(answer["client_id"], "web");
            assert!(answer.json().get("chancery").is_none());
        }
        clients = now;
    }
    assert!((REQUESTS / 20..REQUESTS * 19 / 20).contains(&done), "{done} were registered");
}

/// REGM-05, REGM-06: 10,000 updates of one client; it is never another one than the last that was answered.
#[test]
fn generated_updates() {
    let kit = provider();
    let generator = Generator(SeededRandom::new(8));
    let metadata = json!({ "redirect_uris": ["https://rp.example/cb"], "client_name": "A client" });
    let mut given = kit.register(&metadata).expect_status(201);
    let clients = kit.clients();
    let mut done = 0;
    for at in 0..REQUESTS {
        let good = json!({ "client_id": given["client_id"], "redirect_uris": ["https://rp.example/cb"] });
        let body = generator.metadata(&good);
        let path = format!("/clients/{}", given.member("client_id"));
        let token = given.member("registration_access_token");
        let answer = kit.send(json_request(&Method::PUT, &path, Some(token), &body));
        if let Some(wrong) = complaint(&answer, 200, answer.status == 200) {
            panic!("request {at}: {wrong}: {}", String::from_utf8_lossy(&body));
        }
        if answer.status == 200 {
            done += 1;
            given = answer;
        } else if at % 50 == 0 {
            let read = kit.send(kit.management_request(&Method::GET, &given, None)).expect_status(200);
            assert_eq!(read["redirect_uris"], given["redirect_uris"]);
        }
    }
    assert_eq!(kit.clients(), clients);
    assert!((REQUESTS / 20..REQUESTS * 19 / 20).contains(&done), "{done} were done");
}
