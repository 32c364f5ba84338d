//! Catalogues of the operator: a folder that changes sentences of a language or adds languages.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use chancery_core::error::{Complaint, Complaints};
use chancery_types::is_language_tag;
use chancery_types::nearest::nearest;
use toml::{Table, Value};

use crate::folder;
use crate::messages::Catalogues;

/// The section that complaints refer to.
const SECTION: &str = "docs/own-pages.md";

/// What messages begin with that an operator can add: words for scopes and claims of their own, and names of languages.
const OPEN: [&str; 4] = ["scope.", "claim.", "label.", "locale."];

impl Catalogues {
    /// With the catalogues of a folder. What stands in `de.toml` goes before the built-in German sentences; a new language has the
    /// sentences of the language that its tag begins with, and else the English ones, where it has none itself.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub(crate) fn with_folder(mut self, folder: &Path) -> Result<Self, Complaints> {
        let mut files = folder::files(folder)
            .map_err(|error| vec![complaint(folder, format!("cannot be read: {error}"))])?;
        // By language, so that a language comes before those that begin with it.
        files.sort_by(|one, other| one.file_stem().cmp(&other.file_stem()));
        let mut complaints = Vec::new();
        for file in files {
            match self.read(&file) {
                Ok((tag, sentences)) => {
                    complaints.extend(self.wrong(&sentences).map(|why| complaint(&file, why)));
                    self.add(&tag, sentences);
                }
                Err(why) => complaints.push(complaint(&file, why)),
            }
        }
        if complaints.is_empty() { Ok(self) } else { Err(complaints.into()) }
    }

    fn read(&self, file: &Path) -> Result<(String, BTreeMap<String, String>), String> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let tag = name.strip_suffix(".toml").filter(|tag| is_language_tag(tag));
        let tag =
            tag.ok_or_else(|| format!("is not named after a language, as `fr.toml` is: {}", folder::REMEDY))?;
        let text = std::fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
        let table: Table = toml::from_str(&text).map_err(|error| not_toml(&text, &error))?;
        let mut sentences = BTreeMap::new();
        flatten("", table, &mut sentences)?;
        let have = self.languages().into_iter().find(|have| have.eq_ignore_ascii_case(tag));
        Ok((have.unwrap_or(tag).to_owned(), sentences))
    }

    /// What is wrong with these sentences.
    fn wrong(&self, sentences: &BTreeMap<String, String>) -> impl Iterator<Item = String> {
        let english = self.of("en");
        let wrong = |(id, sentence): (&String, &String)| {
            let Some(built_in) = english.text(id) else {
                let is_open = OPEN.iter().any(|prefix| id.len() > prefix.len() && id.starts_with(prefix));
                return match nearest(id, english.ids()) {
                    _ if is_open && arguments(sentence) == Some(Vec::new()) => None,
                    _ if is_open => Some(format!("{id}: has nothing that could be filled in for braces")),
                    Some(near) => Some(format!("{id}: there is no such message; did you mean `{near}`?")),
                    None => Some(format!("{id}: there is no such message")),
                };
            };
            let expected = arguments(built_in).unwrap_or_default();
            let named = expected.iter().map(|name| format!("{{{name}}}")).collect::<Vec<_>>().join(", ");
            match arguments(sentence) {
                Some(found) if found == expected => None,
                _ if expected.is_empty() => {
                    Some(format!("{id}: has nothing that could be filled in for braces"))
                }
                _ => Some(format!("{id}: must have {named} once, and no other braces")),
            }
        };
        sentences.iter().filter_map(wrong).collect::<Vec<_>>().into_iter()
    }

    /// Puts these sentences over those of a language.
    pub(crate) fn add(&mut self, tag: &str, sentences: BTreeMap<String, String>) {
        if let Some(messages) = self.0.iter_mut().find(|messages| messages.language() == tag) {
            let whole = messages.with(tag, sentences);
            *messages = Arc::new(whole);
            return;
        }
        let shorter =
            std::iter::successors(Some(tag), |tag| tag.rsplit_once('-').map(|(shorter, _)| shorter));
        let base = shorter.map(str::to_lowercase).find(|tag| self.languages().contains(&tag.as_str()));
        let mut whole = match base {
            Some(base) => self.of(&base).with(tag, BTreeMap::new()),
            None => self.of("en").for_another(tag),
        };
        // The language calls itself by its tag until it says otherwise.
        whole = whole.with(tag, BTreeMap::from([("language.name".to_owned(), tag.to_owned())]));
        self.0.push(Arc::new(whole.with(tag, sentences)));
    }

    /// A sentence for each language that lacks sentences, in whose place there are English ones.
    pub(crate) fn lacking(&self) -> impl Iterator<Item = String> {
        let all = self.of("en").ids().count();
        self.0.iter().filter_map(move |messages| {
            let first = messages.lacking().next()?;
            let (tag, count) = (messages.language(), messages.lacking().count());
            Some(format!(
                "{tag}.toml lacks {count} of {all} sentences (first: {first}); English is shown for them"
            ))
        })
    }

    /// With words for scopes: `name` for all languages, `name#de` for one.
    pub(crate) fn with_scopes<'a>(
        mut self,
        end: &str,
        words: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let words: Vec<(&str, Option<&str>, &str)> = words
            .map(|(name, text)| match name.split_once('#') {
                Some((name, tag)) => (name, Some(tag), text),
                None => (name, None, text),
            })
            .collect();
        let tags: Vec<String> = self.languages().into_iter().map(str::to_owned).collect();
        for tag in tags {
            // What is said in the language itself comes last, and so counts.
            let mut of_tag: Vec<_> =
                words.iter().filter(|(_, of, _)| of.is_none_or(|of| of == tag)).collect();
            of_tag.sort_by_key(|(_, of, _)| of.is_some());
            let sentences = of_tag.into_iter();
            let sentences =
                sentences.map(|(name, _, text)| (format!("scope.{name}{end}"), (*text).to_owned()));
            self.add(&tag, sentences.collect());
        }
        self
    }
}

