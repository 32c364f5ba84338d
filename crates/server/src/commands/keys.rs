//! `chancery keys`.

use std::time::Duration;

use chancery_core::documents::{Rotated, RotatedEncryption};
use chancery_core::duration;
use chancery_core::error::Fault;
use chancery_core::model::TokenFormat;
use chancery_core::ports::{Clock as _, EncryptionKeyEntry, KeyEntry, PrivateKeys as _};
use chancery_core::rotation::KeyTimes;
use chancery_jose::{EncryptionKeyType, SigningAlgorithm};
use chancery_types::Timestamp;

use super::{Output, opened};
use crate::arguments::Keys;
use crate::log::rfc3339;
use crate::parts::{Opened, encryption_types};
use crate::settings::Settings;
use crate::terminal::Escaped;
use chancery_core::ports::SystemClock;

/// The `max-age` of the key set, for which a client may not have seen a new key.
const CACHES: Duration = Duration::from_secs(600);

/// How much longer a key stays valid than the longest token of these settings: an earlier configuration may
/// have allowed longer ones, and clients' clocks differ.
const MARGIN: Duration = Duration::from_secs(86_400);

/// How long a key is kept at least after it has become invalid. For as long as a session may live
/// (`session.absolute`), its ID token is accepted as `id_token_hint` (OIDC Core section 3.1.2.1).
const REMEMBERED: Duration = Duration::from_secs(90 * 86_400);

pub(crate) async fn keys(command: Keys) -> Output {
    match command {
        Keys::List(configured) => {
            let (settings, opened) = opened(&configured)?;
            let keys = opened.keys.list(&settings.realm).await.map_err(said)?;
            let encryption = opened.keys.encryption_keys(&settings.realm).await.map_err(said)?;
            let now = SystemClock.now();
            let wanted = encryption_types(&settings);
            let encryption = encryption.iter().map(|key| encryption_line(key, &wanted, now));
            Ok(keys.iter().map(|key| line(key, now)).chain(encryption).collect())
        }
        Keys::Add { configured, alg } => {
            let (settings, opened) = opened(&configured)?;
            add(&settings, &opened, &alg).await
        }
        Keys::Rotate { configured, sign_after } => {
            let (settings, opened) = opened(&configured)?;
            let after =
                duration::parse(&sign_after).map_err(|_| "--sign-after must be a duration, such as 1h")?;
            if after < CACHES {
                eprintln!(
                    "warning: clients' caches of the key set may be 10 minutes old; clients that do not reload it for an \
                     unknown kid will refuse tokens for up to {} after the new keys begin to sign",
                    duration::format(CACHES - after)
                );
            }
            let (now, realm) = (SystemClock.now(), &settings.realm);
            let remembered = REMEMBERED.max(settings.engine.session.absolute);
            opened.keys.forget(realm, now - remembered).await.map_err(said)?;
            let algorithms = opened.algorithms(realm).await.map_err(said)?;
            let longest = longest_token(&settings) + MARGIN;
            let rotated =
                opened.keys.rotate(realm, &algorithms, now, now + after, longest).await.map_err(said)?;
            let types = encryption_types(&settings);
            let encryption =
                opened.keys.rotate_encryption(realm, &types, now, now + after, MARGIN).await.map_err(said)?;
            Ok(rotated.iter().map(begun).chain(encryption.iter().map(encryption_begun)).collect())
        }
        Keys::Remove { configured, kid } => {
            let (settings, opened) = opened(&configured)?;
            remove(&settings, &opened, &kid).await
        }
    }
}

/// Makes the first key of an algorithm.
async fn add(settings: &Settings, opened: &Opened, alg: &str) -> Output {
    let (now, realm) = (SystemClock.now(), &settings.realm);
    let asymmetric = || SigningAlgorithm::ALL.into_iter().filter(|alg| !alg.is_symmetric());
    let Some(alg) = asymmetric().find(|known| known.name() == alg) else {
        let names: Vec<&str> = asymmetric().map(SigningAlgorithm::name).collect();
        return Err(format!("the algorithm must be one of {}", names.join(", ")));
    };
    let goes_on = |key: &KeyEntry| key.jwk.fits(alg) && key.times.end.is_none();
    let keys = opened.keys.list(realm).await.map_err(said)?;
    if keys.iter().any(goes_on) {
        return Err(format!(
            "{alg}: there is a key for it already; `chancery keys rotate` replaces all keys"
        ));
    }
    opened.keys.begin(realm, &[alg]).await.map_err(said)?;
    let keys = opened.keys.list(realm).await.map_err(said)?;
    Ok(keys.iter().filter(|key| goes_on(key)).map(|key| line(key, now)).collect())
}

