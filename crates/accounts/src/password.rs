//! Argon2id (RFC 9106) with the parameters of RFC 9106's small machines: 19 MiB, two passes, one lane.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use chancery_core::error::Fault;
use zeroize::Zeroizing;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// What is compared when the name is unknown, so that it takes as long: the same parameters, and a hash that belongs to
/// no password that anybody knows.
pub(crate) const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Y2hhbmNlcnktbm9ib2R5IQ$cY2Xl8YJ2b1mC1m0y3xw0l5p3m3Q1rGvN0bJx1uS9hE";

/// A password in clear. It cannot be printed and leaves no trace in memory.
pub struct Password(Zeroizing<String>);

impl Password {
    /// How many characters it has to have (NIST SP 800-63B section 5.1.1.2).
    pub const SHORTEST: usize = 8;

    /// Keeps it.
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// How many characters it has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.chars().count()
    }

    /// The PHC string to be stored. Takes some 30 ms and 19 MiB.
    pub(crate) fn hash(&self, salt: &[u8; 16]) -> Result<String, Fault> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(argon2_fault)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = argon2.hash_password_with_salt(self.0.as_bytes(), salt).map_err(argon2_fault)?;
        Ok(hash.to_string())
    }

    /// Whether the stored PHC string was made of this password. Takes as long as the string's parameters say.
    pub(crate) fn is_of(&self, stored: &str) -> bool {
        Argon2::default().verify_password(self.0.as_bytes(), stored).is_ok()
    }
}

fn argon2_fault(error: impl std::fmt::Display) -> Fault {
    Fault::internal(format!("Argon2: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn only_the_same_password_fits() {
        let stored = password("correct horse").hash(&[7; 16]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(password("correct horse").is_of(&stored));
        assert!(!password("correct horse ").is_of(&stored));
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let parts = |phc: &str| phc.split('$').map(str::len).collect::<Vec<_>>();
        let somebody = password("x").hash(&[7; 16]).unwrap();
        assert_eq!(parts(NOBODY), parts(&somebody));
        assert!(argon2::PasswordHash::new(NOBODY).is_ok(), "else it would fail at once");
        assert!(!password("x").is_of(NOBODY));
    }

    #[test]
    fn a_damaged_hash_fits_nothing() {
        assert!(!password("").is_of(""));
        assert!(!password("x").is_of("$argon2id$"));
    }
}
