//! Hostile requests: the one generator that every test file uses.

use bytes::Bytes;
use chancery_types::params;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderName, ORIGIN};
use http::{HeaderValue, Method, Request};

use crate::random::SeededRandom;

/// Stands in many hostile values; no answer may contain it outside of a page's own form.
pub const MARK: &str = "h0st1le";

/// Values that have broken somebody's parser.
const VALUES: &[&str] = &[
    "",
    " ",
    "h0st1le",
    "%",
    "%00",
    "%zz",
    "%e2%28%a1",
    "%ff%fe",
    "%0d%0aSet-Cookie:%20h0st1le=1",
    "%22%3E%3Cscript%3Eh0st1le%3C/script%3E",
    "%27%20or%201=1--h0st1le",
    "..%2f..%2fetc%2fpasswd",
    "{{7*7}}h0st1le",
    "%e2%80%aeh0st1le",
    "-1",
    "99999999999999999999999999",
    "1e400",
    "null",
    "%5B%5D",
    "%7B%22id_token%22%3A%7B%22__proto__%22%3Anull%7D%7D",
    "%7B%22userinfo%22%3A%5B%5D%7D",
    "https://evil.example/h0st1le",
    "https://web.example/cb%5C@evil.example",
    "https://web.example/cb%23h0st1le",
    "HTTPS://WEB.EXAMPLE/cb",
    "https://web.example:8443/cb",
    "https://web.example/cb/",
    "javascript:alert(1)",
    "urn:ietf:params:oauth:request_uri:h0st1le",
    "eyJhbGciOiJub25lIn0.e30.",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJoMHN0MWxlIn0.AAAA",
    "at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "ac_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "none+login",
    "openid++profile",
    "code+token",
    "S256+plain",
];

/// Parameters of every endpoint, and some of none.
const NAMES: &[&str] = &[
    "acr_values",
    "action",
    "claims",
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "display",
    "grant_type",
    "id_token_hint",
    "login_hint",
    "max_age",
    "nonce",
    "password",
    "prompt",
    "redirect_uri",
    "refresh_token",
    "registration",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token",
    "token_type_hint",
    "ui_locales",
    "username",
    "access_token",
    "resource",
    "__proto__",
    "a[b]",
    "%00",
    "",
];

/// Authorization headers that are none of ours.
const AUTHORIZATIONS: &[&str] = &[
    "",
    "Basic",
    "Basic ",
    "Basic  d2ViOng=",
    "Basic d2Vi",
    "Basic ====",
    "Basic d2ViOg==",
    "basic d2ViOiVmZg==",
    "Basic //79Og==",
    "Bearer",
    "Bearer ",
    "Bearer a b",
    "Bearer at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "Bearer eyJhbGciOiJub25lIn0.e30.",
    "DPoP x",
    "Negotiate h0st1le",
    "h0st1le",
];

/// Makes hostile requests from good ones. The same seed makes the same requests.
pub struct Hostile {
    random: SeededRandom,
}

