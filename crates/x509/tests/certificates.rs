//! What certificates say and who vouches for them, with certificates as authorities make them.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::IpAddr;

use chancery_seeded::Seeded;
use chancery_types::Timestamp;
use chancery_x509::{
    Authorities, CertificateError, CertificateSubject, ClientCertificate, DistinguishedName, ReadCertificate,
    Untrusted,
};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName as RcgenName, DnType, DnValue,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
    SanType, date_time_ymd,
};

fn params() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = RcgenName::new();
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

/// In the middle of the year for which certificates are valid here.
const NOW: Timestamp = Timestamp::from_secs(1_782_000_000);

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
}

impl Authority {
    fn new(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = params();
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn below(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = params();
        params.distinguished_name.push(DnType::CommonName, "below");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn client(&self, change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
        let mut params = params();
        change(&mut params);
        params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap().der().to_vec()
    }

    fn trusted(&self) -> Authorities {
        Authorities::default().and(self.certificate.pem().as_bytes()).unwrap()
    }
}

fn certificate(der: Vec<u8>) -> ClientCertificate {
    ClientCertificate::new([der]).unwrap()
}

fn read(change: impl FnOnce(&mut CertificateParams)) -> ReadCertificate {
    certificate(Authority::new(|_| {}).client(change)).read().unwrap()
}

fn is_of(member: &str, value: &str, certificate: &ReadCertificate) -> bool {
    CertificateSubject::read(member, value).unwrap().is_of(certificate)
}

/// MTLS-02: the subject's name, whatever strings it is made of; what is only similar is another name.
#[test]
fn a_subject_is_compared_as_a_name() {
    let read = read(|params| {
        let name = &mut params.distinguished_name;
        name.push(DnType::CountryName, DnValue::PrintableString("DE".try_into().unwrap()));
        name.push(DnType::OrganizationName, "Beispiel  Bank GmbH & Co, KG");
        name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "PSDDE-BAFIN-1");
        name.push(DnType::CommonName, "App");
    });
    for same in [
        r"CN=App,organizationIdentifier=PSDDE-BAFIN-1,O=Beispiel Bank GmbH & Co\, KG,C=DE",
        r"cn=app,2.5.4.97=psdde-bafin-1,o=BEISPIEL BANK GMBH & CO\2c KG, c=de",
        r"CN=#0c03417070,2.5.4.97=PSDDE-BAFIN-1,O=\ Beispiel Bank GmbH &   Co\, KG,C=#0c024445",
    ] {
        assert!(is_of("tls_client_auth_subject_dn", same, &read), "{same}");
    }
    for other in [
        r"C=DE,O=Beispiel Bank GmbH & Co\, KG,organizationIdentifier=PSDDE-BAFIN-1,CN=App",
        r"CN=App,O=Beispiel Bank GmbH & Co\, KG,organizationIdentifier=PSDDE-BAFIN-1,C=DE",
        r"CN=App,organizationIdentifier=PSDDE-BAFIN-1,O=Beispiel Bank GmbH & Co KG,C=DE",
        r"CN=App,organizationIdentifier=PSDDE-BAFIN-1,O=BeispielBank GmbH & Co\, KG,C=DE",
        r"CN=App+organizationIdentifier=PSDDE-BAFIN-1,O=Beispiel Bank GmbH & Co\, KG,C=DE",
        r"CN=App,organizationIdentifier=PSDDE-BAFIN-1,O=Beispiel Bank GmbH & Co\, KG",
        r"CN=#1e060041007000 70,organizationIdentifier=PSDDE-BAFIN-1,O=Beispiel Bank GmbH & Co\, KG,C=DE",
        "CN=App",
    ] {
        let other = other.replace("00 70", "0070");
        assert!(!is_of("tls_client_auth_subject_dn", &other, &read), "{other}");
    }
}

/// A name with an octet that hides the rest of it is equal to none (RFC 8705 section 7.5).
#[test]
fn a_hidden_rest_is_no_name() {
    for hidden in ["app\0.evil", "app\0", "\0app", "app\u{1b}"] {
        let read = read(|params| params.distinguished_name.push(DnType::CommonName, hidden));
        assert!(read.subject().is_none(), "{hidden:?}");
        assert!(!is_of("tls_client_auth_subject_dn", "CN=app", &read), "{hidden:?}");
    }
}

/// MTLS-02: a name of another type, or one that is only similar, is another name.
#[test]
fn alternative_names_are_compared_by_their_type() {
    let read = read(|params| {
        params.distinguished_name.push(DnType::CommonName, "cn.example");
        params.subject_alt_names = vec![
            SanType::DnsName("app.example".try_into().unwrap()),
            SanType::DnsName("*.wild.example".try_into().unwrap()),
            SanType::URI("spiffe://example/App".try_into().unwrap()),
            SanType::Rfc822Name("App@mail.example".try_into().unwrap()),
            SanType::IpAddress(IpAddr::from([192, 0, 2, 7])),
            SanType::IpAddress("2001:db8::7".parse().unwrap()),
        ];
    });
    for (member, value) in [
        ("dns", "app.example"),
        ("dns", "APP.Example"),
        ("uri", "spiffe://example/App"),
        ("email", "App@mail.example"),
        ("email", "App@MAIL.example"),
        ("ip", "192.0.2.7"),
        ("ip", "2001:DB8:0:0:0::7"),
    ] {
        assert!(is_of(&format!("tls_client_auth_san_{member}"), value, &read), "{member} {value}");
    }
    for (member, value) in [
        ("dns", "cn.example"),
        ("dns", "a.wild.example"),
        ("dns", "wild.example"),
        ("dns", "app.example.com"),
        ("dns", "pp.example"),
        ("dns", "mail.example"),
        ("dns", "192.0.2.7"),
        ("uri", "spiffe://example/app"),
        ("uri", "spiffe://EXAMPLE/App"),
        ("uri", "spiffe://example/App/"),
        ("uri", "spiffe://example/%41pp"),
        ("uri", "app.example:app"),
        ("email", "app@mail.example"),
        ("email", "App@example"),
        ("email", "App@app.example"),
        ("ip", "192.0.2.8"),
        ("ip", "::ffff:192.0.2.7"),
        ("ip", "2001:db8::70"),
    ] {
        assert!(!is_of(&format!("tls_client_auth_san_{member}"), value, &read), "{member} {value}");
    }
}

/// CMETA-13: a value that no certificate can have is refused when it is registered.
#[test]
fn what_is_no_name_is_refused() {
    for (member, value) in [
        ("subject_dn", ""),
        ("subject_dn", "app"),
        ("subject_dn", "/CN=app"),
        ("san_dns", ""),
        ("san_dns", "*.example"),
        ("san_dns", "app.example."),
        ("san_dns", "\u{e4}pp.example"),
        ("san_dns", "https://app.example"),
        ("san_uri", "app"),
        ("san_uri", "https:"),
        ("san_uri", "https://app.example/ a"),
        ("san_uri", "https://\u{e4}pp.example/"),
        ("san_ip", "192.0.2"),
        ("san_ip", "192.0.2.7/24"),
        ("san_ip", "192.000.2.7"),
        ("san_ip", "[2001:db8::7]"),
        ("san_ip", "app.example"),
        ("san_email", "mail.example"),
        ("san_email", "@mail.example"),
        ("san_email", "a b@mail.example"),
        ("san_email", "app@"),
        ("san_other", "app"),
    ] {
        assert!(
            CertificateSubject::read(&format!("tls_client_auth_{member}"), value).is_err(),
            "{member} {value}"
        );
    }
}

/// The key of a certificate is that of the JWK with the same numbers.
#[test]
fn the_key_is_a_jwk() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384, &rcgen::PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let made = params().self_signed(&key).unwrap();
        let read = ReadCertificate::parse(made.der()).unwrap();
        let again = params().self_signed(&key).unwrap();
        let thumbprint = read.key().unwrap().thumbprint();
        assert_eq!(ReadCertificate::parse(again.der()).unwrap().key().unwrap().thumbprint(), thumbprint);
        let other = params().self_signed(&KeyPair::generate_for(algorithm).unwrap()).unwrap();
        assert_ne!(ReadCertificate::parse(other.der()).unwrap().key().unwrap().thumbprint(), thumbprint);
    }
}

