//! A client's secrets: how they are kept, what an HMAC needs of them, and how one replaces another.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chancery_jose::{SigningAlgorithm, SystemRandom};
use chancery_store::Revision;
use chancery_types::{RealmId, Timestamp};
use serde_json::Value;

use super::{ends, good, rules, stored};
use crate::client::{
    Registered, RegistrationRules, register, replace_secret, signing_hmac_key, without_sealed_secrets,
};
use crate::documents::MemoryKeys;
use crate::keys::KeySet;
use crate::model::Client;

/// While no secret has ended.
const NOW: Timestamp = Timestamp::from_secs(1);
const SESSION: Duration = Duration::from_secs(100);

/// What a realm has of these keys at this moment.
fn key_set(keys: &MemoryKeys, realm: &str) -> KeySet {
    let realm = RealmId::parse(realm).unwrap();
    match pin!(KeySet::load(keys, &realm)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(set) => set.unwrap(),
        Poll::Pending => panic!("it waits"),
    }
}

/// JOSE-08: the secret of a client that is registered for an HMAC is sealed under the root secret of its
/// realm, and comes back from no other seal.
#[test]
fn secrets_for_an_hmac_are_sealed() {
    let json = r#"{"client_id":"app","redirect_uris":["https://app.example/cb"],"id_token_signed_response_alg":"HS512"}"#;
    let keys = MemoryKeys::generate(&[]).unwrap();
    let set = key_set(&keys, "test");
    let Registered { client, secret_to_show, .. } =
        register(json.as_bytes(), &SystemRandom, &rules(Some(&set))).unwrap();
    let secret = secret_to_show.unwrap();
    assert!(secret.len() >= 64 && !stored(&client).contains(secret.as_str()));
    let expected =
        chancery_jose::HmacKey::new(SigningAlgorithm::Hs512, secret.as_bytes()).unwrap().sign(b"x");
    let read = |json: String| Client::from_stored(json.as_bytes(), Revision(1)).unwrap();
    let signed = |client: &Client, set: &KeySet| {
        signing_hmac_key(client, SigningAlgorithm::Hs512, set, NOW).map(|key| key.unwrap().sign(b"x"))
    };
    assert_eq!(signed(&client, &set).ok(), Some(expected.clone()));
    assert_eq!(signed(&read(stored(&client)), &set).ok(), Some(expected.clone()), "also when it was stored");

    let foreign = key_set(&MemoryKeys::generate(&[]).unwrap(), "test");
    let body = stored(&client);
    let without = format!("{}{}", &body[..1], {
        let mut json: Value = serde_json::from_str(&body[1..]).unwrap();
        json["secrets"][0].as_object_mut().unwrap().remove("hmac");
        json
    });
    for (what, client, set) in [
        ("another realm", read(body.clone()), &key_set(&keys, "other")),
        ("another root secret", read(body.clone()), &foreign),
        ("another client", read(body.replace("\"app\"", "\"apq\"")), &set),
        ("a version that is not there", read(body.replace("\"root_secret\":1", "\"root_secret\":2")), &set),
        ("no seal", read(without), &set),
    ] {
        let fault = signed(&client, set).err().unwrap_or_else(|| panic!("{what}"));
        assert!(fault.to_string().starts_with("the secret of client ap"), "{what}: {fault}");
    }
}

