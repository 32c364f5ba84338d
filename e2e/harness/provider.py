"""The server binary on an SQLite file, in a folder of its own that is gone afterwards."""

import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from started import await_ready

REPOSITORY = Path(__file__).resolve().parents[2]
LOGS = REPOSITORY / "target" / "e2e-logs"
SECRETS = REPOSITORY / "target" / "e2e-secrets.txt"  # what e2e/secrets/run looks for
PERSON = Path(__file__).with_name("person.py")


def release(name):
    """A binary of the release build (`examples/minimal` for an example)."""
    folder = Path(os.environ.get("RELEASE_DIR", ""))
    if not os.environ.get("RELEASE_DIR"):
        folder = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release"
    return folder / name


def free_port():
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def known_secret(value):
    """Remembers a password or client secret as one that must not appear in any log."""
    SECRETS.parent.mkdir(exist_ok=True)
    with open(os.open(SECRETS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8") as file:
        file.write(value + "\n")
    return value


def new_secret(words="secret"):
    """A password or client secret of this run."""
    return known_secret(f"{words} {secrets.token_urlsafe(24)}" if words != "secret" else secrets.token_urlsafe(32))


class Provider:
    """`chancery init`, the commands, and `chancery serve` as a process that can be stopped, killed and started again."""

    def __init__(self, name, tls=None, address=None, person=None, binary=None, path="", settings=None,
                 proxied=False):
        """`tls`: a pair of files (certificate, key), the issuer is https then; `address`: host and port of the issuer,
        `path`: its path; `person`: name and password of the first one; `binary`: another one than that of the
        release build; `settings`: what the server and all commands have besides the file of `init`; `proxied`: a
        proxy that ends TLS has the address."""
        self.name, self.tls, self.binary = name, tls, binary or release("chancery")
        self.variables = {f"CHANCERY_{setting}".upper().replace(".", "_"): value
                          for setting, value in (settings or {}).items()}
        self.folder = Path(tempfile.mkdtemp(prefix=f"chancery-{name}-"))
        host, self.port = address or ("localhost", free_port())
        self.management = free_port()
        self.issuer = f"{'https' if tls or proxied else 'http'}://{host}:{self.port}{path}"
        if proxied:
            self.port = free_port()
        self.username, self.password = person or ("jane", new_secret("correct horse"))
        self.config = self.folder / "chancery.toml"
        self.process = None
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = open(LOGS / f"{name}.log", "wb")
        self.errors = open(LOGS / f"{name}.error-bodies.log", "wb")
        self.run("init", "--directory", self.folder, "--issuer", self.issuer, "--username", self.username,
                 stdin=self.password)

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.kill()
        self.log.close()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *arguments, stdin=""):
        """One command; its output, which may hold what it was asked to make, is not kept."""
        done = subprocess.run([self.binary, *map(str, arguments)], input=stdin + "\n", text=True,
                              capture_output=True, cwd=self.folder, timeout=60, env=os.environ | self.variables)
        if done.returncode:
            raise RuntimeError(f"chancery {arguments[0]} ended with {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout + done.stderr

    def command(self, *arguments, stdin=""):
        """A command on this provider's configuration."""
        words = 1 if arguments[0] in ("check", "schema") else 2
        return self.run(*arguments[:words], "--config", self.config, *arguments[words:], stdin=stdin)

    def add_client(self, **metadata):
        """Registers a client (RFC 7591 metadata) and gives it back; one that authenticates by a secret gets it."""
        if metadata.get("token_endpoint_auth_method", "client_secret_basic").startswith("client_secret"):
            metadata["client_secret"] = new_secret()
        file = self.folder / f"{metadata['client_id']}.json"
        file.write_text(json.dumps(metadata))
        self.command("client", "add", "--file", file)
        file.unlink()
        return metadata

    def add_user(self, username, **claims):
        """Adds a person with a new password, which is given back."""
        password = new_secret("battery staple")
        file = self.folder / f"{username}.json"
        file.write_text(json.dumps(claims))
        self.command("user", "add", username, "--claims", file, stdin=password)
        return password

    def serve(self):
        """Starts the server and waits until it is ready; the seconds that took."""
        settings = [f"management.listen=127.0.0.1:{self.management}"]
        if self.tls:
            settings += ["http.listen=", f"tls.listen=127.0.0.1:{self.port}", f"tls.certificate={self.tls[0]}", f"tls.key={self.tls[1]}"]
        else:
            settings += [f"http.listen=127.0.0.1:{self.port}"]
        overrides = [word for setting in settings for word in ("--set", setting)]
        begin = time.monotonic()
        self.process = subprocess.Popen([self.binary, "serve", "--config", self.config, *overrides],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.folder,
                                        env=os.environ | self.variables)
        await_ready("the server", self.process, self.is_ready, f"{LOGS / self.name}.log")
        return time.monotonic() - begin

    def is_ready(self):
        """Does `/readyz` say so?"""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.management}/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def has_said(self, word):
        """Is this word in the log?"""
        return word in (LOGS / f"{self.name}.log").read_text(errors="replace")

    def signal(self, number):
        """Sends a signal."""
        self.process.send_signal(number)

    def kill(self):
        """kill -9, as after a fault of the machine."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def terminate(self):
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return self.process.wait(timeout=30)

    def rss(self):
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) * 1024

    def database(self):
        """A read-only connection to the store's file."""
        file = next(path for path in self.folder.rglob("*") if path.is_file() and path.open("rb").read(15) == b"SQLite format 3")
        return sqlite3.connect(f"file:{file}?mode=ro", uri=True)

    def error_body(self, status, body):
        """Keeps the body of an error answer, to be searched for secrets."""
        self.errors.write(f"{status} ".encode() + body + b"\n")

    def fixture(self, name, app=None, api=None, **more):
        """What the foreign clients are told, as a file."""
        file = self.folder / f"{name}.fixture.json"
        file.write_text(json.dumps({"name": name, "issuer": self.issuer, "username": self.username,
                                    "password": self.password, "person": str(PERSON), "app": app, "api": api, **more}))
        return file
