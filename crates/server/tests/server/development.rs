//! What happens without arguments.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Server, chancery, folder, http, refused};

/// The issuer names the port, so it has to be known before.
fn free() -> SocketAddr {
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
    for secret in secrets.iter().chain(&["cargo run --release --example try"]) {
        server.wait_for(secret);
    }
    drop(server);
    let mut again = start(&folder, listen);
    for secret in &secrets {
        again.wait_for(secret);
    }
    assert_eq!(fs::read_to_string(&credentials).unwrap(), made);
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
