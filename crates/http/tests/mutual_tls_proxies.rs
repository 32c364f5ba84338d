//! RFC 9440, Client-Cert HTTP Header Field, and the fields of Envoy and nginx: certificates that a trusted proxy hands
//! on, and those that anybody else sends.

#![expect(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use chancery_http::{ForwardedCertificate, Peer, TrustedProxies};
use chancery_testkit::{
    ClientRequest, NegativeTable, Refused, TestAuthority, TestCertificate, TestProvider,
    check_refused_by_name,
};
use http::{HeaderName, HeaderValue, Request};
use serde_json::json;

const PROXY: [u8; 4] = [10, 0, 0, 1];
const NGINX: HeaderName = HeaderName::from_static("x-ssl-client-cert");

fn provider(forwarded: ForwardedCertificate, authority: &TestAuthority) -> TestProvider {
    let kit = TestProvider::builder()
        .client_authorities(authority.trusted())
        .trusted_proxies(TrustedProxies::parse(["10.0.0.0/8"]).unwrap())
        .forwarded_certificates(forwarded)
        .configure(|config| config.mtls.tls_client_auth = true)
        .build();
    let client = json!({"client_id": "app", "response_types": [], "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=app"});
    kit.put_client(&client.to_string());
    kit
}

fn token_request(kit: &TestProvider) -> ClientRequest<'_> {
    kit.anonymous_request("/token").param("grant_type", "client_credentials").param("client_id", "app")
}

/// The same request with these header fields, over a connection of this peer.
fn from_peer(request: &ClientRequest<'_>, peer: [u8; 4], fields: &[(&str, &[u8])]) -> Request<Bytes> {
    let mut request = request.to_http();
    request.extensions_mut().insert(Peer(peer.into()));
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        request.headers_mut().append(name, HeaderValue::from_bytes(value).unwrap());
    }
    request
}

/// What each kind of proxy sends of a certificate with its chain.
fn fields(forwarded: &ForwardedCertificate, shown: &TestCertificate) -> Vec<(&'static str, String)> {
    let (leaf, chain) = shown.client_cert();
    match forwarded {
        ForwardedCertificate::ClientCert => vec![("client-cert", leaf), ("client-cert-chain", chain)],
        ForwardedCertificate::Envoy => {
            let pem = shown.escaped_pem();
            vec![(
                "x-forwarded-client-cert",
                format!("By=spiffe://a;Hash=00;Chain=\"{pem}\";Subject=\"CN=app, \\\"x\\\";\""),
            )]
        }
        _ => vec![("x-ssl-client-cert", shown.escaped_pem())],
    }
}

fn kinds() -> [ForwardedCertificate; 3] {
    [ForwardedCertificate::ClientCert, ForwardedCertificate::Envoy, ForwardedCertificate::EscapedPem(NGINX)]
}

/// MTLS-01: the certificate and its chain come in the header of a trusted proxy, in each of the three forms.
#[test]
fn a_trusted_proxy_hands_on_certificates() {
    let authority = TestAuthority::new("authority");
    let shown = authority.below("below").client("app");
    for forwarded in kinds() {
        let kit = provider(forwarded.clone(), &authority);
        let written = fields(&forwarded, &shown);
        let written: Vec<(&str, &[u8])> =
            written.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let _ = kit.send(from_peer(&token_request(&kit), PROXY, &written)).expect_status(200);
        let none = kit.send(from_peer(&token_request(&kit), PROXY, &[]));
        check_refused_by_name(&none, "invalid_client", "certificate_missing");
        if !matches!(forwarded, ForwardedCertificate::Envoy) {
            let empty: &[u8] = if forwarded == ForwardedCertificate::ClientCert { b"::" } else { b"" };
            let empty = kit.send(from_peer(&token_request(&kit), PROXY, &[(written[0].0, empty)]));
            check_refused_by_name(&empty, "invalid_client", "certificate_missing");
        }
    }
}

/// The certificate with which a proxy has connected is its own, and no client's.
#[test]
fn the_certificate_of_the_proxy_is_nobodys() {
    let authority = TestAuthority::new("authority");
    let kit = provider(ForwardedCertificate::ClientCert, &authority);
    let own = token_request(&kit).certificate(&authority.client("app"));
    let _ = kit.send(from_peer(&own, [192, 0, 2, 1], &[])).expect_status(200);
    check_refused_by_name(&kit.send(from_peer(&own, PROXY, &[])), "invalid_client", "certificate_missing");
}

/// Where no proxy hands on certificates, the header fields mean nothing.
#[test]
fn without_the_setting_no_field_is_read() {
    let authority = TestAuthority::new("authority");
    let kit = TestProvider::builder()
        .client_authorities(authority.trusted())
        .trusted_proxies(TrustedProxies::parse(["10.0.0.0/8"]).unwrap())
        .configure(|config| config.mtls.tls_client_auth = true)
        .build();
    let client = json!({"client_id": "app", "response_types": [], "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=app"});
    kit.put_client(&client.to_string());
    let (leaf, _) = authority.client("app").client_cert();
    let answer = kit.send(from_peer(&token_request(&kit), PROXY, &[("client-cert", leaf.as_bytes())]));
    check_refused_by_name(&answer, "invalid_client", "certificate_missing");
}

