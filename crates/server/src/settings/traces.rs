//! `[traces]`: where spans go, and of how many requests.

use chancery_core::error::Complaint;
use http::Uri;
use serde::Deserialize;

use crate::spans;

/// Spans of requests for a collector.
#[derive(Default)]
pub(crate) struct Traces {
    /// Where the collector takes them; nowhere if there is none.
    pub(crate) endpoint: Option<Uri>,
    /// Of the requests whose caller has not decided, one in so many is recorded.
    #[cfg_attr(
        not(feature = "opentelemetry"),
        expect(dead_code, reason = "only those who make spans read it")
    )]
    pub(crate) one_in: u32,
    #[cfg_attr(
        not(feature = "opentelemetry"),
        expect(dead_code, reason = "only those who make spans read it")
    )]
    pub(crate) service_name: String,
}

/// The section as it is written.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Written {
    endpoint: String,
    one_in: u32,
    service_name: String,
}

impl Default for Written {
    fn default() -> Self {
        Self { endpoint: String::new(), one_in: 1, service_name: "chancery".to_owned() }
    }
}

impl Written {
    pub(super) fn check(self, complaints: &mut Vec<Complaint>) -> Traces {
        let mut complain = |setting: &str, rule: &str| {
            complaints.push(Complaint::new(setting, rule, "docs/operate.md"));
        };
        let Self { endpoint, one_in, service_name } = self;
        let read = (!endpoint.is_empty()).then(|| endpoint.parse::<Uri>().ok().filter(is_address));
        if read.as_ref().is_some_and(Option::is_none) {
            let rule = "must be the http or https address at which a collector takes traces, such as \
                http://127.0.0.1:4318/v1/traces";
            complain("traces.endpoint", rule);
        }
        if !endpoint.is_empty() && !spans::ARE_BUILT {
            complain("traces.endpoint", spans::UNBUILT);
        }
        if one_in == 0 {
            complain("traces.one_in", "must be at least 1");
        }
        if service_name.trim().is_empty() {
            complain("traces.service_name", "must be the name of this server in traces, such as chancery");
        }
        Traces { endpoint: read.flatten(), one_in, service_name }
    }
}

/// Whether something can listen there. What stands before an `@` would be a secret in the wrong place.
fn is_address(uri: &Uri) -> bool {
    let is_plain = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    matches!(uri.scheme_str(), Some("http" | "https"))
        && is_plain
        && uri.host().is_some_and(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(endpoint: &str, one_in: u32, service_name: &str) -> Vec<String> {
        let written =
            Written { endpoint: endpoint.to_owned(), one_in, service_name: service_name.to_owned() };
        let mut complaints = Vec::new();
        let _traces = written.check(&mut complaints);
        complaints.into_iter().map(|complaint| complaint.to_string()).collect()
    }

    #[test]
    fn what_cannot_be_an_address_is_named() {
        let unbuilt = usize::from(!spans::ARE_BUILT);
        for good in ["http://127.0.0.1:4318/v1/traces", "https://collector.example", "http://[::1]:4318/"] {
            assert_eq!(complaints(good, 1, "chancery").len(), unbuilt, "{good}");
        }
        for bad in [
            "127.0.0.1:4318",
            "collector",
            "ftp://collector/",
            "http://",
            "http://user:secret@collector/",
            "/v1",
        ] {
            let complaints = complaints(bad, 1, "chancery");
            assert_eq!(complaints.len(), 1 + unbuilt, "{bad}: {complaints:?}");
            assert!(
                complaints.iter().all(|complaint| complaint.starts_with("traces.endpoint: ")),
                "{complaints:?}"
            );
        }
        assert_eq!(complaints("", 1, "chancery"), [""; 0]);
        assert_eq!(complaints("", 0, " ").len(), 2);
    }

    /// Without the feature nobody would see a span, and nobody would say why.
    #[test]
    fn a_binary_without_spans_says_so() {
        let complaints = complaints("http://127.0.0.1:4318/v1/traces", 1, "chancery").concat();
        assert_eq!(complaints.contains("--features opentelemetry"), !spans::ARE_BUILT, "{complaints}");
    }
}
