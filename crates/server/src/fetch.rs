//! Requests to other servers, by the settings.

use std::sync::Arc;

use chancery_fetch::{HttpsFetch, Options, Roots};

use crate::settings::Fetch;

/// Whose certificates are trusted. The files of authorities are read here.
pub(crate) fn roots(settings: &Fetch) -> Result<Roots, String> {
    let mut roots = Roots::default();
    for file in &settings.extra_roots {
        let about = |what: &dyn std::fmt::Display| format!("fetch.extra_roots: {}: {what}", file.display());
        let pem = std::fs::read(file).map_err(|error| about(&error))?;
        roots = roots.and(&pem).map_err(|error| about(&error))?;
    }
    Ok(roots)
}

/// The outbound client.
pub(crate) fn open(settings: &Fetch) -> Result<Arc<HttpsFetch>, String> {
    let options = Options {
        roots: roots(settings)?,
        allowed_hosts: settings.allow_hosts.clone(),
        are_allowed_for_strangers: settings.are_hosts_for_everybody,
        background: Some(Arc::new(|rest| drop(tokio::spawn(rest)))),
        ..Options::default()
    };
    HttpsFetch::new(options).map(Arc::new).map_err(|fault| fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::{AsksClients, Certificate};
    use chancery_core::fetch::{Fetch as _, FetchRequest};
    use chancery_core::ports::{Clock as _, SystemClock};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// A server of this machine is asked if it is named and its certificate is trusted, and not otherwise.
    #[tokio::test]
    async fn the_settings_decide_who_is_asked() {
        let folder = std::env::temp_dir().join(format!("chancery-fetch-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        crate::secrets::write_private(&key, &made.signing_key.serialize_pem()).unwrap();
        let now = SystemClock.now();
        let acceptor = Certificate::read(&certificate, &key, now).unwrap().acceptor(AsksClients::No);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let _ = stream.read(&mut [0; 1024]).await;
                let answer =
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let url = format!("https://{host}/jwks");
        for (is_named, is_trusted) in [(false, true), (true, false), (true, true)] {
            let settings = Fetch {
                extra_roots: if is_trusted { vec![certificate.clone()] } else { Vec::new() },
                allow_hosts: if is_named { vec![host.parse().unwrap()] } else { Vec::new() },
                are_hosts_for_everybody: false,
            };
            let request = FetchRequest::get(&url, "application/json", 2);
            let answer = open(&settings).unwrap().fetch(&request).await;
            assert_eq!(answer.is_ok(), is_named && is_trusted, "{is_named} {is_trusted}: {answer:?}");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
