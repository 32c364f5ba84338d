//! RFC 8705 in an application: it hands in the certificates of its connections, or reads those of its proxies, with what
//! the facade has.

#![cfg(feature = "development")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;

use bytes::Bytes;
use chancery::accounts::{PasswordPool, StoredAccounts};
use chancery::mutual_tls::{Authorities, ClientCertificate, ForwardedCertificate, PeerCertificate};
use chancery::{
    Builder, Config, Documents, Issuer, MemoryKeys, MemoryRegistry, MemoryStore, Parts, Peer, RealmId,
    Service, SigningAlgorithm, SystemRandom, TrustedProxies,
};
use http::{HeaderName, Request, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};

const PROXY: [u8; 4] = [10, 0, 0, 1];
const CLIENT: [u8; 4] = [192, 0, 2, 1];

/// An authority as PEM, and the certificate of a client.
fn certificates() -> (String, rcgen::Certificate) {
    let params = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        params
    };
    let mut authority = params("authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = authority.self_signed(&key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, key);
    let client = params("app").signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
    (pem, client)
}

async fn service(authority: &str) -> Service {
    let mut config = Config::default();
    config.mtls.tls_client_auth = true;
    let registry = MemoryRegistry::new().offering(config.offered()).with_client(
        r#"{"client_id":"app","redirect_uris":[],"response_types":[],"grant_types":["client_credentials"],
            "token_endpoint_auth_method":"tls_client_auth","tls_client_auth_subject_dn":"CN=app"}"#,
    );
    let (store, random) = (Arc::new(MemoryStore::new()), Arc::new(SystemRandom));
    let pool = PasswordPool::start(NonZeroUsize::MIN, 8).unwrap();
    let parts = Parts {
        realm: RealmId::parse("main").unwrap(),
        issuer: Issuer::parse("https://id.example.org").unwrap(),
        accounts: Arc::new(StoredAccounts::new(Documents::new(store.clone()), pool, random)),
        registry: Arc::new(registry.unwrap()),
        keys: Arc::new(MemoryKeys::generate(&[SigningAlgorithm::Rs256]).unwrap()),
        store,
    };
    let authorities = Authorities::default().and(authority.as_bytes()).unwrap();
    chancery::service(Builder::new(parts, config).with_client_authorities(authorities).build().await.unwrap())
}

fn token_request(peer: [u8; 4]) -> Request<Bytes> {
    let body = Bytes::from_static(b"grant_type=client_credentials&client_id=app");
    let request = Request::post("/token").header("content-type", "application/x-www-form-urlencoded");
    let mut request = request.body(body).unwrap();
    request.extensions_mut().insert(Peer(IpAddr::from(peer)));
    request
}

#[tokio::test]
async fn an_application_hands_in_the_certificate_of_the_connection() {
    let (authority, shown) = certificates();
    let service = service(&authority).await;
    assert_eq!(service.handle(token_request(CLIENT)).await.status(), StatusCode::UNAUTHORIZED);
    let mut request = token_request(CLIENT);
    let certificate = ClientCertificate::new([shown.der().to_vec()]).unwrap();
    request.extensions_mut().insert(PeerCertificate(Arc::new(certificate)));
    assert_eq!(service.handle(request).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_application_reads_what_its_proxy_hands_on() {
    let (authority, shown) = certificates();
    let name = HeaderName::from_static("x-client-certificate");
    let service = service(&authority).await.with_forwarded_certificates(
        ForwardedCertificate::EscapedPem(name.clone()),
        TrustedProxies::parse(["10.0.0.1"]).unwrap(),
    );
    let pem = shown.pem().replace('\r', "").replace('\n', "%0A").replace('+', "%2B").replace(' ', "%20");
    for (peer, status) in [(PROXY, StatusCode::OK), (CLIENT, StatusCode::BAD_REQUEST)] {
        let mut request = token_request(peer);
        request.headers_mut().insert(name.clone(), pem.parse().unwrap());
        assert_eq!(service.handle(request).await.status(), status);
    }
}
