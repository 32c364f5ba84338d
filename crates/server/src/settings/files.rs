//! The files that the settings name, which are in no backup of the store.

use std::path::Path;

use super::{Settings, Store};

impl Settings {
    /// Every file and folder that the settings name, but for the store: the setting, and where it is.
    pub(crate) fn files(&self) -> Vec<(&'static str, &Path)> {
        let Self { tls, client_authorities, store, passwords, pages, fetch, detail_types, .. } = self;
        let mut files = Vec::new();
        if let Store::Sqlite { wrapping_key, .. } = store {
            files.push(("keys.wrapping_key", wrapping_key.as_path()));
        }
        if let Some(tls) = tls {
            files.extend([("tls.certificate", tls.certificate.as_path()), ("tls.key", &tls.key)]);
        }
        let single = [
            ("passwords.blocklist", &passwords.blocklist),
            ("pages.logo", &pages.logo),
            ("pages.templates", &pages.templates),
            ("pages.messages", &pages.messages),
        ];
        files.extend(single.into_iter().filter_map(|(setting, file)| Some((setting, file.as_deref()?))));
        files.extend(client_authorities.iter().map(|file| ("tls.client_authorities", file.as_path())));
        files.extend(fetch.extra_roots.iter().map(|file| ("fetch.extra_roots", file.as_path())));
        files.extend(detail_types.values().map(|file| ("authorization_details.types", file.as_path())));
        files
    }
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::ALL;
    use super::super::load_text;
    use super::*;

    /// Settings that speak of files and name none, and the store, which is what a backup is of.
    const OTHERS: [&str; 4] = ["http.connections", "routes.page_file", "store.group_access", "store.sqlite"];

    #[test]
    fn every_setting_that_names_a_file_is_among_them() {
        let text = r#"
            issuer = "https://id.example.org"
            [tls]
            listen = ["127.0.0.1:0"]
            mtls_listen = ["127.0.0.2:0"]
            certificate = "a"
            key = "b"
            client_authorities = ["c"]
            [store]
            sqlite = "s"
            [keys]
            wrapping_key = "d"
            [passwords]
            blocklist = "e"
            [pages]
            logo = "f"
            templates = "g"
            messages = "h"
            [fetch]
            extra_roots = ["i"]
            [authorization_details]
            types = { payment = "j" }
        "#;
        let settings = load_text(text, Path::new("/etc/chancery/chancery.toml"));
        let settings = settings.unwrap_or_else(|complaints| panic!("{complaints:?}"));
        let files = settings.files();
        assert!(files.iter().all(|(_, file)| file.parent() == Some(Path::new("/etc/chancery"))), "{files:?}");
        let mut named: Vec<&str> = files.into_iter().map(|(setting, _)| setting).collect();
        named.sort_unstable();
        let words = ["file", "Files", "files", "folder"];
        let speaks =
            |text: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| words.contains(&word));
        let mut expected: Vec<&str> =
            ALL.iter().filter(|setting| speaks(&setting.meaning())).map(|setting| setting.key).collect();
        expected.retain(|key| !OTHERS.contains(key));
        expected.sort_unstable();
        assert_eq!(named, expected);
    }
}
