//! A browser's cookies, as far as ours use them (RFC 6265bis sections 5.6 to 5.8).

use std::time::Duration;

use chancery_types::{Issuer, Timestamp};

use crate::realms::authority_of;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// A page of ours, or the person.
    Ours,
    /// A page of another site.
    AnotherSite,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cookie {
    host: String,
    name: String,
    value: String,
    path: String,
    is_secure: bool,
    is_http_only: bool,
    same_site: SameSite,
    ends: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SameSite {
    Strict,
    Lax,
    None,
}

/// The cookies of all hosts.
#[derive(Clone, Debug, Default)]
pub(super) struct Jar(Vec<Cookie>);

impl Jar {
    /// Takes a Set-Cookie line of a response; what a browser would drop is a failure of the test.
    pub(super) fn take(&mut self, line: &str, issuer: &Issuer, now: Timestamp) {
        let is_https = issuer.is_https();
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).expect("name=value");
        let mut cookie = Cookie {
            host: host_of(issuer).to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            path: "/".to_owned(),
            is_secure: false,
            is_http_only: false,
            same_site: SameSite::Lax,
            ends: None,
        };
        for attribute in parts {
            let (attribute, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            match attribute.to_ascii_lowercase().as_str() {
                "path" => cookie.path = value.to_owned(),
                "secure" => cookie.is_secure = true,
                "httponly" => cookie.is_http_only = true,
                "samesite" => {
                    cookie.same_site = match value {
                        "Strict" => SameSite::Strict,
                        "None" => SameSite::None,
                        _ => SameSite::Lax,
                    }
                }
                "max-age" => {
                    let seconds = value.parse::<i64>().expect("Max-Age is a number");
                    cookie.ends = Some(now + Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
                }
                "expires" => {}
                "domain" => panic!("{line}: a cookie of ours has no domain"),
                other => panic!("{line}: unknown attribute {other}"),
            }
        }
        let is_readable =
            name.trim_start_matches("__Host-").trim_start_matches("__Secure-").starts_with("state-");
        assert!(
            cookie.is_http_only != is_readable,
            "{line}: of all cookies, scripts need the browser's state alone"
        );
        assert!(
            cookie.same_site != SameSite::None || cookie.is_secure,
            "{line}: a browser drops SameSite=None without Secure"
        );
        assert!(!cookie.is_secure || is_https, "{line}: a browser drops Secure on http");
        assert!(cookie.is_secure || !is_https, "{line}: on https it has to be Secure");
        if name.starts_with("__Host-") {
            assert!(cookie.is_secure && cookie.path == "/", "{line}: a browser drops this __Host- cookie");
        }
        assert!(
            !name.starts_with("__Secure-") || cookie.is_secure,
            "{line}: a browser drops this __Secure- cookie"
        );
        let identity = |cookie: &Cookie| (cookie.host.clone(), cookie.name.clone(), cookie.path.clone());
        self.0.retain(|have| identity(have) != identity(&cookie));
        if cookie.ends.is_none_or(|ends| ends > now) {
            self.0.push(cookie);
        }
    }

    /// The Cookie header of a request, if there is any cookie to send.
    pub(super) fn header(
        &self,
        issuer: &Issuer,
        path: &str,
        from: From,
        is_get: bool,
        now: Timestamp,
    ) -> Option<String> {
        let admits = |cookie: &&Cookie| {
            let is_host = cookie.host == host_of(issuer);
            let is_below = path == cookie.path
                || path
                    .strip_prefix(&*cookie.path)
                    .is_some_and(|rest| cookie.path.ends_with('/') || rest.starts_with('/'));
            let is_sent = match (cookie.same_site, from) {
                (SameSite::None, _) | (_, From::Ours) => true,
                (SameSite::Lax, From::AnotherSite) => is_get,
                (SameSite::Strict, From::AnotherSite) => false,
            };
            is_host && is_below && is_sent && cookie.ends.is_none_or(|ends| ends > now)
        };
        let pairs: Vec<String> =
            self.0.iter().filter(admits).map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The values that a script in a frame of another site reads, where the browser lets it (RFC 6265bis section
    /// 5.8.3).
    pub(super) fn for_scripts(&self, issuer: &Issuer, path: &str, now: Timestamp) -> String {
        let mut readable = self.clone();
        readable.0.retain(|cookie| {
            !cookie.is_http_only && (cookie.same_site == SameSite::None || !issuer.is_https())
        });
        readable.header(issuer, path, From::Ours, true, now).unwrap_or_default()
    }

    /// The value of the cookie of this name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.as_str())
    }

    /// Drops the cookie of this name.
    pub(super) fn drop(&mut self, name: &str) {
        self.0.retain(|cookie| cookie.name != name);
    }
}

/// The host without its port: cookies are the same at all ports (RFC 6265bis section 8.5).
fn host_of(issuer: &Issuer) -> &str {
    let authority = authority_of(issuer);
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}
