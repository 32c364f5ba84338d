//! The templates: built in, or replaced file by file from a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use chancery_core::error::{Complaint, Complaints};
use chancery_core::interaction::view::ClientView;
use chancery_http::{
    Around, Content, Html, ImageOrigin, LANGUAGE, LanguageSwitch, Locale, Page, PageFile, Pages, PlainPages,
};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Value};
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, context, escape_formatter};

use crate::commands::commands;
use crate::context::{client, client_of, form, template, values};
use crate::forms::Flaw;
use crate::messages::{CATALOGUES, Catalogues, as_html};
use crate::{Brand, brand, folder, forms, samples};

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every template.
        const BUILT_IN: &[(&str, &str)] = &[$(($name, include_str!(concat!("../templates/", $name)))),*];
    };
}
built_in!(
    "account.html",
    "accounts.html",
    "approval_done.html",
    "approvals.html",
    "approve.html",
    "change_password.html",
    "confirm_device.html",
    "confirm_end.html",
    "connect.html",
    "consent.html",
    "device_done.html",
    "error.html",
    "form_post.html",
    "front_page.html",
    "layout.html",
    "login.html",
    "login_again.html",
    "logout_confirm.html",
    "logout_done.html",
    "logout_frames.html",
    "not_found.html",
    "parts.html",
    "passed_on.html",
    "repost.html",
    "sign_up.html",
    "signed_in.html",
    "style.css",
    "user_code.html",
    "web_message.html",
);

/// Pages made of minijinja templates and message catalogues.
///
/// Every value is escaped; `{{ t("login.title") }}` is a sentence in the person's language. A folder may replace any
/// of the files; the built-in version of every other file is used. To change only colours and type, replace `style.css`.
pub struct Templates {
    environment: Environment<'static>,
    catalogues: Catalogues,
    brand: Brand,
    client_logos: bool,
}

impl Templates {
    /// The built-in design.
    #[must_use]
    pub fn built_in() -> Self {
        let (templates, complaints) = Self::with(BTreeMap::new());
        debug_assert!(complaints.is_empty(), "{complaints:?}");
        templates
    }

    /// The built-in design, with the files of a folder replacing those of the same name. Each page is
    /// rendered once in each language with sample content, so that a mistake is found at the start and not by
    /// a person.
    ///
    /// # Errors
    /// Everything that is wrong: files that replace nothing, and templates that cannot be parsed or rendered.
    pub fn from_folder(path: &Path) -> Result<Self, Complaints> {
        let found = folder::files(path).map_err(|error| {
            vec![Complaint::new(path.display().to_string(), format!("cannot be read: {error}"), SECTION)]
        })?;
        let (mut files, mut complaints) = (BTreeMap::new(), Vec::new());
        for file in found {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let setting = file.display().to_string();
            match std::fs::read_to_string(&file) {
                _ if !BUILT_IN.iter().any(|(known, _)| *known == name) => {
                    let names: Vec<&str> = BUILT_IN.iter().map(|(known, _)| *known).collect();
                    let rule = format!(
                        "replaces no template: {}; the templates are {}",
                        folder::REMEDY,
                        names.join(", ")
                    );
                    complaints.push(Complaint::new(setting, rule, SECTION));
                }
                Ok(text) => drop(files.insert(name, text)),
                Err(error) => {
                    complaints.push(Complaint::new(setting, format!("cannot be read: {error}"), SECTION))
                }
            }
        }
        let (templates, found) = Self::with(files);
        complaints.extend(found.into_iter().map(|Complaint { setting, rule, section }| {
            let file = path.join(&setting);
            let setting = if file.exists() { file.display().to_string() } else { setting };
            Complaint { setting, rule, section }
        }));
        if complaints.is_empty() { Ok(templates) } else { Err(complaints.into()) }
    }

    /// Pages that show the logo of the client that asks. The browser loads it from the client's `logo_uri`, if
    /// that is https.
    #[must_use]
    pub fn with_client_logos(self) -> Self {
        Self { client_logos: true, ..self }
    }

