//! `[pages]`: what people see.

use super::{Form, Setting, setting};

pub(super) const PAGES: &[Setting] = &[
    setting("pages.name", Form::Text, "", "The name of the service, which stands above each page."),
    setting(
        "pages.logo",
        Form::Text,
        "",
        "A file with the logo that stands above each page: PNG, JPEG, WebP or SVG, at most 256 KiB. The server serves it itself.",
    ),
    setting(
        "pages.accent",
        Form::Text,
        "",
        "The colour of buttons and links, such as `\"#0b57d0\"`. What is written on it is black or white, whichever can be read, and links are darkened or brightened until they can.",
    ),
    setting(
        "pages.templates",
        Form::Text,
        "",
        "A folder of templates that replace the built-in ones of the same names.",
    ),
    setting(
        "pages.messages",
        Form::Text,
        "",
        "A folder of message catalogues: `de.toml` changes sentences of a language, `fr.toml` adds one ([own-pages.md](own-pages.md)).",
    ),
    setting(
        "pages.scopes",
        Form::TextByName,
        "{}",
        "What a scope is called on the consent page: by its name, or for one language by its name, `#` and the language, such as `albums.read#de`.",
    ),
    setting(
        "pages.scope_descriptions",
        Form::TextByName,
        "{}",
        "A second line about a scope, by the same names.",
    ),
    setting(
        "pages.locale",
        Form::Text,
        "\"en\"",
        "The language for browsers that accept none of the available ones: `en`, `de`, or one of `pages.messages`.",
    ),
    setting(
        "pages.client_logos",
        Form::Switch,
        "false",
        "Whether pages show the logo of the client that asks. The browser loads it from the client's `logo_uri` if that is https, so that whoever serves it learns from which address a page is looked at.",
    ),
    setting(
        "pages.links.help",
        Form::Text,
        "",
        "Where people find help; in the footer of each page. This and the other links are addresses that begin with `https://`, `http://`, `mailto:` or `/`.",
    ),
    setting("pages.links.privacy", Form::Text, "", "Your privacy policy; in the footer of each page."),
    setting("pages.links.imprint", Form::Text, "", "Who runs the service; in the footer of each page."),
    setting(
        "pages.links.forgot_password",
        Form::Text,
        "",
        "Where people go who have forgotten their password; beside the field of the password.",
    ),
    setting(
        "pages.links.create_account",
        Form::Text,
        "",
        "Where people make an account, if not here (`sign_up.offered`); on the sign-in page.",
    ),
];
