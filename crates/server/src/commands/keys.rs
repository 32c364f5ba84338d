//! `chancery keys`.

use std::time::Duration;

use chancery_core::documents::Rotated;
use chancery_core::duration;
use chancery_core::error::Fault;
use chancery_core::model::TokenFormat;
use chancery_core::ports::{Clock as _, KeyEntry, PrivateKeys as _};
use chancery_core::rotation::KeyTimes;
use chancery_jose::SigningAlgorithm;
use chancery_types::Timestamp;

use super::{Output, opened};
use crate::arguments::Keys;
use crate::log::rfc3339;
use crate::parts::Opened;
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
            let now = SystemClock.now();
            Ok(keys.iter().map(|key| line(key, now)).collect())
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
            Ok(rotated.iter().map(begun).collect())
        }
        Keys::Remove { configured, kid } => {
            let (settings, opened) = opened(&configured)?;
            remove(&settings, &opened, &kid).await
        }
    }
}

/// Ends a key at once, and begins its successor before, so that there is no moment in which nothing signs.
async fn remove(settings: &Settings, opened: &Opened, kid: &str) -> Output {
    let (now, realm) = (SystemClock.now(), &settings.realm);
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
}
