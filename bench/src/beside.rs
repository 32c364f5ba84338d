//! What a request costs beside the one raw signature, or the one raw verification, without which it cannot be
//! answered: thread CPU time of the two, which take turns.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use chancery_jose::SigningAlgorithm::{Es256, Rs256};
use chancery_jose::{Compact, PrivateKey, PublicJwk};
use chancery_resource::ProtectedResource;
use chancery_testkit::{ClientKey, DpopKey, TestProvider, wait};
use cpu_time::ThreadTime;
use http::{Method, Request, Response, StatusCode};
use tower_layer::Layer as _;
use tower_service::Service;

const ROUNDS: usize = 9;
const EACH: usize = 500;

/// A request, and the act that is in it.
struct Comparison<'a> {
    request: &'a str,
    act: &'a str,
    /// So many requests, made outside the measured time.
    requests: &'a dyn Fn(usize) -> Vec<Request<Bytes>>,
    /// How they are answered.
    status: u16,
    /// Who answers them.
    answer: &'a dyn Fn(Request<Bytes>) -> StatusCode,
    /// What the same request costs without the act; nothing for a request that is all about it.
    without: Option<Request<Bytes>>,
    raw: &'a dyn Fn(),
    /// The request may cost so many times what the act costs.
    bound: f64,
}

/// A token response whose ID token is signed by RS256.
pub(crate) fn signature(kit: &TestProvider, client: &str) {
    let key = PrivateKey::generate(Rs256).unwrap();
    let signed = signing_input(kit, client);
    let comparison = Comparison {
        request: "token response",
        act: "raw signature",
        requests: &|count| {
            let codes: Vec<_> = (0..count).map(|_| kit.code("alice", client, "openid")).collect();
            codes.iter().map(|code| kit.code_request(code).to_http()).collect()
        },
        status: 200,
        without: None,
        answer: &|request| kit.send(request).status,
        raw: &|| drop(key.sign(Rs256, &signed).unwrap()),
        bound: 1.3,
    };
    comparison.print();
}

/// What such a response signs: the ID token without its signature.
fn signing_input(kit: &TestProvider, client: &str) -> Vec<u8> {
    let tokens = kit.tokens("alice", client, "openid");
    let (input, _) = tokens.member("id_token").rsplit_once('.').unwrap();
    input.as_bytes().to_vec()
}

