//! `/metrics`, and what is shipped to look at it.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::{PATIENCE, Server, ask, done, get, http, initialised, post};

pub(crate) const CLIENT: &str = r#"{"client_id":"api","client_secret":"a secret of at least thirty-two characters","grant_types":["client_credentials"],"response_types":[],"redirect_uris":[],"token_endpoint_auth_method":"client_secret_post"}"#;
pub(crate) const GRANT: &str =
    "grant_type=client_credentials&client_id=api&client_secret=a+secret+of+at+least+thirty-two+characters";

/// The value of one series.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

/// The names of all metrics, with those of a histogram's parts.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let parts: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        names.extend(parts.iter().map(|part| format!("{name}{part}")));
    }
    names
}

fn scraped() -> (Server, String) {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], CLIENT);
    // So that a key has an end.
    done(&folder, &["keys", "rotate"], "");
    let mut server = Server::start(&folder, &[]);
    let (public, management) = (server.address("http"), server.address("management"));
    for _ in 0..3 {
        assert_eq!(post(public, "/token", GRANT).0, 200);
    }
    assert_eq!(post(public, "/token", "grant_type=client_credentials&client_id=nobody").0, 401);
    assert_eq!(get(public, "/authorize?client_id=nobody").0, 400);
    assert_eq!(get(public, "/metrics").0, 404, "the public does not see them");
    let until = std::time::Instant::now() + PATIENCE;
    loop {
        let (status, text) = ask(management, "/metrics");
        assert_eq!(status, 200);
        // The first sweep comes a moment after the start.
        if value(&text, "chancery_sweep_last_success_timestamp_seconds") > 0.0 {
            return (server, text);
        }
        assert!(std::time::Instant::now() < until);
    }
}

