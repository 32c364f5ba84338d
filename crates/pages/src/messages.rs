//! The sentences of the pages, one catalogue per language.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chancery_http::Html;
use minijinja::value::{Kwargs, Value};
use minijinja::{Error, ErrorKind};

/// Language tag and built-in catalogue, the default language first. A catalogue is a TOML document: message id,
/// sentence.
pub(crate) const CATALOGUES: [(&str, &str); 2] =
    [("en", include_str!("../messages/en.toml")), ("de", include_str!("../messages/de.toml"))];

/// The catalogues, the default language first.
#[derive(Clone)]
pub(crate) struct Catalogues(pub(crate) Vec<Arc<Messages>>);

impl Catalogues {
    pub(crate) fn built_in() -> Self {
        let read = |(tag, text): (&str, &str)| {
            let sentences = toml::from_str(text);
            debug_assert!(sentences.is_ok(), "{tag}: {sentences:?}");
            Arc::new(Messages {
                language: tag.to_owned(),
                sentences: sentences.unwrap_or_default(),
                lacking: BTreeSet::new(),
            })
        };
        Self(CATALOGUES.into_iter().map(read).collect())
    }

    /// The languages, the default one first.
    pub(crate) fn languages(&self) -> Vec<&str> {
        self.0.iter().map(|messages| messages.language.as_str()).collect()
    }

    /// The catalogue of a language, or of the default language if it has none.
    pub(crate) fn of(&self, language: &str) -> Arc<Messages> {
        let found = self.0.iter().find(|messages| messages.language == language).or(self.0.first());
        found.map_or_else(Arc::default, Arc::clone)
    }

    /// Languages with their own names.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|messages| {
            let name = messages.sentences.get("language.name").unwrap_or(&messages.language);
            (messages.language.as_str(), name.as_str())
        })
    }
}

/// The sentences of one language.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    language: String,
    sentences: BTreeMap<String, String>,
    /// The sentences of the default language that stand in for those that it lacks.
    lacking: BTreeSet<String>,
}

impl Messages {
    /// The language, as a language tag.
    pub(crate) fn language(&self) -> &str {
        &self.language
    }

    /// The sentence as it stands in the catalogue.
    pub(crate) fn text(&self, id: &str) -> Option<&str> {
        self.sentences.get(id).map(String::as_str)
    }

    /// The names of all sentences.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.sentences.keys().map(String::as_str)
    }

    /// The same catalogue with these sentences in the place of its own, for this language.
    pub(crate) fn with(&self, language: &str, sentences: BTreeMap<String, String>) -> Self {
        let (mut whole, mut lacking) = (self.sentences.clone(), self.lacking.clone());
        lacking.retain(|id| !sentences.contains_key(id));
        whole.extend(sentences);
        Self { language: language.to_owned(), sentences: whole, lacking }
    }

    /// The same for another language, which lacks all sentences.
    pub(crate) fn for_another(&self, language: &str) -> Self {
        let lacking = self.sentences.keys().cloned().collect();
        Self { language: language.to_owned(), sentences: self.sentences.clone(), lacking }
    }

    /// The names of the sentences that the language lacks itself.
    pub(crate) fn lacking(&self) -> impl Iterator<Item = &str> {
        self.lacking.iter().map(String::as_str)
    }

    /// Whether the catalogue has this sentence.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.sentences.contains_key(id)
    }

    /// The sentence as HTML, `{name}` replaced by the argument of that name.
    pub(crate) fn sentence(&self, id: &str, arguments: &Kwargs) -> Result<Value, Error> {
        let missing = |what: String| Error::new(ErrorKind::InvalidOperation, what);
        let sentence = self.sentences.get(id).ok_or_else(|| missing(format!("there is no message {id}")))?;
        let mut html = String::with_capacity(sentence.len() + 32);
        let mut rest = sentence.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) =
                after.split_once('}').ok_or_else(|| missing(format!("{id}: `{{` without `}}`")))?;
            let argument: Value = arguments.get(name)?;
            html.push_str(Html::escape(before).as_str());
            html.push_str(&as_html(&argument));
            rest = after;
        }
        html.push_str(Html::escape(rest).as_str());
        arguments.assert_all_used()?;
        Ok(Value::from_safe_string(html))
    }
}

/// A value as HTML: markup from the templates is kept, everything else is escaped.
pub(crate) fn as_html(value: &Value) -> String {
    let text = value.to_string();
    if value.is_safe() { text } else { Html::escape(&text).as_str().to_owned() }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn ids(language: &str) -> Vec<String> {
        Catalogues::built_in().of(language).sentences.keys().cloned().collect()
    }

    fn names(sentence: &str) -> Vec<&str> {
        let mut names: Vec<&str> =
            sentence.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn every_sentence_is_there_in_every_language_with_the_same_arguments() {
        let catalogues = Catalogues::built_in();
        let english = &catalogues.of("en").sentences;
        assert!(!english.is_empty());
        assert_eq!(catalogues.languages(), ["en", "de"]);
        for language in catalogues.languages() {
            let other = &catalogues.of(language).sentences;
            assert_eq!(english.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>(), "{language}");
            for (id, sentence) in other {
                assert_eq!(names(sentence), names(&english[id]), "{language}: {id}");
                assert!(!sentence.trim().is_empty(), "{language}: {id}");
            }
        }
    }

    #[test]
    fn text_is_escaped_and_markup_is_not() {
        let sentences = BTreeMap::from([("a".to_owned(), "<{x}> & {y}".to_owned())]);
        let messages = Messages { language: "en".to_owned(), sentences, lacking: BTreeSet::new() };
        let arguments =
            [("x", Value::from("<b>")), ("y", Value::from_safe_string("<i>".into()))].into_iter().collect();
        assert_eq!(messages.sentence("a", &arguments).unwrap().to_string(), "&lt;&lt;b&gt;&gt; &amp; <i>");
        assert!(messages.sentence("b", &arguments).is_err());
        assert!(messages.sentence("a", &Kwargs::from_iter([("x", Value::from(1))])).is_err());
    }
}
