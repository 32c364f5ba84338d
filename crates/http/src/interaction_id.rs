//! FAPI 1.0 part 1 section 6.2.1, items 10 to 12: what the answers of a protected resource, here UserInfo, tell about
//! themselves: their date, and the id by which client and server find the same request in their logs.

use std::time::{Duration, UNIX_EPOCH};

use chancery_core::context::RequestId;
use chancery_types::Timestamp;
use http::header::DATE;
use http::{HeaderMap, HeaderName, HeaderValue};

const INTERACTION_ID: HeaderName = HeaderName::from_static("x-fapi-interaction-id");

/// The id of a request to a protected resource: the client's, if it has sent a UUID, or else one of these random
/// bytes. Every entry of the log about the request has it.
pub(crate) fn request_id(headers: &HeaderMap, random: [u8; 16]) -> RequestId {
    let mut sent = headers.get_all(INTERACTION_ID).iter();
    let only = sent.next().filter(|_| sent.next().is_none()).and_then(|value| value.to_str().ok());
    RequestId(only.filter(|text| is_uuid(text)).map_or_else(|| uuid(random).into(), Into::into))
}

/// Writes the headers.
pub(crate) fn tell(headers: &mut HeaderMap, request_id: &RequestId, now: Timestamp) {
    if let Ok(id) = HeaderValue::from_str(&request_id.0) {
        headers.insert(INTERACTION_ID, id);
    }
    let since = Duration::from_secs(u64::try_from(now.secs()).unwrap_or_default());
    let date = UNIX_EPOCH.checked_add(since).map(httpdate::fmt_http_date);
    if let Some(Ok(date)) = date.map(HeaderValue::try_from) {
        headers.insert(DATE, date);
    }
}

/// RFC 4122 section 3: 8-4-4-4-12 hexadecimal digits.
fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(is_hex)
}

/// RFC 4122 section 4.4: a UUID of random bits.
fn uuid(random: [u8; 16]) -> String {
    let random = u128::from_be_bytes(random);
    let bits = (random & !(0xf << 76) & !(0b11 << 62)) | (0x4 << 76) | (0b10 << 62);
    let hex = format!("{bits:032x}");
    let mut text = String::with_capacity(36);
    for (at, digit) in hex.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_our_own_are_random_uuids() {
        assert_eq!(uuid([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert!(is_uuid(&uuid([7; 16])));
    }
}
