//! What is refused, and that nobody learns why.

use super::*;

/// RFC 7516 section 11.5: whatever is wrong with the encryption, or with what is inside up to the signature, the
/// caller hears one thing, and so does the log.
#[test]
fn nobody_learns_what_is_wrong_inside() {
    let types = [EncryptionKeyType::P256, EncryptionKeyType::Rsa];
    let allowed = |to: &mut Config| to.compatibility.unsigned_request_object = true;
    let (kit, key) = with_app(&types, allowed, &json!({"request_object_signing_alg": "ES256"}));
    let request = asked(&kit);
    let signed = key.request_object(&request.encode(), ISSUER, kit.now());
    let (input, signature) = signed.rsplit_once('.').unwrap();
    let payload = base64url::decode(signed.split('.').nth(1).unwrap()).unwrap();
    let mut objects = Vec::new();
    for (alg, enc) in [
        (Alg::RsaOaep, Enc::A128Gcm),
        (Alg::RsaOaep256, Enc::A256CbcHs512),
        (Alg::EcdhEs, Enc::A128CbcHs256),
        (Alg::EcdhEsA128Kw, Enc::A256Gcm),
    ] {
        let public = published(&kit, alg);
        let to = |key: &EncryptionKey, text: &str| nested(Recipient::Public(key), (alg, enc), text);
        let foreign = DecryptionKey::generate(public.key_type()).unwrap();
        let foreign = foreign.with_kid(public.kid().unwrap());
        let good = to(&public, &signed);
        let parts: Vec<&str> = good.split('.').collect();
        for at in 1..5 {
            let mut bytes = base64url::decode(parts[at]).unwrap();
            // ECDH-ES has no encrypted key.
            let Some(last) = bytes.last_mut() else { continue };
            *last ^= 1;
            let mut changed: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            changed[at] = base64url::encode(bytes);
            objects.push(changed.join("."));
        }
        objects.push(to(foreign.public_jwk(), &signed));
        for inside in [
            "",
            "x",
            "{",
            "{}",
            "a.b.c",
            &format!("{input}."),
            &format!("{input}.{}", base64url::encode([7; 64])),
            &format!("{input}.{}", &signature[..40]),
            &unsecured(&payload),
            &ClientKey::generate(Es256).sign(&json!({}), &serde_json::from_slice(&payload).unwrap()),
            &ClientKey::generate(SigningAlgorithm::Es384).request_object(
                &request.encode(),
                ISSUER,
                kit.now(),
            ),
            &good,
        ] {
            objects.push(to(&public, inside));
        }
    }
    let mut heard = Vec::new();
    for object in objects {
        let ua = kit.user_agent();
        let tab = request.clone().set("request", &object).open(&ua);
        check_refused_by_name(&tab, "invalid_request_object", "request_object_not_opened");
        heard.push(tab.expect_arrival().value("error_description").map(str::to_owned));
    }
    heard.dedup();
    let unencrypted = request.set("request", &format!("{input}.{}", base64url::encode([7; 64])));
    let ua = kit.user_agent();
    let of_signature = unencrypted.open(&ua).expect_arrival();
    assert_eq!(heard, [of_signature.value("error_description").map(str::to_owned)]);
}

/// An object costs one operation of a private key, whatever is in it and however many keys there are, and none if its
/// header says already that it will not do: anybody can send them.
#[test]
fn one_decryption_at_most() {
    let types = [EncryptionKeyType::Rsa, EncryptionKeyType::Rsa, EncryptionKeyType::P256];
    let some = |to: &mut Config| {
        to.request_objects.encryption_algorithms = vec![Alg::RsaOaep256, Alg::EcdhEs, Alg::Dir];
    };
    let (kit, key) = with_app(&types, some, &json!({"request_object_encryption_alg": "dir"}));
    kit.put_client(&metadata("other", &ClientKey::generate(Es256), &json!({})));
    let request = asked(&kit);
    let signed = key.request_object(&request.encode(), ISSUER, kit.now());
    let rsa = published(&kit, Alg::RsaOaep256);
    let to = |alg, text: &str| nested(Recipient::Public(&rsa), (alg, Enc::A128Gcm), text);
    let good = to(Alg::RsaOaep256, &signed);
    let header = |changes: Value| {
        let (header, rest) = good.split_once('.').unwrap();
        let mut header: Value = serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap();
        header.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        header.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        format!("{}.{rest}", base64url::encode(header.to_string()))
    };
    let garbage = |at: usize| {
        let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
        parts[at] = base64url::encode([7; 256]);
        parts.join(".")
    };
    let shared = SharedKey::from_client_secret(Alg::Dir, Enc::A128Gcm, SECRET.as_bytes()).unwrap();
    for (what, client, object, decryptions) in [
        ("a good one", "app", good.clone(), 1),
        ("one of another client", "other", good.clone(), 1),
        ("a key of nobody", "app", garbage(1), 1),
        ("other content", "app", garbage(3), 1),
        ("no kid", "app", header(json!({"kid": null})), 1),
        ("encrypted twice", "app", to(Alg::RsaOaep256, &good), 1),
        ("a wrong signature inside", "app", to(Alg::RsaOaep256, "e30.e30.AAAA"), 1),
        ("a kid of nobody", "app", header(json!({"kid": "nobody"})), 0),
        ("a kid of another type", "app", header(json!({"kid": published(&kit, Alg::EcdhEs).kid()})), 0),
        ("an algorithm that is not offered", "app", to(Alg::RsaOaep512, &signed), 0),
        ("compressed", "app", header(json!({"zip": "DEF"})), 0),
        ("RSA1_5", "app", header(json!({"alg": "RSA1_5"})), 0),
        (
            "a password",
            "app",
            header(json!({"alg": "PBES2-HS256+A128KW", "p2s": "AAAA", "p2c": 1_000_000})),
            0,
        ),
        ("critical", "app", header(json!({"crit": ["exp"]})), 0),
        ("17 KiB", "app", to(Alg::RsaOaep256, &"x".repeat(13 * 1024)), 0),
        ("nobody's", "nobody", good.clone(), 0),
        ("by the secret", "app", nested(Recipient::Shared(&shared), (Alg::Dir, Enc::A128Gcm), &signed), 0),
    ] {
        let _ = kit.key_service.decryptions();
        let _ = kit.send(posted(request.clone().set("client_id", client).set("request", &object)));
        assert_eq!(kit.key_service.decryptions(), decryptions, "{what}");
    }
}

