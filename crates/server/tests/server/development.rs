//! What happens without arguments.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Instant;

use crate::support::{PATIENCE, Server, chancery, done, folder, http, refused, refused_with, run};

/// The issuer names the port, so it has to be known before.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn start(folder: &Path, listen: SocketAddr) -> Server {
    let mut command = chancery(folder);
    command.args(["dev", "--listen", &listen.to_string()]);
    Server::spawn(command)
}

fn ask(address: SocketAddr, host: &str) -> (u16, String) {
    http(
        address,
        &format!("GET /.well-known/openid-configuration HTTP/1.1\r\n{host}Connection: close\r\n\r\n"),
    )
}

#[test]
fn it_says_everything_that_one_needs_and_keeps_what_it_made() {
    let (folder, listen) = (folder(), free());
    let mut server = start(&folder, listen);
    let (status, body) = ask(listen, &format!("Host: localhost:{}\r\n", listen.port()));
    assert_eq!(status, 200);
    assert!(body.contains(&format!("\"issuer\":\"http://localhost:{}\"", listen.port())), "{body}");

    let line = server.wait_for("started");
    assert!(line.contains(" INFO  started: version ") && !line.contains('{'), "one readable line: {line}");

    let credentials = folder.join("chancery-dev/credentials");
    assert_eq!(fs::metadata(&credentials).unwrap().permissions().mode() & 0o777, 0o600);
    let made = fs::read_to_string(&credentials).unwrap();
    let secrets: Vec<&str> = made.lines().map(|line| line.split_once(' ').unwrap().1).collect();
    assert_eq!(secrets.len(), 4);
    for secret in secrets.iter().chain(&["try --issuer http://localhost:"]) {
        server.wait_for(secret);
    }
    drop(server);
    let mut again = start(&folder, listen);
    for secret in &secrets {
        again.wait_for(secret);
    }
    assert_eq!(fs::read_to_string(&credentials).unwrap(), made);

    // A password that is good no longer is not shown any more.
    done(&folder, &["user", "passwd", "demo", "--dev"], "battery staple\n");
    drop(again);
    let mut changed = start(&folder, listen);
    changed.wait_for("  password     the one that you have set");
    assert!(!changed.has_said(secrets[1]), "{}", secrets[1]);
    changed.wait_for(secrets[3]);

    // Nor is a secret after which there came another, neither here nor on the page; and who was removed does not come back unsaid.
    done(&folder, &["client", "secret", "rotate", "demo-api", "--dev"], "");
    done(&folder, &["client", "remove", "demo-web", "--dev"], "");
    drop(changed);
    let mut rotated = start(&folder, listen);
    rotated.wait_for("Made again");
    rotated.wait_for("demo-web");
    rotated.wait_for("that of demo-api is the one that you have made");
    rotated.wait_for("started");
    let (_, page) = http(
        listen,
        &format!("GET / HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n", listen.port()),
    );
    assert!(page.contains("<span>demo-api:THE-SECRET-THAT-YOU-HAVE-MADE</span>"), "{page}");
    assert!(
        page.contains(&format!("clientSecret: &#39;{}&#39;", secrets[3])) || page.contains(secrets[3]),
        "{page}"
    );
    assert!(page.contains("with the password that you have set"), "{page}");
    drop(rotated);
    done(&folder, &["client", "secret", "rotate", "demo-web", "--dev"], "");
    let mut both = start(&folder, listen);
    both.wait_for("those that you have made, of demo-web and demo-api");
    assert!(!both.has_said(secrets[3]) && !both.has_said("Made again"));
}

/// Only this machine, and only under its own name: another site's name that leads to loopback gets nothing.
#[test]
fn any_other_host_is_refused() {
    let (folder, listen) = (folder(), free());
    let _server = start(&folder, listen);
    for host in
        ["Host: evil.example\r\n", "Host: localhost\r\n", &format!("Host: 127.0.0.1:{}\r\n", listen.port())]
    {
        assert_eq!(ask(listen, host).0, 421, "{host}");
    }
    assert!([400, 421].contains(&ask(listen, "").0));
}

