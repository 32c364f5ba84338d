//! What people see of a provider that an application has mounted: designed pages, of which it replaces as many as it
//! likes.

#![cfg(feature = "development")]
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bytes::Bytes;
use chancery::pages::Templates;
use chancery::{Content, Html, Locale, Page, Pages, Service};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use tower_service::Service as _;

/// The login page.
const LOGIN: &str = "/authorize?client_id=demo&response_type=code&scope=openid&redirect_uri=http://127.0.0.1/callback\
    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

/// The page of an error.
const ERROR: &str = "/authorize?client_id=nobody";

async fn service() -> Service {
    let demo = chancery::development("http://localhost:3000").await.unwrap();
    chancery::service(demo.provider().clone())
}

async fn page(service: &Service, path: &str, language: &str) -> String {
    let request =
        Request::builder().uri(path).header("host", "localhost:3000").header("accept-language", language);
    let response = service.clone().call(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap();
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// The design has a style sheet and two languages, which the plain pages for tests have not.
fn is_designed(page: &str, language: &str) -> bool {
    page.contains("<style nonce=") && page.contains(&format!("<html lang=\"{language}\""))
}

#[tokio::test]
async fn they_are_designed_unless_the_application_says_otherwise() {
    let service = service().await;
    for path in [LOGIN, ERROR] {
        for language in ["en", "de"] {
            let page = page(&service, path, language).await;
            assert!(is_designed(&page, language), "{path} in {language}: {page}");
        }
    }
}

#[tokio::test]
async fn one_page_is_overridden_and_the_others_stay_designed() {
    let own = |page: Page<'_>, locale: &Locale| match page.content {
        Content::Login(view, form) => Some(Html::new(format!(
            "<h1>{} to {}</h1>{}",
            locale.as_str(),
            Html::escape(&view.client.name),
            form.hidden_inputs()
        ))),
        _ => None,
    };
    let service = service().await.with_own_pages(own);
    for language in ["en", "de"] {
        let login = page(&service, LOGIN, language).await;
        assert!(login.starts_with(&format!("<h1>{language} to Demo</h1><input type=\"hidden\"")), "{login}");
        assert!(is_designed(&page(&service, ERROR, language).await, language), "{language}");
    }
}

/// What is overridden last counts first, and nothing but what it writes.
#[tokio::test]
async fn overrides_of_overrides() {
    let named = |name: &'static str| {
        move |page: Page<'_>, _: &Locale| match page.content {
            Content::Login(..) => Some(Html::new(name)),
            Content::Error(..) if name == "first" => Some(Html::new(name)),
            _ => None,
        }
    };
    let service = service().await.with_own_pages(named("first")).with_own_pages(named("second"));
    assert_eq!(page(&service, LOGIN, "en").await, "second");
    assert_eq!(page(&service, ERROR, "en").await, "first");
}

/// Pages that are all the application's own.
struct One;

impl Pages for One {
    fn page(&self, _: Page<'_>, locale: &Locale) -> Html {
        Html::new(format!("one page in {}", locale.as_str()))
    }
}

#[tokio::test]
async fn all_pages_are_the_application_s_own() {
    let demo = chancery::development("http://localhost:3000").await.unwrap();
    let service = chancery::service_with_pages(demo.provider().clone(), Arc::new(One));
    assert_eq!(page(&service, LOGIN, "de").await, "one page in en");
    let designed = service.with_pages(Arc::new(Templates::built_in()));
    assert!(is_designed(&page(&designed, LOGIN, "de").await, "de"));
}
