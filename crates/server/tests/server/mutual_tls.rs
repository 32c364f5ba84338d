//! RFC 8705 over sockets: the handshake asks for a certificate, and the endpoints see the one that was shown.

use std::fs;
use std::io::{Error, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chancery_x509::ReadCertificate;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::client::ResolvesClientCert;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, SignatureScheme, StreamOwned,
    SupportedProtocolVersion,
};
use serde_json::{Value, json};

use crate::sessions::sign_in;
use crate::support::{PATIENCE, Server, done, get, initialised, post};
use crate::tls::write_certificate;

const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

const ISSUER: &str = "id.example.org";
const ALIAS: &str = "mtls.id.example.org";

const SETTINGS: [&str; 9] = [
    "tls.listen=127.0.0.1:0",
    "tls.mtls_listen=127.0.0.1:0",
    "tls.certificate=cert.pem",
    "tls.key=key.pem",
    "tls.client_authorities=authority.pem",
    "mtls.tls_client_auth=true",
    "mtls.self_signed_tls_client_auth=true",
    "mtls.certificate_bound_access_tokens=true",
    "mtls.endpoint_aliases=https://mtls.id.example.org",
];

/// A certificate with its chain, and the key of the client.
#[derive(Clone)]
struct Shown {
    chain: Vec<Vec<u8>>,
    key: Vec<u8>,
}

fn content(subject: &str) -> CertificateParams {
    let mut content = CertificateParams::new(Vec::new()).unwrap();
    content.distinguished_name = DistinguishedName::new();
    content.distinguished_name.push(DnType::CommonName, subject);
    content
}

fn self_signed(subject: &str, change: impl FnOnce(&mut CertificateParams)) -> Shown {
    let mut content = content(subject);
    change(&mut content);
    let key = KeyPair::generate().unwrap();
    let made = content.self_signed(&key).unwrap();
    Shown { chain: vec![made.der().to_vec()], key: key.serialize_der() }
}

fn plain(_: &mut CertificateParams) {}

fn expired(content: &mut CertificateParams) {
    (content.not_before, content.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 1, 1));
}

fn not_begun(content: &mut CertificateParams) {
    (content.not_before, content.not_after) = (date_time_ymd(2100, 1, 1), date_time_ymd(2101, 1, 1));
}

fn for_servers(content: &mut CertificateParams) {
    content.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
}

/// An authority, and one below it that signs.
struct Authority {
    pem: String,
    below: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let authority = |subject| {
            let mut content = content(subject);
            content.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            content.key_usages = vec![KeyUsagePurpose::KeyCertSign];
            content
        };
        let (root, below) = (authority("authority"), authority("below"));
        let (root_key, below_key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let pem = root.self_signed(&root_key).unwrap().pem();
        let signed = below.signed_by(&below_key, &Issuer::new(root, root_key)).unwrap();
        Self { pem, below: signed.der().to_vec(), issuer: Issuer::new(below, below_key) }
    }

    fn client(&self, subject: &str, change: impl FnOnce(&mut CertificateParams)) -> Shown {
        let mut content = content(subject);
        change(&mut content);
        let key = KeyPair::generate().unwrap();
        let made = content.signed_by(&key, &self.issuer).unwrap();
        Shown { chain: vec![made.der().to_vec(), self.below.clone()], key: key.serialize_der() }
    }
}

/// What a client shows when it is asked, and how often it was.
#[derive(Debug)]
struct Identity {
    shown: Option<Arc<CertifiedKey>>,
    asked: AtomicUsize,
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, authorities: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        assert!(authorities.is_empty(), "a client may choose among all that it has");
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.shown.clone()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// A client with one certificate, or none, that keeps its TLS sessions.
struct TlsClient {
    config: Arc<ClientConfig>,
    identity: Arc<Identity>,
}

impl TlsClient {
    fn new(
        trusted: &CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
        shown: Option<&Shown>,
    ) -> Self {
        let provider = aws_lc_rs::default_provider();
        let shown = shown.map(|shown| Arc::new(certified(&provider, shown)));
        let identity = Arc::new(Identity { shown, asked: AtomicUsize::new(0) });
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(identity.clone());
        Self { config: Arc::new(config), identity }
    }