#[test]
fn any_other_address_is_refused() {
    let said = refused(&folder(), &["dev", "--listen", "0.0.0.0:0"], "");
    assert!(said.contains("loopback"), "{said}");
}

/// `chancery-dev` is a provider like any other: where there is no other configuration, every command works on it, says
/// so, and the running provider notices within a second.
#[test]
fn commands_find_it() {
    let (folder, listen) = (folder(), free());
    let mut server = start(&folder, listen);
    let metadata = r#"{"client_id":"mine","token_endpoint_auth_method":"none",
        "redirect_uris":["https://app.example/cb"]}"#;
    fs::write(folder.join("client.json"), metadata).unwrap();
    let output = run(&folder, &["client", "add", "--file", "client.json"], "");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Using the development provider in ./chancery-dev."), "{said}");
    done(&folder, &["user", "add", "jane"], "correct horse\n");
    for (arguments, part) in [
        (&["client", "list"][..], "mine"),
        (&["user", "list"], "jane"),
        (&["user", "list", "--dev"], "jane"),
        (&["user", "list", "--dev=chancery-dev"], "jane"),
        (&["user", "list", "--config", "chancery-dev/chancery.toml"], "jane"),
        (&["keys", "list"], "RS256"),
        (&["session", "list", "demo"], ""),
        (&["check"], ""),
    ] {
        assert!(done(&folder, arguments, "").contains(part), "{arguments:?}");
    }
    assert!(!done(&folder, &["user", "list", "--dev"], "").contains("Using"), "what was named is not said");

    let until = Instant::now() + PATIENCE;
    let request = format!(
        "GET /authorize?client_id=mine&response_type=code&scope=openid&redirect_uri=https://app.example/cb\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256 HTTP/1.1\r\n\
         Host: localhost:{}\r\nConnection: close\r\n\r\n",
        listen.port()
    );
    while http(listen, &request).0 != 200 {
        assert!(Instant::now() < until, "it does not notice the client");
    }
    let issuer = format!("http://localhost:{}/", listen.port());
    let said = done(&folder, &["try", "--headless", "--issuer", &issuer], "jane\ncorrect horse\n");
    assert!(said.contains("\"preferred_username\": \"jane\""), "{said}");
    let said = done(&folder, &["try", "--headless"], "jane\ncorrect horse\n");
    assert!(said.contains("at_"), "the issuer is that of the folder: {said}");
    server.wait_for("login_succeeded");
}

/// Variables and flags override its file, and what is wrong with one is told, by every command that finds it.
#[test]
fn its_settings_are_overridden_like_those_of_others() {
    let (folder, listen) = (folder(), free());
    let metadata = |server: Server| {
        let (_, body) = ask(listen, &format!("Host: localhost:{}\r\n", listen.port()));
        drop(server);
        body
    };
    assert!(!metadata(start(&folder, listen)).contains("\"create\""));
    let with = |variable: Option<&str>, flags: &[&str]| {
        let mut command = chancery(&folder);
        command.args(["dev", "--listen", &listen.to_string()]).args(flags);
        command.envs(variable.map(|value| ("CHANCERY_SIGN_UP_OFFERED", value)));
        Server::spawn(command)
    };
    assert!(metadata(with(Some("true"), &[])).contains("\"create\""));
    assert!(metadata(with(None, &["--set", "sign_up.offered=true"])).contains("\"create\""));
    assert!(!metadata(with(Some("true"), &["--set", "sign_up.offered=false"])).contains("\"create\""));
    for (variable, said) in [
        ("CHANCERY_SIGN_UP_NETWORK_QUOTA", "CHANCERY_SIGN_UP_NETWORK_QUOTA: must be a whole number"),
        ("CHANCERY_SIGN_UP_OFERED", "did you mean CHANCERY_SIGN_UP_OFFERED?"),
    ] {
        for arguments in [&["dev"][..], &["check"], &["check", "--dev"]] {
            let refused = refused_with(&folder, arguments, "", &[(variable, "abc")]);
            assert!(refused.contains(said), "{arguments:?}: {refused}");
        }
    }
}

