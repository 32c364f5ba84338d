use chancery_core::interaction::view::{ClientView, LogoutDoneView};
use chancery_http::Content;

use super::*;
use crate::messages::tests::ids;

/// Name, language and words of each page. Where a long word may be parted is none of the words.
fn pages() -> Vec<(String, &'static str, String)> {
    let whole = |(name, language, html): (_, _, String)| (name, language, html.replace('\u{ad}', ""));
    rendered().into_iter().map(whole).collect()
}

fn rendered() -> Vec<(String, &'static str, String)> {
    let templates = Templates::built_in();
    let mut pages = Vec::new();
    for language in ["en", "de"] {
        samples::each(|name, content| {
            let html = templates.render(samples::page(content), language, None).unwrap();
            pages.push((name.to_owned(), language, html));
        });
    }
    pages
}

/// Whoever has signed out can go to the client's home page; or where there is none, to where a login begins.
#[test]
fn a_sign_out_has_a_way_on() {
    let (home, begin) = ("https://rp.example/", "https://rp.example/begin?iss=x");
    for (client_uri, initiate_login_uri, to) in
        [(Some(home), Some(begin), Some(home)), (None, Some(begin), Some(begin)), (None, None, None)]
    {
        let [client_uri, initiate_login_uri] =
            [client_uri, initiate_login_uri].map(|uri| uri.map(str::to_owned));
        let client = Some(ClientView { client_uri, initiate_login_uri, ..ClientView::default() });
        let done = LogoutDoneView { client, was_signed_in: true, ..LogoutDoneView::default() };
        let content = Content::LogoutDone(&done, &chancery_http::FormMarkup::default());
        let html = Templates::built_in().render(samples::page(content), "en", None).unwrap();
        for address in [home, begin] {
            assert_eq!(html.contains(&format!("href=\"{address}\"")), to == Some(address), "{to:?}: {html}");
        }
    }
}

/// A list of many is short at first: five stand on the page, and the others are folded away.
#[test]
fn long_lists_are_folded() {
    let all = pages();
    let of = |wanted| all.iter().find(|(name, language, _)| name == wanted && *language == "en").unwrap();
    let page = &of("account").2;
    let (shown, folded) = page.split_once("<details class=\"fold\">").unwrap();
    let count = |html: &str| html.matches("account/session?").count();
    assert_eq!((count(shown), count(folded)), (4, 1), "the fifth is this session, which has no link");
    assert!(folded.contains("<summary>Show 1 more</summary>"));
    assert!(!of("account-news").2.contains("class=\"fold\""), "three need no fold");
}

#[test]
fn every_page_is_complete() {
    for (name, language, html) in pages() {
        let of_two_words = [
            "front-page",
            "not-found",
            "signed-in",
            "sign-up",
            "logout-confirm",
            "logout-done",
            "logout-frames",
            "user-code",
            "change-password",
            "confirm-device",
            "confirm-end",
            "device-done",
            "approval-done",
        ];
        let kind = of_two_words.into_iter().find(|kind| name.starts_with(kind));
        let kind = kind.unwrap_or_else(|| name.split('-').next().unwrap());
        assert!(html.starts_with("<!doctype html>"), "{name}: {html}");
        assert!(html.contains(&format!("<html lang=\"{language}\">")), "{name}");
        assert!(html.contains(&format!("<main data-page=\"{kind}\"")), "{name}");
        assert!(html.contains("<style nonce=\"N0NCE\">"), "{name}");
        assert!(!html.contains("<title> ") && !html.contains("<title></title>"), "{name}");
        assert_eq!(html.matches("<h1>").count(), 1, "{name}");
        // Content security policy: nothing inline without the nonce, nothing from elsewhere.
        let others = html.replace(
            &format!("<script nonce=\"N0NCE\" src=\"{}\" defer>", script(Around::of("https://id.example"))),
            "",
        );
        let loads = kind != "logout-frames" && (html.contains("onload") || others.contains("src="));
        assert!(!html.contains(" style=") && !loads, "{name}");
        assert!(!html.contains("undefined") && !html.contains(">none<"), "{name}");
        if html.contains("<form") {
            // The form of the page, or that of its language.
            let form =
                |id| format!("<form id=\"{id}\" method=\"post\" action=\"https://id.example/interaction\">");
            assert!(["form", "switch"].into_iter().any(|id| html.contains(&form(id))), "{name}");
            let hidden =
                "<input type=\"hidden\" name=\"request\" value=\"scope=openid&amp;state=&lt;x&gt;\">";
            assert_eq!(html.matches(hidden).count(), 1, "{name}: {html}");
        }
    }
}

