"""The programs of examples/frameworks are built and asked: each hands requests and answers over whole."""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from checks import Checks  # noqa: E402
from provider import REPOSITORY, free_port  # noqa: E402

FRAMEWORKS = REPOSITORY / "examples" / "frameworks"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))


def build():
    """With the versions of the workspace, and what the frameworks need besides."""
    shutil.copy(REPOSITORY / "Cargo.lock", FRAMEWORKS / "Cargo.lock")
    subprocess.run(["cargo", "build", "--quiet", "--manifest-path", FRAMEWORKS / "Cargo.toml"], check=True,
                   env={**os.environ, "CARGO_TARGET_DIR": str(TARGET)})


def ask(url, form=None):
    """Status, headers and text of the answer."""
    try:
        answer = urllib.request.urlopen(url, form, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


def serves(issuer, has_own_page):
    """A path with a query, a form, the headers of answers, and what is not there."""
    for _ in range(100):
        try:
            status, headers, text = ask(f"{issuer}/.well-known/openid-configuration")
            break
        except urllib.error.URLError:
            time.sleep(0.1)
    assert status == 200 and f'"issuer":"{issuer}"' in text and headers["Content-Type"].startswith("application/json"), status
    status, headers, text = ask(f"{issuer}/authorize?client_id=nobody&response_type=code")
    assert status == 400 and "<style nonce=" in text and "x-request-id" in headers, status
    status, headers, text = ask(f"{issuer}/token", b"grant_type=authorization_code&client_id=demo&code=ac_1")
    assert status == 400 and '"error":"invalid_' in text and headers["Cache-Control"] == "no-store", status
    assert ask(f"{issuer}/nothing")[0] == 404
    if has_own_page:
        assert ask(f"{issuer}/own")[2] == "The application's own page."


def main():
    checks = Checks()
    with checks.case("the programs are built"):
        build()
    for program in sorted(file.stem for file in (FRAMEWORKS / "src" / "bin").glob("*.rs")):
        port = free_port()
        with checks.case(f"examples/frameworks: {program}"):
            wanted = {**os.environ, "PORT": str(port)}
            with subprocess.Popen([TARGET / "debug" / program], env=wanted, stdout=subprocess.DEVNULL) as server:
                try:
                    serves(f"http://localhost:{port}", has_own_page=program != "hyper")
                finally:
                    server.kill()
    checks.close()


main()
