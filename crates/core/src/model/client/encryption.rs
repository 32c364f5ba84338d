//! OpenID Connect Dynamic Client Registration 1.0 section 2 and JARM section 3: `*_encrypted_response_alg` and
//! `*_encrypted_response_enc`.

use chancery_jose::{ContentEncryptionAlgorithm, KeyManagementAlgorithm};

use super::Reader;

/// How a response is encrypted for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encryption {
    /// How the client learns the key.
    pub alg: KeyManagementAlgorithm,
    /// How the content is encrypted.
    pub enc: ContentEncryptionAlgorithm,
}

impl Encryption {
    /// Reads a pair of members of a standard, of which `enc` has a default.
    pub(super) fn read(
        from: &mut Reader<'_>,
        [alg_member, enc_member]: [&'static str; 2],
        section: &'static str,
    ) -> Option<Self> {
        let (alg, enc) = (from.string(alg_member), from.string(enc_member));
        let enc = enc.map(|text| {
            let known = ContentEncryptionAlgorithm::parse(&text);
            if known.is_none() {
                from.complain_by(
                    enc_member,
                    format!("{text:?} is not an encryption of this server"),
                    section,
                );
            }
            known.unwrap_or_default()
        });
        let Some(text) = alg else {
            if enc.is_some() {
                from.complain_by(enc_member, format!("must not be given without {alg_member}"), section);
            }
            return None;
        };
        let alg = KeyManagementAlgorithm::parse(&text);
        if alg.is_none() {
            from.complain_by(alg_member, format!("{text:?} is not an encryption of this server"), section);
        }
        Some(Self { alg: alg?, enc: enc.unwrap_or_default() })
    }
}
