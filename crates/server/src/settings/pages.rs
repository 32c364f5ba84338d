//! `[pages]`: whose pages people see, and where they lead.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// The pages that people see.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pages {
    pub(crate) name: Option<String>,
    pub(crate) logo: Option<PathBuf>,
    pub(crate) accent: Option<String>,
    pub(crate) templates: Option<PathBuf>,
    pub(crate) messages: Option<PathBuf>,
    pub(crate) scopes: BTreeMap<String, String>,
    pub(crate) scope_descriptions: BTreeMap<String, String>,
    pub(crate) locale: String,
    pub(crate) client_logos: bool,
    pub(crate) links: PageLinks,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            name: None,
            logo: None,
            accent: None,
            templates: None,
            messages: None,
            scopes: BTreeMap::new(),
            scope_descriptions: BTreeMap::new(),
            locale: "en".to_owned(),
            client_logos: false,
            links: PageLinks::default(),
        }
    }
}

/// Where the pages lead.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PageLinks {
    pub(crate) help: Option<String>,
    pub(crate) privacy: Option<String>,
    pub(crate) imprint: Option<String>,
    pub(crate) forgot_password: Option<String>,
    pub(crate) create_account: Option<String>,
}
