//! What the refusal of a bad request object costs: thread CPU time of the whole request. Anybody can send one, as
//! often as they like.

use bytes::Bytes;
use chancery_jose::SigningAlgorithm::{Es256, Es384, Rs256, Rs512};
use chancery_jose::{
    ContentEncryptionAlgorithm as Enc, EncryptionKey, EncryptionKeyType, JweWriter, JwkSet,
    KeyManagementAlgorithm as Alg, Recipient, SystemRandom, base64url, unsecured,
};
use chancery_testkit::{AuthorizationRequest, ClientKey, TestProvider};
use cpu_time::ThreadTime;
use http::{HeaderValue, Request};
use serde_json::{Value, json};

/// How often each is sent. The first time, the keys of its client are made ready.
const EACH: usize = 200;
/// No refusal may cost more milliseconds.
const BOUND: f64 = 20.0;

const ISSUER: &str = "https://id.example";

/// A client of 32 RSA keys without names, each as large as a key can be; none of them is anybody's.
const MANY_KEYS: &str = "many-keys";

/// A provider with clients of different keys, and the key of its client `ec`.
struct Clients {
    kit: TestProvider,
    ec: ClientKey,
}

pub(crate) fn print() {
    let clients = Clients::register();
    println!(
        "{:<44} {:>10} {:>10} {:>10}   milliseconds of CPU",
        "request object", "first", "median", "worst"
    );
    let mut worst: f64 = 0.0;
    for (name, request) in clients.requests() {
        let mut times: Vec<f64> = (0..EACH).map(|_| refused(&clients.kit, name, request.clone())).collect();
        let first = times.first().copied().unwrap_or_default();
        times.sort_by(f64::total_cmp);
        let (median, last) = (times.get(EACH / 2).copied().unwrap_or_default(), times.last().copied());
        let last = last.unwrap_or_default();
        worst = worst.max(last);
        println!("{name:<44} {first:>10.3} {median:>10.3} {last:>10.3}");
    }
    let verdict = if worst <= BOUND { "within" } else { "ABOVE" };
    println!("worst: {worst:.3}, {verdict} {BOUND}; the test kit's part is in it");
}

/// The milliseconds of a request that is refused.
fn refused(kit: &TestProvider, name: &str, request: Request<Bytes>) -> f64 {
    let begin = ThreadTime::now();
    let answer = kit.send(request);
    let time = begin.elapsed().as_secs_f64() * 1e3;
    let to = answer.header("location").unwrap_or_default();
    assert!(to.contains("error=invalid_request"), "{name}: {} {to}", answer.status);
    time
}

impl Clients {
    fn register() -> Self {
        let kit = TestProvider::builder()
            .own_keys(&[Rs256, Es256])
            .configure(|to| to.request_objects.encryption_algorithms = Alg::ALL.to_vec())
            .build();
        for key_type in EncryptionKeyType::ALL {
            kit.keys.add_encryption_key(key_type, kit.now()).unwrap();
        }
        kit.clock.advance(std::time::Duration::from_secs(60));
        let (ec, rsa) = (ClientKey::generate(Es256), ClientKey::generate(Rs256));
        let many = json!({"keys": (0..32).map(|_| json!({"kty": "RSA", "e": "AQAB", "n": modulus()})).collect::<Vec<_>>()});
        for (id, jwks) in [("ec", ec.jwks()), ("rsa", rsa.jwks()), (MANY_KEYS, many)] {
            let metadata = json!({"client_id": id, "token_endpoint_auth_method": "none", "jwks": jwks,
                "redirect_uris": ["https://app.example/cb"]});
            kit.put_client(&metadata.to_string());
        }
        Self { kit, ec }
    }

    fn asked(&self, client: &str) -> AuthorizationRequest {
        self.kit.authorization_request(client).scope("openid").set("prompt", "none")
    }

    /// The claims of a request object that would be good, but for these.
    fn claims(&self, client: &str, changes: Value) -> Value {
        let asked = self.asked(client);
        let names =
            ["client_id", "response_type", "redirect_uri", "scope", "state", "code_challenge", "prompt"];
        let parameters = names.map(|name| (name.to_owned(), asked.value(name).into()));
        let mut claims = json!({"iss": client, "aud": ISSUER, "exp": self.kit.now().secs() + 60,
            "code_challenge_method": "S256"});
        let members = claims.as_object_mut().unwrap();
        members.extend(parameters);
        members.extend(changes.as_object().unwrap().clone());
        claims
    }

