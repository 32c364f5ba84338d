//! The language of a page: `ui_locales` (OIDC Core section 3.1.2.1), then `Accept-Language` (RFC 9110 section
//! 12.5.4), then the first language of the pages.

use std::borrow::Cow;

use chancery_types::is_language_tag;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// How many wanted languages are read.
const MOST_LANGUAGES: usize = 16;

/// A language of the pages, as a language tag (RFC 5646).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locale(Box<str>);

impl Locale {
    /// The best of the available languages by the look-up of RFC 4647 section 3.4, which shortens a wanted
    /// tag from its end until it is available. Without a match it is the first available language, or English
    /// if there is none.
    ///
    /// ```
    /// # mod chancery { pub use chancery_http::Locale; }
    /// use chancery::Locale;
    /// let locale = Locale::negotiate(&["fr".into(), "de-CH".into()], &["en", "de"]);
    /// assert_eq!(locale.as_str(), "de");
    /// ```
    #[must_use]
    pub fn negotiate(wishes: &[Box<str>], available: &[&str]) -> Self {
        let exact = |wish: &str| available.iter().find(|have| have.eq_ignore_ascii_case(wish));
        let found = wishes.iter().find_map(|wish| {
            std::iter::successors(Some(&**wish), |tag| tag.rsplit_once('-').map(|(shorter, _)| shorter))
                .find_map(exact)
        });
        Self(found.or(available.first()).map_or("en", |tag| tag).into())
    }

    /// The available language of exactly this tag.
    pub(crate) fn chosen(tag: &str, available: &[&str]) -> Option<Self> {
        available.iter().find(|have| have.eq_ignore_ascii_case(tag)).map(|tag| Self((*tag).into()))
    }

    /// The language tag, for the attribute `lang`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// All lines of `Accept-Language` as one list (RFC 9110 section 5.3). Entries that are not ASCII are dropped
/// later.
pub(crate) fn accepted(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let lines = headers.get_all(ACCEPT_LANGUAGE).iter().map(|line| String::from_utf8_lossy(line.as_bytes()));
    lines.reduce(|list, line| Cow::Owned(format!("{list},{line}")))
}

/// The languages that the person wants, the best first. Malformed tags are left out.
pub(crate) fn wishes(ui_locales: Option<&str>, accept_language: Option<&str>) -> Vec<Box<str>> {
    let asked = ui_locales.unwrap_or("").split(' ').filter(|tag| is_language_tag(tag));
    let mut accepted: Vec<(u16, &str)> =
        accept_language.unwrap_or("").split(',').filter_map(weighted).collect();
    // The sort is stable, so that equal weights keep their order.
    accepted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let accepted = accepted.into_iter().map(|(_, tag)| tag);
    asked.chain(accepted).take(MOST_LANGUAGES).map(Into::into).collect()
}

/// `de;q=0.8` as weight in thousandths and tag; `None` for weight 0 ("not acceptable"), `*` and garbage.
fn weighted(entry: &str) -> Option<(u16, &str)> {
    let (tag, weight) = match entry.split_once(';') {
        None => (entry, 1000),
        Some((tag, parameter)) => {
            let text = parameter.trim().strip_prefix("q=").or_else(|| parameter.trim().strip_prefix("Q="))?;
            let weight: f32 = text.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1000")]
            (tag, (weight * 1000.0) as u16)
        }
    };
    let tag = tag.trim();
    (weight > 0 && is_language_tag(tag)).then_some((weight, tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(ui_locales: &str, accept_language: &str) -> String {
        let wishes = wishes(Some(ui_locales), Some(accept_language));
        Locale::negotiate(&wishes, &["en", "de", "pt-BR"]).as_str().to_owned()
    }

    #[test]
    fn ui_locales_come_before_the_header() {
        assert_eq!(negotiated("de", "en"), "de");
        assert_eq!(negotiated("fr de-CH-1996", "en"), "de");
        assert_eq!(negotiated("fr", "en;q=0.5, DE"), "de");
    }

    #[test]
    fn the_header_is_read_by_weight() {
        assert_eq!(negotiated("", "en;q=0.5,de;q=0.9"), "de");
        assert_eq!(negotiated("", "de;q=0, en;q=0.1"), "en");
        assert_eq!(negotiated("", "pt-br"), "pt-BR");
        assert_eq!(negotiated("", "pt"), "en", "a wish is shortened, never lengthened");
    }

    /// FR-02: a foreign octet costs one entry, not the list.
    #[test]
    fn all_lines_are_one_list() {
        let read = |lines: &[&[u8]]| {
            let headers =
                lines.iter().map(|line| (ACCEPT_LANGUAGE, http::HeaderValue::from_bytes(line).unwrap()));
            wishes(None, accepted(&headers.collect()).as_deref()).join(" ")
        };
        assert_eq!(read(&[b"en;q=0.5", b"de"]), "de en");
        assert_eq!(read(&[b"\xfc, de;q=0.5", b"en"]), "en de");
        assert_eq!(read(&[b"de\xff;q=0.9,en;q=0.1"]), "en");
        assert_eq!(read(&[]), "");
    }

    #[test]
    fn garbage_is_left_out() {
        assert_eq!(negotiated("<script>", ";;,q=1,*,de;q=nan,\u{e9},de;q=2"), "en");
        assert_eq!(negotiated("", ""), "en");
        assert_eq!(wishes(Some(&"de ".repeat(1000)), None).len(), MOST_LANGUAGES);
        assert_eq!(Locale::negotiate(&[], &[]).as_str(), "en");
    }
}
