//! The browsers from which somebody has signed in before: each counts failures of its own, so that strangers
//! who type a person's name can never make the person's own browser wait (OWASP, "Slow Down Online Guessing
//! Attacks with Device Cookies").
//!
//! The cookie is sealed and opens nothing: whoever holds it still needs the password, and is counted. Each
//! login puts a new device into it, so that a copy that was stolen before shares no count with the browser it
//! was taken from.

use std::time::Duration;

use chancery_jose::base64url;
use chancery_types::{AccountId, Timestamp};

use crate::context::{Call, Env};
use crate::error::Fault;
use crate::keys::{DerivedKeys, KeySet};
use crate::session::LIST;

/// How long a browser is known after a login.
pub const LIFETIME: Duration = Duration::from_secs(365 * 86_400);

/// One name that has signed in from this browser.
pub(super) struct Device {
    /// Names this browser for this account. Random, and new at each login.
    pub(super) id: String,
    /// Who signed in.
    pub(super) account: AccountId,
    /// Digest of the name that was typed.
    name: String,
    signed_in_at: Timestamp,
}

/// All names that have signed in from this browser, the last one first.
pub(super) struct Devices(Vec<Device>);

impl Devices {
    /// Opens the cookie. What is not ours, or too old, is nobody.
    pub(super) fn open(call: &Call, env: &Env, keys: &KeySet) -> Self {
        let opened = call.devices.as_deref().and_then(|cookie| {
            let bytes = base64url::decode(cookie).ok()?;
            let (version, sealed) = bytes.split_first_chunk::<4>()?;
            let key = &keys.derived(u32::from_be_bytes(*version))?.devices;
            key.open(env.realm.as_str().as_bytes(), sealed)
        });
        let text = opened.as_ref().and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("");
        let is_known = |device: &Device| call.now.distance(device.signed_in_at) <= LIFETIME;
        Self(text.lines().filter_map(Device::read).filter(is_known).collect())
    }

    /// This browser as it is known for a name.
    pub(super) fn of_name(&self, env: &Env, name: &str) -> Option<&Device> {
        let name = name_digest(env, name);
        self.0.iter().find(|device| device.name == name)
    }

    /// This browser as it is known for an account.
    pub(super) fn of_account(&self, account: &AccountId) -> Option<&Device> {
        self.0.iter().find(|device| device.account == *account)
    }

    /// The cookie after a login of this account under this name.
    ///
    /// # Errors
    /// A fault of the cryptographic library.
    pub(super) fn signed_in(
        mut self,
        (call, env, keys): (&Call, &Env, &KeySet),
        name: &str,
        account: AccountId,
    ) -> Result<String, Fault> {
        let name = name_digest(env, name);
        self.0.retain(|device| device.name != name);
        let id = base64url::encode(*env.secret::<16>());
        self.0.insert(0, Device { id, account, name, signed_in_at: call.now });
        let lines: Vec<String> = self.0.iter().take(LIST).map(Device::write).collect();
        let DerivedKeys { version, devices: key, .. } = keys.newest();
        let sealed =
            key.seal(*env.secret::<12>(), env.realm.as_str().as_bytes(), lines.join("\n").as_bytes());
        let sealed = sealed.map_err(|error| Fault::internal(error.to_string()))?;
        Ok(base64url::encode([&version.to_be_bytes()[..], &sealed].concat()))
    }
}

impl Device {
    /// The account stands last, because an id may have any printable character.
    fn write(&self) -> String {
        format!("{} {} {} {}", self.id, self.name, self.signed_in_at.millis(), self.account)
    }

    fn read(line: &str) -> Option<Self> {
        let mut parts = line.splitn(4, ' ');
        let (id, name, at, account) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        Some(Self {
            id: id.to_owned(),
            name: name.to_owned(),
            signed_in_at: Timestamp::from_millis(at.parse().ok()?),
            account: AccountId::parse(account).ok()?,
        })
    }
}

/// The name by which somebody has signed in.
pub(super) struct Typed {
    /// The cookie of the names that have signed in from this browser.
    pub devices: String,
    /// What stands for the name in events.
    pub name_digest: Box<str>,
}

/// What stands for a typed name in the cookie and in events: the same for the same name, and of no use
/// without our key.
pub(super) fn name_digest(env: &Env, name: &str) -> String {
    let digest = env.names.digest("typed name", &[name]);
    base64url::encode(digest.first_chunk::<16>().unwrap_or(&[0; 16]))
}
