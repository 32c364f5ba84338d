//! The cookies: the session list, the browser cookie, and the names that have signed in from this browser (RFC
//! 6265bis sections 4.1 and 5.4); where sessions are watched, the browser's state (OIDC Session Management section
//! 3.2); the language that the person has chosen; with `compatibility.stored_interactions_by_client`, one for each client.
//!
//! Duplicate, damaged and foreign cookies are ignored; they never make a request fail.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chancery_core::interaction::device::LIFETIME;
use chancery_core::model::SentCookie;
use chancery_core::session::{BrowserState, LIST};
use chancery_jose::sha256;
use chancery_types::handle::{Handle, Interaction, RotatingHandle, Session};
use chancery_types::{Issuer, RealmId, Tag, Timestamp};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

use crate::Locale;

/// The names of this realm's cookies and their attributes.
pub(crate) struct Cookies {
    session: String,
    browser: String,
    devices: String,
    /// What the name of a client's cookie begins with.
    interaction: String,
    state: String,
    language: String,
    attributes: String,
    /// Those of the state: the frame of `check_session.js` reads it, on the page of another site.
    readable: String,
    session_life: Duration,
}

/// How long a browser keeps the language that its person has chosen.
const LANGUAGE_LIFETIME: Duration = Duration::from_secs(365 * 86_400);

/// How many clients' interactions a browser has at most.
const INTERACTIONS: usize = 8;

/// The stored interaction of one client in this browser.
struct OfClient<'h> {
    name: &'h str,
    since: i64,
    handle: &'h str,
}

impl Cookies {
    /// An issuer at the root of its host uses `__Host-`, which binds a cookie to the host. Issuers with a
    /// path share a host, so they use `__Secure-` and the path. On http loopback, browsers would reject
    /// either prefix (RFC 6265bis section 4.1.3).
    pub(crate) fn new(issuer: &Issuer, realm: &RealmId, session_life: Duration) -> Self {
        let (prefix, path) = match (issuer.is_https(), issuer.path()) {
            (true, "") => ("__Host-", "/"),
            (true, path) => ("__Secure-", path),
            (false, "") => ("", "/"),
            (false, path) => ("", path),
        };
        // A browser sends the cookies of one port to all of a host, and those of a path to all paths below it.
        // A cookie of a provider there, which may have the same realm's name, must not pass for one of ours,
        // nor come as a second one of the same name.
        let digest = Tag::derive(realm, "cookie", issuer.as_str().as_bytes());
        let suffix = URL_SAFE_NO_PAD.encode(digest.as_bytes().get(..6).unwrap_or_default());
        // Without Secure, browsers refuse SameSite=None; but pages of a loopback host are all of one site.
        let everywhere = if issuer.is_https() { "SameSite=None; Secure" } else { "SameSite=Lax" };
        let secure = if issuer.is_https() { "; Secure" } else { "" };
        Self {
            session: format!("{prefix}session-{suffix}"),
            browser: format!("{prefix}browser-{suffix}"),
            devices: format!("{prefix}devices-{suffix}"),
            interaction: format!("{prefix}interaction-{suffix}-"),
            state: format!("{prefix}state-{suffix}"),
            language: format!("{prefix}language-{suffix}"),
            readable: format!("; Path={path}; {everywhere}"),
            attributes: format!("; Path={path}; HttpOnly; SameSite=Lax{secure}"),
            session_life,
        }
    }

    /// The session handles, the active one first.
    pub(crate) fn sessions(&self, headers: &HeaderMap) -> Vec<RotatingHandle<Session>> {
        let list = value(headers, &self.session).unwrap_or("");
        list.split('.').take(LIST).filter_map(|handle| RotatingHandle::parse(handle).ok()).collect()
    }

