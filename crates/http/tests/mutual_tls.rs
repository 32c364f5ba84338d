//! RFC 8705, OAuth 2.0 Mutual-TLS Client Authentication: section 2, `tls_client_auth` and
//! `self_signed_tls_client_auth`, at every endpoint that authenticates clients; section 5, other URLs.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use std::net::IpAddr;

use chancery_core::ports::Registry as _;
use chancery_testkit::{
    CertificateContent, ClientRequest, HandClock, NegativeTable, Refused, TestAuthority, TestCertificate,
    TestProvider, check_refused_by_name, days, minutes, wait,
};
use chancery_types::ClientId;
use rcgen::{DnType, DnValue, ExtendedKeyUsagePurpose, KeyUsagePurpose, SanType};
use serde_json::{Value, json};

/// The endpoints that authenticate clients, each with a request that is complete but for that.
const ENDPOINTS: [(&str, &[(&str, &str)]); 3] = [
    ("/token", &[("grant_type", "client_credentials")]),
    ("/introspect", &[("token", "x")]),
    ("/revoke", &[("token", "x")]),
];

fn metadata(kit: &TestProvider) -> Value {
    kit.get("/.well-known/openid-configuration").json().clone()
}

fn provider(authority: &TestAuthority) -> TestProvider {
    let builder = TestProvider::builder().client_authorities(authority.trusted());
    builder
        .configure(|config| {
            config.mtls.tls_client_auth = true;
            config.mtls.self_signed_tls_client_auth = true;
        })
        .build()
}