/// MTLS-02: an authority vouches over the chain that was sent, and for as long as every link of it is valid.
#[test]
fn an_authority_vouches_over_a_chain() {
    let authority = Authority::new(|_| {});
    let below = authority.below(|_| {});
    let trusted = authority.trusted();
    let direct = certificate(authority.client(|_| {}));
    assert_eq!(trusted.check(&direct, NOW), Ok(()));
    let client = below.client(|params| {
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    });
    let link = below.certificate.der().to_vec();
    let with_chain = ClientCertificate::new([client.clone(), link.clone()]).unwrap();
    assert_eq!(trusted.check(&with_chain, NOW), Ok(()));
    assert_eq!(
        trusted.check(&certificate(client.clone()), NOW),
        Err(Untrusted::Unknown),
        "a link is missing"
    );
    let unneeded = ClientCertificate::new([client.clone(), authority.client(|_| {}), link]).unwrap();
    assert_eq!(trusted.check(&unneeded, NOW), Ok(()), "what is not needed does no harm");
    let before = Timestamp::from_secs(1_760_000_000);
    let after = Timestamp::from_secs(1_800_000_000);
    assert_eq!(trusted.check(&direct, before), Err(Untrusted::NotYetValid));
    assert_eq!(trusted.check(&direct, after), Err(Untrusted::Expired));
    assert_eq!(Authorities::default().check(&direct, NOW), Err(Untrusted::Unknown));
}