#[test]
fn they_say_what_has_happened_and_how_things_stand() {
    let (mut server, text) = scraped();
    for (series, expected) in [
        (r#"chancery_requests_total{endpoint="token",status="200"}"#, 3.0),
        (r#"chancery_requests_total{endpoint="token",status="401"}"#, 1.0),
        (r#"chancery_requests_total{endpoint="authorization",status="400"}"#, 1.0),
        (r#"chancery_requests_total{endpoint="none",status="404"}"#, 1.0),
        (r#"chancery_request_duration_seconds_count{endpoint="token"}"#, 4.0),
        (r#"chancery_tokens_issued_total{grant_type="client_credentials"}"#, 3.0),
        (r#"chancery_refusals_total{endpoint="authorization",reason="authorization_client_unknown"}"#, 1.0),
        (r#"chancery_logins_total{outcome="succeeded"}"#, 0.0),
        ("chancery_ready", 1.0),
        ("chancery_connections_limit", 4096.0),
        ("chancery_password_queue", 0.0),
        ("chancery_password_queue_limit", 34.0),
        ("chancery_store_steps_waiting", 0.0),
        ("chancery_notices_waiting", 0.0),
        ("chancery_notices_overdue_seconds", 0.0),
        ("chancery_log_lines_dropped_total", 0.0),
    ] {
        assert!((value(&text, series) - expected).abs() < 0.5, "{series}: {}", value(&text, series));
    }
    for positive in [
        r#"chancery_store_duration_seconds_count{work="step"}"#,
        r#"chancery_store_duration_seconds_count{work="commit"}"#,
        r#"chancery_store_duration_seconds_count{work="look_up"}"#,
        "chancery_store_bytes",
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_max_fds",
        "process_threads",
        "process_start_time_seconds",
    ] {
        assert!(value(&text, positive) > 0.0, "{positive}");
    }
    let keys = text.lines().filter(|line| line.starts_with("chancery_key_signs_from_timestamp_seconds{"));
    assert_eq!(keys.count(), 6, "{text}");

    let management = server.address("management");
    let head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(http(management, &format!("POST /metrics {head}")).0, 404);
}

/// The words of a text that can be names of metrics.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("chancery_") || word.starts_with("process_"))
}

/// Every expression of the dashboard.
fn expressions(dashboard: &Value, found: &mut Vec<String>) {
    match dashboard {
        Value::Object(members) => {
            found.extend(members.get("expr").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|value| expressions(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

/// Dashboard and alerts name no metric that is not there; the dashboard shows every metric, and the guide explains every
/// metric and alert.
#[test]
fn what_is_shipped_names_metrics_that_exist() {
    let (_server, text) = scraped();
    let names = names(&text);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    let (dashboard, rules, guide) = (
        read("deploy/grafana-dashboard.json"),
        read("deploy/prometheus-alerts.yml"),
        read("docs/operate.md"),
    );
    let mut shown = Vec::new();
    expressions(&serde_json::from_str(&dashboard).unwrap(), &mut shown);
    assert!(shown.len() > 30);
    let shown: BTreeSet<&str> = shown.iter().flat_map(|expression| words(expression)).collect();
    for name in shown.iter().copied().chain(words(&rules)) {
        assert!(names.contains(name), "{name} is not served; there is {names:#?}");
    }
    for name in names.iter().map(|name| name.trim_end_matches("_bucket")) {
        let name = name.trim_end_matches("_sum").trim_end_matches("_count");
        assert!(guide.contains(&format!("`{name}`")), "docs/operate.md says nothing of {name}");
        let is_shown = shown.iter().any(|shown| shown.strip_suffix("_bucket").unwrap_or(shown) == name);
        assert!(is_shown, "no panel of the dashboard shows {name}");
    }
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(guide.contains(&format!("### {alert}")), "docs/operate.md says nothing of {alert}");
    }
}

/// The ages of the keys in seconds, as the rule `ChanceryKeyOld` and the dashboard have them, and after how many seconds the
/// rule tells somebody.
fn key_ages(text: &str) -> (Vec<f64>, f64) {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus-alerts.yml");
    let rules = std::fs::read_to_string(rules).unwrap();
    let (_, rule) = rules.split_once("- alert: ChanceryKeyOld").unwrap();
    let rule = rule.lines().find(|line| line.contains("time() - ")).unwrap();
    let (_, rest) = rule.split_once("(time() - ").unwrap();
    let (series, limit) = rest.split_once("{alg!=\"encryption\"}) > ").unwrap();
    let limit = limit.split(" * ").map(|factor| factor.parse::<f64>().unwrap()).product();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let of_keys = text.lines().filter(|line| line.starts_with(&format!("{series}{{")));
    let ages = of_keys.map(|line| now - line.rsplit(' ').next().unwrap().parse::<f64>().unwrap());
    (ages.collect(), limit)
}

/// The first keys sign whatever the clock says, and yet nobody is told that they are half a century old: not of a store whose
/// keys are new, and not of one from before the time of their making was kept.
#[test]
fn the_first_keys_are_as_old_as_the_store() {
    let folder = initialised();
    let signs_from = || -> Vec<Value> {
        let keys: Value = serde_json::from_str(&done(&folder, &["keys", "list", "--json"], "")).unwrap();
        keys.as_array()
            .unwrap()
            .iter()
            .flat_map(|key| [&key["sign_from"], &key["published_from"]].map(Clone::clone))
            .collect()
    };
    let scrape = || {
        let mut server = Server::start(&folder, &[]);
        let (status, text) = ask(server.address("management"), "/metrics");
        assert_eq!(status, 200);
        server.signal("TERM");
        server.end();
        text
    };
    let text = scrape();
    let (ages, limit) = key_ages(&text);
    assert!(limit > Duration::from_secs(86_400).as_secs_f64());
    assert_eq!(ages.len(), 3, "{text}");
    assert!(ages.iter().all(|age| (-1.0..3_600.0).contains(age)), "{ages:?}");
    let published = text.lines().filter(|line| line.starts_with("chancery_key_published_timestamp_seconds{"));
    assert!(
        published.clone().count() == 3 && !published.clone().any(|line| line.ends_with(" 0.0")),
        "{text}"
    );
    assert!(signs_from().iter().all(|at| at.as_str().is_some_and(|at| at > "2026")), "{:?}", signs_from());

    let store = rusqlite::Connection::open(folder.join("chancery.sqlite")).unwrap();
    let of_keys = "from document where id = 'keys'";
    let body: Vec<u8> = store.query_row(&format!("select body {of_keys}"), [], |row| row.get(0)).unwrap();
    let body = String::from_utf8(body).unwrap();
    let mut before = String::new();
    for part in body.split(",\"made_at\":") {
        let rest =
            if before.is_empty() { part } else { part.trim_start_matches(|c: char| c.is_ascii_digit()) };
        before.push_str(rest);
    }
    assert_ne!(before, body);
    assert_eq!(
        store.execute("update document set body = ?1 where id = 'keys'", [before.as_bytes()]).unwrap(),
        1
    );
    drop(store);
    assert_eq!(key_ages(&scrape()).0, [0.0; 0]);
    assert!(signs_from().iter().all(Value::is_null), "{:?}", signs_from());
}