#[test]
fn automation_finds_its_marks() {
    let html = |wanted: &str| {
        pages().into_iter().find(|(name, language, _)| name == wanted && *language == "en").unwrap().2
    };
    let login = html("login");
    for mark in [
        "name=\"username\"",
        "name=\"password\"",
        "name=\"action\" value=\"login\"",
        "name=\"action\" value=\"cancel\"",
        "Sign in",
    ] {
        assert!(login.contains(mark), "{mark}");
    }
    assert!(
        login.contains("autocomplete=\"username\"") && login.contains("autocomplete=\"current-password\"")
    );
    assert!(login.find("value=\"login\"") < login.find("value=\"cancel\""), "Enter presses the first button");
    let consent = html("consent");
    assert!(
        consent.contains("name=\"action\" value=\"allow\"")
            && consent.contains("name=\"action\" value=\"deny\"")
    );
    let accounts = html("accounts");
    assert!(
        accounts.contains("name=\"account\" value=\"choice-Bob Example\"")
            && accounts.contains("value=\"another\"")
    );
    let error = html("error");
    assert!(error.contains("That did not work") && error.contains("<code>invalid_request</code>"));
    assert!(error.contains("<code class=\"copy\" id=\"request-id\">Qb0c2vJt8mW1xY7kR4sZ9g</code>"));
    for page in ["form_post", "repost"] {
        let script = format!("<script nonce=\"N0NCE\">{}</script>", chancery_http::SUBMIT);
        assert!(html(page).contains(&script), "{page}");
        assert!(html(page).contains("<button"), "{page}");
    }
    let message = html("web_message");
    let script = format!("<script nonce=\"N0NCE\">{}</script>", chancery_http::SEND_MESSAGE);
    assert!(message.contains(&script) && message.matches("</script>").count() == 1, "{message}");
    assert!(message.contains("data-origin=\"https:"), "{message}");
    assert!(message.contains("data-json=\"{&quot;a&quot;:&quot;\\u003c&quot;}\""), "{message}");
}

#[test]
fn this_machine_has_a_name() {
    let all = pages();
    for (language, words) in [("en", "From this machine<br>"), ("de", "Von diesem Rechner<br>")] {
        let (_, _, html) =
            all.iter().find(|(name, of, _)| name == "account-empty" && *of == language).unwrap();
        assert!(html.contains(words) && !html.contains("::/64"), "{language}: {html}");
    }
}

#[test]
fn a_problem_is_tied_to_its_fields() {
    let all = pages();
    let refused = &all.iter().find(|(name, _, _)| name == "login-refused").unwrap().2;
    assert!(refused.contains("role=\"alert\"><p id=\"problem-text\">"));
    assert_eq!(refused.matches(" aria-describedby=\"problem-text\" aria-invalid=\"true\"").count(), 2);
    assert!(refused.contains("<title>Error: Sign in"));
    let throttled = &all.iter().find(|(name, _, _)| name == "login-throttled").unwrap().2;
    assert!(!throttled.contains(" aria-invalid") && throttled.contains("aria-describedby"));
    for (name, language, sentence) in [
        ("login-throttled", "en", "Wait a moment, then try again."),
        ("login-throttled-seconds", "en", "Wait 30 seconds, then try again."),
        ("login-throttled-minutes", "en", "Wait 15 minutes, then try again."),
        ("login-throttled", "de", "Warten Sie einen Augenblick und"),
        ("login-throttled-seconds", "de", "Warten Sie 30 Sekunden und"),
        ("login-throttled-minutes", "de", "Warten Sie 15 Minuten und"),
        ("login-busy", "de", "zu viele gleichzeitig"),
    ] {
        let page = all.iter().find(|(have, spoken, _)| have == name && *spoken == language).unwrap();
        assert!(page.2.contains(sentence), "{name} {language}: {}", page.2);
    }
    let login = &all.iter().find(|(name, _, _)| name == "login").unwrap().2;
    assert!(!login.contains("role=\"alert\"") && !login.contains("aria-describedby"));
}