    /// One request on a connection of its own: kind of handshake, status, and body.
    fn send(
        &self,
        address: SocketAddr,
        host: &str,
        request: &str,
    ) -> Result<(HandshakeKind, u16, String), Error> {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let client = ClientConnection::new(self.config.clone(), name).unwrap();
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut connection = StreamOwned::new(client, stream);
        connection.write_all(request.as_bytes())?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer)?;
        let kind = connection.conn.handshake_kind().unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(ErrorKind::InvalidData)?;
        Ok((kind, status, answer.split_once("\r\n\r\n").unwrap().1.to_owned()))
    }

    fn get(&self, address: SocketAddr, path: &str, token: &str) -> Result<(u16, String), Error> {
        let head = format!("Host: {ISSUER}\r\nConnection: close\r\nAuthorization: Bearer {token}");
        let (_, status, body) =
            self.send(address, ISSUER, &format!("GET {path} HTTP/1.1\r\n{head}\r\n\r\n"))?;
        Ok((status, body))
    }

    /// A form to an endpoint at this host.
    fn post(
        &self,
        address: SocketAddr,
        host: &str,
        path: &str,
        form: &str,
    ) -> Result<(HandshakeKind, u16, String), Error> {
        let head = format!("Host: {host}\r\nConnection: close\r\nContent-Length: {}", form.len());
        let kind = "Content-Type: application/x-www-form-urlencoded";
        self.send(address, host, &format!("POST {path} HTTP/1.1\r\n{head}\r\n{kind}\r\n\r\n{form}"))
    }

    fn token(&self, address: SocketAddr, client: &str) -> Result<(HandshakeKind, u16), Error> {
        let form = format!("grant_type=client_credentials&client_id={client}");
        let (kind, status, body) = self.post(address, ISSUER, "/token", &form)?;
        let expected = if status == 200 { "\"access_token\":" } else { "\"error\":\"invalid_client\"" };
        assert!(body.contains(expected), "{body}");
        Ok((kind, status))
    }
}

fn certified(provider: &CryptoProvider, shown: &Shown) -> CertifiedKey {
    let key = PrivateKeyDer::try_from(shown.key.clone()).unwrap();
    let chain = shown.chain.iter().cloned().map(CertificateDer::from).collect();
    CertifiedKey::new(chain, provider.key_provider.load_private_key(key).unwrap())
}

/// A server that asks for certificates at one listener, and does not at two others.
struct Provider {
    server: Server,
    folder: PathBuf,
    trusted: CertificateDer<'static>,
    authority: Authority,
    asking: SocketAddr,
    not_asking: SocketAddr,
    plain: SocketAddr,
}

impl Provider {
    fn start() -> Self {
        Self::trusting("")
    }

    /// One that takes this network for that of its proxies.
    fn trusting(proxies: &str) -> Self {
        let folder = initialised();
        let (trusted, authority) = (write_certificate(&folder), Authority::new());
        fs::write(folder.join("authority.pem"), &authority.pem).unwrap();
        let proxies = format!("http.trusted_proxies={proxies}");
        let mut server = Server::start(&folder, &[&SETTINGS[..], &[&proxies]].concat());
        let asking = server.address("https, asking for certificates,");
        let (not_asking, plain) = (server.address("https"), server.address("http"));
        Self { server, folder, trusted, authority, asking, not_asking, plain }
    }

    fn add(&self, client: &Value) {
        let mut command = vec!["client", "add", "--file", "-"];
        command.extend(SETTINGS.iter().flat_map(|setting| ["--set", setting]));
        done(&self.folder, &command, &client.to_string());
    }