/// A request for `client_credentials` by a client that authenticates by `private_key_jwt` with ES256.
pub(crate) fn verification(kit: &TestProvider) {
    let key = ClientKey::generate(Es256);
    let metadata = serde_json::json!({"client_id": "signs", "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["client_credentials"], "response_types": [], "jwks": key.jwks()});
    kit.put_client(&metadata.to_string());
    let count = Cell::new(0_u32);
    let assertion = || {
        count.set(count.get() + 1);
        key.assertion("signs", kit.issuer().as_str(), &count.get().to_string(), kit.now())
    };
    let (signed, public) = (assertion(), PublicJwk::parse(key.public().to_string().as_bytes()).unwrap());
    let public = public.verifying_key().unwrap();
    let comparison = Comparison {
        request: "private_key_jwt",
        act: "raw verification",
        requests: &|count| {
            let request = |_| kit.client_credentials_request("machine").assertion(&assertion()).to_http();
            (0..count).map(request).collect()
        },
        status: 200,
        without: None,
        answer: &|request| kit.send(request).status,
        raw: &|| drop(Compact::parse(&signed).unwrap().verify(&public).unwrap()),
        bound: 1.3,
    };
    comparison.print();
}

/// A request for `client_credentials` by a client that authenticates by `private_key_jwt` with ES256 and proves possession
/// of another key (RFC 9449), beside the verification of both.
pub(crate) fn dpop() {
    let kit = &TestProvider::builder().configure(|config| config.dpop.offered = true).build();
    let (key, dpop) = (ClientKey::generate(Es256), DpopKey::generate(Es256));
    let metadata = serde_json::json!({"client_id": "proves", "token_endpoint_auth_method": "private_key_jwt",
        "dpop_bound_access_tokens": true, "grant_types": ["client_credentials"], "response_types": [],
        "jwks": key.jwks()});
    kit.put_client(&metadata.to_string());
    let count = Cell::new(0_u32);
    let assertion = || {
        count.set(count.get() + 1);
        key.assertion("proves", kit.issuer().as_str(), &count.get().to_string(), kit.now())
    };
    let proof = dpop.proof(&dpop.claims(kit, &Method::POST, "/token", None));
    let signed = [(assertion(), &key), (proof, dpop.key())].map(|(signed, key)| {
        let public = PublicJwk::parse(key.public().to_string().as_bytes()).unwrap();
        (signed, public.verifying_key().unwrap())
    });
    let comparison = Comparison {
        request: "private_key_jwt and DPoP",
        act: "two raw verifications",
        requests: &|count| {
            let request = |_| kit.client_credentials_request("machine").assertion(&assertion());
            (0..count).map(|number| dpop.prove(request(number)).to_http()).collect()
        },
        status: 200,
        without: None,
        answer: &|request| kit.send(request).status,
        raw: &|| {
            for (signed, public) in &signed {
                drop(Compact::parse(signed).unwrap().verify(public).unwrap());
            }
        },
        bound: 1.5,
    };
    comparison.print();
}

/// What a request object with RS256 adds to an authorization request: the shortest one, which is told that nobody is
/// signed in.
pub(crate) fn request_object(kit: &TestProvider) {
    let key = ClientKey::generate(Rs256);
    let metadata = serde_json::json!({"client_id": "asks", "token_endpoint_auth_method": "none",
        "redirect_uris": ["https://asks.example/cb"], "jwks": key.jwks()});
    kit.put_client(&metadata.to_string());
    let request = kit.authorization_request("asks").scope("openid").set("prompt", "none");
    let object = key.request_object(&request.encode(), kit.issuer().as_str(), kit.now());
    let signed = request.clone().by_value(&object).to_http();
    let public = PublicJwk::parse(key.public().to_string().as_bytes()).unwrap().verifying_key().unwrap();
    let comparison = Comparison {
        request: "request object",
        act: "raw verification",
        requests: &|count| vec![signed.clone(); count],
        status: 303,
        without: Some(request.to_http()),
        answer: &|request| kit.send(request).status,
        raw: &|| drop(Compact::parse(&object).unwrap().verify(&public).unwrap()),
        bound: 1.3,
    };
    comparison.print();
}

/// An API behind the layer of `chancery-resource`, which takes a JWT by the keys that its issuer publishes.
pub(crate) fn layer(kit: &TestProvider) {
    let api = "https://jwt-api.example";
    for document in ["/.well-known/oauth-authorization-server", "/jwks"] {
        kit.fetch.answers(&format!("{}{document}", kit.issuer()), 200, kit.get(document).body);
    }
    let resource = ProtectedResource::trusting(kit.issuer().as_str(), kit.fetch.clone());
    let resource = resource.clock(kit.clock.clone()).at(api).unwrap();
    let layered = resource.layer().layer(Api);
    let token = kit.client_credentials_request("jwt").send().expect_status(200);
    let token = token.member("access_token");
    let request = Request::get("/notes").header("authorization", format!("Bearer {token}"));
    let request = request.body(Bytes::new()).unwrap();
    let jwks = kit.get("/jwks");
    let (header, _) = token.split_once('.').unwrap();
    let header = chancery_jose::base64url::decode(header).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&header).unwrap();
    let key = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let public = PublicJwk::parse(key.to_string().as_bytes()).unwrap().verifying_key().unwrap();
    let comparison = Comparison {
        request: "layer on an ES256 JWT",
        act: "raw verification",
        requests: &|count| vec![request.clone(); count],
        status: 200,
        without: None,
        answer: &|request| wait(layered.clone().call(request)).unwrap().status(),
        raw: &|| drop(Compact::parse(token).unwrap().verify(&public).unwrap()),
        bound: 1.2,
    };
    comparison.print();
}

/// The API itself, which does nothing.
#[derive(Clone)]
struct Api;

impl Service<Request<Bytes>> for Api {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        ready(Ok(Response::new(Bytes::new())))
    }
}

impl Comparison<'_> {
    /// Measures and prints.
    fn print(&self) {
        let [request, act] = [self.request, self.act].map(|name| format!("{name}, µs CPU"));
        println!("{:>5} {request:>24} {act:>25} {:>7}", "round", "ratio");
        let mut rounds: Vec<_> = (1..=ROUNDS)
            .map(|number| {
                let (whole, raw) = self.round();
                let ratio = whole / raw;
                println!("{number:>5} {whole:>24.1} {raw:>25.1} {ratio:>7.3}");
                (ratio, whole, raw)
            })
            .collect();
        rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (ratio, whole, raw) = rounds.into_iter().nth(ROUNDS / 2).unwrap();
        let bound = self.bound;
        let verdict = if ratio <= bound { "within" } else { "ABOVE" };
        println!(
            "median: {ratio:.3} ({whole:.1} beside {raw:.1} µs), {verdict} {bound}; the test kit's part is in it"
        );
    }

    /// Microseconds of one request and of one raw act.
    fn round(&self) -> (f64, f64) {
        let (mut whole, mut raw) = (0.0, 0.0);
        for request in (self.requests)(EACH) {
            let begin = ThreadTime::now();
            let status = (self.answer)(request);
            whole += begin.elapsed().as_secs_f64();
            assert_eq!(status, self.status);
            if let Some(without) = &self.without {
                let without = without.clone();
                let begin = ThreadTime::now();
                let status = (self.answer)(without);
                whole -= begin.elapsed().as_secs_f64();
                assert_eq!(status, self.status);
            }
            let begin = ThreadTime::now();
            (self.raw)();
            raw += begin.elapsed().as_secs_f64();
        }
        let microseconds = 1e6 / f64::from(u32::try_from(EACH).unwrap());
        (whole * microseconds, raw * microseconds)
    }
}