/// RFC 10027 section 6.1.14: where a stranger's device may ask, a no is the first button, and as prominent as a yes.
#[test]
fn a_no_is_as_prominent_as_a_yes() {
    let all = pages();
    for (page, yes) in [("confirm-device", "confirm"), ("approve", "allow")] {
        let asked: Vec<_> = all.iter().filter(|(name, _, _)| name.starts_with(page)).collect();
        assert!(asked.len() >= 2, "{page}");
        for (_, language, html) in asked {
            let at = |action| html.find(&format!("class=\"secondary\" name=\"action\" value=\"{action}\""));
            assert!(at("deny").zip(at(yes)).is_some_and(|(no, yes)| no < yes), "{page} {language}: {html}");
        }
    }
}

/// Whoever has pressed a button and sees the same page again is told why, and nobody else is.
#[test]
fn a_page_that_comes_again_says_why() {
    let stale: Vec<_> = pages().into_iter().filter(|(name, ..)| name.ends_with("-stale")).collect();
    for kind in ["login", "sign-up", "consent", "accounts", "confirm-device", "approve", "user-code"] {
        assert!(stale.iter().any(|(name, ..)| *name == format!("{kind}-stale")), "{kind}");
        let first = pages().into_iter().find(|(name, ..)| name == kind);
        assert!(!first.unwrap().2.contains("role=\"alert\""), "{kind}");
    }
    for (name, language, html) in stale {
        assert!(html.contains("<div class=\"problem\" role=\"alert\"><p"), "{name} {language}");
    }
}

#[test]
fn names_are_text() {
    let templates = Templates::built_in();
    samples::each(|_, content| {
        let Content::Login(view, markup) = content else { return };
        let form = chancery_core::interaction::view::FormView {
            action: chancery_core::interaction::view::FormAction::First,
            fields: Vec::new(),
            target: view.form.target.clone(),
            not_looked_at: None,
            ui_locales: None,
            parameters: view.form.parameters.clone(),
        };
        let client = chancery_core::interaction::view::ClientView {
            name: "<script>'\"&".into(),
            ..view.client.clone()
        };
        let username = Some("\"><script>".to_owned());
        let (acr_values, challenge) = (vec![], String::new());
        let view = chancery_core::interaction::view::LoginView {
            client,
            username,
            again: None,
            problem: None,
            acr_values,
            challenge,
            form,
            offers_sign_up: false,
        };
        let html = templates.render(samples::page(Content::Login(&view, markup)), "en", None).unwrap();
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("&lt;script&gt;"));
    });
}

/// The field of a new password is described by what it needs, and by what was wrong with the last one.
#[test]
fn a_new_password_is_described() {
    let templates = Templates::built_in();
    samples::each(|name, content| {
        let Content::SignUp(view, _) = content else { return };
        for language in ["en", "de"] {
            let html = templates.render(samples::page(content), language, None).unwrap();
            let field = html.split("<input id=\"password\"").nth(1).unwrap().split('>').next().unwrap();
            let described =
                if view.problem.is_some() { "password-rule problem-text" } else { "password-rule" };
            assert!(field.contains(&format!(" aria-describedby=\"{described}\"")), "{name}: {field}");
            let of_password =
                matches!(name, "sign-up-short" | "sign-up-common" | "sign-up-is-name" | "sign-up-characters");
            assert_eq!(field.contains("aria-invalid"), of_password, "{name}: {field}");
            let rule = html.split("id=\"password-rule\">").nth(1).unwrap().split("</small>").next().unwrap();
            assert!(rule.contains(" 8 "), "{name}: {rule}");
        }
    });
}

