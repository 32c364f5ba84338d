//! Passwords and their Argon2id hashes (RFC 9106), with 19 MiB, two passes and one lane.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use chancery_core::error::Fault;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The hash that is compared when the user name is unknown, so that the answer takes as long as for a known
/// one. It has the same parameters, and nobody knows a password for it.
pub(crate) const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$Y2hhbmNlcnktbm9ib2R5IQ$cY2Xl8YJ2b1mC1m0y3xw0l5p3m3Q1rGvN0bJx1uS9hE";

/// A password in clear, in the form that is hashed: composed (NFC), with every kind of space replaced by the
/// ordinary one (RFC 8265 section 4.2.2, NIST SP 800-63B-4 section 3.1.1.2), because devices differ in the
/// characters that they send for the same keys.
///
/// Unlike in the RFC, invisible characters are allowed, because many emoji are joined from several by them. A
/// password cannot be printed, and it is wiped from memory when it is dropped.
pub struct Password(Zeroizing<String>);

impl Password {
    /// The minimum length of a new password, in characters.
    pub const SHORTEST: usize = 8;

    /// Takes what was typed.
    #[must_use]
    pub fn new(typed: Zeroizing<String>) -> Self {
        Self::from(typed.as_str())
    }

    /// The length in characters, which are code points (NIST SP 800-63B-4 section 3.1.1.2).
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.chars().count()
    }

    pub(crate) fn characters(&self) -> impl Iterator<Item = char> + '_ {
        self.0.chars()
    }

    /// Whether two passwords that one person has typed are the same one.
    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }

    pub(crate) fn in_lower_case(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_lowercase())
    }

    /// The PHC string to be stored. Making it takes some 30 ms.
    pub(crate) fn hash(&self, salt: &[u8; 16], memory: &mut HashingMemory) -> Result<String, Fault> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(argon2_fault)?;
        let stored = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(argon2_fault)?,
            salt: Some(Salt::new(salt).map_err(argon2_fault)?),
            hash: Some(
                self.digest(Algorithm::Argon2id, Version::V0x13, params, salt, memory)
                    .map_err(argon2_fault)?,
            ),
        };
        Ok(stored.to_string())
    }

    /// Whether the stored PHC string was made from this password. It takes as long as the string's parameters
    /// demand. A string that is malformed or demands more memory than ours matches no password.
    pub(crate) fn is_of(&self, stored: &str, memory: &mut HashingMemory) -> bool {
        self.compared_with(stored, memory).unwrap_or(false)
    }

    fn compared_with(&self, stored: &str, memory: &mut HashingMemory) -> Option<bool> {
        let stored = PasswordHash::new(stored).ok()?;
        let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
        let version = Version::try_from(stored.version?).ok()?;
        let params = Params::try_from(&stored).ok()?;
        let digest = self.digest(algorithm, version, params, &stored.salt?, memory).ok()?;
        // `Output` is compared in constant time.
        Some(digest == stored.hash?)
    }

    fn digest(
        &self,
        algorithm: Algorithm,
        version: Version,
        params: Params,
        salt: &[u8],
        memory: &mut HashingMemory,
    ) -> argon2::Result<Output> {
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let mut digest = Zeroizing::new([0; Output::MAX_LENGTH]);
        let digest = digest.get_mut(..length).ok_or(argon2::Error::OutputTooLong)?;
        let argon2 = Argon2::new(algorithm, version, params);
        argon2.hash_password_into_with_memory(self.0.as_bytes(), salt, digest, memory.blocks())?;
        Output::new(digest).map_err(|_| argon2::Error::OutputTooLong)
    }
}

impl From<&str> for Password {
    fn from(typed: &str) -> Self {
        // NFC makes text at most three times as long (UAX 15); a string that grows would leave unwiped copies
        // behind.
        let mut composed = Zeroizing::new(String::with_capacity(3 * typed.len()));
        composed.extend(typed.chars().map(with_ordinary_spaces).nfc());
        Self(composed)
    }
}

