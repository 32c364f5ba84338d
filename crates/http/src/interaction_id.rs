//! FAPI 1.0 part 1 section 6.2.1, items 10 to 12: what the answers of a protected resource, here UserInfo, tell about
//! themselves: their date, and the id by which client and server find the same request in their logs.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use chancery_core::context::RequestId;
use chancery_types::Timestamp;
use http::header::DATE;
use http::{HeaderMap, HeaderName, HeaderValue};
use httpdate::HttpDate;

static INTERACTION_ID: HeaderName = HeaderName::from_static("x-fapi-interaction-id");

/// The id of a request to a protected resource: the client's, if it has sent a UUID, or else one of these random
/// bytes. Every entry of the log about the request has it.
pub(crate) fn request_id(headers: &HeaderMap, random: [u8; 16]) -> RequestId {
    let mut sent = headers.get_all(&INTERACTION_ID).iter();
    let only = sent.next().filter(|_| sent.next().is_none()).and_then(|value| value.to_str().ok());
    RequestId(only.filter(|text| is_uuid(text)).map_or_else(|| uuid(random).into(), Into::into))
}

/// Writes the headers.
pub(crate) fn tell(headers: &mut HeaderMap, request_id: Option<HeaderValue>, now: Timestamp) {
    if let Some(id) = request_id {
        headers.insert(&INTERACTION_ID, id);
    }
    if let Some(date) = date(now) {
        headers.insert(DATE, date);
    }
}

/// The date of the last answer, and the second that it is for: most answers have that of the one before.
static LAST: Mutex<Option<(i64, HeaderValue)>> = Mutex::new(None);

fn date(now: Timestamp) -> Option<HeaderValue> {
    let second = now.secs();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, date)) = last.as_ref().filter(|(of, _)| *of == second) {
        return Some(date.clone());
    }
    let date = written(second)?;
    *last = Some((second, date.clone()));
    Some(date)
}

/// RFC 9110 section 5.6.7: an IMF-fixdate, which always has 29 bytes.
fn written(second: i64) -> Option<HeaderValue> {
    // Later dates do not have the form; no clock shows them.
    const YEAR_10000: u64 = 253_402_300_800;
    let since = u64::try_from(second).unwrap_or_default().min(YEAR_10000 - 1);
    let at = HttpDate::from(UNIX_EPOCH.checked_add(Duration::from_secs(since))?);
    let mut text = [0; 29];
    write!(&mut text[..], "{at}").ok()?;
    HeaderValue::from_bytes(&text).ok()
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
    let mut text = String::with_capacity(36);
    for (at, byte) in bits.to_be_bytes().into_iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for half in [byte >> 4, byte & 0xf] {
            text.push(char::from(if half < 10 { b'0' + half } else { b'a' - 10 + half }));
        }
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

    /// The example of RFC 9110 section 5.6.7; each second has its own, whatever came before.
    #[test]
    fn dates_are_those_of_their_second() {
        let at = |secs| date(Timestamp::from_secs(secs)).unwrap();
        for _ in 0..2 {
            assert_eq!(at(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
            assert_eq!(at(784_111_778), "Sun, 06 Nov 1994 08:49:38 GMT");
            assert_eq!(at(784_111_778), "Sun, 06 Nov 1994 08:49:38 GMT");
            assert_eq!(at(-1), "Thu, 01 Jan 1970 00:00:00 GMT");
            assert_eq!(at(400_000_000_000), "Fri, 31 Dec 9999 23:59:59 GMT");
        }
    }
}
