//! What a page has to send: its forms are compared with what the answer to it needs, before a person meets it.

use std::fmt;

use chancery_http::{Content, FormMarkup, Html, LANGUAGE, LanguageSwitch, Page};

mod markup;

use markup::{Control, Form, Markup};

/// What would keep people from going on from a page.
#[derive(PartialEq)]
pub(crate) enum Flaw {
    /// No form of the page goes where its answer is taken.
    NoForm,
    /// The form would be sent by GET.
    NotPosted,
    /// The form lacks these hidden fields of what the template has under the first name.
    Hidden(&'static str, Vec<String>),
    /// There is nowhere to enter this.
    Input(&'static str),
    /// No button says this: its name, and its value as a template writes it.
    Button(&'static str, &'static str),
    /// Nothing can be pressed to send what was entered.
    Unsent,
    /// A button of this name belongs to a form of this id, which is not there.
    Dead(String, String),
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FORM: &str = r#"`<form method="post" action="{{ form.action }}">`"#;
        match self {
            Self::NoForm => write!(f, "no form is sent to `form.action`; write {FORM}"),
            Self::NotPosted => write!(f, "its form is not sent by POST; write {FORM}"),
            Self::Hidden(of, names) => {
                let fields = if names.len() == 1 { "field" } else { "fields" };
                let names = names.join("`, `");
                write!(
                    f,
                    "its form lacks the hidden {fields} `{names}`; write `{{{{ hidden({of}) }}}}` within it, "
                )?;
                f.write_str(r#"and `{% from "parts.html" import hidden %}` above"#)
            }
            Self::Input(name) => {
                write!(f, "its form lacks the input `{name}`; write `<input name=\"{name}\">` within it")
            }
            Self::Button(name, value) => write!(
                f,
                "its form lacks a button; write `<button name=\"{name}\" value=\"{value}\">` within it"
            ),
            Self::Unsent => f.write_str("its form lacks a button that sends it; write `<button>` within it"),
            Self::Dead(name, id) => {
                write!(f, "the button `{name}` is for the form with the id `{id}`, which is not there; ")?;
                write!(f, "write `<form id=\"{id}\"`")
            }
        }
    }
}

/// What this page, made into this HTML, lacks.
pub(crate) fn flaws(html: &str, page: Page<'_>) -> Vec<Flaw> {
    let markup = Markup::read(html);
    let mut flaws = Vec::new();
    if let Some(form) = form_of(page.content) {
        flaws.extend(of_form(&markup, form, page.content));
    }
    if let LanguageSwitch::Form(form) = page.around.language {
        flaws.extend(to(&markup, form).filter_map(|(at, _)| unhidden(&markup, at, form, "switch_form")));
    }
    flaws.extend(markup.dead().map(|(name, id)| Flaw::Dead(name.to_owned(), id.to_owned())));
    flaws
}

/// What the page's own form lacks. Where there are several, such as one for each button, they have it together.
fn of_form(markup: &Markup<'_>, form: &FormMarkup, content: Content<'_>) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let mut ours = Vec::new();
    for (at, found) in to(markup, form) {
        if !found.is_posted() {
            flaws.push(Flaw::NotPosted);
        }
        flaws.extend(unhidden(markup, at, form, "form"));
        ours.push(at);
    }
    if ours.is_empty() {
        return vec![Flaw::NoForm];
    }
    let controls: Vec<&Control<'_>> = ours.iter().flat_map(|at| markup.controls(*at)).collect();
    flaws.extend(needed(content).into_iter().filter(|need| !need.is_met(&controls)).map(Needed::flaw));
    flaws
}

/// The forms that are sent to the address of this one.
fn to<'m>(markup: &'m Markup<'_>, form: &FormMarkup) -> impl Iterator<Item = (usize, &'m Form<'m>)> {
    let action = Html::escape(&form.action);
    markup.forms.iter().enumerate().filter(move |(_, found)| found.action == action.as_str())
}