    fn requests(&self) -> Vec<(&'static str, Request<Bytes>)> {
        let now = self.kit.now().secs();
        let by = |client: &str, object: &str| {
            let mut request = self.asked(client).set("request", object).to_http_post();
            request.headers_mut().insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
            request
        };
        let signed = |changes: Value| by("ec", &self.ec.sign(&json!({}), &self.claims("ec", changes)));
        let good = self.ec.sign(&json!({}), &self.claims("ec", json!({})));
        let (input, _) = good.rsplit_once('.').unwrap();
        let with_signature = |client: &str, alg: &str, length: usize| {
            let header = base64url::encode(format!(r#"{{"alg":"{alg}"}}"#));
            let claims = base64url::encode(self.claims(client, json!({})).to_string());
            by(client, &format!("{header}.{claims}.{}", base64url::encode(vec![7; length])))
        };
        let to = |alg| self.published(alg);
        let sealed = |alg, text: &str| sealed(&to(alg), alg, text);
        let header = |jwe: &str, changes: Value| {
            let (header, rest) = jwe.split_once('.').unwrap();
            let mut header: Value = serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap();
            header.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            by("ec", &format!("{}.{rest}", base64url::encode(header.to_string())))
        };
        let retired = self.kit.keys.add_encryption_key(EncryptionKeyType::P521, self.kit.now()).unwrap();
        self.kit.clock.advance(std::time::Duration::from_secs(1));
        let jwks = self.jwks();
        let of_retired = jwks.encryption_keys(Alg::EcdhEs).find(|key| key.kid() == Some(&retired)).unwrap();
        let to_retired = self::sealed(of_retired, Alg::EcdhEs, &good);
        self.kit.keys.remove(&retired);
        self.kit.clock.advance(std::time::Duration::from_secs(1));
        let members: String = (0..1_200).map(|n| format!(r#""{n}":0,"#)).collect();
        let deep = format!(r#"{{"a":{}0{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
        let of_text = |text: &str| {
            let header = base64url::encode(r#"{"alg":"ES256"}"#);
            by("ec", &format!("{header}.{}.{}", base64url::encode(text), base64url::encode([7; 64])))
        };
        vec![
            ("no signature", by("ec", &format!("{input}."))),
            ("wrong signature, ES256", with_signature("ec", "ES256", 64)),
            ("wrong signature, RS256 of 2,048 bits", with_signature("rsa", "RS256", 256)),
            (
                "wrong signature, 32 nameless keys of 8,192 bits",
                with_signature(MANY_KEYS, Rs512.name(), 1_024),
            ),
            ("RSA of 16,384 bits", with_signature("rsa", "RS256", 2_048)),
            ("none", by("ec", &unsecured(self.claims("ec", json!({})).to_string().as_bytes()))),
            (
                "another algorithm",
                by("ec", &ClientKey::generate(Es384).sign(&json!({}), &self.claims("ec", json!({})))),
            ),
            ("request inside", signed(json!({"request": good}))),
            ("request_uri inside", signed(json!({"request_uri": "https://app.example/r"}))),
            ("another client_id", signed(json!({"client_id": "rsa"}))),
            ("expired", signed(json!({"exp": now - 60}))),
            ("nbf ahead", signed(json!({"nbf": now + 3_600}))),
            ("17 KiB", signed(json!({"state": "x".repeat(17 * 1024)}))),
            ("1,200 members", of_text(&format!("{{{}\"x\":0}}", members))),
            ("5,000 arrays in each other", of_text(&deep)),
            ("encrypted to a retired key", by("ec", &to_retired)),
            ("encrypted, RSA-OAEP, does not decrypt", {
                let jwe = sealed(Alg::RsaOaep256, &good);
                let mut parts: Vec<&str> = jwe.split('.').collect();
                let wrong = base64url::encode([7; 256]);
                *parts.get_mut(1).unwrap() = &wrong;
                by("ec", &parts.join("."))
            }),
            (
                "encrypted, RSA-OAEP, wrong signature inside",
                by("ec", &sealed(Alg::RsaOaep256, &format!("{input}.{}", base64url::encode([7; 64])))),
            ),
            (
                "encrypted, ECDH-ES, wrong signature inside",
                by("ec", &sealed(Alg::EcdhEs, &format!("{input}.{}", base64url::encode([7; 64])))),
            ),
            ("deflate", header(&sealed(Alg::EcdhEs, &good), json!({"zip": "DEF"}))),
            (
                "a password and a billion rounds",
                header(
                    &sealed(Alg::EcdhEs, &good),
                    json!({"alg": "PBES2-HS512+A256KW", "p2s": "AAAA", "p2c": 1_000_000_000}),
                ),
            ),
        ]
    }

    fn jwks(&self) -> JwkSet {
        JwkSet::parse(self.kit.get("/jwks").text().as_bytes()).unwrap()
    }

    /// The key that is published for this algorithm.
    fn published(&self, alg: Alg) -> EncryptionKey {
        self.jwks().encryption_keys(alg).next().unwrap().clone()
    }
}

fn sealed(public: &EncryptionKey, alg: Alg, text: &str) -> String {
    let writer = JweWriter { cty: Some("JWT"), ..JweWriter::new(alg, Enc::A256CbcHs512) };
    let random = |buffer: &mut [u8]| SystemRandom.fill(buffer);
    writer.encrypt(Recipient::Public(public), text.as_bytes(), &random).unwrap()
}

/// 8,192 random bits that could be a modulus.
fn modulus() -> String {
    let mut n = vec![0; 1_024];
    SystemRandom.fill(&mut n);
    *n.first_mut().unwrap() |= 0x80;
    *n.last_mut().unwrap() |= 1;
    base64url::encode(n)
}
