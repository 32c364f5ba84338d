//! Certificates of clients, and the authorities that make them.

use std::sync::Arc;
use std::time::Duration;

use chancery_http::PeerCertificate;
use chancery_jose::base64url;
use chancery_x509::{Authorities, ClientCertificate, ReadCertificate};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use serde_json::{Value, json};

use crate::client_request::base64;
use crate::clock::HandClock;

fn days_after_start(days: i64) -> Duration {
    let seconds = HandClock::START.secs() + days * 86_400;
    Duration::from_secs(u64::try_from(seconds).expect("a time after 1970"))
}

/// What a certificate says, for a test to change.
pub type CertificateContent = CertificateParams;

/// An authority, whose certificates are valid from a day before the clock starts until ten years later.
pub struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
    /// What leads from this one to the one that is trusted: its own certificate first.
    chain: Vec<Vec<u8>>,
}

/// A certificate, with which the kit lets a client call.
#[derive(Clone)]
pub struct TestCertificate {
    /// Its own certificate first, as DER.
    pub chain: Vec<Vec<u8>>,
}

fn content(subject: &str) -> CertificateParams {
    let mut content = CertificateParams::new(Vec::new()).expect("no names");
    content.distinguished_name = DistinguishedName::new();
    content.distinguished_name.push(DnType::CommonName, subject);
    TestCertificate::from(&mut content, -1);
    TestCertificate::until(&mut content, 3650);
    content
}

impl TestCertificate {
    /// One that nobody but its owner has signed, with this common name.
    #[must_use]
    pub fn self_signed(subject: &str) -> Self {
        Self::self_signed_with(subject, |_| {})
    }

    /// The same with other contents.
    #[must_use]
    pub fn self_signed_with(subject: &str, change: impl FnOnce(&mut CertificateContent)) -> Self {
        let mut content = content(subject);
        change(&mut content);
        let made = content.self_signed(&KeyPair::generate().expect("a key")).expect("a certificate");
        Self { chain: vec![made.der().to_vec()] }
    }

    /// With another end of its time: so many days after the clock starts.
    pub fn until(content: &mut CertificateContent, days: i64) {
        content.not_after = date_time_ymd(1970, 1, 1) + days_after_start(days);
    }

    /// With another beginning of its time: so many days after the clock starts.
    pub fn from(content: &mut CertificateContent, days: i64) {
        content.not_before = date_time_ymd(1970, 1, 1) + days_after_start(days);
    }

    /// Its key as a JWK, without the certificate.
    #[must_use]
    pub fn key(&self) -> Value {
        let read = ReadCertificate::parse(&self.chain[0]).expect("a certificate");
        serde_json::from_str(&read.key().expect("a key").to_json()).expect("JSON")
    }

    /// A JWK Set with the certificate (`x5c`).
    #[must_use]
    pub fn jwks(&self) -> Value {
        let mut key = self.key();
        key["x5c"] = self.chain.iter().map(|der| Value::from(base64(der))).collect();
        json!({ "keys": [key] })
    }

    /// `x5t#S256`
    #[must_use]
    pub fn thumbprint(&self) -> String {
        base64url::encode(chancery_jose::sha256(&self.chain[0]))
    }

    /// The request extension of a peer that has shown it.
    #[must_use]
    pub fn shown(&self) -> PeerCertificate {
        let certificate = ClientCertificate::new(self.chain.clone()).expect("a chain within the limits");
        PeerCertificate(Arc::new(certificate))
    }

    /// `Client-Cert` and `Client-Cert-Chain` (RFC 9440).
    #[must_use]
    pub fn client_cert(&self) -> (String, String) {
        let items: Vec<String> = self.chain.iter().map(|der| format!(":{}:", base64(der))).collect();
        (items[0].clone(), items[1..].join(", "))
    }

    /// PEM in percent-encoding, as nginx hands it on.
    #[must_use]
    pub fn escaped_pem(&self) -> String {
        self.chain.iter().map(|der| escaped(&pem(der))).collect()
    }
}

fn pem(der: &[u8]) -> String {
    let lines: Vec<String> =
        base64(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

fn escaped(text: &str) -> String {
    let escape = |octet: u8| match octet {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(octet).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

impl TestAuthority {
    /// One that nobody else vouches for.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut content = content(name);
        content.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        content.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = content.self_signed(&key).expect("a certificate");
        Self { issuer: Issuer::new(content, key), certificate, chain: Vec::new() }
    }

    /// One that this one vouches for.
    #[must_use]
    pub fn below(&self, name: &str) -> Self {
        let mut content = content(name);
        content.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        content.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = content.signed_by(&key, &self.issuer).expect("a certificate");
        let mut chain = vec![certificate.der().to_vec()];
        chain.extend(self.chain.iter().cloned());
        Self { issuer: Issuer::new(content, key), certificate, chain }
    }

    /// Its own certificate as a file has it.
    #[must_use]
    pub fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// What trusts it.
    #[must_use]
    pub fn trusted(&self) -> Authorities {
        Authorities::default().and(self.pem().as_bytes()).expect("a certificate")
    }

    /// The certificate of a client with this common name.
    #[must_use]
    pub fn client(&self, subject: &str) -> TestCertificate {
        self.client_with(subject, |_| {})
    }

    /// The same with other contents.
    #[must_use]
    pub fn client_with(
        &self,
        subject: &str,
        change: impl FnOnce(&mut CertificateContent),
    ) -> TestCertificate {
        let mut content = content(subject);
        change(&mut content);
        let key = KeyPair::generate().expect("a key");
        let made = content.signed_by(&key, &self.issuer).expect("a certificate");
        let mut chain = vec![made.der().to_vec()];
        chain.extend(self.chain.iter().cloned());
        TestCertificate { chain }
    }
}
