//! For how long a document may be kept (RFC 9111 section 4.2).

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderName};

/// The longest time that is believed (RFC 9111 section 1.2.2).
const LONGEST: u64 = 1 << 31;

/// For how long a response may be kept from now on, if its server said so. `delay` is the time since the request
/// was sent.
pub(crate) fn fresh_for(headers: &HeaderMap, delay: Duration) -> Option<Duration> {
    let lifetime = lifetime(headers)?;
    // Section 4.2.3. We ask servers and not caches, and those in front of a server send `Age`; an age by our own
    // clock would declare everything stale whose server's clock is slow.
    let age = field(headers, &AGE).map_or(Some(0), seconds);
    Some(age.map_or(Duration::ZERO, |age| {
        lifetime.saturating_sub(Duration::from_secs(age)).saturating_sub(delay)
    }))
}

/// Section 4.2.1. What cannot be understood, or is said twice, is stale.
fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let mut max_age = None;
    for line in headers.get_all(CACHE_CONTROL) {
        let Ok(line) = line.to_str() else { return Some(Duration::ZERO) };
        for directive in line.split(',') {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-store" | "no-cache" => return Some(Duration::ZERO),
                "max-age" if max_age.is_some() => return Some(Duration::ZERO),
                "max-age" => max_age = Some(seconds(value.trim().trim_matches('"')).unwrap_or(0)),
                _ => {}
            }
        }
    }
    if let Some(max_age) = max_age {
        return Some(Duration::from_secs(max_age));
    }
    if !headers.contains_key(EXPIRES) {
        return None;
    }
    // Every server that has a clock sends `Date` (RFC 9110 section 6.6.1).
    let date = |name| field(headers, name).and_then(|text| httpdate::parse_http_date(text).ok());
    let lifetime = date(&EXPIRES).zip(date(&DATE)).and_then(|(end, start)| end.duration_since(start).ok());
    Some(lifetime.unwrap_or_default().min(Duration::from_secs(LONGEST)))
}

/// The value of a field that stands once.
fn field<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut lines = headers.get_all(name).iter();
    let line = lines.next().map(|line| line.to_str().unwrap_or("not text"));
    if lines.next().is_some() { Some("said twice") } else { line }
}

/// Decimal digits; a number beyond all bounds is the largest.
fn seconds(text: &str) -> Option<u64> {
    let is_decimal = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal.then(|| text.parse().unwrap_or(LONGEST).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use chancery_testkit::SeededRandom;

    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_server_says_for_how_long() {
        const NOON: &str = "Date: Thu, 26 Nov 2026 12:00:00 GMT";
        const ONE: &str = "Expires: Thu, 26 Nov 2026 13:00:00 GMT";
        for (lines, fresh) in [
            (&[][..], None),
            (&["Cache-Control: max-age=60"], Some(59)),
            (&["Cache-Control: public, MAX-AGE=60, must-revalidate"], Some(59)),
            (&["Cache-Control: max-age=\"60\""], Some(59)),
            (&["Cache-Control: public"], None),
            (&["Cache-Control: public", "Cache-Control: max-age=60"], Some(59)),
            (&["Cache-Control: s-maxage=5"], None),
            (&["Cache-Control: max-age=60", "Age: 20"], Some(39)),
            (&["Cache-Control: max-age=60", "Age: 60"], Some(0)),
            (&["Cache-Control: max-age=60", "Age: 4000000000000000000000"], Some(0)),
            (&["Cache-Control: max-age=60", "Age: -1"], Some(0)),
            (&["Cache-Control: max-age=60", "Age: 1", "Age: 2"], Some(0)),
            (&["Cache-Control: max-age=0"], Some(0)),
            (&["Cache-Control: max-age=-1"], Some(0)),
            (&["Cache-Control: max-age=1.5"], Some(0)),
            (&["Cache-Control: max-age="], Some(0)),
            (&["Cache-Control: max-age"], Some(0)),
            (&["Cache-Control: max-age=60, max-age=120"], Some(0)),
            (&["Cache-Control: max-age=99999999999999999999"], Some(LONGEST - 1)),
            (&["Cache-Control: max-age=60, no-cache"], Some(0)),
            (&["Cache-Control: no-store, max-age=60"], Some(0)),
            (&["Cache-Control: no-cache=\"Set-Cookie\", max-age=60"], Some(0)),
            (&["Cache-Control: \u{fc}"], Some(0)),
            (&[NOON, ONE], Some(3599)),
            (&[NOON, ONE, "Age: 600"], Some(2999)),
            (&[NOON, ONE, "Cache-Control: max-age=60"], Some(59)),
            (&[NOON, ONE, "Cache-Control: public"], Some(3599)),
            (&[NOON, "Expires: Thu, 26 Nov 2026 11:00:00 GMT"], Some(0)),
            (&[NOON, "Expires: 0"], Some(0)),
            (&[NOON, ONE, ONE], Some(0)),
            (&[ONE], Some(0)),
            (&["Date: noon", ONE], Some(0)),
            (&[NOON, "Expires: Fri, 26 Nov 9999 11:00:00 GMT"], Some(LONGEST - 1)),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                let (name, value) = line.split_once(": ").unwrap();
                let name: HeaderName = name.parse().unwrap();
                headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            let found = fresh_for(&headers, Duration::from_secs(1));
            assert_eq!(found, fresh.map(Duration::from_secs), "{lines:?}");
        }
    }

    /// 100,000 generated headers: nothing is kept longer than the shortest of what its server says in a form that is
    /// understood, and nothing for ever.
    #[test]
    fn every_header_is_read() {
        let random = SeededRandom::new(1);
        let below = |limit: usize| random.below(limit);
        let directives = [
            ("max-age=60", Some(60)),
            ("max-age=\"9\"", Some(9)),
            ("max-age=x", Some(0)),
            ("MAX-AGE = 7", Some(7)),
            ("max-age=99999999999999999999", Some(LONGEST)),
            ("no-store", Some(0)),
            ("no-cache=\"x\"", Some(0)),
            ("public", None),
            ("", None),
            ("=", None),
        ];
        let mut kept = 0;
        for _ in 0..100_000 {
            let mut headers = HeaderMap::new();
            let mut said: Option<u64> = None;
            for _ in 0..below(3) {
                let mut line = String::new();
                for _ in 0..below(3) {
                    let (directive, seconds) = directives[below(directives.len())];
                    line = format!("{line}{directive},");
                    said = said.map_or(seconds, |said| Some(said.min(seconds.unwrap_or(said))));
                }
                headers.append(CACHE_CONTROL, HeaderValue::from_str(&line).unwrap());
            }
            let age = [None, Some("0"), Some("5"), Some("-1"), Some("99999999999999999999")][below(5)];
            age.map(|age| headers.append(AGE, HeaderValue::from_static(age)));
            let found = fresh_for(&headers, Duration::from_secs(1));
            let longest = said.map(Duration::from_secs);
            assert!(found <= longest && found.is_some() == said.is_some(), "{headers:?} {found:?}");
            kept += u32::from(found.is_some_and(|found| !found.is_zero()));
            for name in [CACHE_CONTROL, EXPIRES, DATE, AGE] {
                let bytes: Vec<u8> = (0..below(9)).map(|_| u8::try_from(32 + below(224)).unwrap()).collect();
                if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                    headers.append(name, value);
                }
            }
            assert!(fresh_for(&headers, Duration::ZERO) <= Some(Duration::from_secs(LONGEST)), "{headers:?}");
        }
        assert!(kept > 5_000, "{kept}");
    }
}
