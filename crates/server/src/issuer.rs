//! The issuer that a store belongs to. Tokens, the registrations of clients and the subjects of pairwise clients are of
//! one issuer, so a store that was filled for another one answers wrongly although everything can be read.

use chancery_core::error::Complaint;
use chancery_store::{Document, DocumentKind, Put, Revision, StoreError};

use crate::parts::{Opened, hindered_step};
use crate::settings::{Settings, Store};

/// The name of the document, of which a realm has one.
const NAME: &str = "issuer";

impl Opened {
    /// Checks that the store was filled for the issuer of the settings, or for none yet.
    ///
    /// # Errors
    /// Both issuers and what to do, or what is wrong with the store.
    pub(crate) async fn check_issuer(&self, settings: &Settings) -> Result<(), String> {
        let Some(stored) = self.other_issuer(settings).await? else { return Ok(()) };
        let rule = format!(
            "{} is not the issuer of this store, which is {stored}: its tokens, clients and sessions are of that one. Set \
             issuer to {stored}, or name another file in store.sqlite; to move the store on purpose, run `chancery accept-issuer` \
             (docs/operate.md)",
            settings.issuer
        );
        Err(settings
            .values
            .explain(Complaint::new("issuer", rule, "OpenID Connect Discovery 1.0 section 7.2"))
            .to_string())
    }

    /// The issuer for which the store was filled, if it is another one than that of the settings.
    ///
    /// # Errors
    /// What is wrong with the store.
    pub(crate) async fn other_issuer(&self, settings: &Settings) -> Result<Option<String>, String> {
        let stored = self.stored_issuer(settings).await?.map(|(stored, _)| stored);
        Ok(stored.filter(|stored| stored != settings.issuer.as_str()))
    }

    /// Notes the issuer of the settings in a store that has a file, in the place of the one that is noted.
    ///
    /// # Errors
    /// What is wrong with the store.
    pub(crate) async fn note_issuer(&self, settings: &Settings) -> Result<(), String> {
        if self.file.is_none() {
            return Ok(());
        }
        let stored = self.stored_issuer(settings).await?;
        let issuer = settings.issuer.as_str();
        let seen = match stored {
            Some((stored, _)) if stored == issuer => return Ok(()),
            stored => stored.map(|(_, revision)| revision),
        };
        let document = Document {
            id: NAME.into(),
            aliases: Vec::new(),
            body: issuer.as_bytes().into(),
            revision: Revision::NONE,
        };
        let put = self.documents.store().put(&settings.realm, DocumentKind::ISSUER, seen, document).await;
        match put.map_err(|error| about(settings, &error))? {
            Put::Done(_) => Ok(()),
            Put::Occupied | Put::Stale => {
                Err("store.sqlite: another command has just noted an issuer: run this one again".to_owned())
            }
        }
    }

    async fn stored_issuer(&self, settings: &Settings) -> Result<Option<(String, Revision)>, String> {
        let (Some(_), Store::Sqlite { .. }) = (&self.file, &settings.store) else { return Ok(None) };
        let found = self.documents.store().get(&settings.realm, DocumentKind::ISSUER, NAME).await;
        let read =
            |document: Document| (String::from_utf8_lossy(&document.body).into_owned(), document.revision);
        Ok(found.map_err(|error| about(settings, &error))?.map(read))
    }
}

/// What keeps the issuer from being read or noted, and what to do.
fn about(settings: &Settings, error: &StoreError) -> String {
    match &settings.store {
        Store::Sqlite { path, .. } => format!("store.sqlite: {}", hindered_step(path, error)),
        Store::Memory => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use chancery_types::{Issuer, RealmId};

    use super::*;

    #[test]
    fn what_is_wrong_with_the_store_names_it_and_the_way_out() {
        let (issuer, realm) = (Issuer::parse("https://id.example.org"), RealmId::parse("main"));
        let mut settings = Settings::on(issuer.unwrap(), realm.unwrap(), Vec::new());
        let (path, wrapping_key) = ("a/chancery.sqlite".into(), "wrapping.key".into());
        settings.store = Store::Sqlite { path, wrapping_key, group_access: false };
        let said = about(&settings, &StoreError::Busy);
        assert!(said.starts_with("store.sqlite: a/chancery.sqlite is locked: "), "{said}");
        assert!(said.contains("`fuser a/chancery.sqlite`"), "{said}");
    }
}