    /// The same pages with the sentences of a folder: `de.toml` changes German ones, `fr.toml` adds a language. Whatever a
    /// new language has no sentence for is said in the language that its tag begins with, or in English.
    ///
    /// # Errors
    /// Everything that is wrong: files that are no catalogue, sentences that nobody asks for, and such that lack what has to be
    /// filled in.
    pub fn with_messages(mut self, folder: &Path) -> Result<Self, Complaints> {
        self.catalogues = self.catalogues.with_folder(folder)?;
        let complaints = self.try_all();
        if complaints.is_empty() { Ok(self) } else { Err(complaints.into()) }
    }

    /// What is to be said of the languages of [`Self::with_messages`] that lack sentences: a sentence for each.
    pub fn lacking(&self) -> impl Iterator<Item = String> {
        self.catalogues.lacking()
    }

    /// The same pages with words for scopes, by scope, or by scope, `#` and a language: what they are called, and what that
    /// means.
    #[must_use]
    pub fn with_scopes<'a>(
        self,
        names: impl Iterator<Item = (&'a str, &'a str)>,
        descriptions: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let catalogues = self.catalogues.with_scopes("", names).with_scopes(".description", descriptions);
        Self { catalogues, ..self }
    }

    /// The built-in templates and catalogues, with the paths at which a folder of one's own has them: `templates/login.html`,
    /// `messages/de.toml`.
    pub fn sources() -> impl Iterator<Item = (String, &'static str)> {
        let templates = BUILT_IN.iter().map(|(name, text)| (format!("templates/{name}"), *text));
        templates.chain(CATALOGUES.iter().map(|(tag, text)| (format!("messages/{tag}.toml"), *text)))
    }

    /// The names of the pages that can be looked at with sample data.
    #[must_use]
    pub fn preview_names() -> Vec<String> {
        let mut names = Vec::new();
        samples::each(|name, _| names.push(name.to_owned()));
        names
    }

    /// The page of this name with sample data, in this language. Its nonce is `N0NCE`.
    #[must_use]
    pub fn preview(&self, name: &str, language: &str, around: Around<'_>) -> Option<String> {
        let mut found = None;
        samples::each(|have, content| {
            if have == name {
                let page = Page { around, ..samples::page(content) };
                found = self.render(page, language, logo(content).filter(|_| self.client_logos)).ok();
            }
        });
        found
    }

    /// Pages that show whose they are.
    #[must_use]
    pub fn with_brand(self, brand: Brand) -> Self {
        Self { brand, ..self }
    }

    /// The built-in templates with these replacements, and what is wrong with them.
    fn with(files: BTreeMap<String, String>) -> (Self, Vec<Complaint>) {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_auto_escape_callback(|name| {
            // CSS is included in the HTML of the page, where escaping would change its meaning.
            if name.ends_with(".css") { AutoEscape::None } else { AutoEscape::Html }
        });
        if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
            environment.set_syntax(syntax);
        }
        environment.set_formatter(|out, state, value| match state.auto_escape() {
            AutoEscape::Html => Ok(out.write_str(&as_html(value))?),
            _ => escape_formatter(out, state, value),
        });
        environment.add_filter("strong", |name: Value| {
            Value::from_safe_string(format!("<strong><bdi>{}</bdi></strong>", as_html(&name)))
        });
        environment.add_filter("breaking", |text: Value| Value::from_safe_string(breaking(&as_html(&text))));
        environment.add_filter("code", |text: Value| {
            Value::from_safe_string(format!("<code>{}</code>", as_html(&text)))
        });
        environment.add_filter("commands", |text: &str| Value::from_safe_string(commands(text)));
        environment.add_filter("link", |address: Value, text: Value| {
            Value::from_safe_string(format!("<a href=\"{}\">{}</a>", as_html(&address), as_html(&text)))
        });
        let mut complaints = Vec::new();
        for (name, built_in) in BUILT_IN {
            let text = files.get(*name).map_or_else(|| (*built_in).to_owned(), Clone::clone);
            if let Err(error) = environment.add_template_owned(*name, text) {
                complaints.push(complaint(name, &error));
            }
        }
        let catalogues = Catalogues::built_in();
        let templates = Self { environment, catalogues, brand: Brand::default(), client_logos: false };
        if complaints.is_empty() {
            complaints = templates.try_all();
        }
        (templates, complaints)
    }

    /// Renders every page in every language, and looks whether people could go on from it.
    fn try_all(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let mut flaws: Vec<(&str, Flaw)> = Vec::new();
        for language in self.catalogues.languages() {
            samples::each(|name, content| {
                let page = samples::page(content);
                match self.render(page, language, logo(content)) {
                    Err(error) => {
                        let found = self.broken(template(content), &error);
                        if !complaints.contains(&found) {
                            complaints.push(found);
                        }
                    }
                    Ok(html) => {
                        let file = self.own_file(template(content)).unwrap_or(template(content));
                        for flaw in forms::flaws(&html, page) {
                            let found = (file, flaw);
                            if !flaws.contains(&found) {
                                complaints.push(self.flawed(name, &found));
                                flaws.push(found);
                            }
                        }
                    }
                }
            });
        }
        complaints
    }

    /// A template that fails, with the line that does.
    fn broken(&self, name: &str, error: &Error) -> Complaint {
        let mut found = complaint(name, error);
        let template = self.environment.get_template(&found.setting);
        let source = template.as_ref().map_or("", |template| template.source());
        let line = error.line().and_then(|line| source.lines().nth(line.checked_sub(1)?));
        if let Some(line) = line {
            found.rule.push_str(&format!("; the line is `{}`", line.trim()));
        }
        found
    }

    /// What would keep people from going on from the page of this name, by the file that makes it.
    fn flawed(&self, name: &str, (file, flaw): &(&'static str, Flaw)) -> Complaint {
        let template = self.environment.get_template(file);
        let source = template.as_ref().map_or("", |template| template.source());
        let mut forms = source.lines().zip(1_u32..).filter(|(line, _)| line.contains("<form"));
        let line = match (forms.next(), forms.next()) {
            (Some((_, line)), None) => format!("; its form begins in line {line}"),
            _ => String::new(),
        };
        let rule =
            format!("nobody could go on from the page `{name}` of `chancery pages preview`: {flaw}{line}");
        Complaint::new(*file, rule, SECTION)
    }

    /// The template that is not the built-in one: this, or the first of those that it is made of.
    fn own_file(&self, name: &str) -> Option<&'static str> {
        let (name, built_in) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
        if self.environment.get_template(name).is_ok_and(|template| template.source() != *built_in) {
            return Some(name);
        }
        let is_part = |part: &&str| part.ends_with(".html") && part != name;
        built_in.split('"').filter(is_part).find_map(|part| self.own_file(part))
    }

    fn render(&self, page: Page<'_>, language: &str, logo: Option<&str>) -> Result<String, Error> {
        let messages = self.catalogues.of(language);
        let lang = messages.language().to_owned();
        let values = values(page.content, &messages)?;
        let values = match self.itself(page) {
            Some(itself) => context! { client => client(&itself), ..values },
            None => values,
        };
        let t = Value::from_function(move |id: &str, arguments: Kwargs| messages.sentence(id, &arguments));
        let template = self.environment.get_template(template(page.content))?;
        // Values that only some pages have are empty on the others instead of undefined.
        let Around { home, account: account_page, icon: favicon, entered_at, .. } = page.around;
        let defaults = context! { client => (), problem => (), username => "", account_page };
        let around = context! {
            languages => self.languages(page.around, &lang),
            lang,
            t,
            logo,
            nonce => page.nonce,
            host => host(page.around.issuer),
            is_own => client_of(page.content).is_some_and(|client| client.id == page.around.issuer),
            brand => self.brand.values(&page.around),
            switch => LANGUAGE,
            switch_form => match page.around.language {
                LanguageSwitch::Form(markup) => Some(form(markup)),
                _ => None,
            },
            home,
            favicon,
            entered_at,
            script => script(page.around),
        };
        template.render(context! { ..around, ..context! { ..values, ..defaults } })
    }

    /// The provider as the client of its own pages (`/account`), by the name of whoever runs it.
    fn itself(&self, page: Page<'_>) -> Option<ClientView> {
        let name = self.brand.name.clone()?;
        let client = client_of(page.content).filter(|client| client.id == page.around.issuer)?;
        Some(ClientView { name, ..client.clone() })
    }

    /// The languages of which a person can choose one.
    fn languages(&self, around: Around<'_>, current: &str) -> Vec<Value> {
        let address = match around.language {
            LanguageSwitch::None => return Vec::new(),
            LanguageSwitch::Button | LanguageSwitch::Form(_) => None,
            LanguageSwitch::Address(address) => Some(address),
        };
        let language = |(tag, name): (&str, &str)| {
            let address = address.map(|address| format!("{address}{tag}"));
            context! { tag, name, address, is_current => tag == current }
        };
        let languages: Vec<Value> = self.catalogues.names().map(language).collect();
        if languages.len() > 1 { languages } else { Vec::new() }
    }
}

