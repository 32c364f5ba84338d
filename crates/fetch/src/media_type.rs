//! Whether a response is of a kind that was asked for (RFC 9110 section 8.3).

/// Whether the value of `Content-Type` is one of the media types that the value of `Accept` lists, in UTF-8.
pub(crate) fn is_accepted(content_type: &str, accept: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let mut listed = accept.split(',').filter_map(|range| range.split(';').next());
    // All that we ask for is JSON or a JWT, which are UTF-8, whether or not the server says so.
    listed.any(|media_type| media_type.trim().eq_ignore_ascii_case(essence)) && parts.all(is_utf8)
}

/// Whether a parameter says nothing about the charset, or that it is UTF-8.
fn is_utf8(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let value = value.trim().trim_matches('"');
    !name.trim().eq_ignore_ascii_case("charset") || value.eq_ignore_ascii_case("utf-8")
}

#[cfg(test)]
mod tests {
    use chancery_testkit::SeededRandom;

    use super::*;

    #[test]
    fn only_what_was_asked_for_is_taken() {
        const KEYS: &str = "application/jwk-set+json, application/json;q=0.9";
        for accepted in [
            "application/json",
            "application/jwk-set+json",
            "Application/JSON",
            "application/json;charset=utf-8",
            "application/json; charset=UTF-8",
            "application/json ; charset=\"utf-8\"",
            "application/json; profile=x; charset=utf-8",
            "application/json;",
        ] {
            assert!(is_accepted(accepted, KEYS), "{accepted}");
        }
        for refused in [
            "",
            "application",
            "*/*",
            "text/html",
            "text/plain",
            "application/jwt",
            "application/jsonp",
            "application/json5",
            "application/problem+json",
            "application/json, text/html",
            "application/json; charset=iso-8859-1",
            "application/json; charset=utf-16",
            "application/json; charset=utf-7",
            "application/json; charset=",
            "application/json; charset",
            "application/json; CHARSET=latin1",
            "application/json; charset = latin1",
            "application/json; charset=utf-8; charset=utf-16",
            "; charset=utf-8",
        ] {
            assert!(!is_accepted(refused, KEYS), "{refused}");
        }
        assert!(is_accepted("application/oauth-authz-req+jwt", "application/oauth-authz-req+jwt"));
        assert!(!is_accepted("application/json", "application/oauth-authz-req+jwt, application/jwt"));
    }

    /// 100,000 generated values: a type is taken if it is listed and no parameter names another charset, however it is
    /// spelled; damaged ones break nothing.
    #[test]
    fn every_type_is_read() {
        let random = SeededRandom::new(1);
        let below = |limit: usize| random.below(limit);
        let types = [
            ("application/json", true),
            ("APPLICATION/jwk-set+json", true),
            ("text/html", false),
            ("", false),
        ];
        let parameters = [
            ("charset=utf-8", true),
            (" Charset = \"UTF-8\" ", true),
            ("profile=\"x\"", true),
            ("", true),
            ("charset", false),
            ("charset=utf-16", false),
            ("\tCHARSET=\"latin1\"", false),
        ];
        let mut taken = 0;
        for _ in 0..100_000 {
            let (mut text, mut is_good) = {
                let (text, is_good) = types[below(types.len())];
                (text.to_owned(), is_good)
            };
            for _ in 0..below(4) {
                let (parameter, is_utf8) = parameters[below(parameters.len())];
                text = format!("{text};{parameter}");
                is_good &= is_utf8;
            }
            assert_eq!(
                is_accepted(&text, "application/jwk-set+json, application/json;q=0.9"),
                is_good,
                "{text}"
            );
            taken += u32::from(is_good);
            let mut damaged = text.into_bytes();
            if !damaged.is_empty() {
                let at = below(damaged.len());
                damaged[at] = u8::try_from(below(256)).unwrap();
            }
            let _ = is_accepted(&String::from_utf8_lossy(&damaged), "application/json");
        }
        assert!(taken > 10_000, "{taken}");
    }
}