/// The hidden fields that a form of the page does not send.
fn unhidden(markup: &Markup<'_>, at: usize, form: &FormMarkup, name: &'static str) -> Option<Flaw> {
    let is_sent = |(name, value): &&(String, String)| {
        let (name, value) = (Html::escape(name), Html::escape(value));
        markup.controls(at).any(|control| control.name == name.as_str() && control.value == value.as_str())
    };
    let lacking: Vec<String> =
        form.fields.iter().filter(|field| !is_sent(field)).map(|(name, _)| name.clone()).collect();
    (!lacking.is_empty()).then_some(Flaw::Hidden(name, lacking))
}

/// What the answer to a page reads besides its hidden fields.
enum Needed<'a> {
    /// Something that is entered.
    Input(&'static str),
    /// A button `action` of this value, or of another that says the same.
    Button { value: &'static str, or: &'static str },
    /// A button that sends the form, whatever its name, and says none of these as `action`.
    Sends(&'static [&'static str]),
    /// A button with the choice of an account.
    Account(&'a str),
}

impl Needed<'_> {
    fn is_met(&self, controls: &[&Control<'_>]) -> bool {
        let says = |name: &str, value: &str| {
            controls.iter().any(|control| control.name == name && control.value == value)
        };
        match self {
            Self::Input(name) => controls.iter().any(|control| control.name == *name),
            Self::Button { value, or } => says("action", value) || says("action", or),
            Self::Sends(others) => controls.iter().any(|control| {
                let is_other = control.name == "action" && others.contains(&control.value);
                control.sends && control.name != LANGUAGE && !is_other
            }),
            Self::Account(choice) => says("account", Html::escape(choice).as_str()),
        }
    }

    fn flaw(self) -> Flaw {
        match self {
            Self::Input(name) => Flaw::Input(name),
            Self::Button { value, .. } => Flaw::Button("action", value),
            Self::Sends(_) => Flaw::Unsent,
            Self::Account(_) => Flaw::Button("account", "{{ account.choice }}"),
        }
    }
}

/// What each page needs for what it is there for. Whatever else the built-in one has, a page may leave out: another way to
/// say no, a way to another page.
fn needed(content: Content<'_>) -> Vec<Needed<'_>> {
    use Needed::{Account, Button, Input, Sends};
    const NO: Needed<'_> = Button { value: "deny", or: "cancel" };
    let only = |value| Button { value, or: value };
    match content {
        Content::Accounts(view, _) => {
            view.accounts.iter().map(|account| Account(account.choice.as_str())).collect()
        }
        Content::Approve(..) | Content::Consent(..) => vec![only("allow"), NO],
        Content::ChangePassword(..) => {
            vec![Input("current"), Input("new"), Input("again"), only("change")]
        }
        Content::ConfirmDevice(..) => vec![only("confirm"), NO],
        Content::ConfirmEnd(..) => vec![only("end")],
        Content::Login(..) => {
            vec![Input("username"), Input("password"), Sends(&["create", "cancel", "deny"])]
        }
        Content::LogoutConfirm(..) => vec![only("logout")],
        Content::SignUp(..) => {
            vec![Input("username"), Input("password"), Sends(&["login", "cancel", "deny"])]
        }
        Content::UserCode(..) => vec![Input("user_code")],
        _ => Vec::new(),
    }
}

/// What the form of a page has to send back.
fn form_of(content: Content<'_>) -> Option<&FormMarkup> {
    match content {
        Content::Accounts(_, form)
        | Content::Approve(_, form)
        | Content::ChangePassword(_, form)
        | Content::ConfirmDevice(_, form)
        | Content::ConfirmEnd(_, form)
        | Content::Consent(_, form)
        | Content::FormPost(form)
        | Content::Login(_, form)
        | Content::LogoutConfirm(_, form)
        | Content::Repost(form)
        | Content::SignUp(_, form)
        | Content::UserCode(_, form) => Some(form),
        _ => None,
    }
}
