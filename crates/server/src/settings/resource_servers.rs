//! What cannot be right about the resource servers, whatever keys there are.

use std::time::Duration;

use chancery_core::error::Complaint;
use chancery_core::model::{ResourceServer, TokenFormat};

/// Everything that is wrong with them.
pub(super) fn complaints(servers: &[ResourceServer]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (at, server) in servers.iter().enumerate() {
        let mut complain = |rule: &str, section: &'static str| {
            complaints.push(Complaint::new("resource_server", format!("{}: {rule}", server.uri.as_str()), section));
        };
        if servers.iter().take(at).any(|before| before.uri == server.uri) {
            complain("stands there twice", "docs/configuration.md");
        }
        if server.lifetime.is_some_and(|lifetime| lifetime < Duration::from_secs(1)) {
            complain("lifetime has to be at least 1s", "RFC 6749 section 5.1");
        }
        if server.format == TokenFormat::Jwt && server.alg.is_symmetric() {
            complain(
                "alg has to be one with a public key, because its verifiers must not be able to sign",
                "RFC 9068 section 4",
            );
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AT-07, CONF-05
    #[test]
    fn one_row_per_rule() {
        let wrong = |json: &str| complaints(&serde_json::from_str::<Vec<_>>(json).unwrap()).len();
        assert_eq!(wrong(r#"[{"uri":"https://a.example","format":"jwt"},{"uri":"https://b.example"}]"#), 0);
        assert_eq!(wrong(r#"[{"uri":"https://a.example","alg":"HS256"}]"#), 0, "nobody signs an opaque token");
        assert_eq!(wrong(r#"[{"uri":"https://a.example"},{"uri":"https://a.example"}]"#), 1);
        assert_eq!(wrong(r#"[{"uri":"https://a.example","lifetime":"0s"}]"#), 1);
        assert_eq!(wrong(r#"[{"uri":"https://a.example","format":"jwt","alg":"HS256"}]"#), 1);
    }
}
