//! What can be wrong with a token or a key: one variant per broken rule.

/// A broken rule. It carries nothing of the input, so it may be logged and sent to the peer.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// Longer than the limit for its kind.
    TooLong,
    /// Not the base64url without padding of RFC 7515 section 2: wrong alphabet, padding, whitespace, or bits
    /// left over.
    Base64,
    /// Not JSON in UTF-8, or not an object where one is expected.
    Json,
    /// Nested deeper than [`json::MAX_DEPTH`](crate::json::MAX_DEPTH).
    TooDeep,
    /// A member name occurs twice in one object (RFC 7515 section 4, RFC 7517 section 4, RFC 7519 section 4).
    DuplicateMember,
    /// A member that the format requires is absent.
    MissingMember,
    /// A member has another JSON type than its definition says.
    MemberType,
    /// Not exactly three parts separated by dots (RFC 7515 section 3.1).
    NotCompact,
    /// Not exactly five parts separated by dots (RFC 7516 section 7.1).
    NotCompactJwe,
    /// The algorithm is unknown, or it is `none` (RFC 8725 section 3.2).
    UnknownAlgorithm,
    /// The header has `crit`: no extension is understood here (RFC 7515 section 4.1.11).
    UnknownCritical,
    /// The header has `b64`: only encoded payloads are read (RFC 7797 section 7).
    UnencodedPayload,
    /// The header has `zip`: nothing is decompressed (RFC 8725 section 3.6).
    Compressed,
    /// A part of a JWE has another length than its algorithm says.
    PartLength,
    /// The key type is unknown, or it is not a type of asymmetric keys.
    UnknownKeyType,
    /// The curve is unknown.
    UnknownCurve,
    /// A private or symmetric key where a public one is expected.
    PrivateMember,
    /// A private key that lacks private members (RFC 7518 section 6.3.2), or has more than two primes.
    IncompletePrivateKey,
    /// A coordinate or private value has another length than its curve says (RFC 7518 section 6.2.1.2).
    CoordinateLength,
    /// An RSA number begins with a zero octet (RFC 7518 section 6.3.1.1).
    LeadingZero,
    /// An RSA modulus below 2048 bits (RFC 7518 section 3.3) or above 8192.
    ModulusSize,
    /// An RSA exponent that is even, 1, or longer than 32 bits.
    Exponent,
    /// The numbers do not form a key: the point is off the curve, or private and public part do not belong
    /// together.
    InvalidKey,
    /// `use` or `key_ops` forbid signatures (RFC 7517 sections 4.2 and 4.3).
    NotForSignatures,
    /// `use` or `key_ops` forbid encryption (RFC 7517 sections 4.2 and 4.3).
    NotForEncryption,
    /// `key_ops` has an operation twice, or contradicts `use` (RFC 7517 section 4.3).
    KeyOperations,
    /// Two keys of one set have the same `kid`.
    DuplicateKeyId,
    /// The key cannot be used with this algorithm (RFC 8725 section 3.1).
    KeyNotForAlgorithm,
    /// A shared secret shorter than the output of the hash (RFC 7518 section 3.2).
    SecretTooShort,
    /// The signature does not belong to this input and key.
    Signature,
    /// A JWE that does not decrypt with this key. Whatever was wrong looks the same (RFC 7516 section 11.5).
    Decryption,
    /// A NumericDate before 1970 or after 9999 (RFC 7519 section 2).
    NumericDate,
    /// The text is not a digest of a secret.
    SecretDigest,
    /// The cryptographic library failed: out of memory, or no entropy.
    Library,
}

impl Error {
    const fn text(self) -> &'static str {
        match self {
            Self::TooLong => "it is too long",
            Self::Base64 => "it is not base64url without padding",
            Self::Json => "it is not the expected JSON object",
            Self::TooDeep => "it is nested too deeply",
            Self::DuplicateMember => "a member occurs twice",
            Self::MissingMember => "a required member is absent",
            Self::MemberType => "a member has the wrong type",
            Self::NotCompact => "it does not have three parts separated by dots",
            Self::NotCompactJwe => "it does not have five parts separated by dots",
            Self::UnknownAlgorithm => "its algorithm is unknown or forbidden",
            Self::UnknownCritical => "critical extensions are not supported",
            Self::UnencodedPayload => "unencoded payloads are not supported",
            Self::Compressed => "compression is not supported",
            Self::PartLength => "a part has the wrong length for its algorithm",
            Self::UnknownKeyType => "its key type is unknown",
            Self::UnknownCurve => "its curve is unknown",
            Self::PrivateMember => "it is a private or symmetric key instead of a public one",
            Self::IncompletePrivateKey => "the private key is incomplete",
            Self::CoordinateLength => "a value has the wrong length for its curve",
            Self::LeadingZero => "a number begins with a zero octet",
            Self::ModulusSize => "its RSA modulus does not have 2048 to 8192 bits",
            Self::Exponent => "its RSA exponent is unsuitable",
            Self::InvalidKey => "the numbers do not form a key",
            Self::NotForSignatures => "the key is not for signatures",
            Self::NotForEncryption => "the key is not for encryption",
            Self::KeyOperations => "the uses of the key contradict each other",
            Self::DuplicateKeyId => "two keys have the same kid",
            Self::KeyNotForAlgorithm => "the key does not fit the algorithm",
            Self::SecretTooShort => "the secret is too short for the algorithm",
            Self::Signature => "the signature does not verify",
            Self::Decryption => "the JWE does not decrypt",
            Self::NumericDate => "a date is not from 1970 to 9999",
            Self::SecretDigest => "it is not a digest of a secret",
            Self::Library => "the cryptographic library failed",
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Error {}

chancery_types::debug_as_display!(Error);
