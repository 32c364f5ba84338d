//! With whom a connection is.

use chancery_fetch::{NotFetched, Roots};
use rcgen::{CertificateParams, date_time_ymd};

use crate::internet::{Does, Internet, JSON, cause, fetch, json, ok};

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_certificate_has_to_be_valid_now_for_this_host() {
    const AT: &str = "8.8.8.8:443";
    let document = || Does::Sends(ok(JSON, "{}"));
    let dated = |from: i32, to: i32| {
        let mut params = params(&["client.example"]);
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        params
    };
    type Serve = Box<dyn Fn(&Internet)>;
    let with = |made: CertificateParams| -> Serve {
        Box::new(move |internet| internet.server_with(AT, made.clone(), document()))
    };
    let servers: [(&str, bool, Serve); 9] = [
        ("valid", true, with(dated(2000, 2100))),
        ("for any name below", false, with(params(&["*.client.example"]))),
        ("for this name among others", true, with(params(&["other.example", "client.example"]))),
        ("expired", false, with(dated(2000, 2001))),
        ("not valid yet", false, with(dated(2100, 2101))),
        ("for another name", false, with(params(&["other.example"]))),
        ("for the address alone", false, with(params(&["8.8.8.8"]))),
        (
            "by nobody",
            false,
            Box::new(move |internet| internet.self_signed_server(AT, "client.example", document())),
        ),
        ("none at all", false, Box::new(move |internet| internet.plain_server(AT))),
    ];
    for (certificate, is_good, serve) in servers {
        let internet = Internet::new();
        internet.name("client.example", &[&["8.8.8.8"]]);
        serve(&internet);
        let came = fetch(&internet.client(), &json("https://client.example/")).await;
        assert_eq!(came.to.is_ok(), is_good, "{certificate}: {:?}", came.to);
        if !is_good {
            assert!(matches!(cause(&came.to), NotFetched::Untrusted(_)), "{certificate}: {:?}", came.to);
            assert!(internet.requests().is_empty(), "{certificate}: nothing is said to strangers");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_needs_a_certificate_for_itself() {
    for (named, is_good) in [("8.8.8.8", true), ("8.8.4.4", false), ("client.example", false)] {
        let internet = Internet::new();
        internet.server("8.8.8.8:443", &[named], Does::Sends(ok(JSON, "{}")));
        let came = fetch(&internet.client(), &json("https://8.8.8.8/")).await;
        assert_eq!(came.to.is_ok(), is_good, "{named}");
        assert_eq!(internet.dialled(), ["8.8.8.8:443"]);
        assert!(internet.looked_up().is_empty());
    }
}

#[test]
fn files_of_roots_have_to_hold_some() {
    let good = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let (certificate, key) = (good.cert.pem(), good.signing_key.serialize_pem());
    assert!(Roots::default().and(certificate.as_bytes()).is_ok());
    assert!(Roots::default().and([&*certificate, &*key, &*certificate].concat().as_bytes()).is_ok());
    let broken = certificate.replacen("MII", "MIJ", 1);
    for bad in ["", "no PEM", &key, &broken, "-----BEGIN CERTIFICATE-----\n", &certificate[..200]] {
        assert!(Roots::default().and(bad.as_bytes()).is_err(), "{bad}");
    }
}
