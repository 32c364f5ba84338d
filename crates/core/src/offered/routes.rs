//! `[routes]`: where the endpoints are, below the issuer's own path.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Endpoint;
use crate::error::Complaint;

/// `[routes]`: the paths of the endpoints, below the issuer's own path. Each has a default.
///
/// ```
/// # mod chancery { pub use chancery_core::offered::{Endpoint, Routes}; }
/// use chancery::{Endpoint, Routes};
///
/// let mut routes = Routes::default();
/// routes.set(Endpoint::Token, "/connect/token");
/// assert_eq!(routes.path(Endpoint::Token), Some("/connect/token"));
/// assert_eq!(routes.path(Endpoint::Authorization), Some("/authorize"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<&'static str, String>")]
pub struct Routes(BTreeMap<Endpoint, String>);

impl Default for Routes {
    fn default() -> Self {
        let paths = Endpoint::ALL
            .iter()
            .filter_map(|endpoint| Some((*endpoint, endpoint.describe().path?.to_owned())));
        Self(paths.collect())
    }
}

impl TryFrom<BTreeMap<String, String>> for Routes {
    type Error = String;

    fn try_from(paths: BTreeMap<String, String>) -> Result<Self, String> {
        let mut routes = Self::default();
        for (name, path) in paths {
            let endpoint = Endpoint::named(&name).filter(|endpoint| routes.0.contains_key(endpoint));
            routes
                .0
                .insert(endpoint.ok_or_else(|| format!("there is no endpoint {name:?} with a path"))?, path);
        }
        Ok(routes)
    }
}

impl From<Routes> for BTreeMap<&'static str, String> {
    fn from(routes: Routes) -> Self {
        routes.0.into_iter().map(|(endpoint, path)| (endpoint.as_str(), path)).collect()
    }
}

impl Routes {
    /// The path of an endpoint; `None` for one that only has well-known paths.
    #[must_use]
    pub fn path(&self, endpoint: Endpoint) -> Option<&str> {
        self.0.get(&endpoint).map(String::as_str)
    }

    /// Moves an endpoint to another path. An endpoint that only has well-known paths stays where it is.
    pub fn set(&mut self, endpoint: Endpoint, path: impl Into<String>) {
        if endpoint.describe().path.is_some() {
            self.0.insert(endpoint, path.into());
        }
    }

    /// Each path must be absolute, plain and unique.
    pub(crate) fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        for (endpoint, path) in &self.0 {
            let mut complain = |rule: String| {
                complaints.push(Complaint::new(format!("routes.{endpoint}"), rule, "RFC 6749 section 3"));
            };
            if !is_path(path) {
                complain(
                    "must begin with / and have letters, digits, - . _ ~ between single slashes".to_owned(),
                );
            }
            if path.starts_with("/.well-known/") {
                complain("must not stand among the well-known paths (RFC 8615)".to_owned());
            }
            // Of two endpoints with the same path, the complaint names the one that was moved.
            let is_moved = |endpoint: Endpoint, path: &str| endpoint.describe().path != Some(path);
            let is_taken = |(other, have): &(&Endpoint, &String)| {
                *other != endpoint && *have == path && (!is_moved(**other, have) || *other < endpoint)
            };
            if is_moved(*endpoint, path)
                && let Some((other, _)) = self.0.iter().find(is_taken)
            {
                complain(format!("is the path of {other} already: each endpoint needs one of its own"));
            }
            let has_below = self.0.iter().filter(|(other, _)| !other.describe().below.is_empty());
            for (other, above) in has_below {
                if path.strip_prefix(above.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                    complain(format!("must not stand below the path of {other}"));
                }
            }
        }
        complaints
    }
}

fn is_path(text: &str) -> bool {
    let is_segment = |segment: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        !matches!(segment, "" | "." | "..") && segment.bytes().all(plain)
    };
    text.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_segment))
}
