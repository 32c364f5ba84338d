//! OIDC Core section 5.2, claims in several languages and scripts, and the parameter `claims_locales`.
//! Config     `[claims] locales`
//! Discovery  claims_locales_supported

use chancery_types::is_language_tag;
use serde_json::value::RawValue;

use crate::model::{ClaimName, Claims};

/// The most languages that are read of a request.
const LIMIT: usize = 16;

/// Answers in the language that the client prefers: a claim that is there in one of these languages comes in
/// the best of them alone, and without a tag. What was requested with a tag keeps it, and what is there in no
/// such language stays as it is.
pub(super) fn preferred(claims: Claims, names: &[&str], locales: &str) -> Claims {
    let languages: Vec<&str> = locales.split(' ').filter(|tag| is_language_tag(tag)).take(LIMIT).collect();
    let mut answer = Claims::default();
    for (name, value) in claims.iter() {
        let this = ClaimName::of(name);
        let best = if names.contains(&this.claim) { best(&claims, this.claim, &languages) } else { None };
        let Some(best) = best else {
            answer.set_raw(name, value.to_owned());
            continue;
        };
        answer.set_raw(this.claim, best.to_owned());
        let is_asked = |asked: &&str| ClaimName::of(asked).language.is_some() && covers(asked, this);
        if this.language.is_some() && names.iter().any(is_asked) {
            answer.set_raw(name, value.to_owned());
        }
    }
    for source in claims.sources() {
        answer.add_source(source.clone());
    }
    answer
}

fn covers(asked: &str, name: ClaimName<'_>) -> bool {
    ClaimName::of(asked).covers(name)
}

/// The value of a claim in the first of these languages that it is there in: in just that one, then in a more
/// specific one (OIDC Core section 5.2), then in a more general one (RFC 4647 section 3.4).
fn best<'a>(claims: &'a Claims, claim: &str, languages: &[&str]) -> Option<&'a RawValue> {
    let tagged = || {
        claims.iter().filter_map(move |(name, value)| {
            let ClaimName { claim: of, language } = ClaimName::of(name);
            language.filter(|_| of == claim).map(|language| (language, value))
        })
    };
    let exactly = |wanted: &str| tagged().find(|(said, _)| said.eq_ignore_ascii_case(wanted));
    let is_in = |wanted: &str, said: &str| {
        let [asked, said] = [wanted, said].map(|language| ClaimName { claim, language: Some(language) });
        asked.covers(said)
    };
    let found = languages.iter().find_map(|wanted| {
        let shorter = std::iter::successors(Some(*wanted), |tag| tag.rsplit_once('-').map(|(head, _)| head));
        exactly(wanted)
            .or_else(|| tagged().find(|(said, _)| is_in(wanted, said)))
            .or_else(|| shorter.skip(1).find_map(exactly))
    });
    found.map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(claims: &str, names: &[&str], locales: &str) -> String {
        let claims: Claims = serde_json::from_str(claims).unwrap();
        serde_json::to_string(&preferred(claims, names, locales)).unwrap()
    }

    #[test]
    fn the_best_language_comes_without_a_tag() {
        let person = r#"{"name":"0","name#de":"1","name#de-CH":"2","name#ja-Kana-JP":"3","email":"e"}"#;
        for (locales, name) in [
            ("de", "1"),
            ("DE", "1"),
            ("de-CH", "2"),
            ("de-ch fr", "2"),
            ("fr de", "1"),
            ("de-AT", "1"),
            ("ja", "3"),
            ("ja-Kana", "3"),
            ("ja-Kana-JP-x", "3"),
            ("-- ö  de", "1"),
        ] {
            let expected = format!(r#"{{"name":"{name}","email":"e"}}"#);
            assert_eq!(answered(person, &["name", "email"], locales), expected, "{locales}");
        }
        for none in ["", "fr", "ja-Hira", "d", "*", "de_CH"] {
            assert_eq!(answered(person, &["name", "email"], none), person, "{none}");
        }
        let too_many = "fr ".repeat(LIMIT) + "de";
        assert_eq!(answered(person, &["name", "email"], &too_many), person);
    }

    #[test]
    fn what_was_asked_for_with_a_tag_keeps_it() {
        let person = r#"{"name":"0","name#de":"1","name#fr":"2","website#de":"3"}"#;
        assert_eq!(
            answered(person, &["name", "name#fr", "website#de"], "de"),
            r#"{"name":"1","name#fr":"2","website#de":"3"}"#
        );
        assert_eq!(answered(r#"{"website#de":"3"}"#, &["website"], "de"), r#"{"website":"3"}"#);
    }
}
