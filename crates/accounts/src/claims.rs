//! Checks of the claims about a person: the types of the standard ones, and the names of an application's
//! own.

use chancery_core::error::{Complaint, Complaints};
use chancery_core::model::{ClaimName, Claims};
use chancery_types::is_language_tag;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

const STANDARD_CLAIMS: &str = "OIDC Core section 5.1";

const ADDRESS_RULE: &str = "must be an object of formatted, street_address, locality, region, postal_code and country, such as \
    {\"locality\": \"Berlin\", \"country\": \"Germany\"}";

/// How much of a value is shown.
const SHOWN: usize = 80;

/// Checks the type of a standard claim.
fn fits(name: &str, value: &RawValue) -> Result<(), &'static str> {
    match name {
        "name" | "given_name" | "family_name" | "middle_name" | "nickname" | "preferred_username"
        | "gender" | "zoneinfo" | "locale" | "phone_number" => is::<String>(value, "must be a string"),
        "profile" | "picture" | "website" => match read::<String>(value) {
            Some(url) if url.starts_with("https://") || url.starts_with("http://") => Ok(()),
            _ => Err("must be an https or http URL, such as https://www.example.org/alice"),
        },
        "email" => match read::<String>(value) {
            Some(address) if address.contains('@') => Ok(()),
            _ => Err("must be an e-mail address, such as alice@example.org"),
        },
        "birthdate" => match read::<String>(value) {
            Some(date) if is_birthdate(&date) => Ok(()),
            _ => Err("must be YYYY-MM-DD, 0000-MM-DD or YYYY"),
        },
        "email_verified" | "phone_number_verified" => is::<bool>(value, "must be true or false"),
        "updated_at" => is::<u64>(value, "must be a number of seconds since 1970, such as 1767225600"),
        "address" => is::<Address>(value, ADDRESS_RULE),
        _ => Ok(()),
    }
}

/// OIDC Core section 5.1.1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "it is parsed only to check its form")]
struct Address {
    formatted: Option<String>,
    street_address: Option<String>,
    locality: Option<String>,
    region: Option<String>,
    postal_code: Option<String>,
    country: Option<String>,
}

fn read<T: DeserializeOwned>(value: &RawValue) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}

fn is<T: DeserializeOwned>(value: &RawValue, what: &'static str) -> Result<(), &'static str> {
    read::<T>(value).map(|_| ()).ok_or(what)
}

fn is_birthdate(date: &str) -> bool {
    let shape: String = date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000" || shape == "0000-00-00"
}

/// Checks the types of standard claims (with or without a language tag, OIDC Core section 5.2), and refuses
/// claims that the provider makes by itself. All others are the application's own and may be any JSON.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn check_claims(claims: &Claims) -> Result<(), Complaints> {
    let mut complaints = Vec::new();
    for (name, value) in claims.iter() {
        let claim = ClaimName::of(name);
        if claim.is_of_protocol() {
            complaints.push(Complaint::new(
                name,
                "is set by the provider and cannot be configured",
                "OIDC Core section 2",
            ));
        } else if claim.language.is_some_and(|language| !is_language_tag(language)) {
            complaints.push(Complaint::new(
                name,
                "must have a language tag behind the #",
                "OIDC Core section 5.2",
            ));
        } else if value.get() == "null" {
            complaints.push(Complaint::new(
                name,
                "must not be null: leave it out",
                "OIDC Core section 5.3.2",
            ));
        } else if let Err(rule) = fits(claim.claim, value) {
            let section = if claim.claim == "address" { "OIDC Core section 5.1.1" } else { STANDARD_CLAIMS };
            let shown: String = value.get().chars().take(SHOWN).collect();
            complaints.push(Complaint::new(name, format!("{rule}; it is {shown}"), section));
        }
    }
    if claims.sources().next().is_some() {
        let rule = "are for accounts of your own: what others assert is not kept here";
        complaints.push(Complaint::new("_claim_sources", rule, "OIDC Core section 5.6.2"));
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints.into()) }
}

#[cfg(test)]
mod tests {
    use chancery_core::model::ClaimSource;

    use super::*;

    fn complaints(json: &str) -> Vec<String> {
        let claims: Claims = serde_json::from_str(json).unwrap();
        check_claims(&claims)
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|complaint| complaint.setting)
            .collect()
    }

    #[test]
    fn standard_and_own_claims_pass() {
        let json = r#"{"name":"Alice","name#ja":"アリス","family_name#ja-Kana-JP":"ア","email":"a@example.org","email_verified":true,"updated_at":1,
            "address":{"locality":"Bonn"},"birthdate":"0000-12-31","teams":["a"],"website":"https://alice.example"}"#;
        assert_eq!(complaints(json), [""; 0]);
    }

    #[test]
    fn every_wrong_claim_is_named_at_once() {
        let json = r#"{"name":1,"email":"nobody","email_verified":"yes","updated_at":"now","address":"Bonn","sub":"x",
            "birthdate":"31.12.","picture":"javascript:alert(1)","nickname":null}"#;
        let wrong = [
            "name",
            "email",
            "email_verified",
            "updated_at",
            "address",
            "sub",
            "birthdate",
            "picture",
            "nickname",
        ];
        assert_eq!(complaints(json), wrong);
    }

    /// OIDC Core section 5.2
    #[test]
    fn a_claim_in_a_language_is_of_the_same_type_and_has_a_tag() {
        for json in
            [r##"{"name#":"x"}"##, r##"{"name#de_DE":"x"}"##, r##"{"x#de#fr":1}"##, r##"{"name# ":"x"}"##]
        {
            assert_eq!(complaints(json).len(), 1, "{json}");
        }
        for json in [r##"{"name#de":1}"##, r##"{"website#de":"javascript:x"}"##, r##"{"sub#de":"x"}"##] {
            assert_eq!(complaints(json).len(), 1, "{json}");
        }
    }

    #[test]
    fn what_others_assert_is_not_kept() {
        for json in [r#"{"_claim_names":{"a":"src1"}}"#, r#"{"_claim_sources":{}}"#] {
            assert_eq!(complaints(json).len(), 1, "{json}");
        }
        let mut claims = Claims::default();
        claims.add_source(ClaimSource::distributed(&["a"], "https://a.example/claims", None).unwrap());
        assert_eq!(check_claims(&claims).unwrap_err().len(), 1);
    }
}
