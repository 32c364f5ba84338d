//! A page on another origin of the provider's site, whose script asks the provider for what it shows.

use bytes::Bytes;
use chancery_types::params;
use http::header::{CONTENT_TYPE, COOKIE, ORIGIN, SET_COOKIE};
use http::{HeaderValue, Method, Request};
use serde_json::Value;

use super::UserAgent;
use super::cookies::From;
use crate::answer::Answer;

/// The script of such a page. It sends and keeps cookies, as with `credentials: "include"`.
pub struct FrontEnd<'u, 'k> {
    ua: &'u UserAgent<'k>,
    origin: String,
}

impl<'k> UserAgent<'k> {
    /// The pages at this origin.
    #[must_use]
    pub fn front_end<'u>(&'u self, origin: &str) -> FrontEnd<'u, 'k> {
        FrontEnd { ua: self, origin: origin.to_owned() }
    }
}

impl FrontEnd<'_, '_> {
    /// Asks for the view of this interaction.
    #[must_use]
    pub fn view(&self, interaction: &str) -> Answer {
        let query = params::encode([("interaction", interaction)].into_iter());
        self.send(self.to_http(&Method::GET, &format!("/interaction?{query}"), None))
    }

    /// Sends what the person has entered on the page that this view gave.
    #[must_use]
    pub fn post(&self, what: &str, view: &Answer, entered: Value) -> Answer {
        self.send(self.to_post(what, view, entered))
    }

    /// What that sends.
    #[must_use]
    pub fn to_post(&self, what: &str, view: &Answer, mut entered: Value) -> Request<Bytes> {
        entered["form"] = view["form"].clone();
        self.to_http(&Method::POST, &format!("/interaction/{what}"), Some(&entered))
    }

    /// A request of the script, with the cookies of this browser.
    #[must_use]
    pub fn to_http(&self, method: &Method, path: &str, body: Option<&Value>) -> Request<Bytes> {
        let kit = self.ua.kit;
        let body = body.map_or(Bytes::new(), |body| Bytes::from(body.to_string()));
        let mut request = Request::new(body);
        *request.method_mut() = method.clone();
        *request.uri_mut() = kit.path(path).parse().expect("a path");
        let path = request.uri().path().to_owned();
        let headers = request.headers_mut();
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-site"));
        headers.insert(ORIGIN, HeaderValue::from_str(&self.origin).expect("an origin"));
        if method == Method::POST {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let cookies = self.ua.jar.borrow().header(kit.issuer(), &path, From::Ours, false, kit.now());
        if let Some(cookies) = cookies {
            headers.insert(COOKIE, HeaderValue::from_str(&cookies).expect("our cookies are ASCII"));
        }
        request
    }

    /// Sends a request and keeps the cookies.
    #[must_use]
    pub fn send(&self, request: Request<Bytes>) -> Answer {
        let kit = self.ua.kit;
        let answer = kit.send(request);
        for line in answer.headers.get_all(SET_COOKIE) {
            let line = line.to_str().expect("our cookies are ASCII");
            self.ua.jar.borrow_mut().take(line, kit.issuer(), kit.now());
        }
        answer
    }
}