/// What is set in its file counts, and the address of one run counts before it.
#[test]
fn its_settings_are_a_file() {
    let (folder, listen, other) = (folder(), free(), free());
    drop(start(&folder, listen));
    let file = folder.join("chancery-dev/chancery.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace("# front_page = true", "front_page = false");
    fs::write(&file, text).unwrap();
    let mut server = start(&folder, other);
    let page = |address: SocketAddr| {
        http(
            address,
            &format!("GET / HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n\r\n", address.port()),
        )
        .0
    };
    assert_eq!(page(other), 404, "the setting counts");
    let said = server.wait_for("issuer_changed");
    let [before, now] = [listen, other].map(|address| format!("http://localhost:{}", address.port()));
    assert!(
        said.contains(" WARN ") && said.contains(&format!("was {before} before, and is {now} from now on")),
        "{said}"
    );
    drop(server);
    let checked = run(&folder, &["check"], "");
    let warned = String::from_utf8(checked.stderr).unwrap();
    assert!(checked.status.success() && warned.contains("is not the issuer of this store"), "{warned}");
    let mut command = chancery(&folder);
    command.arg("dev");
    let _server = Server::spawn(command);
    assert_eq!(page(listen), 404, "without --listen, the address of the file counts");
}

/// The page at its address has the lines for an application of one's own, with the values filled in.
#[test]
fn its_front_page_connects_applications() {
    let (folder, listen) = (folder(), free());
    let mut server = start(&folder, listen);
    let issuer = format!("http://localhost:{}", listen.port());
    let secret = server.wait_for("  secret  ").split_whitespace().nth(1).unwrap().to_owned();
    let host = format!("Host: localhost:{}\r\nConnection: close\r\n\r\n", listen.port());
    let (status, page) = http(listen, &format!("GET / HTTP/1.1\r\n{host}"));
    assert_eq!(status, 200);
    // The words of a command are not parted.
    let page = ["<span class=\"command\">", "<span>", "</span>"]
        .iter()
        .fold(page, |page, tag| page.replace(tag, ""));
    for line in [
        format!("authority: '{issuer}',"),
        "client_id: 'demo-spa',".to_owned(),
        format!("issuer: '{issuer}',"),
        format!("clientSecret: '{secret}',"),
        format!("issuer-uri: {issuer}\n"),
        format!("token_url = {issuer}/token"),
        format!("--oidc-issuer-url={issuer} "),
        format!("curl --user demo-api:{secret} "),
        "scope: 'openid profile email offline_access',".to_owned(),
        // What is typed in this folder works, although nothing is installed.
        format!("<code>{} user add jane ", env!("CARGO_BIN_EXE_chancery")),
        format!("\n{} client add --kind spa --refresh-tokens ", env!("CARGO_BIN_EXE_chancery")),
    ] {
        assert!(page.contains(&line), "{line} in {page}");
    }
}

/// Bad input: it stays on this machine whatever its file says, no variable of the environment moves it, and `serve`
/// is for others.
#[test]
fn it_cannot_be_led_astray() {
    let (folder, listen) = (folder(), free());
    drop(start(&folder, listen));
    let file = folder.join("chancery-dev/chancery.toml");
    let first = fs::read_to_string(&file).unwrap();
    let at = listen.to_string();
    for (from, to, said) in [
        (at.as_str(), "0.0.0.0:3000", "listens on loopback only"),
        ("listen = \"\"", "listen = \"0.0.0.0:9090\"", "listens on loopback only"),
        ("issuer = \"http://localhost", "issuer = \"https://localhost", "must be http on localhost"),
        ("issuer = ", "isuer = ", "isuer"),
    ] {
        fs::write(&file, first.replace(from, to)).unwrap();
        let refused = refused(&folder, &["dev"], "");
        assert!(refused.contains(said), "{to}: {refused}");
    }
    fs::write(&file, &first).unwrap();
    let variables = [("CHANCERY_ISSUER", "https://elsewhere.example"), ("CHANCERY_REALM", "other")];
    let output = chancery(&folder).args(["user", "list", "--dev"]).envs(variables).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("demo"), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("Not read") && said.contains("CHANCERY_ISSUER") && said.contains("CHANCERY_REALM"),
        "{said}"
    );
    for arguments in [&["serve"][..], &["serve", "--dev"]] {
        let refused = refused(&folder, arguments, "");
        assert!(refused.contains("`chancery dev`"), "{refused}");
    }
    let both = refused(&folder, &["user", "list", "--dev", "--config", "chancery.toml"], "");
    assert!(both.contains("cannot be used with"), "{both}");
    let nowhere = refused(&folder, &["user", "list", "--dev=elsewhere"], "");
    assert!(nowhere.contains("elsewhere/chancery.toml") && nowhere.contains("`chancery dev`"), "{nowhere}");
    fs::write(folder.join("chancery.toml"), "issuer = 1").unwrap();
    let own = refused(&folder, &["user", "list"], "");
    assert!(own.contains("issuer"), "a configuration of one's own counts first: {own}");
}