/// Each message is used by a template, or named by a scope, a claim, a problem or a kind of error.
#[test]
fn no_sentence_is_left_over() {
    let texts: String = BUILT_IN.iter().map(|(_, text)| *text).collect();
    let mut composed = vec!["scope.".to_owned(), "claim.".to_owned(), "label.".to_owned()];
    for prefix in [
        "consent.detail.",
        "error.",
        "login.problem.",
        "sign_up.problem.",
        "device.problem.",
        "device.done",
        "device.refused",
        "approval.done",
        "approval.refused",
        "approvals",
        "logout.done",
        "logout.nobody",
        "logout.stayed",
        "signed_in.answered",
        "signed_in.ended",
        "account.news.",
        "account.problem.",
        "account.session",
        "ago.",
        "confirm.",
        "password.problem.",
        "wait.",
        "language.name",
        "locale.",
        "once_more.",
    ] {
        composed.push(prefix.to_owned());
    }
    let unused: Vec<String> = ids("en")
        .into_iter()
        .filter(|id| {
            !texts.contains(&format!("\"{id}\"")) && !composed.iter().any(|prefix| id.starts_with(prefix))
        })
        .collect();
    assert!(unused.is_empty(), "{unused:?}");
    // What is composed is shown by some sample, so every one of these sentences stands on a page.
    let all: String = pages().into_iter().map(|(_, _, html)| html).collect();
    let messages = Catalogues::built_in().of("en");
    for id in ids("en")
        .iter()
        .filter(|id| id.starts_with("error.") || id.contains(".problem") && !id.starts_with("sign_up"))
    {
        let argument = match id.as_str() {
            "error.parameter_repeated" => Some(("parameter", Value::from("redirect_uri"))),
            "error.go_on" => Some(("client", Value::from("Sunny Day Photos"))),
            "password.problem.password_too_short" => Some(("shortest", Value::from(8))),
            id if id.ends_with(".problem.throttled") => Some(("wait", Value::from("a moment"))),
            _ => None,
        };
        let arguments = argument.into_iter();
        let sentence = messages.sentence(id, &Kwargs::from_iter(arguments)).unwrap();
        assert!(all.contains(sentence.to_string().as_str()), "{id}");
    }
}

fn folder(files: &[(&str, &str)]) -> Result<Templates, Complaints> {
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("chancery-pages-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    for (name, text) in files {
        std::fs::write(path.join(name), text).unwrap();
    }
    let templates = Templates::from_folder(&path);
    std::fs::remove_dir_all(&path).unwrap();
    templates
}

#[test]
fn a_folder_replaces_what_it_holds() {
    let own = "Hello {{ client.name }}, {{ t('login.title') }}\n\
               {% from 'parts.html' import hidden %}<form method=POST action='{{ form.action }}'>{{ hidden(form) }}\
               <select name=username><option>alice</select><input name=password><input type=submit></form>";
    let templates = folder(&[("login.html", own)]).unwrap();
    samples::each(|name, content| {
        let html = templates.page(samples::page(content), &Locale::negotiate(&["de".into()], &["en", "de"]));
        let is_own = html.as_str().starts_with("Hello Sunny Day Photos, Anmelden\n<form");
        assert_eq!(is_own, name.starts_with("login"), "{name}");
    });
}

/// The built-in template with something else in the place of one text.
fn changed(name: &str, from: &str, to: &str) -> String {
    let (_, text) = BUILT_IN.iter().find(|(known, _)| *known == name).unwrap();
    assert!(text.contains(from), "{name}: {from}");
    text.replace(from, to)
}