/// MTLS-02: the rules of RFC 5280 that keep a certificate from being one of a client.
#[test]
fn what_no_authority_vouches_for() {
    let authority = Authority::new(|_| {});
    let trusted = authority.trusted();
    let check =
        |certificates: Vec<Vec<u8>>| trusted.check(&ClientCertificate::new(certificates).unwrap(), NOW);

    let same_name = Authority::new(|_| {});
    assert_eq!(check(vec![same_name.client(|_| {})]), Err(Untrusted::Unknown), "another key, the same name");
    let self_signed = params().self_signed(&KeyPair::generate().unwrap()).unwrap();
    assert_eq!(check(vec![self_signed.der().to_vec()]), Err(Untrusted::Unknown));
    let server =
        authority.client(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    assert_eq!(check(vec![server]), Err(Untrusted::NotForClients));
    let encrypts = authority.client(|params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment]);
    assert_eq!(check(vec![encrypts]), Err(Untrusted::NotForClients));
    let is_authority = authority.client(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(check(vec![is_authority]), Err(Untrusted::NotForClients));
    let root = authority.certificate.der().to_vec();
    assert_eq!(check(vec![root]), Err(Untrusted::NotForClients), "the authority itself is no client");

    // A client that signs for another one.
    let no_authority = authority.below(|params| params.is_ca = IsCa::NoCa);
    let forged = vec![no_authority.client(|_| {}), no_authority.certificate.der().to_vec()];
    assert_eq!(check(forged), Err(Untrusted::Unknown));
    let expired = authority.below(|params| params.not_after = date_time_ymd(2026, 2, 1));
    let chain = vec![expired.client(|_| {}), expired.certificate.der().to_vec()];
    assert_eq!(check(chain), Err(Untrusted::Expired));
    let limited = authority.below(|params| {
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName("partner.example".to_owned())],
            excluded_subtrees: Vec::new(),
        });
    });
    let named = |name: &str| {
        let client = limited.client(|params| {
            params.subject_alt_names = vec![SanType::DnsName(name.to_owned().try_into().unwrap())];
        });
        check(vec![client, limited.certificate.der().to_vec()])
    };
    assert_eq!(named("app.partner.example"), Ok(()));
    assert_eq!(named("app.bank.example"), Err(Untrusted::Unknown));
}

/// Chains that are too long, too large, or none.
#[test]
fn chains_have_limits() {
    let der = Authority::new(|_| {}).client(|_| {});
    let error = |certificates: Vec<Vec<u8>>| ClientCertificate::new(certificates).err();
    assert_eq!(error(Vec::new()), Some(CertificateError::Empty));
    assert_eq!(error(vec![der.clone(); 10]), None);
    assert_eq!(error(vec![der.clone(); 11]), Some(CertificateError::TooLong));
    assert_eq!(error(vec![vec![0; 64 * 1024]]), Some(CertificateError::TooLong));
    assert_eq!(error(vec![vec![0; 9 * 1024], vec![0; 9 * 1024]]), Some(CertificateError::TooLong));
    assert!(Authorities::default().and(b"").is_err());
    assert!(
        Authorities::default().and(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n").is_err()
    );
    let junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(Authorities::default().and(junk).is_err());
}

/// No input causes a panic; what was made of a certificate by a flipped bit or a cut is vouched for by nobody.
#[test]
fn generated_certificates() {
    let authority = Authority::new(|_| {});
    let trusted = authority.trusted();
    let good = authority.client(|params| {
        params.distinguished_name.push(DnType::CommonName, "app");
        params.subject_alt_names = vec![
            SanType::DnsName("app.example".try_into().unwrap()),
            SanType::IpAddress(IpAddr::from([192, 0, 2, 7])),
        ];
    });
    let name: DistinguishedName = "CN=app".parse().unwrap();
    let mut seeded = Seeded::new(1);
    let mut next = |limit: usize| seeded.below(limit);
    let (mut readable, mut checked) = (0, 0);
    for round in 0..100_000_u32 {
        let mut der = good.clone();
        for _ in 0..=next(3) {
            let at = next(der.len());
            match next(4) {
                0 => der.truncate(at.max(1)),
                1 => der.insert(at, u8::try_from(next(256)).unwrap()),
                _ => der[at] ^= 1 << next(8),
            }
        }
        if der == good {
            continue;
        }
        let changed = certificate(der);
        if let Ok(read) = changed.read() {
            readable += 1;
            let _ = (
                read.key(),
                read.is_valid_at(NOW),
                read.subject().map(|found| found.names_the_same_as(&name)),
            );
            let _ = (read.dns_names().count(), read.addresses().count(), read.uris().count());
        }
        // A verification costs too much to do each time.
        if round % 16 == 0 {
            checked += 1;
            assert!(trusted.check(&changed, NOW).is_err());
        }
    }
    assert!(readable > 10_000 && checked > 6_000, "{readable} were read, {checked} checked");
}
