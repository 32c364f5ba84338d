//! Signing keys.

use std::time::Duration;

use chancery_core::duration;
use chancery_core::error::Fault;
use chancery_core::ports::{Clock as _, KeyEntry, PrivateKeys as _};
use chancery_jose::SigningAlgorithm;
use chancery_types::Timestamp;

use super::{Said, opened};
use crate::arguments::Keys;
use crate::log::rfc3339;
use crate::system::SystemClock;

/// The `max-age` of the key set: as long may a client not have seen a new key.
const CACHES: Duration = Duration::from_secs(600);

/// How long a key counts after its last use: longer than any token that it signed.
const LONGEST_TOKEN: Duration = Duration::from_secs(86_400);

/// How long a retired key is kept, for whoever wants to know what signed an old token.
const REMEMBERED: Duration = Duration::from_secs(90 * 86_400);

pub(crate) async fn keys(command: Keys) -> Said {
    match command {
        Keys::List(configured) => {
            let (settings, opened) = opened(&configured)?;
            let keys = opened.keys.list(&settings.realm).await.map_err(|fault| fault.to_string())?;
            let now = SystemClock.now();
            Ok(keys.iter().map(|key| line(key, now)).collect())
        }
        Keys::Rotate { configured, sign_after } => {
            let (settings, opened) = opened(&configured)?;
            let after = duration::parse(&sign_after).map_err(|_| "--sign-after has to be a duration, such as 1h")?;
            if after < CACHES {
                eprintln!(
                    "warning: caches of the key set may be 10 minutes old; clients that do not look again for an unknown \
                     kid will refuse tokens for up to {} after the new keys begin to sign",
                    duration::format(CACHES - after)
                );
            }
            let now = SystemClock.now();
            let sign_from = now + after;
            let mut said = String::new();
            let keys = opened.keys.list(&settings.realm).await.map_err(|fault: Fault| fault.to_string())?;
            let mut algorithms: Vec<SigningAlgorithm> = Vec::new();
            for alg in keys.iter().filter(|key| key.retire_at.is_none()).filter_map(|key| key.jwk.alg()) {
                if !algorithms.contains(&alg) {
                    algorithms.push(alg);
                }
            }
            let forgotten = opened.keys.forget(&settings.realm, now - REMEMBERED).await;
            forgotten.map_err(|fault| fault.to_string())?;
            for alg in algorithms {
                let times = (now, sign_from);
                let kid = opened.keys.rotate(&settings.realm, alg, times, sign_from + LONGEST_TOKEN).await;
                let kid = kid.map_err(|fault| fault.to_string())?;
                said.push_str(&format!("{kid}\t{}\tsigns from {}\n", alg.name(), rfc3339(sign_from)));
            }
            Ok(said)
        }
    }
}

fn line(key: &KeyEntry, now: Timestamp) -> String {
    let state = match key.retire_at {
        Some(at) if at <= now => format!("retired {}", rfc3339(at)),
        Some(at) => format!("counts until {}", rfc3339(at)),
        None if key.sign_from > now => format!("signs from {}", rfc3339(key.sign_from)),
        None => "signs".to_owned(),
    };
    let alg = key.jwk.alg().map_or("-", SigningAlgorithm::name);
    format!("{}\t{alg}\t{state}\n", key.jwk.kid().unwrap_or("-"))
}