/// JAR-17, JAR-18, RFC 7516 section 4.1.3, RFC 8725 section 3.6: what is refused, and as what.
#[test]
fn what_is_refused() {
    let types = [EncryptionKeyType::P256, EncryptionKeyType::Rsa];
    let some = |to: &mut Config| {
        to.request_objects.encryption_algorithms =
            vec![Alg::EcdhEs, Alg::EcdhEsA128Kw, Alg::RsaOaep256, Alg::Dir];
    };
    let (kit, key) = with_app(&types, some, &json!({}));
    kit.put_client(&metadata("other", &ClientKey::generate(Es256), &json!({})));
    let request = asked(&kit);
    let signed = key.request_object(&request.encode(), ISSUER, kit.now());
    let p256 = published(&kit, Alg::EcdhEs);
    let rsa = published(&kit, Alg::RsaOaep256);
    let to = |alg, text: &str| {
        let public = if alg == Alg::EcdhEs || alg == Alg::EcdhEsA128Kw { &p256 } else { &rsa };
        nested(Recipient::Public(public), (alg, Enc::A128Gcm), text)
    };
    let good = to(Alg::EcdhEs, &signed);
    // Other members in the header, under which nothing decrypts any more.
    let header = |changes: Value| {
        let (header, rest) = good.split_once('.').unwrap();
        let mut header: Value = serde_json::from_slice(&base64url::decode(header).unwrap()).unwrap();
        header.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        format!("{}.{rest}", base64url::encode(header.to_string()))
    };
    let shared = SharedKey::from_client_secret(Alg::Dir, Enc::A128Gcm, SECRET.as_bytes()).unwrap();
    let claims = |changes: Value| {
        let payload = base64url::decode(signed.split('.').nth(1).unwrap()).unwrap();
        let mut claims: Value = serde_json::from_slice(&payload).unwrap();
        claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        to(Alg::EcdhEs, &key.sign(&json!({}), &claims))
    };
    let retired = kit.keys.add_encryption_key(EncryptionKeyType::P256, kit.now()).unwrap();
    kit.clock.advance(minutes(1));
    let jwks = JwkSet::parse(kit.get("/jwks").text().as_bytes()).unwrap();
    let to_retired = jwks.encryption_keys(Alg::EcdhEs).find(|key| key.kid() == Some(&retired)).unwrap();
    let to_retired = nested(Recipient::Public(to_retired), (Alg::EcdhEs, Enc::A128Gcm), &signed);
    kit.keys.remove(&retired);
    kit.clock.advance(minutes(1));

    let refused = Refused::Client("invalid_request_object");
    let by = |object: &str| posted(request.clone().set("request", object));
    let mut table = NegativeTable::new(&kit)
        .row("encrypted to a retired key", by(&to_retired), refused)
        .row("an algorithm that is not offered", by(&to(Alg::RsaOaep, &signed)), refused)
        .row(
            "by the secret of a client that is not registered for it",
            by(&nested(Recipient::Shared(&shared), (Alg::Dir, Enc::A128Gcm), &signed)),
            refused,
        )
        .row("nested encryption", by(&to(Alg::EcdhEs, &good)), refused)
        .row("none inside", by(&to(Alg::EcdhEs, &unsecured(b"{}"))), refused)
        .row("claims inside", by(&to(Alg::EcdhEs, r#"{"client_id":"app"}"#)), refused)
        .row("17 KiB", by(&to(Alg::EcdhEs, &"x".repeat(13 * 1024))), refused)
        .row("17 KiB inside", by(&claims(json!({"state": "x".repeat(17 * 1024)}))), refused)
        .row("four parts", by(good.rsplit_once('.').unwrap().0), refused)
        .row("six parts", by(&format!("{good}.x")), refused)
        .row("empty parts", by("...."), refused)
        .row("no base64", by(&good.replace('.', "+.")), refused)
        .row("a key beside ECDH-ES", by(&good.replacen("..", ".AAAA.", 1)), refused)
        .row(
            "of another client",
            posted(request.clone().set("client_id", "other").set("request", &good)),
            refused,
        )
        .row(
            "nobody's",
            posted(request.clone().set("client_id", "nobody").set("request", &good)),
            Refused::Page(400, "invalid_client"),
        );
    for changes in [
        json!({"zip": "DEF"}),
        json!({"alg": "RSA1_5"}),
        json!({"alg": "PBES2-HS256+A128KW", "p2s": "AAAA", "p2c": 1_000_000}),
        json!({"alg": "none"}),
        json!({"alg": "ECDH-ES+A128KW"}),
        json!({"alg": "RSA-OAEP-256"}),
        json!({"alg": "dir"}),
        json!({"alg": null}),
        json!({"enc": "A128CBC-HS256"}),
        json!({"enc": "A256GCM"}),
        json!({"enc": "XC20P"}),
        json!({"kid": "nobody's"}),
        json!({"kid": rsa.kid()}),
        json!({"kid": 7}),
        json!({"crit": ["exp"]}),
        json!({"crit": ["b64"], "b64": false}),
        json!({"epk": {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}}),
        json!({"epk": {"kty": "EC", "crv": "P-256", "x": base64url::encode([1; 32]), "y": base64url::encode([1; 32])}}),
        json!({"epk": {"kty": "oct", "k": "AAAA"}}),
        json!({"epk": null}),
        json!({"apu": "another party"}),
        json!({"jku": "https://evil.example/keys"}),
    ] {
        table = table.row(changes.to_string(), by(&header(changes)), refused);
    }
    for changes in [
        json!({"iss": "other"}),
        json!({"aud": "https://elsewhere.example"}),
        json!({"client_id": "other"}),
        json!({"exp": kit.now().secs() - 60}),
        json!({"nbf": kit.now().secs() + 60}),
        json!({"request": "x"}),
        json!({"request_uri": "https://app.example/r"}),
        json!({"state": ["a"]}),
    ] {
        table = table.row(format!("inside: {changes}"), by(&claims(changes)), refused);
    }
    table.run();

    let off = TestProvider::builder().own_keys(&[Rs256, Es256]).build();
    off.keys.add_encryption_key(EncryptionKeyType::P256, off.now()).unwrap();
    off.clock.advance(minutes(1));
    off.put_client(&metadata("app", &key, &json!({})));
    let request = asked(&off);
    let object = sealed(&off, &key, &request);
    NegativeTable::new(&off).row("off", posted(request.set("request", &object)), refused).run();
}

/// RFC 8725 section 3.6, RFC 9101 section 6.1: the log says which rule the encryption breaks, where that tells nothing of
/// what is inside.
#[test]
fn the_log_says_what_is_never_used() {
    let types = [EncryptionKeyType::P256];
    let some = |to: &mut Config| to.request_objects.encryption_algorithms = vec![Alg::EcdhEs];
    let (kit, key) = with_app(&types, some, &json!({}));
    let request = asked(&kit);
    let signed = key.request_object(&request.encode(), ISSUER, kit.now());
    let good = nested(Recipient::Public(&published(&kit, Alg::EcdhEs)), (Alg::EcdhEs, Enc::A128Gcm), &signed);
    let first = good.split('.').next().unwrap();
    let header: serde_json::Value = serde_json::from_slice(&base64url::decode(first).unwrap()).unwrap();
    for (changes, reason) in [
        (json!({}), None),
        (json!({"zip": "DEF"}), Some("request_object_encryption_wrong")),
        (json!({"zip": null}), Some("request_object_encryption_wrong")),
        (json!({"zip": "none"}), Some("request_object_encryption_wrong")),
        (json!({"alg": "RSA1_5"}), Some("request_object_encryption_wrong")),
        (json!({"alg": "PBES2-HS256+A128KW"}), Some("request_object_encryption_wrong")),
        (json!({"enc": "XC20P"}), Some("request_object_encryption_wrong")),
        (json!({"alg": 7}), Some("request_object_malformed")),
        (json!({"crit": ["zip"], "zip": "DEF"}), Some("request_object_malformed")),
    ] {
        let mut changed = header.as_object().unwrap().clone();
        changed.extend(changes.as_object().unwrap().clone());
        let text = serde_json::to_vec(&changed).unwrap();
        let object =
            if reason.is_some() { good.replacen(first, &base64url::encode(text), 1) } else { good.clone() };
        let answer = kit.send(posted(request.clone().set("request", &object)));
        assert_eq!(chancery_testkit::refusals(&answer.events).first().copied(), reason, "{changes}");
    }
}