impl Hostile {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { random: SeededRandom::new(seed) }
    }

    /// The good request with one to four things wrong with it.
    pub fn request(&self, good: &Request<Bytes>) -> Request<Bytes> {
        let mut draft = Draft::of(good);
        for _ in 0..=self.random.below(4) {
            self.spoil(&mut draft);
        }
        draft.finish()
    }

    /// Text as long as this, of random printable characters.
    #[must_use]
    pub fn text(&self, length: usize) -> String {
        (0..length).map(|_| char::from(b' ' + u8::try_from(self.random.below(95)).unwrap_or(0))).collect()
    }

    fn spoil(&self, draft: &mut Draft) {
        let random = &self.random;
        match random.below(22) {
            0..=5 => self.replace_value(draft),
            6 => draft.pairs.push((random.word(NAMES).to_owned(), random.word(VALUES).to_owned())),
            7 => {
                let double = draft.pairs.get(random.below(draft.pairs.len().max(1))).cloned();
                draft.pairs.extend(double);
            }
            8 => {
                let at = random.below(draft.pairs.len().max(1));
                draft.pairs.drain(at.min(draft.pairs.len())..(at + 1).min(draft.pairs.len()));
            }
            9 => draft.pairs.extend((0..300).map(|n| (format!("p{n}"), "1".to_owned()))),
            10 => draft.pairs.push(("state".to_owned(), "s".repeat(70 * 1024))),
            11 => draft.tail = self.bytes(),
            12 => draft.set(
                CONTENT_TYPE,
                random.word(&["application/json", "text/plain", "multipart/form-data", ""]),
            ),
            13 => draft.headers.retain(|(name, _)| *name != CONTENT_TYPE),
            14 => draft.add(CONTENT_TYPE, "application/x-www-form-urlencoded"),
            15 => draft.set(AUTHORIZATION, random.word(AUTHORIZATIONS)),
            16 => draft.add(AUTHORIZATION, random.word(AUTHORIZATIONS)),
            17 => self.spoil_cookies(draft),
            18 => draft.set(ACCEPT, random.word(&["text/html", "*/*;q=nan", "h0st1le"])),
            19 => draft.set(
                ORIGIN,
                random.word(&["null", "https://evil.example", "h0st1le", "https://web.example"]),
            ),
            20 => {
                let methods =
                    [Method::GET, Method::POST, Method::PUT, Method::HEAD, Method::OPTIONS, Method::TRACE];
                draft.method = random.one_of(&methods).clone();
            }
            _ => self.spoil_other_header(draft),
        }
    }

    fn replace_value(&self, draft: &mut Draft) {
        if draft.pairs.is_empty() {
            return;
        }
        let at = self.random.below(draft.pairs.len());
        let value = match self.random.below(4) {
            0 => {
                let text = self.text(self.random.below(200));
                params::encode([("", text.as_str())].into_iter()).trim_start_matches('=').to_owned()
            }
            1 => "a".repeat(self.random.below(6000)),
            _ => self.random.word(VALUES).to_owned(),
        };
        draft.pairs[at].1 = value;
    }

    fn spoil_cookies(&self, draft: &mut Draft) {
        let cookies =
            ["h0st1le", "=", ";;;", "a=b; a=c", "session-=x", "__Host-session-AAAAAAAA=se_h0st1le", "\"=\""];
        draft.add(COOKIE, self.random.word(&cookies));
        if self.random.below(2) == 0 {
            let double = draft.headers.iter().find(|(name, _)| *name == COOKIE).cloned();
            draft.headers.extend(double);
        }
    }

    fn spoil_other_header(&self, draft: &mut Draft) {
        let names = [
            "host",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "accept-language",
            "dpop",
            "sec-fetch-site",
            "if-none-match",
            "transfer-encoding",
            "content-length",
            "access-control-request-method",
        ];
        let name = HeaderName::from_static(self.random.word(&names));
        let bytes = match self.random.below(3) {
            0 => MARK.as_bytes().to_vec(),
            1 => self.text(self.random.below(300)).into_bytes(),
            // What a header may hold beside ASCII (RFC 9110 section 5.5, obs-text).
            _ => (0..self.random.below(40))
                .map(|_| 0x80 | u8::try_from(self.random.below(128)).unwrap_or(0))
                .collect(),
        };
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            draft.headers.push((name, value));
        }
    }

    /// Bytes that are no form: bad UTF-8, NUL, garbage.
    fn bytes(&self) -> Vec<u8> {
        let tails: [&[u8]; 6] =
            [b"&\xff\xfe=\x80", b"&a=\0", b"\0", b"&%", b"&&&&===&", b"{\"a\":\"h0st1le\"}"];
        self.random.one_of(&tails).to_vec()
    }
}

/// A request taken apart.
struct Draft {
    method: Method,
    path: String,
    is_query: bool,
    /// Name and value as they stand on the wire.
    pairs: Vec<(String, String)>,
    tail: Vec<u8>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Draft {
    fn of(good: &Request<Bytes>) -> Self {
        let is_query = good.method() == Method::GET;
        let text = match is_query {
            true => good.uri().query().unwrap_or("").to_owned(),
            false => String::from_utf8(good.body().to_vec()).expect("a good request is a form"),
        };
        let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            method: good.method().clone(),
            path: good.uri().path().to_owned(),
            is_query,
            pairs: text.split('&').filter_map(pair).collect(),
            tail: Vec::new(),
            headers: good.headers().iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }

    fn set(&mut self, name: HeaderName, value: &str) {
        self.headers.retain(|(have, _)| *have != name);
        self.add(name, value);
    }

    fn add(&mut self, name: HeaderName, value: &str) {
        self.headers.push((name, HeaderValue::from_str(value).expect("a header value")));
    }

    fn finish(self) -> Request<Bytes> {
        let pairs: Vec<String> = self.pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let form = pairs.join("&");
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = self.method;
        let mut body = Vec::new();
        let target = match self.is_query {
            // What a server's parser lets through; other bytes never reach the service.
            true => {
                format!(
                    "{}?{}",
                    self.path,
                    form.replace(['"', '<', '>', ' ', '{', '}', '`', '\\', '^', '|'], "%20")
                )
            }
            false => {
                body = form.into_bytes();
                self.path
            }
        };
        body.extend(self.tail);
        let uri = target.parse().or_else(|_| target.chars().take(60_000).collect::<String>().parse());
        *request.uri_mut() = uri.unwrap_or_else(|_| panic!("a target: {target}"));
        for (name, value) in self.headers {
            request.headers_mut().append(name, value);
        }
        *request.body_mut() = Bytes::from(body);
        request
    }
}
