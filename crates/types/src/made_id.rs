//! Identifiers that are made here and that people type.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The text of an identifier of random bytes, in base64url. It never begins with `-`, so that no command takes it for one
/// of its options.
///
/// ```
/// # use chancery_types::made_id;
/// assert_eq!(made_id([0; 16]), "AAAAAAAAAAAAAAAAAAAAAA");
/// assert!((0..=255).all(|first| !made_id([first; 16]).starts_with('-')));
/// ```
#[must_use]
pub fn made_id(mut random: [u8; 16]) -> String {
    let [first, ..] = &mut random;
    // `-` stands for the six bits 62.
    if *first >> 2 == 62 {
        *first ^= 0x80;
    }
    URL_SAFE_NO_PAD.encode(random)
}