    /// The value that binds forms to this browser before anybody is signed in.
    pub(crate) fn browser(&self, headers: &HeaderMap) -> Option<Zeroizing<[u8; 16]>> {
        let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(value(headers, &self.browser)?).ok()?);
        bytes.as_slice().try_into().ok().map(Zeroizing::new)
    }

    /// The names that have signed in from this browser, sealed.
    pub(crate) fn devices(&self, headers: &HeaderMap) -> Option<Box<str>> {
        value(headers, &self.devices).map(Into::into)
    }

    /// The handle of this client's interaction, or of the newest if no client is named.
    pub(crate) fn interaction<'h>(&self, headers: &'h HeaderMap, client: Option<&str>) -> Option<&'h str> {
        let mut known = self.interactions(headers);
        if let Some(client) = client {
            let name = self.name_of(client);
            known.retain(|of_client| of_client.name == name);
        }
        known.first().map(|of_client| of_client.handle)
    }

    /// The clients' interactions, the newest first.
    fn interactions<'h>(&self, headers: &'h HeaderMap) -> Vec<OfClient<'h>> {
        let names =
            pairs(headers).filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok()?.split_once('='));
        let read = |(name, _): (&'h str, &'h str)| {
            let (since, handle) = value(headers, name)?.split_once('.')?;
            Some(OfClient { name, since: since.parse().ok()?, handle })
        };
        let mut known: Vec<OfClient<'h>> =
            names.filter(|(name, _)| name.starts_with(&self.interaction)).filter_map(read).collect();
        known.sort_by_key(|of_client| std::cmp::Reverse(of_client.since));
        known
    }

    /// A client's id has characters that no name of a cookie may have.
    fn name_of(&self, client: &str) -> String {
        let digest = sha256(client.as_bytes());
        format!("{}{}", self.interaction, URL_SAFE_NO_PAD.encode(digest.get(..9).unwrap_or_default()))
    }

    /// Sets the cookie of this client's interaction. If there are too many, the oldest goes.
    pub(crate) fn set_interaction(
        &self,
        now: Timestamp,
        (client, handle): (&str, &Handle<Interaction>),
        sent: &HeaderMap,
        headers: &mut HeaderMap,
    ) {
        let name = self.name_of(client);
        let others = self.interactions(sent).into_iter().filter(|of_client| of_client.name != name);
        others.skip(INTERACTIONS - 1).for_each(|of_client| self.clear(of_client.name, headers));
        let (since, handle) = (now.millis(), handle.reveal());
        append(headers, &format!("{name}={since}.{handle}{}", self.attributes));
    }

    /// Clears the cookie of an interaction that was answered.
    pub(crate) fn clear_interaction(&self, handle: &str, sent: &HeaderMap, headers: &mut HeaderMap) {
        let answered = self.interactions(sent).into_iter().filter(|of_client| of_client.handle == handle);
        answered.for_each(|of_client| self.clear(of_client.name, headers));
    }

    fn clear(&self, name: &str, headers: &mut HeaderMap) {
        append(headers, &format!("{name}={GONE}{}", self.attributes));
    }

    /// The cookies that are none of ours, for the application.
    pub(crate) fn others(&self, headers: &HeaderMap) -> Vec<SentCookie> {
        let ours = [&self.session, &self.browser, &self.devices, &self.state, &self.language];
        let is_ours = |name: &str| ours.iter().any(|own| *own == name) || name.starts_with(&self.interaction);
        let read = |pair: &[u8]| {
            let (name, value) = std::str::from_utf8(pair.trim_ascii()).ok()?.split_once('=')?;
            (!is_ours(name)).then(|| (name.into(), Zeroizing::new(value.to_owned())))
        };
        pairs(headers).filter_map(read).collect()
    }

    /// The browser's state.
    pub(crate) fn state(&self, headers: &HeaderMap) -> Option<Box<str>> {
        value(headers, &self.state).map(Into::into)
    }

    /// The language that the person has chosen, which may be any text.
    pub(crate) fn language<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        value(headers, &self.language)
    }

    /// Keeps the language that the person has chosen for a year.
    pub(crate) fn set_language(&self, locale: &Locale, headers: &mut HeaderMap) {
        let (life, tag) = (LANGUAGE_LIFETIME.as_secs(), locale.as_str());
        append(headers, &format!("{}={tag}; Max-Age={life}{}", self.language, self.attributes));
    }

    /// The name of the cookie that has the browser's state.
    pub(crate) fn name_of_state(&self) -> &str {
        &self.state
    }

    /// Whether the browser sent the session or the browser cookie.
    pub(crate) fn has_any(&self, headers: &HeaderMap) -> bool {
        value(headers, &self.session).is_some() || value(headers, &self.browser).is_some()
    }

    /// Sets the session cookie to this list; an empty one clears it.
    pub(crate) fn set_sessions(&self, sessions: &[RotatingHandle<Session>], headers: &mut HeaderMap) {
        let handles: Vec<String> = sessions.iter().take(LIST).map(RotatingHandle::reveal).collect();
        let life = match handles.as_slice() {
            [] => GONE.to_owned(),
            _ => format!("; Max-Age={}", self.session_life.as_secs()),
        };
        append(headers, &format!("{}={}{life}{}", self.session, handles.join("."), self.attributes));
    }

    /// Sets the cookie of the names that have signed in from this browser. It outlives sessions and a browser
    /// restart.
    pub(crate) fn set_devices(&self, sealed: &str, headers: &mut HeaderMap) {
        let life = LIFETIME.as_secs();
        append(headers, &format!("{}={sealed}; Max-Age={life}{}", self.devices, self.attributes));
    }

    /// Sets the browser's state, which scripts can read. It lives as long as a session that is begun now.
    pub(crate) fn set_state(&self, state: &BrowserState, headers: &mut HeaderMap) {
        let (life, state) = (self.session_life.as_secs(), state.as_str());
        append(headers, &format!("{}={state}; Max-Age={life}{}", self.state, self.readable));
    }

    /// Sets the browser cookie, which ends when the browser is closed.
    pub(crate) fn set_browser(&self, bytes: &[u8; 16], headers: &mut HeaderMap) {
        append(headers, &format!("{}={}{}", self.browser, URL_SAFE_NO_PAD.encode(bytes), self.attributes));
    }
}