/// Replaces a space of the general category Zs by the ordinary one.
fn with_ordinary_spaces(character: char) -> char {
    match character {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// The memory in which one password after another is hashed. It is allocated for the first one and then kept,
/// because allocators tend not to reuse blocks of this size, and the process would grow with each login.
///
/// What a password leaves in it is worth no more to an attacker than its stored hash, because guesses cost as
/// much.
#[derive(Default)]
pub(crate) struct HashingMemory(Vec<Block>);

impl HashingMemory {
    fn blocks(&mut self) -> &mut [Block] {
        if self.0.is_empty() {
            self.0 = vec![Block::default(); MEMORY_KIB as usize];
        }
        &mut self.0
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

    fn hash(text: &str) -> String {
        password(text).hash(&[7; 16], &mut HashingMemory::default()).unwrap()
    }

    fn fits(text: &str, stored: &str) -> bool {
        password(text).is_of(stored, &mut HashingMemory::default())
    }

    #[test]
    fn only_the_same_password_fits() {
        let stored = hash("correct horse");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(fits("correct horse", &stored));
        assert!(!fits("correct horse ", &stored));
    }

    /// The string that the reference implementation in C makes of the same password, salt and parameters.
    #[test]
    fn the_reference_implementation_makes_the_same_hash() {
        let theirs = "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$cTLmpgKLeruU6za+t2cUZ3fNfHVCYhGoJ8inpcUNcwc";
        assert_eq!(hash("correct horse"), theirs);
    }

    /// FR-08: one password, however the device writes it; and nothing more than that.
    #[test]
    fn one_password_however_it_is_typed() {
        for (set, typed, is_same) in [
            ("Gr\u{fc}\u{df}e aus K\u{f6}ln", "Gru\u{308}\u{df}e aus Ko\u{308}ln", true),
            ("Gru\u{308}\u{df}e aus Ko\u{308}ln", "Gr\u{fc}\u{df}e aus K\u{f6}ln", true),
            ("\u{212b}ngstr\u{f6}m", "A\u{30a}ngstro\u{308}m", true),
            (
                "\u{d55c}\u{ad6d}\u{c5b4}",
                "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}\u{110b}\u{1165}",
                true,
            ),
            ("q\u{307}\u{323}", "q\u{323}\u{307}", true),
            ("correct horse", "correct\u{a0}horse", true),
            ("correct\u{3000}horse", "correct horse", true),
            ("correct horse", "correct horse ", false),
            ("correct horse", "Correct horse", false),
            ("correct horse", "\u{ff43}orrect horse", false),
            ("Stra\u{df}enbahn", "Strassenbahn", false),
            ("\u{fb01}nale", "finale", false),
            ("ilker", "\u{131}lker", false),
            ("correct horse", "correct\u{200b} horse", false),
            ("e\u{301}", "e", false),
        ] {
            assert_eq!(Password::from(set).0 == Password::from(typed).0, is_same, "{set:?} {typed:?}");
        }
    }

    #[test]
    fn a_password_is_copied_without_leaving_pieces() {
        for typed in ["\u{fb1d}", "\u{1d160}", "\u{390}", "\u{958}", "x", "\u{e4}", "\u{2adc}"] {
            let typed = typed.repeat(100);
            let composed = Password::from(&*typed).0;
            assert!(composed.len() <= 3 * typed.len(), "{typed:?}");
            assert_eq!(composed.capacity(), 3 * typed.len(), "{typed:?}");
        }
    }

    #[test]
    fn reused_memory_does_not_change_a_hash() {
        let mut memory = HashingMemory::default();
        let stored = password("correct horse").hash(&[7; 16], &mut memory).unwrap();
        assert_eq!(stored, hash("correct horse"));
        assert!(!password("battery staple").is_of(&stored, &mut memory));
        assert!(password("correct horse").is_of(&stored, &mut memory));
    }

    #[test]
    fn the_dummy_hash_costs_as_much_as_a_real_one() {
        let parts = |phc: &str| phc.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!(parts(DUMMY_HASH), parts(&hash("x")));
        assert!(PasswordHash::new(DUMMY_HASH).is_ok(), "otherwise it would fail at once");
        assert!(!fits("x", DUMMY_HASH));
    }

    #[test]
    fn a_malformed_or_greedy_hash_matches_nothing() {
        let stored = hash("x");
        let cut = stored.rsplit_once('$').unwrap().0;
        let greedy = stored.replace("m=19456", "m=4194304");
        for stored in ["", "x", "$argon2id$", "$scrypt$ln=1$c2FsdHNhbHQ$aGFzaGhhc2g", cut, &greedy] {
            assert!(!fits("x", stored), "{stored}");
        }
    }
}
