//! The TLS listener: versions, and a new certificate without dropping a connection.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

use crate::support::{PATIENCE, Server, done, initialised, refused};

/// The hosts of the issuer and of its `mtls_endpoint_aliases`.
const NAMES: [&str; 2] = ["id.example.org", "mtls.id.example.org"];

pub(crate) type Connection = StreamOwned<ClientConnection, TcpStream>;

/// A certificate for id.example.org and mtls.id.example.org in place of the one that is there.
pub(crate) fn write_certificate(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(NAMES.map(str::to_owned)).unwrap();
    fs::write(folder.join("cert.pem"), made.cert.pem()).unwrap();
    write_key(folder, &made.signing_key.serialize_pem(), 0o600);
    CertificateDer::from_pem_slice(made.cert.pem().as_bytes()).unwrap()
}

fn write_key(folder: &Path, pem: &str, mode: u32) {
    let path = folder.join("key.pem");
    fs::write(&path, pem).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

fn start(folder: &Path) -> Server {
    let settings = ["tls.listen=127.0.0.1:0", "tls.certificate=cert.pem", "tls.key=key.pem"];
    Server::start(folder, &settings)
}

pub(crate) fn connect(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> Result<Connection, std::io::Error> {
    connect_by(aws_lc_rs::default_provider(), address, trusted, version)
}

/// The same with the cipher suites of this.
fn connect_by(
    provider: CryptoProvider,
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> Result<Connection, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client =
        ClientConnection::new(Arc::new(config), ServerName::try_from("id.example.org").unwrap()).unwrap();
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut connection = StreamOwned::new(client, stream);
    connection.conn.complete_io(&mut connection.sock)?;
    Ok(connection)
}

/// One request on a connection that stays open; the head of the answer.
fn ask(connection: &mut Connection) -> String {
    connection.write_all(b"HEAD /jwks HTTP/1.1\r\nHost: id.example.org\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        connection.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    String::from_utf8(answer).unwrap()
}

#[test]
fn tls_1_3_and_1_2_are_spoken() {
    let folder = initialised();
    let certificate = write_certificate(&folder);
    let mut server = start(&folder);
    let address = server.address("https");
    for (version, spoken) in [
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
    ] {
        let mut connection = connect(address, &certificate, version).unwrap();
        assert_eq!(connection.conn.protocol_version(), Some(spoken));
        assert!(ask(&mut connection).starts_with("HTTP/1.1 200"));
    }
}

/// FAPI 1.0 part 2 section 8.5, FAPI 2.0 Security Profile section 5.2.2: of TLS 1.2 the recommended cipher suites
/// alone, those with AES-GCM (RFC 9325 section 4.2); of TLS 1.3 all.
#[test]
fn tls_1_2_has_the_recommended_cipher_suites_alone() {
    let folder = initialised();
    let certificate = write_certificate(&folder);
    let mut server = start(&folder);
    let address = server.address("https");
    let all = aws_lc_rs::default_provider().cipher_suites;
    let (mut spoken, mut refused) = (Vec::new(), Vec::new());
    for suite in all {
        // The server's key is one for ECDSA.
        let version = match suite.version().version {
            ProtocolVersion::TLSv1_2 if !format!("{:?}", suite.suite()).contains("ECDSA") => continue,
            ProtocolVersion::TLSv1_2 => &rustls::version::TLS12,
            _ => &rustls::version::TLS13,
        };
        let only = CryptoProvider { cipher_suites: vec![suite], ..aws_lc_rs::default_provider() };
        match connect_by(only, address, &certificate, version) {
            Ok(mut connection) => {
                assert!(ask(&mut connection).starts_with("HTTP/1.1 200"));
                spoken.push(suite.suite());
            }
            Err(_) => refused.push(suite.suite()),
        }
    }
    assert_eq!(refused, [CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256]);
    assert_eq!(spoken.len(), 5, "{spoken:?}");
}

/// A22
#[test]
fn sighup_brings_a_new_certificate_and_drops_no_connection() {
    let folder = initialised();
    let first = write_certificate(&folder);
    let mut server = start(&folder);
    let address = server.address("https");
    let mut open = connect(address, &first, &rustls::version::TLS13).unwrap();
    assert!(ask(&mut open).starts_with("HTTP/1.1 200"));

    let second = write_certificate(&folder);
    server.signal("HUP");
    server.wait_for("certificate_reloaded");
    assert!(ask(&mut open).starts_with("HTTP/1.1 200"), "the open connection goes on");
    assert!(connect(address, &second, &rustls::version::TLS13).is_ok());
    assert!(connect(address, &first, &rustls::version::TLS13).is_err(), "new connections get the new one");

    // One that clients would refuse is not taken, either.
    let mut ended = rcgen::CertificateParams::new(NAMES.map(str::to_owned)).unwrap();
    ended.not_after = (std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).into();
    let key = rcgen::KeyPair::generate().unwrap();
    let good = fs::read(folder.join("cert.pem")).unwrap();
    fs::write(folder.join("cert.pem"), ended.self_signed(&key).unwrap().pem()).unwrap();
    server.signal("HUP");
    let line = server.wait_for("certificate_kept");
    let ended = "cert.pem: ended on 2023-11-14 at 22:13:20 UTC, and every client refuses it: renew it";
    assert!(line.contains(ended), "{line}");
    // What follows does not claim that everything was taken.
    let line = server.wait_for("the certificate and the key of before go on, as certificate_kept says");
    assert!(line.contains("\"configuration_reloaded\""), "{line}");
    assert!(connect(address, &second, &rustls::version::TLS13).is_ok());

    fs::write(folder.join("cert.pem"), good).unwrap();
    write_key(&folder, "no key", 0o600);
    server.signal("HUP");
    server.wait_for("key.pem: has no private key");
    assert!(connect(address, &second, &rustls::version::TLS13).is_ok(), "a bad one is not taken");
    assert!(ask(&mut open).starts_with("HTTP/1.1 200"));
}

/// FR-22: the key of the certificate is a secret like others. Whoever else can get at it is named.
#[test]
fn a_key_that_others_can_get_at_is_refused() {
    let folder = initialised();
    let _ = write_certificate(&folder);
    let pem = fs::read_to_string(folder.join("key.pem")).unwrap();
    let settings = ["tls.listen=127.0.0.1:0", "tls.certificate=cert.pem", "tls.key=key.pem"];
    let mut check = vec!["check"];
    check.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    for (mode, who) in [(0o604, "everybody"), (0o666, "everybody"), (0o620, "its group")] {
        write_key(&folder, &pem, mode);
        let said = refused(&folder, &check, "");
        assert!(said.contains(&format!("key.pem: {who} can access it (mode {mode:o})")), "{said}");
    }
    for mode in [0o600, 0o400] {
        write_key(&folder, &pem, mode);
        assert!(done(&folder, &check, "").contains("good"));
        fs::set_permissions(folder.join("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    }
}
