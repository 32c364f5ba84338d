//! `chancery pages`: every page with sample data in a browser, and the files to change them.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::fs::{OpenOptions, create_dir_all};
use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use chancery_http::{Around, Html, LanguageSwitch, Pages as _};
use chancery_pages::Templates;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{Output, lines};
use crate::access;
use crate::arguments::{Configured, Pages};
use crate::listener::names_this_machine;
use crate::pages::templates;
use crate::settings::{self, load};

/// Runs the command.
pub(crate) async fn pages(command: Pages) -> Output {
    match command {
        Pages::Export { folder } => export(&folder),
        Pages::Preview { configured, port } => preview(&configured, port).await,
    }
}

fn export(folder: &Path) -> Output {
    let files: Vec<(std::path::PathBuf, &str)> =
        Templates::sources().map(|(path, text)| (folder.join(path), text)).collect();
    if let Some((file, _)) = files.iter().find(|(file, _)| file.exists()) {
        return Err(format!(
            "{}: is there already, and nothing was written; name another folder, such as {}-new, or move this one away",
            file.display(),
            folder.display()
        ));
    }
    for (file, text) in &files {
        let written = file.parent().map_or(Ok(()), create_dir_all);
        let written = written.and_then(|()| OpenOptions::new().write(true).create_new(true).open(file));
        let written = written.and_then(|mut open| open.write_all(text.as_bytes()));
        written.map_err(|error| match error.kind() {
            ErrorKind::PermissionDenied => format!(
                "{}: user {} may not write there; name a folder where that user may, such as {}",
                file.display(),
                access::ourselves(),
                std::env::temp_dir().join("pages").display()
            ),
            _ => format!("{}: {error}", file.display()),
        })?;
    }
    // A configuration resolves its files from its own folder, which is often another one than this.
    let folder = &std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    let (templates, messages) = (folder.join("templates"), folder.join("messages"));
    Ok(format!(
        "{} files were written. Keep those that you change, remove the others, and set:\n\n[pages]\n\
         templates = \"{}\"\nmessages = \"{}\"\n",
        files.len(),
        templates.display(),
        messages.display()
    ))
}

/// Whose pages are shown, and of which issuer. Without a configuration they are the built-in ones.
struct Shown {
    issuer: String,
    pages: settings::Pages,
}

impl Shown {
    fn of(configured: &Configured) -> Result<Self, String> {
        if configured.config.is_none()
            && configured.set.is_empty()
            && !settings::Source::of(configured).path.exists()
        {
            return Ok(Self { issuer: "https://id.example".to_owned(), pages: settings::Pages::default() });
        }
        let settings = load(configured).map_err(|complaints| lines(&complaints))?;
        Ok(Self { issuer: settings.issuer.as_str().to_owned(), pages: settings.pages })
    }
}

async fn preview(configured: &Configured, port: u16) -> Output {
    let shown = Arc::new(Shown::of(configured)?);
    templates(&shown.pages)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; choose another port with --port, or 0 for a free one")
    })?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    println!("The pages are at http://{address}/ as their files are at each reload. Ctrl-C ends this.");
    let serving = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let shown = shown.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer(&shown, &request);
                async move { Ok::<_, Infallible>(answer) }
            });
            tokio::spawn(async move {
                let _gone = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    };
    tokio::select! {
        () = serving => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(String::new())
}

fn answer<B>(shown: &Shown, request: &Request<B>) -> Response<Full<Bytes>> {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    if !names_this_machine(request) {
        let why = "the Host header names another machine: ask for 127.0.0.1 or localhost";
        return text(StatusCode::MISDIRECTED_REQUEST, "text/plain; charset=utf-8", why);
    }
    // Read each time, so that whoever edits a file sees it at the next reload.
    let templates = match templates(&shown.pages) {
        Ok(templates) => templates,
        Err(why) => return text(StatusCode::OK, "text/plain; charset=utf-8", why),
    };
    if let Some(file) = path.strip_prefix("/files/").and_then(|name| templates.file(name)) {
        return text(StatusCode::OK, &file.media_type, file.content);
    }
    if path == "/" {
        return text(StatusCode::OK, HTML, index(&templates));
    }
    let name = path.trim_start_matches('/');
    let language = query.strip_prefix("language=").unwrap_or(&shown.pages.locale);
    let address = format!("/{name}?language=");
    let mut around = Around::of(&shown.issuer);
    around.files = "/files";
    around.home = Some("/");
    around.account = Some("/account");
    around.language = LanguageSwitch::Address(&address);
    match templates.preview(name, language, around) {
        Some(html) => text(StatusCode::OK, HTML, html),
        None => text(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "there is no such page"),
    }
}

const HTML: &str = "text/html; charset=utf-8";

/// The list of all pages.
fn index(templates: &Templates) -> String {
    let mut list = String::new();
    for name in Templates::preview_names() {
        let _ = write!(list, "<li>{name}:");
        for language in templates.locales() {
            let language = Html::escape(language);
            let _ = write!(list, " <a href=\"/{name}?language={language}\">{language}</a>");
        }
        list.push_str("</li>");
    }
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>All pages</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         <h1>All pages</h1><ul>{list}</ul></html>"
    )
}

