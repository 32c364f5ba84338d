//! RFC 6749 sections 1.5 and 6, refresh tokens; RFC 9700 section 4.14.2, rotation and detection of replay.
//! Config     `[refresh_token]`
//! Discovery  none
//!
//! A family is one record, however often it rotates. The successor of a token is derived from the token under
//! one of our keys. So only digests are stored, and yet every caller who presents the same token, on any node
//! and even after a crash, gets the same successor.

use std::time::Duration;

use chancery_jose::hmac_sha256;
use chancery_store::{Record, Tags};
use chancery_types::Timestamp;
use chancery_types::handle::{HandleDigest, RefreshToken, RotatingHandle};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Draft, TokenIssuer};
use crate::error::{Complaint, Fault, SectionCheck};
use crate::keys::KeySet;
use crate::model::{Holder, TokenBinding};
use crate::policy::TokenKind;
use crate::records::RefreshFamilyBody;

/// `[refresh_token]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshTokenConfig {
    /// How long a refresh token may stay unused.
    #[serde(with = "crate::duration")]
    pub idle: Duration,
    /// The longest life of its family, however often it is used.
    #[serde(with = "crate::duration")]
    pub absolute: Duration,
    /// How long after its use it may be presented again by a client that did not receive the response.
    #[serde(with = "crate::duration")]
    pub grace: Duration,
}

impl Default for RefreshTokenConfig {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(14 * 86_400),
            absolute: Duration::from_secs(90 * 86_400),
            grace: Duration::from_secs(30),
        }
    }
}

impl RefreshTokenConfig {
    /// What is wrong with it.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        SectionCheck::of("refresh_token")
            .lifetimes(&[("idle", self.idle), ("absolute", self.absolute)])
            .demand(
                self.idle <= self.absolute,
                "idle",
                "must not be longer than refresh_token.absolute",
                "RFC 9700 section 4.14.2",
            )
            .demand(
                self.grace <= Duration::from_secs(300),
                "grace",
                "must be at most 5m: within it a stolen token and its owner's look alike",
                "RFC 9700 section 4.14.2",
            )
            .complaints()
    }
}

/// Which token of its family was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// The newest one.
    Current,
    /// The one before it, replaced so recently that the response may have been lost.
    JustReplaced,
    /// One that was replaced for good, so two parties hold tokens of the family.
    Replayed,
}

impl RefreshFamilyBody {
    /// Which generation a secret of this digest is.
    pub(crate) fn generation(&self, shown: HandleDigest, now: Timestamp, grace: Duration) -> Generation {
        if shown == self.current {
            Generation::Current
        } else if self.previous == Some(shown) && now.distance(self.rotated_at) <= grace {
            Generation::JustReplaced
        } else {
            Generation::Replayed
        }
    }

    /// The family after one more rotation. Its tokens are bound from the first time on that there is something to
    /// bind them to, and stay bound to that.
    pub(crate) fn rotated(
        &self,
        successor: HandleDigest,
        key_version: u32,
        now: Timestamp,
        binding: TokenBinding,
    ) -> Self {
        Self {
            binding: if self.binding.is_none() { binding } else { self.binding },
            current: successor,
            previous: Some(self.current),
            rotated_at: now,
            key_version,
            ..self.clone()
        }
    }
}

/// The successor of a token under the root secret of this version.
///
/// # Errors
/// A fault if this node does not have the root secret yet: another node may have made it within the last
/// second.
pub(crate) fn successor(
    keys: &KeySet,
    version: u32,
    shown: &RotatingHandle<RefreshToken>,
) -> Result<RotatingHandle<RefreshToken>, Fault> {
    let derived = keys.derived(version);
    let derived =
        derived.ok_or_else(|| Fault::unavailable(format!("root secret {version} is not known here")))?;
    Ok(shown.successor(Zeroizing::new(hmac_sha256(&*derived.refresh_rotation, shown.secret()))))
}

impl TokenIssuer {
    /// The first token of a new family and its record, if the policy wants one.
    pub(super) fn refresh_family(
        &self,
        draft: &Draft<'_>,
    ) -> Result<Option<(RotatingHandle<RefreshToken>, Record)>, Fault> {
        let Draft { call, env, client, what, binding } = *draft;
        let Holder::Person(granted) = &what.holder else { return Ok(None) };
        if !self.policy.refresh(what, client) {
            return Ok(None);
        }
        let token = RotatingHandle::new(granted.grant.partition(), *env.secret::<16>(), env.secret());
        let absolute_end = call.now + self.refresh_token.absolute;
        let idle = self.policy.lifetime(TokenKind::RefreshToken, what, client, self.refresh_token.idle);
        let body = RefreshFamilyBody {
            current: token.secret_digest(),
            previous: None,
            rotated_at: call.now,
            key_version: self.keys.newest().version,
            absolute_end,
            lifetime: what.lifetime,
            binding: binding.of_refresh_token(client),
            granted: (**granted).clone(),
        };
        let end = absolute_end.min(call.now + idle);
        let parent = Some(granted.grant.key(&env.realm));
        let record = env.records().new(token.key(&env.realm), parent, Tags::default(), end, &body)?;
        Ok(Some((token, record)))
    }
}
