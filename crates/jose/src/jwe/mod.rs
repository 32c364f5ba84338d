//! JWE in the compact serialisation (RFC 7516 section 7.1).

mod algorithm;
pub use algorithm::{ContentEncryptionAlgorithm, KeyManagementAlgorithm};

mod agreement;
mod content;
mod key_wrap;

mod encryption_key;
pub use encryption_key::{EncryptionKey, EncryptionKeyType};

mod decryption_key;
pub use decryption_key::{DecryptionKey, EncryptedKey};

mod shared_key;
pub use shared_key::SharedKey;

mod encrypt;
pub use encrypt::{JweWriter, Recipient};

mod compact;
pub use compact::{CompactJwe, Decrypted, JweHeader, is_encrypted};

/// A source of random bytes that fills the buffer.
type Fill<'f> = &'f dyn Fn(&mut [u8]);
