//! The sessions of people, as an operator sees and ends them: `chancery session`, and what else ends them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use crate::support::{PATIENCE, Server, done, initialised, refused, rows};

/// A client that is to be told of a logout at an address that notices may not go to, so that the server says of each
/// that it was not sent.
fn client(id: &str) -> String {
    format!(
        r#"{{"client_id":"{id}","client_secret":"a secret of at least thirty-two characters",
            "redirect_uris":["https://{id}.example/cb"],"backchannel_logout_uri":"https://localhost/{id}",
            "chancery":{{"consent":"implied","pkce_optional":true}}}}"#
    )
}

/// One request; the head and the body of the answer.
fn send(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// Name and value of the cookies that an answer sets.
fn cookies(head: &str) -> String {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    set.filter_map(|(_, value)| value.split(';').next()).collect::<Vec<_>>().join("; ")
}

/// A person signs in to the client on the login page; the code that the client gets.
pub(crate) fn sign_in(address: SocketAddr, client: &str, username: &str) -> String {
    sign_in_with(address, client, username, "")
}

/// The same with more header fields in each request.
pub(crate) fn sign_in_with(address: SocketAddr, client: &str, username: &str, more: &str) -> String {
    sign_in_for(address, (client, "openid"), username, more)
}

/// The same for these scopes, and whatever else is asked for.
pub(crate) fn sign_in_for(
    address: SocketAddr,
    (client, scope): (&str, &str),
    username: &str,
    more: &str,
) -> String {
    let query = format!(
        "response_type=code&client_id={client}&scope={scope}&redirect_uri=https%3A%2F%2F{client}.example%2Fcb"
    );
    let head = &format!("Host: id.example.org\r\nConnection: close\r\n{more}");
    let (seen, page) = send(address, &format!("GET /authorize?{query} HTTP/1.1\r\n{head}\r\n"));
    let fields = page.split("type=\"hidden\" name=\"").skip(1).map(|field| {
        let (name, rest) = field.split_once("\" value=\"").unwrap();
        let value = rest.split('"').next().unwrap().replace("&amp;", "&");
        (name.to_owned(), value)
    });
    let typed = [("username", username), ("password", "correct horse"), ("action", "login")];
    let fields = fields.chain(typed.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let fields: Vec<_> = fields.collect();
    let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let form = chancery_types::params::encode(pairs);
    let head = format!("{head}Cookie: {}\r\nContent-Type: application/x-www-form-urlencoded", cookies(&seen));
    let post =
        format!("POST /interaction HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len());
    let (answer, page) = send(address, &post);
    let (_, code) = answer
        .split_once(&format!("https://{client}.example/cb?code="))
        .unwrap_or_else(|| panic!("no code: {answer} {page}"));
    code.split(['&', '\r', '\n']).next().unwrap().to_owned()
}

/// How the line begins that says that a notice to this client was not sent.
fn failed(client: &str) -> String {
    format!("\"logout_notification_failed\",\"request_id\":\"outbox\",\"client_id\":\"{client}\"")
}

/// GAP-17: A live session is listed with its clients, and ended by its name or with all others; the running server, which nobody
/// has told, sends the notices.
#[test]
fn a_live_session_is_listed_and_ended() {
    let folder = initialised();
    for id in ["app", "shop"] {
        done(&folder, &["client", "add", "--file", "-"], &client(id));
    }
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let list = || rows(&folder, &["session", "list", "alice"]);
    let _code = sign_in(http, "app", "alice");
    let first = list();
    assert_eq!(first.lines().count(), 1, "{first}");
    assert!(first.matches("\t2").count() == 3 && first.ends_with("\tapp\n"), "{first}");
    let of_json = done(&folder, &["session", "list", "alice", "--json"], "");
    assert!(of_json.contains(r#""network": "#) && of_json.contains(r#""app""#), "{of_json}");
    let _code = sign_in(http, "shop", "alice");
    assert_eq!(list().lines().count(), 2);

    let name = first.split('\t').next().unwrap();
    let ended = done(&folder, &["session", "end", "alice", name], "");
    assert_eq!(ended, "1 session has ended; the running server notifies app\n");
    let left = list();
    assert!(left.lines().count() == 1 && left.ends_with("\tshop\n"), "{left}");
    server.wait_for(&failed("app"));
    let again = refused(&folder, &["session", "end", "alice", name], "");
    assert!(again.contains("no such session"), "{again}");

    let ended = done(&folder, &["session", "end", "alice"], "");
    assert_eq!(ended, "1 session has ended; the running server notifies shop\n");
    assert_eq!(list(), "");
    server.wait_for(&failed("shop"));
}

/// Nobody is said to be notified where no client wants it; browser and network are shown where they are known.
#[test]
fn a_session_that_no_client_watches_ends_in_silence() {
    let folder = initialised();
    let client = client("app").replace("backchannel_logout_uri", "client_uri");
    done(&folder, &["client", "add", "--file", "-"], &client);
    let mut server = Server::start(&folder, &[]);
    let more = "X-Forwarded-For: 203.0.113.7\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 \
                Firefox/140.0\r\n";
    let _code = sign_in_with(server.address("http"), "app", "alice", more);
    let listed = rows(&folder, &["session", "list", "alice"]);
    assert!(listed.ends_with("\tFirefox on Linux\t203.0.113.7\tapp\n"), "{listed}");
    let of_json = done(&folder, &["session", "list", "alice", "--json"], "");
    for member in [r#""browser": "Firefox""#, r#""system": "Linux""#, r#""last_used_at": "2"#] {
        assert!(of_json.contains(member), "{member}: {of_json}");
    }
    let ended = done(&folder, &["session", "end", "alice"], "");
    assert!(ended.starts_with("1 session has ended; none of the clients wants to be told"), "{ended}");
}

/// What is done by commands is said by the running server, which does not say it of what it does itself.
#[test]
fn the_log_says_what_commands_have_changed() {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], &client("app"));
    let mut server = Server::start(&folder, &[]);
    let _code = sign_in(server.address("http"), "app", "alice");
    for (command, said) in [
        (&["client", "disable", "app"][..], r#""client_changed","client_id":"app","message":"a command"#),
        (&["client", "remove", "app"], "the client is removed"),
        (&["user", "disable", "alice"], "\"person_changed\",\"account\":\""),
        (&["keys", "rotate"], "was at work on the keys: added: "),
    ] {
        done(&folder, command, "");
        let line = server.wait_for(said);
        assert!(!line.contains("enabled"), "{line}");
    }
}

/// What a command has ended has words of its own, and is no change of the person.
#[test]
fn the_log_says_whose_sessions_commands_have_ended() {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], &client("app"));
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    for (flags, said) in [
        (&[][..], "sessions of the person have ended; what clients may do while the person is away goes on"),
        (&["--grants"], "all sessions of the person have ended, and everything that clients were given"),
    ] {
        let _code = sign_in(http, "app", "alice");
        done(&folder, &[&["session", "end", "alice"], flags].concat(), "");
        let line = server.wait_for(said);
        assert!(line.contains("\"person_signed_out\",\"account\":\""), "{line}");
    }
    assert!(!server.has_said("person_changed"));
    done(&folder, &["user", "disable", "alice"], "");
    server.wait_for("they are disabled");
}

/// The same order each time, in which the newest login is the last.
#[test]
fn sessions_are_listed_in_the_order_of_their_logins() {
    let folder = initialised();
    done(&folder, &["client", "add", "--file", "-"], &client("app"));
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let mut before = String::new();
    for count in 1..=5 {
        let _code = sign_in(http, "app", "alice");
        let listed = rows(&folder, &["session", "list", "alice"]);
        assert_eq!(listed.lines().count(), count);
        assert!(listed.starts_with(&before), "{before}{listed}");
        before = listed;
    }
    for name in ["zoe", "Bob", "adam"] {
        done(&folder, &["user", "add", name], "correct horse\n");
    }
    let people = rows(&folder, &["user", "list"]);
    let names: Vec<&str> = people.lines().map(|line| line.split('\t').nth(1).unwrap()).collect();
    assert_eq!(names, ["adam", "alice", "Bob", "zoe"]);
}

/// What makes a person's sessions worth nothing tells their clients, too.
#[test]
fn a_new_password_or_no_account_any_more_tells_the_clients() {
    let folder = initialised();
    let commands = [("passwd", "battery staple\n"), ("disable", ""), ("remove", "")];
    for (command, _) in commands {
        done(&folder, &["user", "add", command], "correct horse\n");
        done(&folder, &["client", "add", "--file", "-"], &client(command));
    }
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    for (command, input) in commands {
        let _code = sign_in(http, command, command);
        done(&folder, &["user", command, command], input);
        server.wait_for(&failed(command));
    }
}

/// OIDC Core section 11: what a client may do while the person is away outlives the sessions, which is said, shown, and ended when
/// that is asked for: the refresh token is worth nothing then.
#[test]
fn what_clients_may_while_the_person_is_away_ends_when_that_is_asked_for() {
    let folder = initialised();
    let client = client("photos").replace("backchannel_logout_uri", "client_uri");
    let client = client.replacen('{', r#"{"grant_types":["authorization_code","refresh_token"],"#, 1);
    done(&folder, &["client", "add", "--file", "-"], &client);
    let mut server = Server::start(&folder, &[]);
    let http = server.address("http");
    let ask = |form: &[(&str, &str)]| {
        let credentials =
            [("client_id", "photos"), ("client_secret", "a secret of at least thirty-two characters")];
        let form = chancery_types::params::encode(form.iter().chain(&credentials).copied());
        let head =
            "Host: id.example.org\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded";
        send(http, &format!("POST /token HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len()))
    };
    let refreshed = |token: &str| ask(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
    let new = |body: &str| {
        let answer: serde_json::Value = serde_json::from_str(body).unwrap();
        answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    };
    let let_in = || {
        let code = sign_in_for(http, ("photos", "openid%20offline_access"), "alice", "");
        let uri = ("redirect_uri", "https://photos.example/cb");
        new(&ask(&[("grant_type", "authorization_code"), ("code", &code), uri]).1)
    };
    let show = |flags: &[&str]| done(&folder, &[&["user", "show", "alice"], flags].concat(), "");
    assert!(!show(&[]).contains("is away"));

    let first = let_in();
    let line =
        "clients that may act while alice is away: photos (`chancery session end alice --grants` ends it)";
    assert!(show(&[]).contains(line), "{}", show(&[]));
    assert!(show(&["--json"]).contains("\"offline\": [\n    \"photos\"\n  ]"), "{}", show(&["--json"]));
    let goes_on = |whose: &str, who: &str| {
        format!(
            "what clients may do while {who} away goes on (photos): `chancery session end {whose} --grants` ends it"
        )
    };
    let ended = done(&folder, &["session", "end", "alice"], "");
    assert!(
        ended.starts_with("1 session has ended; ") && ended.contains(&goes_on("alice", "alice is")),
        "{ended}"
    );
    let again = done(&folder, &["session", "end", "--all"], "");
    assert_eq!(again, format!("there was no session to end; {}\n", goes_on("--all", "people are")));
    let (head, body) = refreshed(&first);
    assert!(head.starts_with("HTTP/1.1 200"), "it goes on: {head}");

    for whose in ["alice", "--all"] {
        let refresh = if whose == "alice" { new(&body) } else { let_in() };
        let ended = done(&folder, &["session", "end", whose, "--grants"], "");
        assert!(
            ended.contains("; everything that clients were given has ended, also for the time when "),
            "{ended}"
        );
        assert!(ended.ends_with(" away (photos)\n"), "{ended}");
        assert!(!show(&[]).contains("is away"), "{}", show(&[]));
        // The server notices within a moment what a command has written.
        let until = Instant::now() + PATIENCE;
        let (mut head, mut body) = refreshed(&refresh);
        while head.starts_with("HTTP/1.1 200") && Instant::now() < until {
            (head, body) = refreshed(&new(&body));
        }
        assert!(head.starts_with("HTTP/1.1 400") && body.contains("invalid_grant"), "{head} {body}");
    }
    let none = done(&folder, &["session", "end", "alice", "--grants"], "");
    assert_eq!(none, "there was no session to end; everything that clients were given has ended\n");
    for wrong in [&["session", "end", "alice", "one", "--grants"][..], &["session", "end", "alice", "--all"]]
    {
        assert!(refused(&folder, wrong, "").contains("cannot be used with"), "{wrong:?}");
    }
}
