//! RFC 9440, Client-Cert HTTP Header Field, and the fields of Envoy and nginx: certificates that a trusted proxy hands
//! on, and those that anybody else sends.

#![expect(clippy::unwrap_used, reason = "tests")]

use bytes::Bytes;
use chancery_http::{ForwardedCertificate, Peer, TrustedProxies};
use chancery_testkit::{
    ClientRequest, NegativeTable, Refused, SeededRandom, TestAuthority, TestCertificate, TestProvider,
    check_refused_by_name,
};
use http::{HeaderName, HeaderValue, Request};
use rcgen::{DistinguishedName, DnType, DnValue};
use serde_json::json;

const PROXY: [u8; 4] = [10, 0, 0, 1];
/// A proxy that is trusted for addresses alone.
const OF_ADDRESSES: [u8; 4] = [10, 9, 0, 1];
const NGINX: HeaderName = HeaderName::from_static("x-ssl-client-cert");

fn provider(forwarded: ForwardedCertificate, authority: &TestAuthority) -> TestProvider {
    let kit = TestProvider::builder()
        .client_authorities(authority.trusted())
        .trusted_proxies(TrustedProxies::parse(["10.0.0.0/8"]).unwrap())
        .forwarded_certificates(forwarded, TrustedProxies::parse(["10.0.0.0/16"]).unwrap())
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

fn octets<'f>(fields: &'f [(&'static str, String)]) -> Vec<(&'static str, &'f [u8])> {
    fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect()
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
        let written = octets(&written);
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

/// MTLS-02: a subject that is only similar is another one, whichever way its certificate comes; case, and the number of
/// spaces, make no other one.
#[test]
fn a_similar_subject_is_another_one() {
    let authority = TestAuthority::new("authority");
    let name = |value: DnValue| {
        authority.client_with("", |content| {
            content.distinguished_name = DistinguishedName::new();
            content.distinguished_name.push(DnType::CommonName, value);
        })
    };
    let text = |value: &str| name(DnValue::Utf8String(value.to_owned()));
    let two = |one: DnType, other: DnType| {
        authority.client_with("", |content| {
            content.distinguished_name = DistinguishedName::new();
            content.distinguished_name.push(one, "app");
            content.distinguished_name.push(other, "app");
        })
    };
    let rows = [
        ("the same", text("app"), true),
        ("in upper case", text("APP"), true),
        ("spaces around it", text("  app "), true),
        ("a PrintableString", name(DnValue::PrintableString("app".try_into().unwrap())), true),
        ("a space within", text("a pp"), false),
        ("a letter that looks alike", text("\u{430}pp"), false),
        ("a hidden rest", text("app\0.evil"), false),
        ("a dot more", text("app."), false),
        ("its own spelling", text("CN=app"), false),
        ("escaped", text("\\61pp"), false),
        ("a BMPString", name(DnValue::BmpString("app".try_into().unwrap())), false),
        ("a TeletexString", name(DnValue::TeletexString("app".try_into().unwrap())), false),
        ("another attribute", two(DnType::OrganizationName, DnType::OrganizationalUnitName), false),
        ("an attribute more before it", two(DnType::OrganizationName, DnType::CommonName), false),
        ("an attribute more behind it", two(DnType::CommonName, DnType::OrganizationName), false),
    ];
    for forwarded in kinds() {
        let kit = provider(forwarded.clone(), &authority);
        for (what, shown, is_same) in &rows {
            let written = fields(&forwarded, shown);
            let answer = kit.send(from_peer(&token_request(&kit), PROXY, &octets(&written)));
            if *is_same {
                assert_eq!(answer.status, 200, "{forwarded:?}: {what}");
            } else {
                check_refused_by_name(&answer, "invalid_client", "certificate_subject_wrong");
            }
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
    for proxy in [PROXY, OF_ADDRESSES] {
        let answer = kit.send(from_peer(&own, proxy, &[]));
        check_refused_by_name(&answer, "invalid_client", "certificate_missing");
    }
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
            .row("from a proxy for addresses", from_peer(&request, OF_ADDRESSES, &[(name, good)]), invalid)
            .row("an empty one from such", from_peer(&request, OF_ADDRESSES, &[(name, b"")]), invalid)
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
        let leaf = shown.chain.first().unwrap();
        for (what, chain) in [
            ("eleven certificates", vec![leaf.clone(); 11]),
            ("a certificate of 17 KiB", vec![vec![0; 17 * 1024]]),
            ("a chain of 17 KiB", vec![leaf.clone(), vec![0; 17 * 1024]]),
            ("a certificate of 64 KiB", vec![vec![0; 64 * 1024]]),
            ("a chain of 64 KiB", vec![leaf.clone(), vec![0; 64 * 1024]]),
        ] {
            let written = fields(&forwarded, &TestCertificate { chain });
            let sent = from_peer(&request, PROXY, &octets(&written));
            check_refused_by_name(&kit.send(sent), "invalid_request", "certificate_header_too_long");
            table = table.row(what, from_peer(&request, PROXY, &octets(&written)), invalid);
        }
        if forwarded == ForwardedCertificate::ClientCert {
            let chain = "client-cert-chain";
            table = table
                .row("the chain from a stranger", from_peer(&request, stranger, &[(chain, good)]), invalid)
                .row(
                    "its twin from a stranger",
                    from_peer(&request, stranger, &[("client_cert-chain", good)]),
                    invalid,
                )
                .row("a chain alone", from_peer(&request, PROXY, &[(chain, good)]), invalid)
                .row("a chain and none", from_peer(&request, PROXY, &[(name, b"::"), (chain, good)]), invalid)
                .row(
                    "two chains",
                    from_peer(&request, PROXY, &[(name, good), (chain, good), (chain, good)]),
                    invalid,
                )
                .row(
                    "a twin of the chain",
                    from_peer(&request, PROXY, &[(name, good), ("client_cert_chain", good)]),
                    invalid,
                );
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

/// No input causes a panic or a fault, and nobody becomes a client by it: 100,000 for each kind, half of them a good
/// field that was changed in a few places.
#[test]
fn generated_fields() {
    let authority = TestAuthority::new("authority");
    let shown = TestAuthority::new("authority").client("app");
    let random = SeededRandom::new(1);
    let next = |limit: usize| random.below(limit);
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
        let (name, good) = fields(&forwarded, &shown).swap_remove(0);
        let request = token_request(&kit);
        let (mut unreadable, mut read) = (0, 0);
        for round in 0..100_000_u32 {
            let value: String = if round % 2 == 0 {
                (0..=next(7)).map(|_| pieces[next(pieces.len())]).collect()
            } else {
                let mut value = good.clone();
                for _ in 0..=next(3) {
                    let at = next(value.len() + 1);
                    match next(3) {
                        0 => value.truncate(at),
                        1 => value.insert_str(at, pieces[next(pieces.len() - 2)]),
                        _ => {
                            let _removed = (at < value.len()).then(|| value.remove(at));
                        }
                    }
                }
                value
            };
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