/// Ends a key at once, and begins its successor before, so that there is no moment in which nothing signs.
async fn remove(settings: &Settings, opened: &Opened, kid: &str) -> Output {
    let (now, realm) = (SystemClock.now(), &settings.realm);
    let encryption = opened.keys.encryption_keys(realm).await.map_err(said)?;
    if let Some(key) = encryption.iter().find(|key| key.jwk.kid() == Some(kid)) {
        return remove_encryption(settings, opened, &encryption, key).await;
    }
    let keys = opened.keys.list(realm).await.map_err(said)?;
    let named = |key: &&KeyEntry| key.jwk.kid() == Some(kid);
    let unknown = || format!("there is no key {}; `chancery keys list` names all", Escaped(kid));
    let alg = keys.iter().find(named).ok_or_else(unknown)?.jwk.alg();
    let alg = alg.ok_or_else(|| format!("the key {} has no algorithm", Escaped(kid)))?;
    let others = || keys.iter().filter(|key| key.jwk.alg() == Some(alg) && key.jwk.kid() != Some(kid));
    let mut text = String::new();
    // One has to sign now, and one has to go on signing: the key may be the one that takes over soon.
    if !others().any(|key| key.times.signs(now)) || !others().any(|key| key.times.end.is_none()) {
        let longest = longest_token(settings) + MARGIN;
        let rotated = opened.keys.rotate(realm, &[alg], now, now, longest).await.map_err(said)?;
        text.extend(rotated.iter().map(begun));
    }
    opened.keys.remove(realm, kid).await.map_err(said)?;
    eprintln!(
        "warning: nothing that {} signed is valid any more: ID tokens, also as proof of a past login, and JWT access tokens. \
         Whoever keeps the key set takes them for up to {} more. Sessions, refresh tokens and opaque access tokens go on",
        Escaped(kid),
        duration::format(CACHES)
    );
    Ok(text + &format!("{}\tremoved\n", Escaped(kid)))
}

/// Ends a key for encryption at once; its successor is published before, if the settings still need one.
async fn remove_encryption(
    settings: &Settings,
    opened: &Opened,
    all: &[EncryptionKeyEntry],
    key: &EncryptionKeyEntry,
) -> Output {
    let (now, realm) = (SystemClock.now(), &settings.realm);
    let (key_type, kid) = (key.jwk.key_type(), key.jwk.kid().unwrap_or_default());
    let lasts = |other: &&EncryptionKeyEntry| {
        other.jwk.key_type() == key_type && other.jwk.kid() != Some(kid) && other.times.end.is_none()
    };
    let mut text = String::new();
    if encryption_types(settings).contains(&key_type) && !all.iter().any(|other| lasts(&other)) {
        let rotated = opened.keys.rotate_encryption(realm, &[key_type], now, now, MARGIN).await;
        text.extend(rotated.map_err(said)?.iter().map(encryption_begun));
    }
    opened.keys.remove(realm, kid).await.map_err(said)?;
    eprintln!(
        "warning: nothing that is encrypted for {} can be read any more. Clients that keep the key set use it for up to {} more",
        Escaped(kid),
        duration::format(CACHES)
    );
    Ok(text + &format!("{}\tremoved\n", Escaped(kid)))
}

fn encryption_begun(RotatedEncryption { key_type, kid, alone_from }: &RotatedEncryption) -> String {
    format!("{kid}\t{} (encryption)\tpublished, alone from {}\n", key_type.name(), rfc3339(*alone_from))
}

fn begun(Rotated { alg, kid, sign_from }: &Rotated) -> String {
    format!("{kid}\t{}\tsigns from {}\n", alg.name(), rfc3339(*sign_from))
}

fn said(fault: Fault) -> String {
    fault.to_string()
}

/// The longest lifetime of anything that a key signs.
fn longest_token(settings: &Settings) -> Duration {
    let signed = settings.resource_servers.iter().filter(|server| server.format == TokenFormat::Jwt);
    let lifetimes = signed.filter_map(|server| server.lifetime);
    lifetimes.fold(settings.engine.id_token.lifetime.max(settings.engine.access_token.jwt), Duration::max)
}

fn line(key: &KeyEntry, now: Timestamp) -> String {
    let KeyTimes { sign_from, end, .. } = key.times;
    let state = match end {
        Some(end) if end.count_until() <= now => {
            format!("valid until {} (ended)", rfc3339(end.count_until()))
        }
        Some(end) if end.sign_until() <= now.max(sign_from) => {
            format!("valid until {}", rfc3339(end.count_until()))
        }
        Some(end) => {
            format!("signs until {}, valid until {}", rfc3339(end.sign_until()), rfc3339(end.count_until()))
        }
        None if sign_from > now => format!("signs from {}", rfc3339(sign_from)),
        None => "signs".to_owned(),
    };
    let alg = key.jwk.alg().map_or("-", SigningAlgorithm::name);
    format!("{}\t{alg}\t{state}\n", key.jwk.kid().unwrap_or("-"))
}