/// An answer. The forms of the samples lead nowhere.
fn text(status: StatusCode, media_type: &str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("form-action 'none'; frame-ancestors 'self'"),
    );
    if let Ok(media_type) = HeaderValue::from_str(media_type) {
        headers.insert(CONTENT_TYPE, media_type);
    }
    response
}

#[cfg(test)]
mod tests {
    use http::header::HOST;

    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("chancery-pages-command-{name}-{}", std::process::id()))
    }

    /// What is written is what is built in, so that it can be set as it is; and nothing is overwritten.
    #[test]
    fn what_is_exported_can_be_set() {
        let folder = folder("export");
        let said = export(&folder).unwrap();
        assert!(said.contains("templates = ") && said.contains("messages = "), "{said}");
        let pages = settings::Pages {
            templates: Some(folder.join("templates")),
            messages: Some(folder.join("messages")),
            ..settings::Pages::default()
        };
        assert_eq!(templates(&pages).map(|templates| templates.locales().len()), Ok(2));
        let again = export(&folder).unwrap_err();
        assert!(again.contains("is there already") && again.contains("name another folder"), "{again}");
        std::fs::remove_dir_all(&folder).unwrap();
        // Wherever the configuration is.
        let relative = format!("../../target/exported-{}", std::process::id());
        let said = export(Path::new(&relative)).unwrap();
        assert!(said.contains("templates = \"/") && said.contains("messages = \"/"), "{said}");
        std::fs::remove_dir_all(&relative).unwrap();
    }

    fn request(target: &str) -> Request<()> {
        Request::builder().uri(target).header(HOST, "127.0.0.1:4000").body(()).unwrap()
    }

    /// Pages and files that are not published yet are not told to a page whose name leads here (DNS rebinding).
    #[test]
    fn who_names_another_machine_sees_no_page() {
        let shown = Shown { issuer: "https://id.example.org".to_owned(), pages: settings::Pages::default() };
        for target in ["/", "/login?language=en", "/files/x"] {
            let mut request = request(target);
            request.headers_mut().insert(HOST, HeaderValue::from_static("evil.example:4000"));
            assert_eq!(answer(&shown, &request).status(), StatusCode::MISDIRECTED_REQUEST, "{target}");
        }
    }

    /// Every page answers in every language, and what there is not is not found.
    #[test]
    fn every_page_can_be_looked_at() {
        let shown = Shown { issuer: "https://id.example.org".to_owned(), pages: settings::Pages::default() };
        for name in Templates::preview_names() {
            for language in ["en", "de"] {
                let answer = answer(&shown, &request(&format!("/{name}?language={language}")));
                assert_eq!(answer.status(), StatusCode::OK, "{name} {language}");
                assert_eq!(answer.headers()[CONTENT_TYPE], HTML, "{name}");
            }
        }
        assert_eq!(answer(&shown, &request("/")).status(), StatusCode::OK);
        for wrong in ["/nothing", "/files/x", "/../etc/passwd", "/login/"] {
            assert_eq!(
                answer(&shown, &request(&format!("{wrong}?language=en"))).status(),
                StatusCode::NOT_FOUND,
                "{wrong}"
            );
        }
    }
}
