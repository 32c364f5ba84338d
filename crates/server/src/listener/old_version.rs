//! ClientHellos of versions before TLS 1.2, which are refused by `protocol_version` (RFC 8446 appendix D.2, RFC 5246
//! appendix E.1).
//!
//! rustls looks for `signature_algorithms` before it looks at the version. Clients of old versions do not send that
//! extension, and would be told of a `handshake_failure`, which does not say what has to be updated.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// More than any such ClientHello has.
const LONGEST: usize = 1024;

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SUPPORTED_VERSIONS: [u8; 2] = [0, 43];
const TLS_1_2: [u8; 2] = [3, 3];

/// A record with the fatal alert `protocol_version` (RFC 8446 section 6).
const ALERT: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];

/// Refuses a client of an old version. Any other one, and one whose ClientHello has not arrived as a whole, is left to
/// rustls.
pub(super) async fn is_refused(stream: &mut TcpStream) -> bool {
    let mut first = [0; LONGEST];
    let length = stream.peek(&mut first).await.unwrap_or(0);
    let is_refused = first.get(..length).and_then(is_old) == Some(true);
    if is_refused {
        // If it were left unread, the end of the connection would be a reset, which can overtake the alert.
        let _read = stream.read(&mut first).await;
        let _written = stream.write_all(&ALERT).await;
        let _closed = stream.shutdown().await;
    }
    is_refused
}

/// Whether a ClientHello (RFC 8446 section 4.1.2) is of a version before TLS 1.2; `None` for anything else, or a part of
/// one.
fn is_old(sent: &[u8]) -> Option<bool> {
    let (version, rest) = sent
        .strip_prefix(&[HANDSHAKE, 3])?
        .get(3..)?
        .strip_prefix(&[CLIENT_HELLO])?
        .get(3..)?
        .split_first_chunk::<2>()?;
    let after_random = rest.get(32..)?;
    let after_session = behind(after_random, 1)?;
    let after_suites = behind(after_session, 2)?;
    let after_compression = behind(after_suites, 1)?;
    let mut extensions = if after_compression.is_empty() { &[] } else { after_compression.get(2..)? };
    while let Some((kind, rest)) = extensions.split_first_chunk::<2>() {
        if *kind == SUPPORTED_VERSIONS {
            return Some(false);
        }
        extensions = behind(rest, 2)?;
    }
    Some(*version < TLS_1_2)
}

/// What stands behind a vector whose length has this many octets.
fn behind(from: &[u8], width: usize) -> Option<&[u8]> {
    let (length, rest) = from.split_at_checked(width)?;
    let length = length.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
    rest.get(length..)
}
