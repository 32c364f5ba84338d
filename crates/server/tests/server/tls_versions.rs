//! ClientHellos of old versions and with weak suites, byte by byte, as scanners send them (RFC 9325 sections 3.1 and
//! 4.1, RFC 8996): each is refused by the alert of its standard.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use crate::support::{PATIENCE, Server, initialised};
use crate::tls::write_certificate;

const SSL_3: u16 = 0x0300;
const TLS_1_0: u16 = 0x0301;
const TLS_1_1: u16 = 0x0302;
const TLS_1_2: u16 = 0x0303;
const TLS_1_3: u16 = 0x0304;

/// Content types (RFC 8446 section 5.1) and descriptions of alerts (section 6).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const HANDSHAKE_FAILURE: u8 = 40;
const DECODE_ERROR: u8 = 50;
const PROTOCOL_VERSION: u8 = 70;

/// TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256 and a suite of TLS 1.0.
const GOOD: u16 = 0xc02b;
const GOOD_1_3: u16 = 0x1301;
const RSA_AES_CBC: u16 = 0x002f;

fn vector(width: usize, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [length.get(4 - width..).unwrap(), content].concat()
}

fn numbers(width: usize, all: &[u16]) -> Vec<u8> {
    vector(width, &all.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>())
}

type Extension = (u16, Vec<u8>);

/// `supported_groups`: X25519 and P-256; `ec_point_formats`: uncompressed.
fn curves() -> [Extension; 2] {
    [(10, numbers(2, &[0x001d, 0x0017])), (11, vector(1, &[0]))]
}

/// `signature_algorithms`: ECDSA with P-256, RSA PSS and PKCS #1, with SHA-256.
fn signatures() -> Extension {
    (13, numbers(2, &[0x0403, 0x0804, 0x0401]))
}

/// `supported_versions`
fn versions(all: &[u16]) -> Extension {
    (43, numbers(1, all))
}

/// `key_share` of X25519: the point with x = 9.
fn key_share() -> Extension {
    let point = [&[9][..], &[0; 31]].concat();
    (51, vector(2, &[&0x001d_u16.to_be_bytes()[..], &vector(2, &point)].concat()))
}

/// A ClientHello (RFC 8446 section 4.1.2) in a record of its own; without extensions if there are none.
fn hello(version: u16, suites: &[u16], extensions: &[Extension]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.extend(vector(1, &[]));
    body.extend(numbers(2, suites));
    body.extend(vector(1, &[0]));
    if !extensions.is_empty() {
        let all = extensions.iter();
        let all = all.flat_map(|(kind, content)| [kind.to_be_bytes().to_vec(), vector(2, content)].concat());
        body.extend(vector(2, &all.collect::<Vec<_>>()));
    }
    let message = [&[1][..], &vector(3, &body)].concat();
    let of_record = version.min(TLS_1_0).to_be_bytes();
    [&[HANDSHAKE][..], &of_record, &vector(2, &message)].concat()
}

/// A ClientHello of TLS 1.2 that lacks nothing, with these suites.
fn of_1_2(suites: &[u16]) -> Vec<u8> {
    let [groups, points] = curves();
    hello(TLS_1_2, suites, &[groups, points, signatures()])
}

/// One of TLS 1.3.
fn of_1_3(offered: &[u16], suites: &[u16]) -> Vec<u8> {
    let [groups, _] = curves();
    hello(TLS_1_2, suites, &[groups, signatures(), versions(offered), key_share()])
}

/// What comes back until the server ends the connection or has sent a record.
fn answer(address: SocketAddr, sent: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(sent).unwrap();
    let mut received = Vec::new();
    let mut part = [0; 1024];
    loop {
        let length = match received.get(3..5) {
            Some(length) => 5 + length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)),
            None => usize::MAX,
        };
        let is_record = received.len() >= length;
        match if is_record { Ok(0) } else { stream.read(&mut part) } {
            Ok(0) => return received,
            Ok(read) => received.extend(part.iter().take(read)),
            Err(error) => panic!("no answer: {error}"),
        }
    }
}