/// What makes a browser forget a cookie.
const GONE: &str = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

fn append(headers: &mut HeaderMap, cookie: &str) {
    if let Ok(mut value) = HeaderValue::from_str(cookie) {
        value.set_sensitive(true);
        headers.append(SET_COOKIE, value);
    }
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|octet| *octet == b';'))
}

/// The value of a cookie; `None`, too, if it was sent twice, because somebody may have planted one of them.
/// The header is split at semicolons only, whatever octets foreign cookies have (RFC 6265 section 5.4).
fn value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let named = |pair: &'h [u8]| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"=");
    let mut values = pairs(headers).filter_map(named);
    let value = values.next().filter(|_| values.next().is_none())?;
    std::str::from_utf8(value).ok()
}

#[cfg(test)]
mod tests {
    use chancery_testkit::SeededRandom;

    use super::*;
    use chancery_types::Partition;

    fn cookies(issuer: &str, realm: &str) -> Cookies {
        let life = Duration::from_secs(90 * 24 * 3600);
        Cookies::new(&Issuer::parse(issuer).unwrap(), &RealmId::parse(realm).unwrap(), life)
    }

    fn handle(seed: u8) -> RotatingHandle<Session> {
        RotatingHandle::new(Partition([seed, 1]), [seed; 16], Zeroizing::new([seed; 32]))
    }

