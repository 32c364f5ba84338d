//! The pages of the operator: the built-in ones, with the operator's name, logo, colour, links and templates, and
//! with the default language first.

use std::path::Path;
use std::sync::Arc;

use chancery_core::error::Complaint;
use chancery_http::{Html, Locale, Page, PageFile, Pages};
use chancery_pages::{Accent, Brand, Logo, Templates};

use crate::commands::lines;
use crate::settings::{self, PageLinks};

/// The pages that the operator wants.
///
/// # Errors
/// Everything that is wrong, a line for each.
pub(crate) fn open(wanted: &settings::Pages) -> Result<Arc<dyn Pages>, String> {
    Ok(Arc::new(InOrder { templates: templates(wanted)?, first: wanted.locale.clone() }))
}

/// The templates with everything that the operator wants.
///
/// # Errors
/// Everything that is wrong, a line for each.
pub(crate) fn templates(wanted: &settings::Pages) -> Result<Templates, String> {
    let mut wrong = Vec::new();
    let templates = match &wanted.templates {
        None => Ok(Templates::built_in()),
        Some(folder) => {
            Templates::from_folder(folder).map_err(|complaints| each("pages.templates", &complaints))
        }
    };
    let templates = templates.unwrap_or_else(|why| {
        wrong.push(why);
        Templates::built_in()
    });
    let templates = match &wanted.messages {
        None => templates,
        Some(folder) => templates.with_messages(folder).unwrap_or_else(|complaints| {
            wrong.push(each("pages.messages", &complaints));
            Templates::built_in()
        }),
    };
    let words = [("scopes", &wanted.scopes), ("scope_descriptions", &wanted.scope_descriptions)];
    for (setting, words) in words {
        let has_brace = |(_, text): &(&String, &String)| text.contains(['{', '}']);
        let wrong_words = words.iter().filter(has_brace);
        wrong.extend(
            wrong_words.map(|(scope, _)| format!("pages.{setting}.\"{scope}\": must have no braces")),
        );
    }
    let [names, descriptions] = words.map(|(_, words)| words.iter().map(|(name, text)| (&**name, &**text)));
    let templates = templates.with_scopes(names, descriptions);
    let templates = templates.with_brand(brand(wanted, &mut wrong));
    let templates = if wanted.client_logos { templates.with_client_logos() } else { templates };
    let available = templates.locales();
    if !available.contains(&wanted.locale.as_str()) {
        wrong.push(format!(
            "pages.locale: there are no pages in \"{}\"; the languages are {}",
            wanted.locale,
            available.join(", ")
        ));
    }
    if wrong.is_empty() { Ok(templates) } else { Err(wrong.join("\n")) }
}

/// What is wrong with the files in a folder, a line for each, which names the setting.
fn each(setting: &str, complaints: &[Complaint]) -> String {
    lines(complaints).lines().map(|line| format!("{setting}: {line}")).collect::<Vec<_>>().join("\n")
}

fn brand(wanted: &settings::Pages, wrong: &mut Vec<String>) -> Brand {
    let mut or_complain = |setting: &str, why: String| wrong.push(format!("pages.{setting}: {why}"));
    let logo = wanted.logo.as_deref().and_then(|file| {
        logo(file).map_err(|why| or_complain("logo", format!("{} {why}", file.display()))).ok()
    });
    let accent = wanted
        .accent
        .as_deref()
        .and_then(|text| Accent::parse(text).map_err(|why| or_complain("accent", why.to_string())).ok());
    let PageLinks { help, privacy, imprint, forgot_password, create_account } = &wanted.links;
    for (name, link) in [
        ("help", help),
        ("privacy", privacy),
        ("imprint", imprint),
        ("forgot_password", forgot_password),
        ("create_account", create_account),
    ] {
        if let Some(link) = link.as_deref().filter(|link| !is_link(link)) {
            let rule = "must be an address that begins with https://, http://, mailto: or /";
            or_complain(&format!("links.{name}"), format!("\"{link}\" {rule}"));
        }
    }
    Brand {
        name: wanted.name.clone(),
        logo,
        accent,
        help: help.clone(),
        privacy: privacy.clone(),
        imprint: imprint.clone(),
        forgot_password: forgot_password.clone(),
        create_account: create_account.clone(),
    }
}

fn logo(file: &Path) -> Result<Logo, String> {
    Logo::new(std::fs::read(file).map_err(|error| format!("cannot be read: {error}"))?)
}