    /// A client whose certificate has this name.
    fn add_named(&self, client: &str, subject: &str) {
        self.add(&json!({"client_id": client, "redirect_uris": [], "response_types": [],
            "grant_types": ["client_credentials"], "token_endpoint_auth_method": "tls_client_auth",
            "tls_client_auth_subject_dn": subject}));
    }

    /// A client that has registered its certificate.
    fn add_registered(&self, client: &str, certificate: &Shown) {
        let read = ReadCertificate::parse(certificate.chain.first().unwrap()).unwrap();
        let key: Value = serde_json::from_str(&read.key().unwrap().to_json()).unwrap();
        self.add(&json!({"client_id": client, "redirect_uris": [], "response_types": [],
            "grant_types": ["client_credentials"], "jwks": {"keys": [key]},
            "token_endpoint_auth_method": "self_signed_tls_client_auth"}));
    }

    fn client(&self, version: &'static SupportedProtocolVersion, shown: Option<&Shown>) -> TlsClient {
        TlsClient::new(&self.trusted, version, shown)
    }
}

/// MTLS-01: the handshake asks, takes whatever is shown, and goes on without. Only this listener asks.
#[test]
fn any_certificate_is_taken_and_none_as_well() {
    let mut provider = Provider::start();
    let unknown = Authority::new();
    let rows = [
        ("none", None),
        ("self-signed", Some(self_signed("app", plain))),
        ("self-signed, expired", Some(self_signed("app", expired))),
        ("self-signed, not valid yet", Some(self_signed("app", not_begun))),
        ("for servers", Some(self_signed("app", for_servers))),
        (
            "of an authority",
            Some(self_signed("app", |content| {
                content.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            })),
        ),
        ("by a known authority", Some(provider.authority.client("app", plain))),
        ("by an unknown authority", Some(unknown.client("app", plain))),
        ("by an unknown authority, expired", Some(unknown.client("app", expired))),
    ];
    for version in VERSIONS {
        for (what, shown) in &rows {
            let client = provider.client(version, shown.as_ref());
            for (address, asked) in [(provider.not_asking, 0), (provider.asking, 1)] {
                let answer =
                    client.get(address, "/jwks", "").unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(answer.0, 200, "{what}");
                assert_eq!(client.identity.asked.load(Ordering::Relaxed), asked, "{what}");
            }
        }
    }
    provider.server.wait_for_readiness(200);
}

/// MTLS-02, MTLS-03: a client authenticates by the certificate of its connection, at the listener that asks for one, and
/// at no other.
#[test]
fn clients_authenticate_by_the_certificate_of_the_connection() {
    let provider = Provider::start();
    let (mine, old) = (self_signed("app", plain), self_signed("app", expired));
    provider.add_named("named", "CN=app");
    provider.add_registered("registered", &mine);
    provider.add_registered("old", &old);
    let authority = &provider.authority;
    let named = authority.client("app", plain);
    let alone = Shown { chain: vec![named.chain[0].clone()], ..named.clone() };
    let with_garbage = Shown { chain: vec![mine.chain[0].clone(), b"garbage".to_vec()], ..mine.clone() };
    let rows = [
        ("named", Some(named.clone()), 200),
        ("registered", Some(mine.clone()), 200),
        ("registered", Some(with_garbage), 200),
        ("named", None, 401),
        ("registered", None, 401),
        ("named", Some(mine.clone()), 401),
        ("named", Some(alone), 401),
        ("named", Some(authority.client("other", plain)), 401),
        ("named", Some(authority.client("app", expired)), 401),
        ("named", Some(authority.client("app", for_servers)), 401),
        ("named", Some(Authority::new().client("app", plain)), 401),
        ("registered", Some(named), 401),
        ("registered", Some(self_signed("app", plain)), 401),
        ("old", Some(old), 401),
    ];
    for version in VERSIONS {
        for (at, (client, shown, status)) in rows.iter().enumerate() {
            let tls = provider.client(version, shown.as_ref());
            assert_eq!(tls.token(provider.asking, client).unwrap().1, *status, "row {at}: {client}");
            assert_eq!(tls.token(provider.not_asking, client).unwrap().1, 401, "row {at}: {client}");
        }
    }
    let form = "grant_type=client_credentials&client_id=named";
    assert_eq!(post(provider.plain, "/token", form).0, 401);
}

