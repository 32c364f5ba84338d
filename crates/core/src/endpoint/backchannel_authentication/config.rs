//! OpenID Connect CIBA Core 1.0 sections 4, 7.1 and 7.3: what an operator decides.
//! Config     `[ciba]`
//! Discovery  none

use std::time::Duration;

use chancery_types::iana::BackchannelTokenDeliveryMode;
use chancery_types::{RedirectKind, RedirectUri};
use serde::{Deserialize, Serialize};

use crate::error::{Complaint, SectionCheck};

/// `[ciba]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CibaConfig {
    /// Whether clients can ask people at another device.
    pub offered: bool,
    /// How clients may get the answer.
    pub delivery_modes: Vec<BackchannelTokenDeliveryMode>,
    /// How long a request waits for its person; a client may ask for less.
    #[serde(with = "crate::duration")]
    pub lifetime: Duration,
    /// How long a client waits between two polls.
    #[serde(with = "crate::duration")]
    pub interval: Duration,
    /// How many requests of one client may wait at the same time, in each process.
    pub open_limit: usize,
    /// How many requests may wait for one person, in each process; those that were refused count until their time is
    /// over.
    pub person_limit: usize,
    /// How many characters a binding message may have.
    pub binding_message_length: usize,
    /// Whether each request needs a binding message.
    pub binding_message_required: bool,
    /// Who is told what waits for a person.
    pub notify: NotifyConfig,
}

/// `[ciba.notify]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotifyConfig {
    /// Where a signed notice of each request is posted; empty if nowhere.
    pub url: Box<str>,
}

impl Default for CibaConfig {
    fn default() -> Self {
        Self {
            offered: false,
            delivery_modes: vec![BackchannelTokenDeliveryMode::Poll],
            lifetime: Duration::from_secs(600),
            interval: Duration::from_secs(5),
            open_limit: 1000,
            person_limit: 10,
            binding_message_length: 60,
            binding_message_required: false,
            notify: NotifyConfig::default(),
        }
    }
}

/// The longest life of a request, the longest interval, and the longest binding message.
const LONGEST: Duration = Duration::from_secs(1800);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
const LONGEST_MESSAGE: usize = 200;

impl CibaConfig {
    /// How clients may get the answer, if they may ask at all.
    #[must_use]
    pub fn offered_modes(&self) -> &[BackchannelTokenDeliveryMode] {
        if self.offered { &self.delivery_modes } else { &[] }
    }

    /// What is wrong with it.
    pub(crate) fn complaints(&self, has_pages_elsewhere: bool) -> Vec<Complaint> {
        let modes = &self.delivery_modes;
        let is_repeated = |(at, mode)| modes.iter().skip(at + 1).any(|other| other == mode);
        SectionCheck::of("ciba")
            .lifetimes(&[("lifetime", self.lifetime), ("interval", self.interval)])
            .demand(self.lifetime <= LONGEST, "lifetime", "must be at most 30m", "CIBA Core section 7.3")
            .demand(
                self.interval <= LONGEST_INTERVAL,
                "interval",
                "must be at most 1m",
                "CIBA Core section 7.3",
            )
            .demand(
                !modes.is_empty() && !modes.iter().enumerate().any(is_repeated),
                "delivery_modes",
                "must name poll, ping or push, each once",
                "CIBA Core section 4",
            )
            .demand(self.open_limit > 0, "open_limit", "must be at least 1", "CIBA Core section 7.2")
            .demand(self.person_limit > 0, "person_limit", "must be at least 1", "RFC 10027 section 6.1.11")
            .demand(
                self.notify.url.is_empty() || is_https(&self.notify.url),
                "notify.url",
                "must be an https URL without a fragment",
                "RFC 9110 section 4.2.2",
            )
            .demand(
                !(self.offered && has_pages_elsewhere),
                "offered",
                "must be false while interaction.location is set, whose pages do not have those of this flow",
                "CIBA Core section 8",
            )
            .demand(
                (1..=LONGEST_MESSAGE).contains(&self.binding_message_length),
                "binding_message_length",
                "must be from 1 to 200",
                "CIBA Core section 7.1",
            )
            .complaints()
    }
}

fn is_https(url: &str) -> bool {
    RedirectUri::parse(url).is_ok_and(|uri| uri.kind() == RedirectKind::Https)
}