/// The description of the alert that is the answer, or `None` if the server goes on with its ServerHello.
fn alert(address: SocketAddr, sent: &[u8]) -> Option<u8> {
    let received = answer(address, sent);
    match received[..] {
        [ALERT, 3, _, 0, 2, 2, description] => Some(description),
        [HANDSHAKE, 3, _, _, _, 2, ..] => None,
        _ => panic!("{received:?}"),
    }
}

/// TLS 1.2 and 1.3 with ephemeral keys and AEAD, and nothing else.
#[test]
fn old_versions_and_weak_suites_are_refused() {
    let folder = initialised();
    let _certificate = write_certificate(&folder);
    let listeners = ["tls.listen=127.0.0.1:0", "tls.mtls_listen=127.0.0.1:0"];
    let files = ["tls.certificate=cert.pem", "tls.key=key.pem"];
    let mut server = Server::start(&folder, &[listeners, files].concat());
    let [groups, points] = curves();
    let old = [RSA_AES_CBC, 0x000a, 0x0005, GOOD];
    let with = |version, extensions: &[Extension]| hello(version, &old, extensions);
    let version = Some(PROTOCOL_VERSION);
    let suite = Some(HANDSHAKE_FAILURE);
    let mut rows = vec![
        ("TLS 1.3", of_1_3(&[TLS_1_3], &[GOOD_1_3]), None),
        ("TLS 1.3 and all before", of_1_3(&[TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3], &[GOOD_1_3, GOOD]), None),
        ("TLS 1.2", of_1_2(&[GOOD]), None),
        ("TLS 1.2, its good suite last", of_1_2(&[RSA_AES_CBC, 0x0005, 0xc009, GOOD]), None),
        ("a later version", of_1_3(&[0x0305, TLS_1_3], &[GOOD_1_3]), None),
        ("SSL 3.0", with(SSL_3, &[]), version),
        ("TLS 1.0", with(TLS_1_0, &[]), version),
        ("TLS 1.1", with(TLS_1_1, &[]), version),
        ("TLS 1.0 with its extensions", with(TLS_1_0, &[groups.clone(), points.clone()]), version),
        ("TLS 1.1 with its extensions", with(TLS_1_1, &[groups.clone(), points.clone()]), version),
        (
            "TLS 1.0 with those of 1.2",
            with(TLS_1_0, &[groups.clone(), points.clone(), signatures()]),
            version,
        ),
        (
            "TLS 1.1 with those of 1.2",
            with(TLS_1_1, &[groups.clone(), points.clone(), signatures()]),
            version,
        ),
        ("TLS 1.1 and 1.0 by supported_versions", of_1_3(&[TLS_1_1, TLS_1_0], &old), version),
        ("a draft of TLS 1.3", of_1_3(&[0x7f1c], &[GOOD_1_3]), version),
        ("TLS 1.3, a suite of 1.2", of_1_3(&[TLS_1_3], &[GOOD]), suite),
        ("TLS 1.2, one of 1.3", of_1_2(&[GOOD_1_3]), suite),
        (
            "TLS 1.2, a weak curve",
            hello(TLS_1_2, &[GOOD], &[(10, numbers(2, &[0x0013, 0x0015])), points, signatures()]),
            suite,
        ),
        ("TLS 1.2, all that is weak", of_1_2(&WEAK.map(|(_, number)| number)), suite),
        ("TLS 1.2, no suite", of_1_2(&[]), Some(DECODE_ERROR)),
    ];
    rows.extend(WEAK.iter().map(|(name, number)| (*name, of_1_2(&[*number]), suite)));
    for listener in ["https", "https, asking for certificates,"] {
        let address = server.address(listener);
        for (what, sent, expected) in &rows {
            assert_eq!(alert(address, sent), *expected, "{listener}: {what}");
        }
    }
    server.wait_for_readiness(200);
}