/// MTLS-04, MTLS-06: a token that is bound to a certificate is good over every connection with it, and over no other.
#[test]
fn a_bound_token_needs_its_certificate() {
    let provider = Provider::start();
    let secret = "a%20secret%20of%20at%20least%20thirty-two%20characters";
    provider.add(&json!({"client_id": "bank", "redirect_uris": ["https://bank.example/cb"],
        "client_secret": secret.replace("%20", " "), "tls_client_certificate_bound_access_tokens": true,
        "chancery": {"consent": "implied", "pkce_optional": true}}));
    let (mine, other) = (self_signed("app", plain), self_signed("app", plain));
    let code = sign_in(provider.plain, "bank", "alice");
    let redirect = "https%3A%2F%2Fbank.example%2Fcb";
    let form = format!(
        "grant_type=authorization_code&client_id=bank&client_secret={secret}&code={code}&redirect_uri={redirect}"
    );
    let without = provider.client(VERSIONS[0], None).post(provider.asking, ISSUER, "/token", &form).unwrap();
    assert_eq!(without.1, 400, "{}", without.2);
    let (_, status, body) =
        provider.client(VERSIONS[0], Some(&mine)).post(provider.asking, ISSUER, "/token", &form).unwrap();
    assert_eq!(status, 200, "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["token_type"], "Bearer");
    let token = answer["access_token"].as_str().unwrap();
    for version in VERSIONS {
        for (shown, status) in [(Some(&mine), 200), (Some(&other), 401), (None, 401), (Some(&mine), 200)] {
            let client = provider.client(version, shown);
            let answer = client.get(provider.asking, "/userinfo", token).unwrap();
            assert_eq!(answer.0, status, "{}", answer.1);
            let answer = client.get(provider.not_asking, "/userinfo", token).unwrap();
            assert_eq!(answer.0, 401, "{}", answer.1);
        }
    }
}

/// MTLS-10: the addresses of `mtls_endpoint_aliases` are served by the listener that asks.
#[test]
fn the_aliases_are_served() {
    let provider = Provider::start();
    provider.add_named("named", "CN=app");
    let (status, metadata) = get(provider.plain, "/.well-known/openid-configuration");
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let url = metadata["mtls_endpoint_aliases"]["token_endpoint"].as_str().unwrap();
    assert_eq!((status, url), (200, "https://mtls.id.example.org/token"));
    let client = provider.client(VERSIONS[0], Some(&provider.authority.client("app", plain)));
    let form = "grant_type=client_credentials&client_id=named";
    let (_, status, body) = client.post(provider.asking, ALIAS, "/token", form).unwrap();
    assert_eq!(status, 200, "{body}");
}

/// Where whoever calls is a proxy, its certificate is nobody's; the log says so, once.
#[test]
fn the_certificate_of_a_proxy_is_ignored_and_that_is_told_once() {
    let mut provider = Provider::trusting("127.0.0.1");
    let mine = self_signed("app", plain);
    provider.add_registered("app", &mine);
    for shown in [None, Some(&mine), Some(&mine)] {
        assert_eq!(provider.client(VERSIONS[0], shown).token(provider.asking, "app").unwrap().1, 401);
    }
    provider.server.signal("TERM");
    assert_eq!(provider.server.end(), Some(0));
    let is_warning = |line: &&String| line.contains("client_certificate_ignored");
    let warnings: Vec<&String> = provider.server.printed().iter().filter(is_warning).collect();
    assert!(matches!(warnings[..], [warning] if warning.contains("http.trusted_proxies")), "{warnings:?}");
}

/// A TLS session that is resumed (RFC 8446 section 2.2, RFC 5246 section 7.3) has the certificate with which it began,
/// and nobody else's; those of a listener that asks are of no use at one that does not, and the other way round.
#[test]
fn a_resumed_session_keeps_its_certificate() {
    let mut provider = Provider::start();
    let (first, second) = (self_signed("app", plain), self_signed("app", plain));
    provider.add_registered("first", &first);
    provider.add_registered("second", &second);
    for version in VERSIONS {
        let clients = [
            ("first", provider.client(version, Some(&first))),
            ("second", provider.client(version, Some(&second))),
            ("nobody", provider.client(version, None)),
        ];
        for round in 0..4 {
            for (name, tls) in &clients {
                for asked in ["first", "second"] {
                    let (kind, status) = tls.token(provider.asking, asked).unwrap();
                    let begins = round == 0 && asked == "first";
                    assert_eq!(kind == HandshakeKind::Resumed, !begins, "{name} {asked} {round}: {kind:?}");
                    assert_eq!(status, if *name == asked { 200 } else { 401 }, "{name} as {asked}");
                }
            }
        }
        let (name, tls) = &clients[0];
        for round in 0..3 {
            for (address, is_asking) in [(provider.not_asking, false), (provider.asking, true)] {
                let (_, status) = tls.token(address, name).unwrap();
                assert_eq!(status, if is_asking { 200 } else { 401 }, "round {round}");
            }
        }
    }
    // With a new certificate of the server, sessions begin anew, and the client is asked again.
    let client = provider.client(VERSIONS[0], Some(&first));
    let _ = client.token(provider.asking, "first").unwrap();
    provider.server.signal("HUP");
    provider.server.wait_for("certificate_reloaded");
    let (kind, status) = client.token(provider.asking, "first").unwrap();
    assert!(kind != HandshakeKind::Resumed && status == 200, "{kind:?} {status}");
}

/// What is no certificate, too much of it, or somebody else's: the handshake fails, and nobody else notices.
#[test]
fn refused() {
    let mut provider = Provider::start();
    let mine = self_signed("app", plain);
    provider.add_registered("app", &mine);
    let large = |bytes: usize| {
        self_signed("app", |content| {
            content.custom_extensions =
                vec![CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 32473, 1], vec![4; bytes])];
        })
    };
    let of = |chain: Vec<Vec<u8>>| Shown { chain, key: mine.key.clone() };
    let [leaf] = &mine.chain[..] else { panic!("self-signed") };
    let cut = leaf[..leaf.len() - 1].to_vec();
    let rows = [
        ("garbage", of(vec![b"garbage".to_vec()])),
        ("an empty one", of(vec![Vec::new()])),
        ("half of one", of(vec![cut])),
        ("one and a byte", of(vec![[leaf, &b"\0"[..]].concat()])),
        ("that of somebody else", of(self_signed("app", plain).chain)),
        ("that of the server", of(vec![provider.trusted.to_vec()])),
        ("eleven", of(vec![leaf.clone(); 11])),
        ("one of 17 KiB", large(17 * 1024)),
        ("one of 64 KiB", large(64 * 1024)),
        ("a chain of 64 KiB", of(vec![leaf.clone(), vec![0; 64 * 1024]])),
        ("a chain of 1 MiB", of(vec![leaf.clone(), vec![0; 1024 * 1024]])),
        ("ten of 8 KiB", of([vec![leaf.clone()], vec![vec![0; 8 * 1024]; 9]].concat())),
    ];
    for version in VERSIONS {
        let good = provider.client(version, Some(&mine));
        for (what, shown) in &rows {
            let answer = provider.client(version, Some(shown)).get(provider.asking, "/jwks", "");
            assert!(answer.is_err(), "{what}: {answer:?}");
            assert_eq!(good.token(provider.asking, "app").unwrap().1, 200, "after {what}");
        }
    }
    provider.server.wait_for_readiness(200);
}