/// RFC 6749 section 10.10: a weak secret that an operator accepted is reported as weak for as long as it is
/// valid.
#[test]
fn a_weak_secret_is_known_as_such() {
    let now = Timestamp::from_secs(100);
    let of = |length: usize| {
        let secret = "x".repeat(length);
        let json = format!(
            r#"{{"client_id":"app","redirect_uris":["https://app.example/cb"],"client_secret":"{secret}"}}"#
        );
        register(
            json.as_bytes(),
            &SystemRandom,
            &RegistrationRules { are_weak_secrets_allowed: true, ..rules(None) },
        )
    };
    for (length, is_weak) in [(1, true), (31, true), (32, false), (64, false)] {
        let client = of(length).unwrap().client;
        assert_eq!(client.has_weak_secret(now), is_weak, "{length}");
        let read = Client::from_stored(stored(&client).as_bytes(), Revision(1)).unwrap();
        assert_eq!(read.has_weak_secret(now), is_weak, "{length}, stored");
    }
    assert!(
        !good(r#"{"redirect_uris":["https://app.example/cb"]}"#).client.has_weak_secret(now),
        "one that was made"
    );
    let replaced =
        replace_secret(&of(8).unwrap().client, now, SESSION, &SystemRandom, &rules(None)).unwrap().client;
    assert_eq!([now - Duration::from_millis(1), now].map(|at| replaced.has_weak_secret(at)), [true, false]);
}

/// What an older root secret sealed stays readable, and a new secret is sealed under the newest.
#[test]
fn root_secrets_have_versions() {
    let json = r#"{"client_id":"app","redirect_uris":["https://app.example/cb"],"id_token_signed_response_alg":"HS256"}"#;
    let keys = MemoryKeys::generate(&[]).unwrap();
    let first = register(json.as_bytes(), &SystemRandom, &rules(Some(&key_set(&keys, "test")))).unwrap();
    keys.add_secret();
    let set = key_set(&keys, "test");
    let signs = |registered: &Registered| {
        let secret = registered.secret_to_show.as_ref().unwrap();
        let expected =
            chancery_jose::HmacKey::new(SigningAlgorithm::Hs256, secret.as_bytes()).unwrap().sign(b"x");
        let key_at =
            |at| signing_hmac_key(&registered.client, SigningAlgorithm::Hs256, &set, at).unwrap().unwrap();
        [Timestamp::from_secs(49), Timestamp::from_secs(50)].map(|at| key_at(at).sign(b"x") == expected)
    };
    assert!(signs(&first) == [true, true] && stored(&first.client).contains("\"root_secret\":1"));
    let second =
        replace_secret(&first.client, Timestamp::from_secs(50), SESSION, &SystemRandom, &rules(Some(&set)))
            .unwrap();
    assert!(stored(&second.client).contains("\"root_secret\":2"));
    assert_eq!(signs(&second), [false, true], "the newer one signs when the older one has ended");
}

/// With a lost root secret a client loses the secret that is needed itself, and no other.
#[test]
fn what_was_sealed_with_a_lost_root_secret_has_ended() {
    let keys = MemoryKeys::generate(&[]).unwrap();
    let set = key_set(&keys, "test");
    let now = Timestamp::from_secs(50);
    let of = |more: &str| {
        let json = format!(r#"{{"client_id":"app","redirect_uris":["https://app.example/cb"]{more}}}"#);
        register(json.as_bytes(), &SystemRandom, &rules(Some(&set))).unwrap()
    };
    assert!(without_sealed_secrets(&of("").client, now).is_none(), "there is only its digest");
    let Registered { client, secret_to_show, .. } = of(r#","id_token_signed_response_alg":"HS256""#);
    let secret = secret_to_show.unwrap();
    let ended = without_sealed_secrets(&client, now).unwrap();
    assert!(!stored(&ended).contains("sealed") && ended.revision() == client.revision());
    assert!(ended.has_newest_secret(&secret, now - Duration::from_millis(1)));
    assert!(!ended.has_newest_secret(&secret, now));
    assert!(without_sealed_secrets(&ended, now).is_none(), "once is enough");
    assert!(signing_hmac_key(&ended, SigningAlgorithm::Hs256, &set, now).unwrap().is_none());
    // One that had ended before does not come back to life.
    let former =
        replace_secret(&client, Timestamp::from_secs(40), SESSION, &SystemRandom, &rules(Some(&set)));
    let ended = without_sealed_secrets(&former.unwrap().client, now).unwrap();
    assert!(!ended.has_newest_secret(&secret, Timestamp::from_secs(41)));
    // A client that needed it once, and does no longer.
    let no_longer = stored(&client).replace("HS256", "RS256");
    let no_longer = Client::from_stored(no_longer.as_bytes(), Revision(1)).unwrap();
    let goes_on = without_sealed_secrets(&no_longer, now).unwrap();
    assert!(!stored(&goes_on).contains("sealed") && goes_on.has_newest_secret(&secret, now));
}

/// Without keys such a secret is good for a registry in memory, and cannot be written in the clear.
#[test]
fn a_secret_in_memory_cannot_be_stored() {
    let json = r#"{"client_id":"app","redirect_uris":["https://app.example/cb"],"id_token_signed_response_alg":"HS256"}"#;
    let Registered { client, .. } = good(json);
    let set = key_set(&MemoryKeys::generate(&[]).unwrap(), "any");
    assert!(signing_hmac_key(&client, SigningAlgorithm::Hs256, &set, NOW).unwrap().is_some());
    assert!(client.to_stored().is_err());
}

/// CAUTH-14: while one secret replaces the other, both are good.
#[test]
fn a_secret_is_replaced() {
    let first = good(r#"{"client_id":"app","redirect_uris":["https://app.example/cb"]}"#).client;
    let end = Timestamp::from_secs(50);
    let second = replace_secret(&first, end, SESSION, &SystemRandom, &rules(None)).unwrap();
    assert_eq!(ends(&second.client), [Some(end), None]);
    assert!(second.secret_to_show.is_some());
    let public =
        good(r#"{"token_endpoint_auth_method":"none","redirect_uris":["https://app.example/cb"]}"#).client;
    assert!(replace_secret(&public, end, SESSION, &SystemRandom, &rules(None)).is_err());
}

/// An expired secret is of use to nobody, except that what its HMAC signed is a hint while a session of that
/// time can live. Those that are of no use go when another secret comes.
#[test]
fn secrets_that_are_of_no_use_are_dropped() {
    let ended = Timestamp::from_secs(50);
    let kept = |now: u64, json: &str| {
        let first = replace_secret(&good(json).client, ended, SESSION, &SystemRandom, &rules(None));
        let now = Timestamp::from_secs(now.try_into().unwrap());
        let rules = RegistrationRules { now, ..rules(None) };
        let second = replace_secret(&first.unwrap().client, now, SESSION, &SystemRandom, &rules);
        ends(&second.unwrap().client)
    };
    let plain = r#"{"redirect_uris":["https://app.example/cb"]}"#;
    let hmac = r#"{"redirect_uris":["https://app.example/cb"],"id_token_signed_response_alg":"HS256"}"#;
    // The second secret ends at once, and counts like the first.
    for (now, json, expected) in [
        (49, plain, vec![None]),
        (50, plain, vec![None]),
        (49, hmac, vec![Some(49), Some(49), None]),
        (149, hmac, vec![Some(50), Some(149), None]),
        (150, hmac, vec![Some(150), None]),
        (9000, hmac, vec![Some(9000), None]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|ends| ends.map(Timestamp::from_secs)).collect();
        assert_eq!(kept(now, json), expected, "{now} {json}");
    }
    let overlapping = good(plain).client;
    let overlapping = replace_secret(&overlapping, ended, SESSION, &SystemRandom, &rules(None)).unwrap();
    let third = replace_secret(&overlapping.client, ended, SESSION, &SystemRandom, &rules(None)).unwrap();
    assert_eq!(ends(&third.client), [Some(ended), Some(ended), None], "what is good stays");
}
