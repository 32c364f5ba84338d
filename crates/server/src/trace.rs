//! The trace of which a request is a part (W3C Trace Context): its id is in every line of the log about the request.

use http::HeaderMap;

/// The trace that a caller has named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trace([u8; 32]);

tokio::task_local! {
    /// The trace of the request that this task answers.
    static CURRENT: Trace;
}

const HEADER: &str = "traceparent";

impl Trace {
    /// The trace of these headers.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        Some(Self(sent(headers)?.as_bytes().get(3..35)?.try_into().ok()?))
    }

    /// The trace with this id.
    #[cfg(feature = "opentelemetry")]
    pub(crate) fn of_id(id: [u8; 16]) -> Self {
        let digits = id.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        let mut text = [0; 32];
        for (place, digit) in text.iter_mut().zip(digits) {
            *place = digit + if digit < 10 { b'0' } else { b'a' - 10 };
        }
        Self(text)
    }

    /// Does the work as a part of the trace, if there is one.
    pub(crate) async fn around<T>(trace: Option<Self>, work: impl Future<Output = T>) -> T {
        match trace {
            Some(trace) => CURRENT.scope(trace, work).await,
            None => work.await,
        }
    }

    /// That of the request which this task answers.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_get().ok()
    }

    /// Its id, 32 hexadecimal digits.
    pub(crate) fn id(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The `traceparent` of these headers as far as this version knows it: `00-<32 digits>-<16 digits>-<2 digits>`, in ASCII.
/// One that is malformed or comes twice is not used (Trace Context sections 3.2 and 4.3).
pub(crate) fn sent(headers: &HeaderMap) -> Option<&str> {
    let mut sent = headers.get_all(HEADER).iter();
    let only = sent.next().filter(|_| sent.next().is_none())?;
    std::str::from_utf8(known(only.as_bytes())?).ok()
}

/// What is well-formed by section 3.2.2. What a later version has appended is ignored (section 4.3).
fn known(sent: &[u8]) -> Option<&[u8]> {
    let (known, rest) = sent.split_at_checked(55)?;
    let version = known.get(..2)?;
    let (id, parent, flags) = (known.get(3..35)?, known.get(36..52)?, known.get(53..)?);
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let are_digits = [version, id, parent, flags].into_iter().flatten().all(is_digit);
    let are_apart = [2, 35, 52].iter().all(|at| known.get(*at) == Some(&b'-'));
    let is_version = match version {
        b"00" => rest.is_empty(),
        b"ff" => false,
        _ => rest.is_empty() || rest.starts_with(b"-"),
    };
    let is_zero = |id: &[u8]| id.iter().all(|byte| *byte == b'0');
    (are_digits && are_apart && is_version && !is_zero(id) && !is_zero(parent)).then_some(known)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of(sent: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in sent {
            headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
        }
        Trace::of(&headers).map(|trace| trace.id().to_owned())
    }

    #[test]
    fn what_is_good_names_a_trace() {
        let id = Some("4bf92f3577b34da6a3ce929d0e0e4736".to_owned());
        for flags in ["00", "01", "02", "ff"] {
            assert_eq!(of(&[format!("{}{flags}", &GOOD[..53]).as_bytes()]), id, "{flags}");
        }
        for later in ["01", "42", "fe"] {
            for rest in ["", "-", "-what comes-later"] {
                let sent = format!("{later}{}{rest}", &GOOD[2..]);
                assert_eq!(of(&[sent.as_bytes()]), id, "{sent}");
            }
        }
    }

    #[cfg(feature = "opentelemetry")]
    #[test]
    fn an_id_is_written_in_lower_case() {
        let id =
            [0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36];
        assert_eq!(Trace::of_id(id).id(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }

    #[test]
    fn what_is_malformed_is_not_used() {
        let zeros = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
        let no_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
        for sent in [
            "",
            "-",
            "00",
            zeros,
            no_parent,
            &GOOD[..54],
            &GOOD[1..],
            &format!("{GOOD}0"),
            &format!("{GOOD}-"),
            &format!("{GOOD}-more"),
            &format!(" {GOOD}"),
            &GOOD.to_uppercase(),
            &GOOD.replace('-', "_"),
            &GOOD.replacen("-00f", "0-0f", 1),
            &GOOD.replace("4bf", "4bg"),
            &GOOD.replace("0e0e", "0E0e"),
            &GOOD.replace("-01", "-0g"),
            &GOOD.replace("-01", "-1\t"),
            &format!("ff{}", &GOOD[2..]),
            &format!("0x{}", &GOOD[2..]),
            &format!("01{}x", &GOOD[2..]),
            &format!("{GOOD},{GOOD}"),
            &"0".repeat(8_000),
        ] {
            assert_eq!(of(&[sent.as_bytes()]), None, "{sent}");
        }
        assert_eq!(of(&[&[0xff; 55]]), None);
        assert_eq!(of(&[GOOD.as_bytes(), GOOD.as_bytes()]), None, "twice");
        assert_eq!(of(&[]), None);
    }
}