/// Bad input: the port is taken. Another folder gets no configuration that names it, and the provider that runs, perhaps in
/// this very folder, is left alone, also by one that is to have another port: nothing says that it was killed.
#[test]
fn a_port_that_is_taken_is_told_and_nothing_is_touched() {
    let (here, elsewhere, listen) = (folder(), folder(), free());
    let server = start(&here, listen);
    let (same, other) = (listen.to_string(), free().to_string());
    let in_use =
        format!("chancery.sqlite is in use by another server (process {}): stop it first", server.id());
    let port = [&same, "another process", "`chancery dev --listen 127.0.0.1:3001`"];
    for (folder, listen, parts) in [
        (&here, &same, &[in_use.as_str()][..]),
        (&here, &other, &[in_use.as_str()]),
        (&elsewhere, &same, &port),
    ] {
        let output = run(folder, &["dev", "--listen", listen], "");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success() && text.is_empty(), "{text}");
        let why = String::from_utf8(output.stderr).unwrap();
        for part in parts {
            assert!(why.contains(part), "{part} in {why}");
        }
    }
    assert!(!elsewhere.join("chancery-dev").exists());
    server.signal("KILL");
    drop(server);
    start(&here, listen).wait_for("store_check");
}

/// Bad input for `chancery try`: a wrong password, which is typed once, another issuer's name, no provider, no `http`.
#[test]
fn a_trial_says_what_is_wrong() {
    let (folder, listen) = (folder(), free());
    let mut server = start(&folder, listen);
    let nobody = format!("http://localhost:{}", free().port());
    let issuer = format!("http://localhost:{}", listen.port());
    for (issuer, input, said) in [
        (issuer.as_str(), "demo\nwrong\n", "is the password right?"),
        (issuer.as_str(), "", "standard input"),
        (nobody.as_str(), "demo\nx\n", "refused"),
        (nobody.as_str(), "demo\nx\n", "`chancery` starts one"),
        ("https://id.example.org", "demo\nx\n", "http"),
        ("nonsense", "demo\nx\n", "http"),
    ] {
        let refused = refused(&folder, &["try", "--headless", "--issuer", issuer], input);
        assert!(refused.contains(said), "{issuer}: {refused}");
    }
    server.signal("TERM");
    let said = server.printed();
    assert_eq!(said.iter().filter(|line| line.contains(" login_failed ")).count(), 1, "{said:#?}");
}