    fn set(cookies: &Cookies, sessions: &[RotatingHandle<Session>]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        cookies.set_sessions(sessions, &mut headers);
        cookies.set_browser(&[7; 16], &mut headers);
        headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    fn sent(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        headers
    }

    /// SESS-02, SESS-03
    #[test]
    fn names_and_attributes_follow_the_issuer() {
        let root = set(&cookies("https://id.example", "main"), &[handle(1)]);
        assert!(root[0].starts_with("__Host-session-"), "{root:?}");
        assert!(root[0].ends_with("; Max-Age=7776000; Path=/; HttpOnly; SameSite=Lax; Secure"), "{root:?}");
        assert!(root[1].starts_with("__Host-browser-"), "{root:?}");
        assert!(root[1].ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{root:?}");
        assert!(!root[1].contains("Max-Age"));

        let path = set(&cookies("https://id.example/a/b", "main"), &[handle(1)]);
        assert!(path[0].starts_with("__Secure-session-") && path[0].contains("; Path=/a/b;"), "{path:?}");

        let loopback = set(&cookies("http://localhost:3000", "main"), &[handle(1)]);
        assert!(loopback[0].starts_with("session-") && !loopback[0].contains("Secure"), "{loopback:?}");
        assert_ne!(cookies("https://id.example", "a").session, cookies("https://id.example", "b").session);
        let on_port = |port: &str| cookies(&format!("http://localhost:{port}"), "main").session;
        assert_ne!(on_port("3000"), on_port("3001"));
    }

    /// SESS-08
    #[test]
    fn an_empty_list_clears() {
        let cookies = cookies("https://id.example", "main");
        assert!(set(&cookies, &[])[0].contains("=; Max-Age=0; Expires=Thu, 01 Jan 1970"));
    }

    #[test]
    fn what_is_set_is_read_again() {
        let cookies = cookies("https://id.example", "main");
        let lines = set(&cookies, &(1..=5).map(handle).collect::<Vec<_>>());
        let pairs: Vec<&str> = lines.iter().map(|line| line.split(';').next().unwrap()).collect();
        let headers = sent(&["other=1", &pairs.join("; ")]);
        let read: Vec<String> = cookies.sessions(&headers).iter().map(RotatingHandle::reveal).collect();
        assert_eq!(read, (1..=4).map(|seed| handle(seed).reveal()).collect::<Vec<_>>());
        assert_eq!(*cookies.browser(&headers).unwrap(), [7; 16]);
        assert!(cookies.has_any(&headers));
    }

    #[test]
    fn the_application_gets_none_of_ours() {
        let cookies = cookies("https://id.example", "main");
        let Cookies { session, browser, devices, interaction, state, language, .. } = &cookies;
        let ours =
            format!("{session}=x; {browser}=x; {devices}=x; {interaction}a=x; {state}=x; {language}=x");
        let others = cookies.others(&sent(&[&format!("{ours}; house=alice")]));
        let names: Vec<&str> = others.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["house"]);
    }

    #[test]
    fn doubled_and_damaged_cookies_are_none() {
        let cookies = cookies("https://id.example", "main");
        let (session, browser) = (&cookies.session, &cookies.browser);
        let good = format!("{session}={}", handle(1).reveal());
        assert_eq!(cookies.sessions(&sent(&[&good])).len(), 1);
        assert!(cookies.sessions(&sent(&[&good, &good])).is_empty());
        assert!(cookies.sessions(&sent(&[&format!("{good}; {good}")])).is_empty());
        for damaged in [".", "...", "se_", "\u{e9}", "=", "a.b.c.d.e.f.g"] {
            assert!(cookies.sessions(&sent(&[&format!("{session}={damaged}")])).is_empty(), "{damaged}");
            assert!(cookies.browser(&sent(&[&format!("{browser}={damaged}")])).is_none(), "{damaged}");
        }
        let mixed = format!("{session}=garbage.{}", handle(2).reveal());
        assert_eq!(cookies.sessions(&sent(&[&mixed])).len(), 1);
    }

    fn octets(lines: &[&[u8]]) -> HeaderMap {
        lines.iter().map(|line| (COOKIE, HeaderValue::from_bytes(line).unwrap())).collect()
    }

    /// FR-02: over HTTP/2 cookies may come in several lines (RFC 9113 section 8.2.3).
    #[test]
    fn foreign_cookies_hide_nothing() {
        let cookies = cookies("https://id.example", "main");
        let ours: Vec<Vec<u8>> =
            set(&cookies, &[handle(1)]).iter().map(|line| line.split(';').next().unwrap().into()).collect();
        for foreign in [
            &b"greeting=Gr\xc3\xbc\xc3\x9f"[..],
            b"latin=\xfc",
            b"broken=\xc3",
            b"\xff\xfe",
            b"\x80=\x80",
            b"",
            b"=",
            b"noequals",
            b"quoted=\"a",
            b"quoted=a\"",
            b"json={\"a\":[1,2]}",
            b"comma=a,b=c",
            b"tab=a\tb",
            b"__Host-session-=x",
            b"xsession-AAAAAAAA=x",
            b"; ; ;",
        ] {
            let [session, browser] = [&*ours[0], &*ours[1]];
            for order in
                [[foreign, session, browser], [session, foreign, browser], [session, browser, foreign]]
            {
                for headers in
                    [octets(&[&order.join(&b"; "[..])]), octets(&[&order.join(&b";"[..])]), octets(&order)]
                {
                    assert_eq!(cookies.sessions(&headers).len(), 1, "{headers:?}");
                    assert!(cookies.browser(&headers).is_some(), "{headers:?}");
                }
            }
        }
    }

    /// Arbitrary headers never cause a panic, and only handles that they contain are read.
    #[test]
    fn generated_headers() {
        let cookies = cookies("https://id.example", "main");
        let mut lines = set(&cookies, &[handle(1), handle(2)]);
        lines.iter_mut().for_each(|line| line.truncate(line.find(';').unwrap()));
        let good = lines.join("; ");
        let known: Vec<String> = [1, 2].map(|seed| handle(seed).reveal()).into();
        let alphabet = b"aZ09_-.=; ,\"\\%\x09\xc3\xff";
        let random = SeededRandom::new(1);
        let next = |limit: usize| random.below(limit);
        for _ in 0..100_000 {
            let mut line = good.clone().into_bytes();
            for _ in 0..=next(3) {
                let at = next(line.len());
                match next(4) {
                    0 => line.truncate(at.max(1)),
                    1 => line.insert(at, alphabet[next(alphabet.len())]),
                    2 => line.extend_from_within(at..),
                    _ => line[at] = alphabet[next(alphabet.len())],
                }
            }
            let Ok(value) = HeaderValue::from_bytes(&line) else { continue };
            let mut headers = HeaderMap::new();
            headers.append(COOKIE, value);
            let read: Vec<String> = cookies.sessions(&headers).iter().map(RotatingHandle::reveal).collect();
            assert!(read.len() <= LIST, "{line:?}");
            let text = String::from_utf8_lossy(&line);
            assert!(read.iter().all(|handle| text.contains(handle.as_str())), "{line:?}");
            if line == good.as_bytes() {
                assert_eq!(read, known);
            }
            let _ = cookies.browser(&headers);
        }
    }
}