/// Export, without encryption, anonymous, RC4, 3DES, CBC, with a static or a finite-field key exchange, and others that
/// RFC 9325 section 4.1 forbids or advises against.
const WEAK: [(&str, u16); 30] = [
    ("TLS_NULL_WITH_NULL_NULL", 0x0000),
    ("TLS_RSA_WITH_NULL_SHA", 0x0002),
    ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", 0x0003),
    ("TLS_RSA_WITH_RC4_128_SHA", 0x0005),
    ("TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5", 0x0006),
    ("TLS_RSA_EXPORT_WITH_DES40_CBC_SHA", 0x0008),
    ("TLS_RSA_WITH_DES_CBC_SHA", 0x0009),
    ("TLS_RSA_WITH_3DES_EDE_CBC_SHA", 0x000a),
    ("TLS_DHE_RSA_EXPORT_WITH_DES40_CBC_SHA", 0x0014),
    ("TLS_DH_anon_EXPORT_WITH_RC4_40_MD5", 0x0017),
    ("TLS_DH_anon_WITH_AES_128_CBC_SHA", 0x0034),
    ("TLS_RSA_WITH_AES_128_CBC_SHA", 0x002f),
    ("TLS_DHE_RSA_WITH_AES_128_CBC_SHA", 0x0033),
    ("TLS_RSA_WITH_AES_256_CBC_SHA", 0x0035),
    ("TLS_RSA_WITH_AES_128_CBC_SHA256", 0x003c),
    ("TLS_RSA_WITH_AES_128_GCM_SHA256", 0x009c),
    ("TLS_RSA_WITH_AES_256_GCM_SHA384", 0x009d),
    ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 0x009e),
    ("TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256", 0xc02d),
    ("TLS_ECDHE_ECDSA_WITH_NULL_SHA", 0xc006),
    ("TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", 0xc007),
    ("TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", 0xc008),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", 0xc009),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xc00a),
    ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", 0xc013),
    ("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", 0xc018),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", 0xc023),
    ("TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", 0xc024),
    ("TLS_PSK_WITH_AES_128_GCM_SHA256", 0x00a8),
    ("TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", 0xc0ae),
];

/// What is no ClientHello, or one that was forged: the connection ends, and the server goes on.
#[test]
fn what_is_no_hello_ends_the_connection() {
    let folder = initialised();
    let certificate = write_certificate(&folder);
    let files = ["tls.certificate=cert.pem", "tls.key=key.pem"];
    let mut server = Server::start(&folder, &[&["tls.listen=127.0.0.1:0"][..], &files].concat());
    let address = server.address("https");
    let good = of_1_2(&[GOOD]);
    // A ClientHello of SSL 2.0 (RFC 6101 appendix E.1), also one that offers TLS 1.0.
    let ssl_2 = |version: u16| {
        let body = [&[1][..], &version.to_be_bytes(), &[0, 3, 0, 0, 0, 16, 1, 0, 0x80], &[7; 16]].concat();
        [&[0x80, u8::try_from(body.len()).unwrap()][..], &body].concat()
    };
    let with_length = |at: usize, value: u8| {
        let mut changed = good.clone();
        changed[at] = value;
        changed
    };
    for (what, sent) in [
        ("SSL 2.0", ssl_2(0x0002)),
        ("SSL 2.0, up to TLS 1.0", ssl_2(TLS_1_0)),
        ("plain HTTP", b"GET / HTTP/1.1\r\nHost: id.example.org\r\n\r\n".to_vec()),
        ("data first", [&[23, 3, 3][..], &vector(2, b"data")].concat()),
        ("an empty record", vec![HANDSHAKE, 3, 3, 0, 0]),
        ("a record of 64 KiB", [&[HANDSHAKE, 3, 3, 0xff, 0xff][..], &[1; 0xffff]].concat()),
        ("another major version", [&[HANDSHAKE, 2, 0][..], &good[3..]].concat()),
        ("a message of 16 MiB", with_length(6, 0xff)),
        ("a session id of 255 octets", with_length(43, 0xff)),
        ("suites beyond the end", with_length(44, 0xff)),
        ("extensions twice", hello(TLS_1_2, &[GOOD], &[signatures(), signatures()])),
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _sent = stream.write_all(&sent);
        let mut received = Vec::new();
        // The end may be a reset, because not everything was read.
        let _end = stream.read_to_end(&mut received);
        let is_alert = matches!(received[..], [] | [ALERT, 3, _, 0, 2, 2, _]);
        assert!(is_alert, "{what}: {received:?}");
    }
    let good = crate::tls::connect(address, &certificate, &rustls::version::TLS13);
    assert!(good.is_ok(), "everybody else is still served");
}
