//! Why an API cannot be protected so.

use std::borrow::Cow;
use std::fmt;

use chancery_types::Issuer;

/// A setting that is wrong, and the rule that it breaks.
#[derive(Clone, PartialEq, Eq)]
pub struct NotProtected {
    setting: Cow<'static, str>,
    rule: Cow<'static, str>,
}

impl NotProtected {
    pub(crate) fn new(setting: impl Into<Cow<'static, str>>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self { setting: setting.into(), rule: rule.into() }
    }

    /// The address, if it is one that an issuer may have; else every rule that it breaks.
    pub(crate) fn unless_address(what: &str, text: &str) -> Result<Issuer, Self> {
        Issuer::parse(text)
            .map_err(|_| Self::new(format!("{what} {text:?}:"), Issuer::faults(text).join("; ")))
    }
}

impl fmt::Display for NotProtected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.setting, self.rule)
    }
}

impl std::error::Error for NotProtected {}

chancery_core::error::debug_as_display!(NotProtected);
