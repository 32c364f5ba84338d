//! Notices a proxy that asks by another name than browsers do (RFC 9110 section 7.2), such as nginx without
//! `proxy_set_header Host`. Everything works all the same: a page that is asked for by another name is redirected to the
//! issuer's once, and then the name is known to be a proxy's.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use chancery_core::offered::{Caller, Endpoint};
use http::Request;
use http::header::HOST;
use http::uri::Authority;

use crate::settings::Settings;

/// How many names are told. Strangers can choose some of them.
const NAMES: usize = 8;

/// How many characters of a name are told.
const LONGEST: usize = 100;

/// The names by which people and clients ask, and those by which proxies have asked instead.
pub(super) struct OtherHosts {
    ours: Vec<Box<str>>,
    others: Mutex<BTreeSet<Box<str>>>,
    are_many: AtomicBool,
}

impl OtherHosts {
    /// The issuer's own name, and the one for clients with certificates.
    pub(super) fn of(settings: &Settings) -> Self {
        let addresses = [settings.issuer.origin(), &settings.engine.mtls.endpoint_aliases];
        let authority = |address: &str| -> Option<Box<str>> {
            Some(address.split_once("://")?.1.split('/').next()?.into())
        };
        Self {
            ours: addresses.into_iter().filter_map(authority).collect(),
            others: Mutex::default(),
            are_many: AtomicBool::new(false),
        }
    }

    /// What to say of a proxy's request for a page, the first time that it has this name.
    pub(super) fn notice<B>(
        &self,
        proxy: IpAddr,
        request: &Request<B>,
        endpoint: impl FnOnce() -> Option<Endpoint>,
    ) -> Option<String> {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let name = host.or(request.uri().authority().map(Authority::as_str))?;
        let is_ours = |ours: &str| {
            let port = name.get(ours.len()..).unwrap_or_default();
            matches!(port, "" | ":443" | ":80")
                && name.get(..ours.len()).is_some_and(|name| name.eq_ignore_ascii_case(ours))
        };
        if name.is_empty()
            || self.ours.iter().any(|ours| is_ours(ours))
            || self.are_many.load(Ordering::Relaxed)
        {
            return None;
        }
        // Others are asked by whoever looks whether the server is there, under any name.
        endpoint().filter(|endpoint| endpoint.describe().caller == Caller::Browser)?;
        let name = shortened(name);
        let mut others = self.others.lock().ok()?;
        if !others.insert(name.as_str().into()) {
            return None;
        }
        self.are_many.store(others.len() >= NAMES, Ordering::Relaxed);
        let ours = self.ours.first()?;
        Some(format!(
            "the proxy {proxy} asks for {name} where browsers ask for {ours}, so that pages take one redirect more: let it hand on \
             the header field Host (nginx: proxy_set_header Host $http_host;). X-Forwarded-Host is not read. This is logged once \
             for a name"
        ))
    }
}

/// The name, or its beginning if it is long: whoever asks can choose one that fills the log.
fn shortened(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}\u{2026}", name.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use chancery_types::{Issuer, RealmId};

    use super::*;

    #[test]
    fn a_name_that_is_not_ours_is_told_once_and_not_all_of_them() {
        let issuer = Issuer::parse("https://id.example:8443/auth").unwrap();
        let mut settings = Settings::on(issuer, RealmId::parse("main").unwrap(), Vec::new());
        settings.engine.mtls.endpoint_aliases = "https://mtls.example/auth".into();
        let hosts = OtherHosts::of(&settings);
        let notice = |host: &str, endpoint| {
            let request = Request::builder().uri("/").header(HOST, host).body(()).unwrap();
            hosts.notice(Ipv4Addr::LOCALHOST.into(), &request, || endpoint)
        };
        let page = Some(Endpoint::Authorization);
        for ours in ["id.example:8443", "ID.example:8443", "mtls.example", "mtls.example:443", ""] {
            assert_eq!(notice(ours, page), None, "{ours}");
        }
        assert_eq!(notice("chancery", Some(Endpoint::Jwks)), None);
        assert_eq!(notice("chancery", None), None);
        let said = notice("chancery", page).unwrap();
        for part in [
            "127.0.0.1 asks for chancery where browsers ask for id.example:8443",
            "proxy_set_header Host $http_host;",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(notice("chancery", page), None);
        let long = notice(&format!("{}.example", "a".repeat(250)), page).unwrap();
        assert!(long.contains(&format!(" asks for {}\u{2026} where", "a".repeat(LONGEST))), "{long}");
        let told = (0..20).filter(|number| notice(&format!("id.example:{number}"), page).is_some()).count();
        assert_eq!(told, NAMES - 2);
    }
}