/// Metadata of a client whose certificate has a name.
fn named(client: &str, member: &str, value: &str) -> String {
    json!({"client_id": client, "response_types": [], "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "tls_client_auth", member: value})
    .to_string()
}

/// Metadata of a client that has registered its certificate.
fn registered(client: &str, more: Value) -> String {
    let mut metadata = json!({"client_id": client, "response_types": [], "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "self_signed_tls_client_auth"});
    metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    metadata.to_string()
}

fn request<'k>(kit: &'k TestProvider, at: usize, client: &str) -> ClientRequest<'k> {
    let (path, parameters) = ENDPOINTS[at];
    let request = kit.anonymous_request(path).param("client_id", client);
    parameters.iter().fold(request, |request, (name, value)| request.param(name, value))
}

/// A certificate with every kind of name.
fn with_names(content: &mut CertificateContent) {
    let name = &mut content.distinguished_name;
    name.push(DnType::OrganizationName, "Example  Bank");
    name.push(DnType::CountryName, DnValue::PrintableString("DE".try_into().unwrap()));
    content.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    content.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    content.subject_alt_names = vec![
        SanType::DnsName("app.example".try_into().unwrap()),
        SanType::URI("spiffe://example/app".try_into().unwrap()),
        SanType::IpAddress(IpAddr::from([192, 0, 2, 7])),
        SanType::Rfc822Name("App@mail.example".try_into().unwrap()),
    ];
}

/// MTLS-01, MTLS-02: an authority vouches for the certificate, and it has the one name that the client is registered
/// with, in each of the five forms.
#[test]
fn a_client_authenticates_by_the_name_of_its_certificate() {
    let authority = TestAuthority::new("authority");
    let kit = provider(&authority);
    let of_root = authority.client_with("app", with_names);
    let of_below = authority.below("below").client_with("app", with_names);
    for (member, value) in [
        ("tls_client_auth_subject_dn", "C=DE,O=example bank,CN=APP"),
        ("tls_client_auth_san_dns", "APP.example"),
        ("tls_client_auth_san_uri", "spiffe://example/app"),
        ("tls_client_auth_san_ip", "192.0.2.7"),
        ("tls_client_auth_san_email", "App@MAIL.example"),
    ] {
        kit.put_client(&named("app", member, value));
        for at in 0..ENDPOINTS.len() {
            for certificate in [&of_root, &of_below] {
                let _ = request(&kit, at, "app").certificate(certificate).send().expect_status(200);
            }
        }
    }
}

/// MTLS-03: the certificate is one that the client has registered (`x5c`), or is made of a key that it has registered
/// without one. Nobody else has to vouch for it.
#[test]
fn a_client_authenticates_by_a_certificate_of_its_own() {
    let kit = provider(&TestAuthority::new("authority"));
    let (mine, other) = (TestCertificate::self_signed("app"), TestCertificate::self_signed("app"));
    let by_authority = TestAuthority::new("unknown").client("app");
    let both = json!({"keys": [other.jwks()["keys"][0], mine.jwks()["keys"][0]]});
    for jwks in [mine.jwks(), both, json!({"keys": [mine.key()]})] {
        kit.put_client(&registered("app", json!({"jwks": jwks})));
        for at in 0..ENDPOINTS.len() {
            let _ = request(&kit, at, "app").certificate(&mine).send().expect_status(200);
        }
    }
    kit.put_client(&registered("app", json!({"jwks": by_authority.jwks()})));
    let _ = request(&kit, 0, "app").certificate(&by_authority).send().expect_status(200);
}

/// MTLS-03: a certificate that the client has published since is fetched, and one that it has withdrawn is good for
/// nothing as soon as the keys are fetched again.
#[test]
fn a_client_rotates_its_certificates_at_its_jwks_uri() {
    let kit = provider(&TestAuthority::new("authority"));
    let (first, second) = (TestCertificate::self_signed("app"), TestCertificate::self_signed("app"));
    let url = "https://app.example/jwks";
    kit.fetch.answers(url, 200, first.jwks().to_string());
    kit.put_client(&registered("app", json!({"jwks_uri": url})));
    let send = |certificate: &TestCertificate| request(&kit, 0, "app").certificate(certificate).send();
    let _ = send(&first).expect_status(200);
    kit.fetch.answers(url, 200, second.jwks().to_string());
    kit.clock.advance(minutes(2));
    let _ = send(&second).expect_status(200);
    let _ = send(&first).expect_status(401);
}

/// MTLS-02, MTLS-03: the time of a certificate is that of the provider's clock.
#[test]
fn a_certificate_has_its_time() {
    let authority = TestAuthority::new("authority");
    let kit = provider(&authority);
    let time = |content: &mut CertificateContent| {
        TestCertificate::from(content, 10);
        TestCertificate::until(content, 20);
    };
    let by_name = authority.client_with("app", time);
    let by_key = TestCertificate::self_signed_with("app", time);
    kit.put_client(&named("named", "tls_client_auth_subject_dn", "CN=app"));
    kit.put_client(&registered("registered", json!({"jwks": by_key.jwks()})));
    for (after, status, reason) in
        [(0, 401, Some("certificate_not_yet_valid")), (11, 200, None), (21, 401, Some("certificate_expired"))]
    {
        kit.clock.set(HandClock::START + days(after));
        for (client, certificate) in [("named", &by_name), ("registered", &by_key)] {
            let answer = request(&kit, 0, client).certificate(certificate).send().expect_status(status);
            if let Some(reason) = reason {
                check_refused_by_name(&answer, "invalid_client", reason);
            }
        }
    }
}

/// DISC-05: the methods are announced, and clients can be registered for them, only if they are on.
#[test]
fn both_methods_are_off_by_default() {
    let methods = ["tls_client_auth", "self_signed_tls_client_auth"];
    let announced = |kit: &TestProvider| -> Vec<String> {
        let all = metadata(kit)["token_endpoint_auth_methods_supported"].clone();
        let all: Vec<String> = serde_json::from_value(all).unwrap();
        all.into_iter().filter(|method| methods.contains(&method.as_str())).collect()
    };
    let off = TestProvider::new();
    assert!(announced(&off).is_empty());
    let certificate = TestCertificate::self_signed("app");
    let clients = [
        named("app", "tls_client_auth_san_dns", "app.example"),
        registered("app", json!({"jwks": certificate.jwks()})),
    ];
    for client in &clients {
        let error = off.put_client_fetching(client).unwrap_err();
        assert_eq!(error.complaints[0].setting, "token_endpoint_auth_method", "{error:?}");
    }
    let on = provider(&TestAuthority::new("authority"));
    assert_eq!(announced(&on), methods);
    for client in &clients {
        on.put_client_fetching(client).unwrap();
    }
}

/// A client of a method that was switched off since is refused as one of an unregistered method.
#[test]
fn a_method_that_is_off_authenticates_nobody() {
    let authority = TestAuthority::new("authority");
    let (on, certificate) = (provider(&authority), authority.client("app"));
    on.put_client(&named("app", "tls_client_auth_subject_dn", "CN=app"));
    let _ = request(&on, 0, "app").certificate(&certificate).send().expect_status(200);
    let off = TestProvider::new();
    let client =
        wait(on.registry.client(&on.env().realm, &ClientId::parse("app").unwrap())).unwrap().unwrap();
    let _ = wait(off.registry.put_client(&off.env().realm, None, client)).unwrap();
    let answer = request(&off, 0, "app").certificate(&certificate).send();
    check_refused_by_name(&answer, "invalid_client", "client_authentication_method_unregistered");
}

/// MTLS-10: the URLs for those who call with a certificate, of the endpoints that clients call directly. Both lead to
/// the same endpoints.
#[test]
fn aliases_are_announced() {
    let authority = TestAuthority::new("authority");
    for (issuer, aliases) in [
        ("https://id.example", "https://mtls.id.example"),
        ("https://id.example", "https://id.example:8443"),
        ("https://id.example/oidc", "https://mtls.id.example/oidc"),
    ] {
        let kit = TestProvider::builder()
            .issuer(issuer)
            .client_authorities(authority.trusted())
            .configure(|config| {
                config.mtls.tls_client_auth = true;
                config.mtls.endpoint_aliases = aliases.into();
            })
            .build();
        let expected = json!({
            "token_endpoint": format!("{aliases}/token"),
            "userinfo_endpoint": format!("{aliases}/userinfo"),
            "introspection_endpoint": format!("{aliases}/introspect"),
            "revocation_endpoint": format!("{aliases}/revoke"),
        });
        assert_eq!(metadata(&kit)["mtls_endpoint_aliases"], expected);
        assert_eq!(metadata(&kit)["token_endpoint"], format!("{issuer}/token"));
    }
    assert_eq!(metadata(&TestProvider::new())["mtls_endpoint_aliases"], Value::Null);
}

/// What is wrong with the settings is said before anything is served.
#[test]
fn settings_that_cannot_work_are_refused() {
    let authority = TestAuthority::new("authority");
    for (setting, aliases) in [
        ("mtls.endpoint_aliases", "https://id.example"),
        ("mtls.endpoint_aliases", "https://mtls.id.example/"),
        ("mtls.endpoint_aliases", "https://mtls.id.example/other"),
        ("mtls.endpoint_aliases", "http://mtls.id.example"),
        ("mtls.endpoint_aliases", "mtls.id.example"),
        ("mtls.endpoint_aliases", "https://MTLS.id.example"),
        ("mtls.endpoint_aliases", "https://mtls.id.example?x"),
    ] {
        let builder = TestProvider::builder().client_authorities(authority.trusted());
        let complaints = builder
            .configure(|config| config.mtls.endpoint_aliases = aliases.into())
            .try_build()
            .err()
            .unwrap();
        assert_eq!(complaints[0].setting, setting, "{aliases}: {complaints:?}");
    }
    let without = TestProvider::builder().configure(|config| config.mtls.tls_client_auth = true).try_build();
    assert_eq!(without.err().unwrap()[0].setting, "mtls.tls_client_auth");
}

/// META-33, CMETA-13: exactly one name, which a certificate can have; beside another method it is left out.
#[test]
fn the_name_of_a_certificate_is_registered() {
    let kit = provider(&TestAuthority::new("authority"));
    let refused = |more: Value| {
        let mut metadata = json!({"client_id": "app", "response_types": [], "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "tls_client_auth"});
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let complaints = kit.put_client_fetching(&metadata.to_string()).unwrap_err().complaints;
        complaints.into_iter().map(|complaint| complaint.setting).collect::<Vec<_>>()
    };
    assert_eq!(refused(json!({})), ["tls_client_auth_subject_dn"]);
    assert_eq!(
        refused(json!({"tls_client_auth_subject_dn": "CN=app", "tls_client_auth_san_dns": "app.example"})),
        ["tls_client_auth_san_dns"]
    );
    for (member, value) in [
        ("tls_client_auth_subject_dn", json!("app")),
        ("tls_client_auth_subject_dn", json!("")),
        ("tls_client_auth_subject_dn", json!(["CN=app"])),
        ("tls_client_auth_subject_dn", json!("/C=DE/CN=app")),
        ("tls_client_auth_san_dns", json!("*.example")),
        ("tls_client_auth_san_uri", json!("app")),
        ("tls_client_auth_san_ip", json!("192.0.2.7/32")),
        ("tls_client_auth_san_email", json!("app")),
    ] {
        assert!(refused(json!({member: value})).contains(&member.to_owned()), "{member} {value}");
    }
    let public = json!({"client_id": "public", "redirect_uris": ["https://app.example/cb"],
        "token_endpoint_auth_method": "none", "tls_client_auth_san_dns": "app.example"});
    kit.put_client_fetching(&public.to_string()).unwrap();
}

/// MTLS-03: certificates that are none, or those of another key, are not registered (RFC 7517 section 4.7).
#[test]
fn the_certificates_of_a_client_are_registered() {
    let kit = provider(&TestAuthority::new("authority"));
    let (mine, other) = (TestCertificate::self_signed("app"), TestCertificate::self_signed("app"));
    let with_x5c = |x5c: Value| {
        let mut key = mine.key();
        key["x5c"] = x5c;
        json!({"jwks": {"keys": [key]}})
    };
    for more in [
        json!({}),
        json!({"jwks": {"keys": []}}),
        with_x5c(json!([])),
        with_x5c(json!("x")),
        with_x5c(json!(["x"])),
        with_x5c(json!(["AAAA"])),
        with_x5c(other.jwks()["keys"][0]["x5c"].clone()),
    ] {
        let complaints = kit.put_client_fetching(&registered("app", more.clone())).unwrap_err().complaints;
        assert_eq!(complaints[0].setting, "jwks", "{more}");
    }
}

/// MTLS-02, MTLS-03: every other certificate, and none; the answer is the same whatever is wrong.
#[test]
fn refused() {
    let authority = TestAuthority::new("authority");
    let kit = provider(&authority);
    let impostor = TestAuthority::new("authority");
    let mine = TestCertificate::self_signed("app");
    kit.put_client(&named("dn", "tls_client_auth_subject_dn", "CN=app,O=Example Bank,C=DE"));
    kit.put_client(&named("dns", "tls_client_auth_san_dns", "app.example"));
    kit.put_client(&named("ip", "tls_client_auth_san_ip", "192.0.2.7"));
    kit.put_client(&named("email", "tls_client_auth_san_email", "app@mail.example"));
    kit.put_client(&named("uri", "tls_client_auth_san_uri", "spiffe://example/app"));
    kit.put_client(&registered("self", json!({"jwks": mine.jwks()})));
    kit.put_client(&registered("key", json!({"jwks": {"keys": [mine.key()]}})));

    let subject = |attributes: &[(DnType, &str)]| {
        authority.client_with("", |content| {
            content.distinguished_name = rcgen::DistinguishedName::new();
            attributes.iter().for_each(|(kind, value)| content.distinguished_name.push(kind.clone(), *value));
        })
    };
    let (c, o, cn) = (DnType::CountryName, DnType::OrganizationName, DnType::CommonName);
    let right = subject(&[(c.clone(), "DE"), (o.clone(), "Example Bank"), (cn.clone(), "app")]);
    let _ = request(&kit, 0, "dn").certificate(&right).send().expect_status(200);
    let san = |names: Vec<SanType>| authority.client_with("app", |content| content.subject_alt_names = names);
    let dns = |name: &str| san(vec![SanType::DnsName(name.try_into().unwrap())]);
    let email = |name: &str| san(vec![SanType::Rfc822Name(name.try_into().unwrap())]);
    let uri = |name: &str| san(vec![SanType::URI(name.try_into().unwrap())]);
    let rows: Vec<(&str, &str, Option<TestCertificate>, &str)> = vec![
        ("no certificate, by name", "dn", None, "certificate_missing"),
        ("no certificate, by key", "self", None, "certificate_missing"),
        (
            "the order of the names is another one",
            "dn",
            Some(subject(&[(cn.clone(), "app"), (o.clone(), "Example Bank"), (c.clone(), "DE")])),
            "certificate_subject_wrong",
        ),
        (
            "a name less",
            "dn",
            Some(subject(&[(o.clone(), "Example Bank"), (cn.clone(), "app")])),
            "certificate_subject_wrong",
        ),
        (
            "a name more",
            "dn",
            Some(subject(&[
                (c.clone(), "DE"),
                (o.clone(), "Example Bank"),
                (DnType::OrganizationalUnitName, "x"),
                (cn.clone(), "app"),
            ])),
            "certificate_subject_wrong",
        ),
        (
            "no space",
            "dn",
            Some(subject(&[(c.clone(), "DE"), (o.clone(), "ExampleBank"), (cn.clone(), "app")])),
            "certificate_subject_wrong",
        ),
        (
            "a letter that looks alike",
            "dn",
            Some(subject(&[(c.clone(), "DE"), (o.clone(), "Example Bank"), (cn.clone(), "\u{430}pp")])),
            "certificate_subject_wrong",
        ),
        (
            "a hidden rest",
            "dn",
            Some(subject(&[(c.clone(), "DE"), (o.clone(), "Example Bank"), (cn.clone(), "app\0.evil")])),
            "certificate_subject_wrong",
        ),
        (
            "the name of another kind",
            "dns",
            Some(authority.client("app.example")),
            "certificate_subject_wrong",
        ),
        ("a wildcard", "dns", Some(dns("*.example")), "certificate_subject_wrong"),
        ("a name below", "dns", Some(dns("a.app.example")), "certificate_subject_wrong"),
        ("a dot more", "dns", Some(dns("app.example.")), "certificate_subject_wrong"),
        ("another local part", "email", Some(email("APP@mail.example")), "certificate_subject_wrong"),
        ("another path", "uri", Some(uri("spiffe://example/app/")), "certificate_subject_wrong"),
        ("an encoded path", "uri", Some(uri("spiffe://example/%61pp")), "certificate_subject_wrong"),
        (
            "an address as a name",
            "ip",
            Some(san(vec![SanType::DnsName("192.0.2.7".try_into().unwrap())])),
            "certificate_subject_wrong",
        ),
        (
            "the same address of IPv6",
            "ip",
            Some(san(vec![SanType::IpAddress("::ffff:192.0.2.7".parse().unwrap())])),
            "certificate_subject_wrong",
        ),
        ("an authority of the same name", "dn", Some(impostor.client("app")), "certificate_untrusted"),
        ("nobody vouches for it", "dn", Some(TestCertificate::self_signed("app")), "certificate_untrusted"),
        (
            "for servers",
            "dn",
            Some(authority.client_with("app", |content| {
                content.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            })),
            "certificate_not_for_clients",
        ),
        (
            "its key does not sign",
            "dn",
            Some(authority.client_with("app", |content| {
                content.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
            })),
            "certificate_not_for_clients",
        ),
        (
            "nothing that can be read",
            "dn",
            Some(TestCertificate { chain: vec![b"certificate".to_vec()] }),
            "certificate_malformed",
        ),
        (
            "another certificate, same name",
            "self",
            Some(TestCertificate::self_signed("app")),
            "certificate_unregistered",
        ),
        (
            "another key, same name",
            "key",
            Some(TestCertificate::self_signed("app")),
            "certificate_unregistered",
        ),
        (
            "nothing that can be read, by key",
            "key",
            Some(TestCertificate { chain: vec![b"certificate".to_vec()] }),
            "certificate_unregistered",
        ),
        ("a certificate of the authority", "self", Some(authority.client("app")), "certificate_unregistered"),
        (
            "the right one in the chain only",
            "self",
            Some(TestCertificate {
                chain: vec![authority.client("app").chain[0].clone(), mine.chain[0].clone()],
            }),
            "certificate_unregistered",
        ),
    ];
    let unknown = request(&kit, 0, "nobody").certificate(&mine).send().expect_status(401);
    let mut table = NegativeTable::new(&kit);
    for (what, client, certificate, reason) in &rows {
        for (at, (path, _)) in ENDPOINTS.iter().enumerate() {
            let request = request(&kit, at, client);
            let request = certificate.iter().fold(request, |request, shown| request.certificate(shown));
            let answer = request.send();
            assert_eq!(answer.text(), unknown.text(), "{what}: as for an unknown client");
            check_refused_by_name(&answer, "invalid_client", reason);
            table = table.row(format!("{what} at {path}"), request, Refused::Json(401, "invalid_client"));
        }
    }
    let invalid = Refused::Json(401, "invalid_client");
    let body = kit.anonymous_request("/token").param("grant_type", "client_credentials");
    table
        .row("no client id", body.clone().certificate(&mine), Refused::Json(400, "invalid_request"))
        .row(
            "a secret as well",
            body.clone().param("client_id", "self").param("client_secret", "x").certificate(&mine),
            invalid,
        )
        .row("a certificate instead of a secret", body.param("client_id", "web").certificate(&mine), invalid)
        .run();
}
