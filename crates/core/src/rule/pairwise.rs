//! OIDC Core section 8, subject identifier types, and section 8.1, the pairwise identifier algorithm; OpenID
//! Connect Dynamic Client Registration 1.0 section 5, the validation of `sector_identifier_uri`.
//! Config     `[subjects]`
//! Discovery  `subject_types_supported`

use std::collections::BTreeSet;
use std::sync::Arc;

use chancery_jose::json;
use chancery_types::AccountId;
use chancery_types::iana::SubjectType;

use crate::error::{Complaint, Fault};
use crate::fetch::{DynFetch, FetchRequest, document};
use crate::keys::KeySet;
use crate::model::{Client, Holder, Subject};
use crate::policy::DynClientPolicy;

/// Computes `sub`. Nothing else does.
pub struct Subjects {
    keys: Arc<KeySet>,
    policy: Arc<dyn DynClientPolicy>,
}

impl Subjects {
    /// With the key of the realm, unless the application chooses pairwise subjects itself.
    #[must_use]
    pub fn new(keys: Arc<KeySet>, policy: Arc<dyn DynClientPolicy>) -> Self {
        Self { keys, policy }
    }

    /// The subject of this person at this client: the account id, or one for the client's sector.
    #[must_use]
    pub fn of<'a>(&self, client: &Client, account: &'a AccountId) -> Subject<'a> {
        match client.subject_type() {
            SubjectType::Public => Subject::public(account),
            SubjectType::Pairwise => {
                let sector = client.sector();
                let chosen = self.policy.pairwise(&sector, account);
                chosen.unwrap_or_else(|| {
                    Subject::pairwise(&self.keys.pairwise_subject(sector.as_str(), account.as_str()))
                })
            }
        }
    }

    /// The subject of a token of this client: the person, or the client itself (RFC 9068 section 2.2).
    pub(crate) fn of_holder<'a>(&self, client: &'a Client, holder: &'a Holder) -> Subject<'a> {
        match holder.account() {
            Some(account) => self.of(client, account),
            None => Subject::of_client(client.id()),
        }
    }
}

/// Why a `sector_identifier_uri` cannot be registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectorRefused {
    /// What the client may know.
    pub complaint: Complaint,
    /// Why the document cannot be had, for our own log.
    pub cause: Option<Fault>,
}

const NAME: &str = "sector_identifier_uri";
const SECTION: &str = "OIDC Registration section 5";

/// How long the document may be.
const LONGEST: usize = 256 * 1024;

/// Fetches the document of a client's `sector_identifier_uri`, if it has one, and checks that it lists all redirect
/// URIs. Also for a client with public subjects, which may be registered for pairwise ones tomorrow.
///
/// # Errors
/// Why the client cannot be registered.
pub async fn check_sector(client: &Client, fetch: &dyn DynFetch) -> Result<(), SectorRefused> {
    let Some(uri) = &client.metadata().openid.sector_identifier_uri else { return Ok(()) };
    let refused =
        |rule: String, cause| Err(SectorRefused { complaint: Complaint::new(NAME, rule, SECTION), cause });
    if !fetch.reaches_others() {
        return refused(NOTHING_IS_FETCHED.to_owned(), None);
    }
    let request = FetchRequest::get(uri.as_str(), "application/json", LONGEST);
    let request = request.of_stranger(client.is_dynamic());
    let answer = match document(fetch, &request).await {
        Ok(answer) => answer,
        Err(fault) => return refused(UNAVAILABLE.to_owned(), Some(fault)),
    };
    let Some(listed) = listed(answer.body()) else {
        return refused("must lead to a JSON array of strings".to_owned(), None);
    };
    // CIBA Core section 4: the document can list what stands in place of redirect URIs.
    let of_ciba = client.metadata().place_of_ciba();
    let mut uris = client.redirect_uris().iter().chain(&of_ciba);
    match uris.find(|uri| !listed.contains(uri.as_str())) {
        Some(missing) => refused(format!("must lead to an array that has {missing:?}"), None),
        None => Ok(()),
    }
}

const NOTHING_IS_FETCHED: &str = "cannot be registered, because this server fetches nothing";
const UNAVAILABLE: &str = "must lead to a JSON document that can be fetched";

/// The complaint about a `sector_identifier_uri` of a client that is registered without fetching anything.
pub(crate) fn unfetched(client: &Client) -> Option<Complaint> {
    let uri = client.metadata().openid.sector_identifier_uri.as_ref();
    uri.map(|_| Complaint::new(NAME, NOTHING_IS_FETCHED, SECTION))
}

/// The redirect URIs of a sector, as they stand there; `None` if the document is anything but an array of strings.
fn listed(document: &[u8]) -> Option<BTreeSet<String>> {
    json::check(document).ok()?;
    serde_json::from_slice(document).ok()
}

#[cfg(test)]
mod tests {
    use chancery_seeded::Seeded;

    use super::*;

    #[test]
    fn only_an_array_of_strings_is_a_sector() {
        for (document, urls) in [
            ("[]", Some(0)),
            (r#"["https://a.example/cb"]"#, Some(1)),
            ("\n [ \"https://a.example/cb\" , \"b\", \"b\" ] \n", Some(2)),
            (r#"["https:\/\/a.example\/cb"]"#, Some(1)),
            ("", None),
            ("null", None),
            (r#""https://a.example/cb""#, None),
            (r#"{"redirect_uris":["https://a.example/cb"]}"#, None),
            (r#"{"0":"https://a.example/cb"}"#, None),
            (r#"["https://a.example/cb",7]"#, None),
            (r#"["https://a.example/cb",null]"#, None),
            (r#"[["https://a.example/cb"]]"#, None),
            (r#"["https://a.example/cb"]x"#, None),
            (r#"["https://a.example/cb"],[]"#, None),
            (r#"["https://a.example/cb",]"#, None),
            ("\u{feff}[]", None),
            ("<html>", None),
        ] {
            assert_eq!(listed(document.as_bytes()).map(|urls| urls.len()), urls, "{document}");
        }
        assert_eq!(listed(b"[\"\xff\"]"), None, "not UTF-8");
        assert_eq!(listed("[".repeat(100_000).as_bytes()), None, "deeper than anybody reads");
    }

    /// Generated documents: an array of strings is read as these strings, and with anything else among them not at
    /// all; whatever bytes come, nothing panics.
    #[test]
    fn every_list_is_read() {
        let mut seeded = Seeded::new(1);
        let mut below = |limit: usize| seeded.below(limit);
        let texts =
            ["", "https://a.example/cb", "https://b.example/ä", "\"", "\\", "\u{0}", "]", ",", "null"];
        let others = ["null", "7", "true", "[]", "{}", "[\"a\"]", "\"", ","];
        for _ in 0..100_000 {
            let chosen: Vec<&str> = (0..below(6)).map(|_| texts[below(texts.len())]).collect();
            let mut items: Vec<String> =
                chosen.iter().map(|text| serde_json::to_string(text).unwrap()).collect();
            let read = listed(format!("[{}]", items.join(",")).as_bytes());
            assert_eq!(read, Some(chosen.into_iter().map(str::to_owned).collect()));
            let at = below(items.len() + 1);
            items.insert(at, others[below(others.len())].to_owned());
            let mut document = format!("[{}]", items.join(",")).into_bytes();
            assert_eq!(listed(&document), None, "{items:?}");
            let at = below(document.len());
            document[at] = u8::try_from(below(256)).unwrap();
            let _ = listed(&document);
        }
    }
}