/// The most characters that fit into a line of a narrow window.
const LINE: usize = 18;

/// HTML in which a long e-mail address breaks at its dots and before its `@`, before it does within a word.
fn breaking(html: &str) -> String {
    match html.chars().count() > LINE {
        true => html.replace('.', ".<wbr>").replace('@', "<wbr>@"),
        false => html.to_owned(),
    }
}

/// The address of the logo of the client that a page is about.
fn logo(content: Content<'_>) -> Option<&str> {
    client_of(content)?.logo_uri.as_deref()
}

/// The script of the pages.
const SCRIPT: &str = include_str!("../files/pages.js");

/// The name of its file.
static SCRIPT_NAME: LazyLock<String> =
    LazyLock::new(|| format!("pages-{:016x}.js", brand::fingerprint(SCRIPT.as_bytes())));

/// Its address.
fn script(around: Around<'_>) -> String {
    format!("{}/{}", around.files, *SCRIPT_NAME)
}

/// The issuer as people know addresses.
fn host(issuer: &str) -> &str {
    issuer.split_once("://").map_or(issuer, |(_, rest)| rest)
}

/// The section that complaints refer to.
const SECTION: &str = "docs/own-pages.md";

fn complaint(name: &str, error: &Error) -> Complaint {
    let line = error.line().map_or_else(String::new, |line| format!(" in line {line}"));
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    Complaint::new(
        error.name().unwrap_or(name),
        format!(
            "is not a template that works{line}: {detail}; compare it with the built-in one (`chancery pages export`)"
        ),
        SECTION,
    )
}

impl Pages for Templates {
    fn locales(&self) -> Vec<&str> {
        self.catalogues.languages()
    }

    fn file(&self, name: &str) -> Option<PageFile> {
        let is_script = name == *SCRIPT_NAME;
        let script = || PageFile::new("text/javascript; charset=utf-8", SCRIPT);
        if is_script { Some(script()) } else { self.brand.file(name) }
    }

    fn page(&self, page: Page<'_>, locale: &Locale) -> Html {
        let logo = logo(page.content).filter(|_| self.client_logos);
        let logo = logo.and_then(|address| Some((address, ImageOrigin::of(address)?)));
        // All pages were rendered once at the start. If one fails nevertheless, the person still gets a plain
        // page.
        let Ok(html) = self.render(page, locale.as_str(), logo.as_ref().map(|(address, _)| *address)) else {
            return PlainPages.page(page, locale);
        };
        // The built-in layout has it at the end.
        let has_script = html.rfind(SCRIPT_NAME.as_str()).is_some();
        let html = Html::new(html);
        let html = if has_script { html.with_script() } else { html };
        match logo {
            Some((_, origin)) => html.with_images(origin),
            None => html,
        }
    }
}

#[cfg(test)]
mod tests;
