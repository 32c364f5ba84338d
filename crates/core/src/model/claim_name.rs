//! The name of a claim (OIDC Core sections 5.1 and 5.2), understood alike wherever claims are requested,
//! stored, allowed or returned.

/// A claim, and perhaps the language of its value: `name`, `name#de`, `family_name#ja-Kana-JP`.
///
/// ```
/// # mod chancery { pub mod model { pub use chancery_core::model::ClaimName; } }
/// use chancery::model::ClaimName;
/// let asked = ClaimName::of("website#de");
/// assert_eq!((asked.claim, asked.language), ("website", Some("de")));
/// assert!(asked.covers(ClaimName::of("website#de-CH")) && asked.covers(ClaimName::of("website#DE")));
/// assert!(!asked.covers(ClaimName::of("website")) && !asked.covers(ClaimName::of("website#den")));
/// assert!(ClaimName::of("website").covers(asked));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimName<'a> {
    /// The name without the language.
    pub claim: &'a str,
    /// A BCP 47 language tag, as it was written.
    pub language: Option<&'a str>,
}

/// Claims about the token, the login and the parties, and what says where other claims are. Only the provider
/// itself sets them: an account that supplied one could speak in the provider's name.
const PROTOCOL: &[&str] = &[
    "_claim_names",
    "_claim_sources",
    "acr",
    "act",
    "amr",
    "at_hash",
    "aud",
    "auth_time",
    "azp",
    "c_hash",
    "client_id",
    "cnf",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "nonce",
    "s_hash",
    "scope",
    "sid",
    "sub",
];

impl<'a> ClaimName<'a> {
    /// Splits a name into claim and language.
    #[must_use]
    pub fn of(name: &'a str) -> Self {
        match name.split_once('#') {
            Some((claim, language)) => Self { claim, language: Some(language) },
            None => Self { claim: name, language: None },
        }
    }

    /// Whether only the provider itself sets this claim, in whatever language.
    #[must_use]
    pub fn is_of_protocol(self) -> bool {
        PROTOCOL.contains(&self.claim)
    }

    /// Whether this name, as requested or allowed, covers the other: the same claim, in any language if this
    /// name has none, otherwise in the same language or a more specific one. Language tags are
    /// case-insensitive (OIDC Core section 5.2).
    #[must_use]
    pub fn covers(self, other: ClaimName<'_>) -> bool {
        let is_spoken = |wanted: &str, said: &str| {
            said.get(..wanted.len()).is_some_and(|head| head.eq_ignore_ascii_case(wanted))
                && matches!(said.as_bytes().get(wanted.len()), None | Some(b'-'))
        };
        self.claim == other.claim
            && match (self.language, other.language) {
                (None, _) => true,
                (Some(wanted), Some(said)) => is_spoken(wanted, said),
                (Some(_), None) => false,
            }
    }
}
