"""Each example and the development provider log a person in, with the example client `try` as the client: A16."""

import subprocess
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from checks import Checks  # noqa: E402
from example import Example  # noqa: E402
from provider import REPOSITORY, free_port, release  # noqa: E402


def logs_in(example):
    """The client gets its tokens; what it prints, which are tokens, is not shown."""
    who = f"{example.told('sign in as')}\n{example.told('password')}\n"
    done = subprocess.run([release("examples/try"), "--headless", "--issuer", example.issuer], input=who, text=True,
                          capture_output=True, timeout=30)
    if done.returncode:
        raise RuntimeError(f"the client ended with {done.returncode}: {done.stderr}")
    assert "at_" in done.stdout, "the client prints its access token"


def main():
    checks = Checks()
    with checks.case("the binary without arguments"), Example("chancery") as example:
        logs_in(example)
        credentials = Path(example.folder.name) / "chancery-dev" / "credentials"
        assert credentials.stat().st_mode & 0o777 == 0o600
    with checks.case("examples/minimal"), Example("examples/minimal") as example:
        logs_in(example)
    port = free_port()
    with checks.case("examples/mounted"), Example("examples/mounted", port, "/oidc") as example:
        logs_in(example)
        with urllib.request.urlopen(f"http://localhost:{port}/", timeout=5) as answer:
            assert b"own page" in answer.read(), "the application's own route"
    with checks.case("examples/own_accounts (A16)"), Example("examples/own_accounts", free_port()) as example:
        logs_in(example)
    lines = (REPOSITORY / "examples" / "own_accounts.rs").read_text().count("\n")
    checks.check("examples/own_accounts has less than 150 lines (A16)", lines < 150, f"{lines}")
    checks.close()


main()
