//! Discovery and JWK set: prepared bytes with an ETag (OIDC Discovery section 4.2, RFC 8414 section 3.2, RFC
//! 7517 section 8.5).

use bytes::Bytes;
use chancery_core::offered::Endpoint;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::Full;

use crate::cors::{self, CorsPolicy};
use crate::encode::{HttpResponse, empty};
use crate::route::Route;
use crate::site::Site;

/// The answer to a request for metadata or keys.
pub(crate) fn answer(site: &Site, route: Route<'_>, parts: &Parts) -> HttpResponse {
    let snapshot = site.provider.snapshot();
    let (content_type, prepared) = match route.endpoint {
        Endpoint::Jwks => ("application/jwk-set+json; charset=utf-8", &snapshot.jwks),
        _ => ("application/json; charset=utf-8", &snapshot.discovery),
    };
    let mut answer = document(content_type, prepared.body.clone(), &prepared.etag, &parts.headers);
    cors::allow_origin(&mut answer, CorsPolicy::of(route), parts.headers.get(ORIGIN));
    answer
}

/// The document, or 304 if the client has it already (RFC 9110 section 13.1.2).
fn document(content_type: &'static str, body: Bytes, etag: &str, headers: &HeaderMap) -> HttpResponse {
    let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|list| names(list, etag));
    let mut answer = empty(if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    let out = answer.headers_mut();
    // A new key is published for longer than this before it signs.
    out.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=600"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        out.insert(ETAG, etag);
    }
    if !is_known {
        out.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        *answer.body_mut() = Full::new(body);
    }
    answer
}

/// Whether a list of entity tags names this one, weakly compared (RFC 9110 section 8.8.3.2).
fn names(list: &HeaderValue, etag: &str) -> bool {
    let mut tags = list.as_bytes().split(|octet| *octet == b',').map(<[u8]>::trim_ascii);
    tags.any(|tag| tag == b"*" || tag.strip_prefix(b"W/").unwrap_or(tag) == etag.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_document_is_not_sent_again() {
        let status = |sent: &str| {
            let sent = HeaderValue::from_bytes(sent.as_bytes()).unwrap();
            let headers = [(IF_NONE_MATCH, sent)].into_iter().collect();
            let answer = document("application/json", Bytes::from_static(b"{}"), "\"abc\"", &headers);
            assert_eq!(answer.headers()[ETAG], "\"abc\"");
            assert_eq!(answer.headers()[CACHE_CONTROL], "public, max-age=600");
            answer.status().as_u16()
        };
        assert_eq!(status("\"abc\""), 304);
        assert_eq!(status("\"x\", W/\"abc\""), 304);
        assert_eq!(status("*"), 304);
        // RFC 9110 section 8.8.3: foreign entity tags may contain other octets.
        assert_eq!(status("\"\u{fc}\",\"abc\""), 304);
        assert_eq!(status("W/W/\"abc\""), 200);
        assert_eq!(status("\"abcd\""), 200);
        assert_eq!(status(""), 200);
    }
}
