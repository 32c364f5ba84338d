//! The built-in pages, with the operator's default language first.

use std::sync::Arc;

use chancery_http::{Html, Locale, Page, Pages};
use chancery_pages::Templates;
use serde::Deserialize;

use crate::commands::lines;
use crate::settings;

/// The language for browsers that accept none of ours.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Language {
    #[default]
    En,
    De,
}

/// The built-in pages, of which the folder's templates replace those of the same names.
pub(crate) fn open(wanted: &settings::Pages) -> Result<Arc<dyn Pages>, String> {
    let templates = match &wanted.templates {
        None => Templates::built_in(),
        Some(folder) => Templates::from_folder(folder).map_err(|complaints| lines(&complaints))?,
    };
    let templates = if wanted.client_logos { templates.with_client_logos() } else { templates };
    let locales = match wanted.locale {
        Language::En => ["en", "de"],
        Language::De => ["de", "en"],
    };
    Ok(Arc::new(InOrder { templates, locales }))
}

/// Pages whose default language comes first.
struct InOrder {
    templates: Templates,
    locales: [&'static str; 2],
}

impl Pages for InOrder {
    fn locales(&self) -> &[&str] {
        &self.locales
    }

    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        self.templates.page(page, locale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wanted_language_comes_first_and_none_is_lost() {
        for (locale, first) in [(Language::En, "en"), (Language::De, "de")] {
            let pages = open(&settings::Pages { templates: None, locale, client_logos: false }).unwrap();
            let mut locales = pages.locales().to_vec();
            assert_eq!(locales.first(), Some(&first));
            let built_in = Templates::built_in();
            let mut all = built_in.locales().to_vec();
            locales.sort_unstable();
            all.sort_unstable();
            assert_eq!(locales, all);
        }
    }
}