/// A field from anybody but the proxy, a twin of it, a second one, and what is malformed: refused with the reason, at
/// every endpoint.
#[test]
fn refused() {
    let authority = TestAuthority::new("authority");
    let shown = authority.client("app");
    let invalid = Refused::Json(400, "invalid_request");
    for forwarded in kinds() {
        let kit = provider(forwarded.clone(), &authority);
        let (name, good) = fields(&forwarded, &shown).swap_remove(0);
        let good = good.as_bytes();
        let twin = name.replace('-', "_");
        let half_twin = name.replacen('-', "_", 1);
        let stranger = [192, 0, 2, 1];
        let request = token_request(&kit);
        let mut table = NegativeTable::new(&kit)
            .row("from a stranger", from_peer(&request, stranger, &[(name, good)]), invalid)
            .row("an empty one from a stranger", from_peer(&request, stranger, &[(name, b"")]), invalid)
            .row("a twin from a stranger", from_peer(&request, stranger, &[(&twin, good)]), invalid)
            .row("a twin alone", from_peer(&request, PROXY, &[(&twin, good)]), invalid)
            .row("a twin beside it", from_peer(&request, PROXY, &[(name, good), (&half_twin, good)]), invalid)
            .row("twice", from_peer(&request, PROXY, &[(name, good), (name, good)]), invalid)
            .row("64 KiB", from_peer(&request, PROXY, &[(name, &[b'a'; 64 * 1024])]), invalid)
            .row(
                "from a stranger, to UserInfo",
                from_peer(&kit.anonymous_request("/userinfo").get(), stranger, &[(name, good)]),
                invalid,
            )
            .row(
                "from a stranger, to the metadata",
                from_peer(&kit.anonymous_request("/jwks").get(), stranger, &[(name, good)]),
                invalid,
            )
            .row(
                "from a stranger, to a page",
                from_peer(&kit.anonymous_request("/authorize").get(), stranger, &[(name, good)]),
                Refused::Page(400, "invalid_request"),
            );
        let large = TestCertificate { chain: vec![shown.chain.first().unwrap().clone(); 11] };
        for (name, value) in fields(&forwarded, &large) {
            let first =
                if name == "client-cert-chain" { ("client-cert", good) } else { (name, value.as_bytes()) };
            if name == "client-cert" {
                continue;
            }
            let both = [first, (name, value.as_bytes())];
            let sent = if first.0 == name { &both[..1] } else { &both[..] };
            table = table.row("eleven certificates", from_peer(&request, PROXY, sent), invalid);
        }
        let pem = shown.escaped_pem();
        let half = pem.get(..pem.len() / 2).unwrap();
        let malformed: Vec<String> = match forwarded {
            ForwardedCertificate::ClientCert => {
                let bare = shown.client_cert().0.replace(':', "");
                vec![
                    bare.clone(),
                    format!(":{bare}"),
                    format!(":{bare}!:"),
                    format!(":{bare}:, :{bare}:"),
                    pem.clone(),
                ]
            }
            ForwardedCertificate::Envoy => vec![
                format!("Cert=\"{pem}\",Cert=\"{pem}\""),
                format!("By=a;Cert=\"{pem}\",By=b;Hash=1"),
                format!("Cert=\"{pem}\";cert=\"{pem}\""),
                format!("Cert=\"{pem}"),
                format!("Cert=\"{half}\""),
                format!("Cert=\"{pem}\";"),
                format!("Cert=\"{pem}\";Chain=\"{}\"", authority.client("app").escaped_pem()),
                format!("Cert={pem}{pem}"),
                "Hash=00".to_owned(),
                "nonsense".to_owned(),
                "Cert=".to_owned(),
            ],
            _ => vec![
                half.to_owned(),
                format!("{pem}%"),
                format!("{pem}%zz"),
                "(null)".to_owned(),
                "-".to_owned(),
            ],
        };
        for value in &malformed {
            table =
                table.row(value.clone(), from_peer(&request, PROXY, &[(name, value.as_bytes())]), invalid);
        }
        table.run();
    }
}

/// No input causes a panic or a fault, and nobody becomes a client by it.
#[test]
fn generated_fields() {
    let authority = TestAuthority::new("authority");
    let shown = TestAuthority::new("authority").client("app");
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |bound: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 33).unwrap_or(0) % bound
    };
    let (leaf, pem) = (shown.client_cert().0, shown.escaped_pem());
    let pieces = [
        ":",
        "::",
        ",",
        ", ",
        ";",
        "=",
        "\"",
        "\\",
        "\\\"",
        "Cert",
        "Chain=",
        "By=x",
        "%",
        "%2B",
        "%0A",
        "%zz",
        " ",
        "AAAA",
        "-----BEGIN%20CERTIFICATE-----",
        "-----END%20CERTIFICATE-----",
        &leaf,
        &pem,
    ];
    for forwarded in kinds() {
        let kit = provider(forwarded.clone(), &authority);
        let (name, _) = fields(&forwarded, &shown).swap_remove(0);
        let request = token_request(&kit);
        let (mut unreadable, mut read) = (0, 0);
        for _ in 0..100_000_u32 / 3 {
            let value: String = (0..=next(7)).map(|_| pieces[next(pieces.len())]).collect();
            let answer = kit.send(from_peer(&request, PROXY, &[(name, value.as_bytes())]));
            match answer.status.as_u16() {
                400 => unreadable += 1,
                401 => read += 1,
                other => panic!("{other}: {value:?}"),
            }
        }
        assert!(unreadable > 1_000 && read > 10, "{forwarded:?}: {unreadable} malformed, {read} read");
    }
}