/// A page that nobody could answer is found when the templates are tried, and what to write is said.
#[test]
fn a_page_that_nobody_could_answer_is_refused() {
    for (name, from, to, said) in [
        (
            "login.html",
            "{{ hidden(form) }}",
            "",
            "its form lacks the hidden fields `request`, `token`; write `{{ hidden(form) }}` within it",
        ),
        (
            "login.html",
            "{{ hidden(form) }}",
            "<input type=hidden name=request value=\"{{ form.fields[0].value }}\">",
            "lacks the hidden field `token`",
        ),
        (
            "login.html",
            "name=\"username\"",
            "name=\"user\"",
            "its form lacks the input `username`; write `<input name=\"username\">`",
        ),
        (
            "login.html",
            "action=\"{{ form.action }}\"",
            "action=\"/login\"",
            "no form is sent to `form.action`; write",
        ),
        ("login.html", "method=\"post\"", "", "its form is not sent by POST; write `<form method=\"post\""),
        (
            "login.html",
            "id=\"form\" ",
            "",
            "the button `chancery_language` is for the form with the id `form`",
        ),
        ("login.html", "name=\"action\" value=\"login\"", "type=\"button\"", "lacks a button that sends it"),
        ("parts.html", "name=\"password\"", "", "lacks the input `password`"),
        ("consent.html", "value=\"deny\"", "value=\"no\"", "write `<button name=\"action\" value=\"deny\">`"),
        ("consent.html", "value=\"allow\"", "value=\"allow\" disabled", "name=\"action\" value=\"allow\""),
        ("accounts.html", "name=\"account\"", "name=\"choice\"", "value=\"{{ account.choice }}\""),
        ("confirm_end.html", "value=\"end\"", "value=\"yes\"", "value=\"end\""),
        ("passed_on.html", "{{ hidden(form) }}", "<!-- {{ hidden(form) }} -->", "lacks the hidden fields"),
        ("layout.html", "{{ hidden(switch_form) }}", "", "write `{{ hidden(switch_form) }}`"),
    ] {
        let found = folder(&[(name, &changed(name, from, to))]).err();
        let wrong = found.unwrap_or_else(|| panic!("{name} without {from}")).to_string();
        assert!(wrong.contains(&format!("{name}: ")) && wrong.contains(said), "{name}, {from}: {wrong}");
    }
    // One mistake of one file is said once, whatever other pages are made of it.
    let wrong = folder(&[("login.html", &changed("login.html", "{{ hidden(form) }}", ""))]).err().unwrap();
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].rule.ends_with("; its form begins in line 16"), "{wrong:?}");
}

/// What a page may leave out, or say in another way.
#[test]
fn a_page_may_look_otherwise() {
    for (name, from, to) in [
        ("login.html", "<button class=\"quiet\" name=\"action\" value=\"cancel\"", "<button type=button"),
        ("login.html", "name=\"action\" value=\"login\"", ""),
        ("consent.html", "value=\"deny\"", "value=\"cancel\""),
        ("consent.html", "name=\"action\" value=\"switch\"", "type=button"),
        ("accounts.html", "name=\"forget\"", "type=button"),
        (
            "layout.html",
            "<form id=\"switch\"",
            "<form action=\"https://search.example/\"></form><form id=\"switch\"",
        ),
        ("layout.html", "{% if languages %}", "{% if false %}"),
    ] {
        let found = folder(&[(name, &changed(name, from, to))]).err();
        assert!(found.is_none(), "{name} without {from}: {found:?}");
    }
}

#[test]
fn a_folder_is_refused_with_all_that_is_wrong() {
    let complaints =
        |files| folder(files).err().unwrap().into_iter().map(|c| c.to_string()).collect::<Vec<_>>();
    let wrong = complaints(&[
        ("logn.html", ""),
        ("error.html", "{{ nobody }}"),
        ("consent.html", "{{ t('no.message') }}"),
    ]);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
    let expected =
        "logn.html: replaces no template: rename it, or move it away; the templates are account.html, ";
    assert!(wrong[0].contains(expected), "{wrong:?}");
    assert!(wrong.iter().any(|wrong| wrong.contains("; the line is `{{ nobody }}`")), "{wrong:?}");
    assert!(
        complaints(&[("login.html", "{% if %}")])[0]
            .contains("login.html: is not a template that works in line 1")
    );
    assert!(Templates::from_folder(Path::new("/nowhere/at/all")).is_err());
}