/// Whether a person can be sent there. Two slashes at the beginning would be another host, and so would what browsers take
/// for two slashes: a backslash for one, or a tab between them (WHATWG URL, section 4.4).
fn is_link(link: &str) -> bool {
    let begins = |scheme: &str| link.len() > scheme.len() && link.starts_with(scheme);
    let is_path = link.starts_with('/') && !link.starts_with("//");
    let is_plain = !link.contains(|c: char| c == '\\' || c.is_control());
    is_plain && (is_path || ["https://", "http://", "mailto:"].into_iter().any(begins))
}

/// Pages whose default language comes first.
struct InOrder {
    templates: Templates,
    first: String,
}

impl Pages for InOrder {
    fn locales(&self) -> Vec<&str> {
        let others = self.templates.locales().into_iter().filter(|locale| *locale != self.first);
        std::iter::once(self.first.as_str()).chain(others).collect()
    }

    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        self.templates.page(page, locale)
    }

    fn file(&self, name: &str) -> Option<PageFile> {
        self.templates.file(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_language_comes_first_and_none_is_lost() {
        for locale in ["en", "de"] {
            let pages = open(&settings::Pages { locale: locale.to_owned(), ..Default::default() }).unwrap();
            let mut locales = pages.locales().iter().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(locales.first().map(String::as_str), Some(locale));
            let built_in = Templates::built_in();
            let mut all = built_in.locales();
            locales.sort_unstable();
            all.sort_unstable();
            assert_eq!(locales, all);
        }
    }

    /// Everything that is wrong, with the setting, what stands there, and what has to.
    #[test]
    fn all_that_is_wrong_is_said() {
        let links = PageLinks {
            help: Some("javascript:alert(1)".to_owned()),
            imprint: Some("//elsewhere.example".to_owned()),
            privacy: Some("/privacy".to_owned()),
            forgot_password: Some("https://".to_owned()),
            create_account: Some("/\\elsewhere.example".to_owned()),
        };
        let wanted = settings::Pages {
            locale: "fr".to_owned(),
            accent: Some("blue".to_owned()),
            logo: Some("/nowhere/logo.png".into()),
            links,
            ..Default::default()
        };
        let wrong = open(&wanted).err().unwrap();
        let wrong: Vec<&str> = wrong.lines().collect();
        for (line, beginning) in wrong.iter().zip([
            "pages.logo: /nowhere/logo.png cannot be read: ",
            "pages.accent: \"blue\" must be a colour of six hexadecimal digits",
            "pages.links.help: \"javascript:alert(1)\" must be an address",
            "pages.links.imprint: \"//elsewhere.example\" must be an address",
            "pages.links.forgot_password: \"https://\" must be an address",
            "pages.links.create_account: \"/\\elsewhere.example\" must be an address",
            "pages.locale: there are no pages in \"fr\"; the languages are en, de",
        ]) {
            assert!(line.starts_with(beginning), "{line}");
        }
        assert_eq!(wrong.len(), 7, "{wrong:?}");
    }

    /// The log of a start and of a reload has these lines beside others.
    #[test]
    fn each_wrong_file_of_a_folder_names_the_setting() {
        let folder = std::env::temp_dir().join(format!("chancery-own-pages-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["logn.html", "consnt.html", "login.html~", ".login.html.swp"] {
            std::fs::write(folder.join(name), "").unwrap();
        }
        for (setting, wanted) in [
            ("templates", settings::Pages { templates: Some(folder.clone()), ..Default::default() }),
            ("messages", settings::Pages { messages: Some(folder.clone()), ..Default::default() }),
        ] {
            let wrong = open(&settings::Pages { locale: "en".to_owned(), ..wanted }).err().unwrap();
            let begins = ["consnt.html", "logn.html"]
                .map(|name| format!("pages.{setting}: {}: ", folder.join(name).display()));
            let wrong: Vec<&str> = wrong.lines().collect();
            assert!(
                wrong.len() == 2 && wrong.iter().zip(begins).all(|(line, begin)| line.starts_with(&begin)),
                "{wrong:?}"
            );
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// Browsers take a backslash for a slash, and leave out what is no character (WHATWG URL, section 4.4).
    #[test]
    fn a_path_stays_on_this_host() {
        for link in ["/help", "/help?a=//b", "https://help.example/a", "mailto:help@example.org"] {
            assert!(is_link(link), "{link:?}");
        }
        for link in
            ["//a.example", "/\\a.example", "/\t/a.example", "/\n/a.example", "\t/help", "data:,", "help"]
        {
            assert!(!is_link(link), "{link:?}");
        }
    }
}
