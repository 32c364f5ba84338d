//! The binary as a process, on a store of its own.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// No test waits longer for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A new, empty folder.
pub(crate) fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = std::fs::remove_dir_all(&folder);
    // Whatever the umask is: a store's folder is its owner's.
    std::os::unix::fs::DirBuilderExt::mode(std::fs::DirBuilder::new().recursive(true), 0o700)
        .create(&folder)
        .unwrap();
    folder
}

pub(crate) fn chancery(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chancery"));
    command.current_dir(folder);
    command
}

/// Runs a command to its end.
pub(crate) fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    run_with(folder, arguments, input, &[])
}

pub(crate) fn run_with(folder: &Path, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = chancery(folder);
    command.envs(variables.iter().copied());
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that refuses its arguments ends without reading, perhaps before this is written.
    match child.stdin.take().unwrap().write_all(input.as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("{arguments:?}: {error}"),
        _ => {}
    }
    child.wait_with_output().unwrap()
}

/// Whether a command has read what it did not need depends on how busy the machine is.
#[test]
fn a_command_need_not_read_its_input() {
    let more_than_a_pipe_holds = "x".repeat(1 << 20);
    let output = run(&folder(), &["init", "--issuer", "nonsense"], &more_than_a_pipe_holds);
    assert!(!output.status.success());
}

/// Runs a command that has to succeed, and says what it printed.
pub(crate) fn done(folder: &Path, arguments: &[&str], input: &str) -> String {
    let output = run(folder, arguments, input);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Runs a command that prints a list: its rows without the line of headings, with tabs between the cells.
pub(crate) fn rows(folder: &Path, arguments: &[&str]) -> String {
    let list = done(folder, arguments, "");
    let cells = |line: &str| {
        let cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty());
        cells.collect::<Vec<_>>().join("\t") + "\n"
    };
    list.lines().skip(1).map(cells).collect()
}

/// Runs a command that has to fail, and says why it did.
pub(crate) fn refused(folder: &Path, arguments: &[&str], input: &str) -> String {
    refused_with(folder, arguments, input, &[])
}

/// The same with variables of the environment.
pub(crate) fn refused_with(
    folder: &Path,
    arguments: &[&str],
    input: &str,
    variables: &[(&str, &str)],
) -> String {
    let output = run_with(folder, arguments, input, variables);
    assert!(!output.status.success(), "{arguments:?} succeeded");
    String::from_utf8(output.stderr).unwrap()
}

/// A folder after `chancery init`, with the person `alice`.
pub(crate) fn initialised() -> PathBuf {
    let folder = folder();
    done(&folder, &["init", "--issuer", "https://id.example.org", "--username", "alice"], "correct horse\n");
    folder
}

/// A running server; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Server {
    /// `chancery serve` on ports that the system chooses.
    pub(crate) fn start(folder: &Path, settings: &[&str]) -> Self {
        let mut command = chancery(folder);
        command.arg("serve");
        for setting in ["http.listen=127.0.0.1:0", "management.listen=127.0.0.1:0"].iter().chain(settings) {
            command.args(["--set", setting]);
        }
        Self::spawn(command)
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut server = Self { child, lines, seen: Vec::new() };
        server.wait_for("started");
        server
    }

    /// The first line with this text, of those to come if it was not there yet.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.seen.iter().find(|line| line.contains(text)) {
                return found.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            self.seen.push(line.unwrap_or_else(|_| panic!("no line with {text} in {:#?}", self.seen)));
        }
    }

    /// Whether a line of those that were read has this text.
    pub(crate) fn has_said(&self, text: &str) -> bool {
        self.seen.iter().any(|line| line.contains(text))
    }

    /// Where it listens: `http`, `https`, `management`.
    pub(crate) fn address(&mut self, what: &str) -> SocketAddr {
        let line = self.wait_for(&format!("\"{what} on "));
        let (_, rest) = line.split_once(" on ").unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    }

    /// The same of a server whose log is text.
    pub(crate) fn text_address(&mut self, what: &str) -> SocketAddr {
        let line = self.wait_for(&format!(" listening: {what} on "));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Asks until the answer is this one, which an answer of the last second may hold back.
    pub(crate) fn wait_for_readiness(&mut self, status: u16) -> String {
        let management = self.address("management");
        let until = Instant::now() + PATIENCE;
        loop {
            match ask(management, "/readyz") {
                (found, body) if found == status => return body,
                (found, body) => assert!(Instant::now() < until, "still {found}: {body}"),
            }
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for the end and says the exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            std::thread::yield_now();
        }
        panic!("it does not end")
    }

    /// Everything that it has printed, once it has ended.
    pub(crate) fn printed(&mut self) -> &[String] {
        self.seen.extend(self.lines.iter());
        &self.seen
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// One request on a connection of its own; status and body.
pub(crate) fn http(address: SocketAddr, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

pub(crate) fn get(address: SocketAddr, path: &str) -> (u16, String) {
    get_as(address, "id.example.org", path)
}

/// What whoever supervises the process asks.
pub(crate) fn ask(management: SocketAddr, path: &str) -> (u16, String) {
    get_as(management, &management.to_string(), path)
}

pub(crate) fn get_as(address: SocketAddr, host: &str, path: &str) -> (u16, String) {
    http(address, &format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
}

pub(crate) fn post(address: SocketAddr, path: &str, form: &str) -> (u16, String) {
    let head = "Host: id.example.org\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded";
    http(address, &format!("POST {path} HTTP/1.1\r\n{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len()))
}
