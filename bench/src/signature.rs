//! What a token response with an ID token costs beside the one RS256 signature in it: thread CPU time of the
//! two, which take turns.

use bytes::Bytes;
use chancery_jose::{PrivateKey, SigningAlgorithm};
use chancery_testkit::TestProvider;
use cpu_time::ThreadTime;
use http::Request;

const ROUNDS: usize = 9;
const EACH: usize = 500;
/// A token response may cost so many signatures.
const BOUND: f64 = 1.3;

/// Measures and prints. The codes are made outside the measured time.
pub(crate) fn compare(kit: &TestProvider, client: &str) {
    let key = PrivateKey::generate(SigningAlgorithm::Rs256).unwrap();
    let signed = signing_input(kit, client);
    println!(
        "{:>5} {:>24} {:>24} {:>7}",
        "round", "token response, µs CPU", "raw signature, µs CPU", "ratio"
    );
    let mut rounds: Vec<_> = (1..=ROUNDS)
        .map(|number| {
            let (response, signature) =
                round(kit, client, &|| drop(key.sign(SigningAlgorithm::Rs256, &signed).unwrap()));
            let ratio = response / signature;
            println!("{number:>5} {response:>24.1} {signature:>24.1} {ratio:>7.3}");
            (ratio, response, signature)
        })
        .collect();
    rounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (ratio, response, signature) = rounds.into_iter().nth(ROUNDS / 2).unwrap();
    let verdict = if ratio <= BOUND { "within" } else { "ABOVE" };
    println!(
        "median: {ratio:.3} ({response:.1} beside {signature:.1} µs), {verdict} {BOUND}; the test kit's part is in it"
    );
}

/// Microseconds of one token response and of one signature.
fn round(kit: &TestProvider, client: &str, sign: &dyn Fn()) -> (f64, f64) {
    let codes: Vec<_> = (0..EACH).map(|_| kit.code("alice", client, "openid")).collect();
    let requests: Vec<Request<Bytes>> = codes.iter().map(|code| kit.code_request(code).to_http()).collect();
    let (mut response, mut signature) = (0.0, 0.0);
    for request in requests {
        let begin = ThreadTime::now();
        let answer = kit.send(request);
        response += begin.elapsed().as_secs_f64();
        let _ = answer.expect_status(200);
        let begin = ThreadTime::now();
        sign();
        signature += begin.elapsed().as_secs_f64();
    }
    let microseconds = 1e6 / f64::from(u32::try_from(EACH).unwrap());
    (response * microseconds, signature * microseconds)
}

/// What such a response signs: the ID token without its signature.
fn signing_input(kit: &TestProvider, client: &str) -> Vec<u8> {
    let tokens = kit.tokens("alice", client, "openid");
    let (input, _) = tokens.member("id_token").rsplit_once('.').unwrap();
    input.as_bytes().to_vec()
}