/// Nested tables are one name with dots.
fn flatten(prefix: &str, table: Table, to: &mut BTreeMap<String, String>) -> Result<(), String> {
    for (key, value) in table {
        let id = format!("{prefix}{key}");
        match value {
            Value::String(text) => drop(to.insert(id, text)),
            Value::Table(inner) => flatten(&format!("{id}."), inner, to)?,
            _ => return Err(format!("{id}: must be a text")),
        }
    }
    Ok(())
}

/// The names in braces, sorted; `None` if a brace is alone.
fn arguments(sentence: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        names.push(name);
        rest = after;
        if before.contains('}') {
            return None;
        }
    }
    names.sort_unstable();
    (!rest.contains('}')).then_some(names)
}

/// What is wrong with a text that is not TOML, in one line: what is printed has no others.
fn not_toml(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or_default();
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default();
    format!("is not TOML in line {number}, `{}`: {}", line.trim(), error.message().replace('\n', ", "))
}

fn complaint(file: &Path, rule: String) -> Complaint {
    Complaint::new(file.display().to_string(), rule, SECTION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_toml_is_told_in_one_line() {
        let text = "a = \"1\"\nb = = c\n";
        let said = not_toml(text, &toml::from_str::<Table>(text).unwrap_err());
        assert!(said.starts_with("is not TOML in line 2, `b = = c`: ") && !said.contains('\n'), "{said}");
    }

    fn with(files: &[(&str, &str)]) -> Result<Catalogues, Vec<String>> {
        static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("chancery-messages-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        for (name, text) in files {
            std::fs::write(path.join(name), text).unwrap();
        }
        let read = Catalogues::built_in().with_folder(&path);
        std::fs::remove_dir_all(&path).unwrap();
        read.map_err(|complaints| complaints.iter().map(ToString::to_string).collect())
    }

    /// A sentence is replaced, a language added; what is missing falls back on the nearest language.
    #[test]
    fn a_folder_changes_sentences_and_adds_languages() {
        let files = [
            ("de.toml", "[login]\ntitle = 'Servus'\n"),
            ("de-CH.toml", "\"language.name\" = 'Schweizerdeutsch'\n'login.submit' = 'Aamälde'\n"),
            ("fr.toml", "'login.title' = 'Connexion'\n'scope.albums' = 'Voir vos albums'\n"),
        ];
        let catalogues = with(&files).unwrap();
        assert_eq!(catalogues.languages(), ["en", "de", "de-CH", "fr"]);
        let text = |tag: &str, id: &str| catalogues.of(tag).text(id).unwrap_or("-").to_owned();
        assert_eq!(text("de", "login.title"), "Servus");
        assert_eq!(text("de", "login.submit"), "Anmelden");
        assert_eq!(text("de-CH", "login.title"), "Servus", "from German, as it is by then");
        assert_eq!(text("de-CH", "login.submit"), "Aamälde");
        assert_eq!(text("fr", "login.title"), "Connexion");
        assert_eq!(text("fr", "login.submit"), "Sign in");
        assert_eq!(text("fr", "scope.albums"), "Voir vos albums");
        assert_eq!(text("en", "login.title"), "Sign in");
        let all = Catalogues::built_in().of("en").ids().count();
        // Its own name is the tag, and the words for scopes of one's own are none of ours.
        let lacking = format!("fr.toml lacks {} of {all} sentences (first: ", all - 2);
        let said: Vec<String> = catalogues.lacking().collect();
        assert!(
            matches!(&*said, [line] if line.starts_with(&lacking) && line.contains("English")),
            "{said:?}"
        );
        let names: Vec<_> = catalogues.names().map(|(tag, name)| format!("{tag} {name}")).collect();
        assert_eq!(names, ["en English", "de Deutsch", "de-CH Schweizerdeutsch", "fr fr"]);
    }

    /// Words for scopes, for all languages and for one.
    #[test]
    fn scopes_have_words() {
        let words = [("albums", "See your albums"), ("albums#de", "Ihre Alben ansehen"), ("x#fr", "X")];
        let catalogues = Catalogues::built_in().with_scopes("", words.into_iter());
        assert_eq!(catalogues.of("en").text("scope.albums"), Some("See your albums"));
        assert_eq!(catalogues.of("de").text("scope.albums"), Some("Ihre Alben ansehen"));
        assert_eq!(catalogues.of("en").text("scope.x"), None);
    }

    #[test]
    fn what_an_editor_leaves_is_passed_over() {
        for name in [".de.toml.swp", ".#de.toml", "#de.toml#", "de.toml~", "de.toml.bak"] {
            assert!(with(&[(name, "= half a line")]).is_ok(), "{name}");
        }
    }

    /// Everything that is wrong at once, each with its file, its message and what to write.
    #[test]
    fn what_is_wrong_is_named() {
        for (name, text, expected) in [
            (
                "de.toml",
                "'login.titel' = 'x'",
                "login.titel: there is no such message; did you mean `login.title`?",
            ),
            ("de.toml", "'qqqqqqqqqqqq' = 'x'", "qqqqqqqqqqqq: there is no such message"),
            ("de.toml", "'login.title' = 1", "login.title: must be a text"),
            ("de.toml", "'login.title' = '{client}'", "login.title: has nothing that could be filled in"),
            ("de.toml", "'login.to' = 'weiter'", "login.to: must have {client} once, and no other braces"),
            ("de.toml", "'login.to' = '{client} {client}'", "login.to: must have {client} once"),
            ("de.toml", "'login.to' = '{client'", "login.to: must have {client} once"),
            ("de.toml", "'login.to' = '{client} }'", "login.to: must have {client} once"),
            ("de.toml", "'scope.a' = '{x}'", "scope.a: has nothing that could be filled in"),
            ("de.toml", "login.title = ", "TOML"),
            ("german.txt", "", "is not named after a language, as `fr.toml` is: rename it, or move it away"),
            ("d..toml", "", "is not named after a language"),
        ] {
            let wrong = with(&[(name, text)]).err().unwrap();
            assert_eq!(wrong.len(), 1, "{text}: {wrong:?}");
            assert!(wrong[0].contains(expected) && wrong[0].contains(name), "{text}: {wrong:?}");
        }
        let two = with(&[("de.toml", "a = 'x'\nb = 'x'"), ("xx_y.toml", "")]).err().unwrap();
        assert_eq!(two.len(), 3, "{two:?}");
        assert!(Catalogues::built_in().with_folder(Path::new("/nowhere/at/all")).is_err());
    }
}