fn encryption_line(key: &EncryptionKeyEntry, wanted: &[EncryptionKeyType], now: Timestamp) -> String {
    let state = match key.times.end {
        Some(end) if end.count_until() <= now => {
            format!("decrypts until {} (ended)", rfc3339(end.count_until()))
        }
        Some(end) if end.sign_until() <= now => format!("decrypts until {}", rfc3339(end.count_until())),
        Some(end) => format!(
            "published until {}, decrypts until {}",
            rfc3339(end.sign_until()),
            rfc3339(end.count_until())
        ),
        None if wanted.contains(&key.jwk.key_type()) => "published".to_owned(),
        None => "published, but request_objects.encryption_algorithms has no algorithm for it".to_owned(),
    };
    format!("{}\t{} (encryption)\t{state}\n", key.jwk.kid().unwrap_or("-"), key.jwk.key_type().name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chancery_types::{Issuer, RealmId};

    #[test]
    fn a_key_counts_for_as_long_as_anything_that_it_signed() {
        let (issuer, realm) = (Issuer::parse("https://id.example").unwrap(), RealmId::parse("main").unwrap());
        let mut settings = Settings::on(issuer, realm, Vec::new());
        let days = |days: u64| Duration::from_secs(days * 86_400);
        settings.engine.id_token.lifetime = days(2);
        assert_eq!(longest_token(&settings), days(2));
        settings.engine.access_token.jwt = days(3);
        assert_eq!(longest_token(&settings), days(3));
        let server = |json: &str| serde_json::from_str(json).unwrap();
        settings.resource_servers = vec![
            server(r#"{"uri":"https://a.example","format":"jwt","lifetime":"4d"}"#),
            server(r#"{"uri":"https://b.example","format":"opaque","lifetime":"5d"}"#),
            server(r#"{"uri":"https://c.example","format":"jwt"}"#),
        ];
        assert_eq!(longest_token(&settings), days(4), "nobody signs an opaque token");
    }

    /// JOSE-06: a key for encryption is shown with its type, rotated like the others, and when it is removed
    /// another one is there.
    #[tokio::test]
    async fn keys_for_encryption() {
        use chancery_jose::{EncryptionKeyType::P256, KeyManagementAlgorithm};

        let (issuer, realm) = (Issuer::parse("https://id.example").unwrap(), RealmId::parse("main").unwrap());
        let mut settings = Settings::on(issuer, realm, Vec::new());
        settings.engine.request_objects.encryption_algorithms = vec![KeyManagementAlgorithm::EcdhEs];
        let (opened, realm) = (crate::parts::open(&settings).unwrap(), &settings.realm);
        opened.encryption_keys(&settings).await.unwrap();
        let all = || async { opened.keys.encryption_keys(realm).await.unwrap() };
        let lines = |now| async move {
            all().await.iter().map(|key| encryption_line(key, &[P256], now)).collect::<Vec<_>>()
        };
        let kid = all().await[0].jwk.kid().unwrap().to_owned();
        let at = |secs| SystemClock.now() + Duration::from_secs(secs);
        assert_eq!(lines(at(0)).await, [format!("{kid}\tP-256 (encryption)\tpublished\n")]);

        opened.keys.rotate_encryption(realm, &[P256], at(0), at(600), MARGIN).await.unwrap();
        for (now, want) in
            [(at(0), "published until "), (at(700), "decrypts until "), (at(200_000), "(ended)")]
        {
            let lines = lines(now).await;
            assert!(lines[0].contains(want) && lines[1].ends_with("published\n"), "{lines:?}");
        }
        let said = remove(&settings, &opened, &kid).await.unwrap();
        assert_eq!(said, format!("{kid}\tremoved\n"), "its successor is there already");
        let last = all().await[0].jwk.kid().unwrap().to_owned();
        let said = remove(&settings, &opened, &last).await.unwrap();
        assert!(said.contains("alone from") && said.ends_with(&format!("{last}\tremoved\n")), "{said}");
        assert_eq!(all().await.len(), 1);

        // Where the settings need none any more, the last one has no successor.
        settings.engine.request_objects.encryption_algorithms.clear();
        let key = all().await.remove(0);
        assert!(
            encryption_line(&key, &encryption_types(&settings), at(0)).contains("has no algorithm for it")
        );
        let kid = key.jwk.kid().unwrap();
        assert_eq!(remove(&settings, &opened, kid).await.unwrap(), format!("{kid}\tremoved\n"));
        assert!(all().await.is_empty());
    }
}
