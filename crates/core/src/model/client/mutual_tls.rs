//! RFC 8705 section 2.1.2: the name of a client's certificate.

use chancery_types::iana::ClientAuthenticationMethod;
use chancery_x509::CertificateSubject;
use serde::{Deserialize, Serialize};

use super::Reader;
use super::openid::is_false;

const RFC8705: &str = "RFC 8705 section 2.1.2";

/// What a client does with its certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MutualTls {
    /// The name that its certificate has, if it authenticates by `tls_client_auth`.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub certificate_subject: Option<CertificateSubject>,
    /// Whether it calls the endpoints by their `mtls_endpoint_aliases` (FAPI 2.0 Security Profile section 8.1.1). It
    /// says so for its own sake: both lead to the same endpoints.
    #[serde(default, skip_serializing_if = "is_false")]
    pub use_mtls_endpoint_aliases: bool,
}

impl MutualTls {
    pub(super) fn read(from: &mut Reader<'_>, method: ClientAuthenticationMethod) -> Self {
        Self {
            certificate_subject: subject(from, method == ClientAuthenticationMethod::TlsClientAuth),
            use_mtls_endpoint_aliases: from.boolean("use_mtls_endpoint_aliases").unwrap_or(false),
        }
    }
}

/// Exactly one name, if it is by a name that the client authenticates. Beside another method it means nothing, and is
/// left out.
fn subject(from: &mut Reader<'_>, is_needed: bool) -> Option<CertificateSubject> {
    let given: Vec<(&'static str, String)> = CertificateSubject::MEMBERS
        .into_iter()
        .filter_map(|member| from.string(member).map(|value| (member, value)))
        .collect();
    if !is_needed {
        for (member, _) in given {
            from.notice(format!("{member} is for tls_client_auth; it was left out"));
        }
        return None;
    }
    match given.as_slice() {
        [(member, value)] => CertificateSubject::read(member, value)
            .map_err(|error| from.complain_by(member, error.to_string(), RFC8705))
            .ok(),
        [] => {
            let others = CertificateSubject::MEMBERS.into_iter().skip(1).collect::<Vec<_>>().join(", ");
            let rule = format!("must be given for tls_client_auth, or one of {others}");
            from.complain_by("tls_client_auth_subject_dn", rule, RFC8705);
            None
        }
        [_, others @ ..] => {
            for (member, _) in others {
                from.complain_by(member, "must not stand beside another name of the certificate", RFC8705);
            }
            None
        }
    }
}