/// A backup of a template is not a misspelt one; a file with another end is.
#[test]
fn what_an_editor_leaves_is_passed_over() {
    let left = [
        ".login.html.swp",
        ".#login.html",
        "#login.html#",
        "login.html~",
        "login.html.bak",
        "login.html.orig",
        "login.html.swp",
        "login.html.tmp",
    ];
    let found = folder(&left.map(|name| (name, "{{ half a template"))).err();
    assert!(found.is_none(), "{found:?}");
    for name in ["login.html.old", "bak", "login.htm", "login~.html"] {
        assert_eq!(folder(&[(name, "")]).err().map(|found| found.len()), Some(1), "{name}");
    }
}

/// Writes every page into a folder, to be looked at: `cargo test -p chancery-pages gallery -- --ignored`.
#[test]
#[ignore = "writes files for people to look at"]
fn gallery() {
    let folder = std::env::temp_dir().join("chancery-pages-gallery");
    std::fs::create_dir_all(&folder).unwrap();
    for (name, language, html) in rendered() {
        // Without the script, which would leave the page at once.
        let html = html.split("<script").next().unwrap().to_owned();
        std::fs::write(folder.join(format!("{name}.{language}.html")), html).unwrap();
    }
}

/// A logo comes from another origin: it is shown only where the operator wants it, and then on every page that
/// is about the client.
#[test]
fn logos_are_shown_where_the_operator_wants_them() {
    let logo = "<img class=\"mark\" src=\"https://photos.example/logo.png\" alt=\"\"";
    let locale = chancery_http::Locale::negotiate(&[], &["en", "de"]);
    for (templates, wanted) in
        [(Templates::built_in(), false), (Templates::built_in().with_client_logos(), true)]
    {
        samples::each(|name, content| {
            let html = templates.page(samples::page(content), &locale);
            let shown = wanted && client_of(content).is_some();
            assert_eq!(html.as_str().matches(logo).count(), usize::from(shown), "{name}");
            assert_eq!(html.as_str().matches("<img").count(), usize::from(shown), "{name}");
        });
    }
}

/// OIDC Registration section 2: a person can read a client's policy and terms before they sign in.
#[test]
fn the_clients_documents_are_one_click_away() {
    for (name, _, html) in pages() {
        let is_nobodys = [
            "logout-confirm-nobody-asks",
            "logout-confirm-stale",
            "logout-done-nobody-asked",
            "logout-done-nobody",
            "logout-done-nobody-chosen",
        ];
        let is_doubtful = ["logout-confirm-doubtful", "logout-confirm-unregistered"].contains(&&*name);
        let kinds = [
            "login",
            "sign-up",
            "consent",
            "logout",
            "confirm-device",
            "device-done",
            "approve",
            "approval-done",
        ];
        let is_about_client = kinds.iter().any(|kind| name.starts_with(kind));
        let is_linked = is_about_client && !is_doubtful && !is_nobodys.contains(&&*name);
        for document in ["https://photos.example/privacy", "https://photos.example/terms"] {
            let link = format!("<a href=\"{document}\" target=\"_blank\" rel=\"noopener\">");
            assert_eq!(html.matches(&link).count(), usize::from(is_linked), "{name}");
        }
        assert!(!is_doubtful || !html.contains("Sunny Day Photos"), "{name}: {html}");
    }
}

#[test]
fn a_long_address_breaks_at_its_dots() {
    assert_eq!(breaking("alice@example.org"), "alice@example.org", "a line is long enough");
    let long = "maximilian.mustermann@mail.example";
    assert_eq!(breaking(long), "maximilian.<wbr>mustermann<wbr>@mail.<wbr>example");
    let account = pages().into_iter().find(|(name, ..)| name == "account").unwrap().2;
    assert!(account.contains("<rect x=\"7\" y=\"3\""), "a telephone looks like one");
}
