"""What the development provider's own page has to copy, run as it stands there: a Spring Boot application."""

import html
import re
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

import requests

from person import Person
from provider import LOGS, free_port


def lines(issuer, name):
    """The lines for a library or a program."""
    page = requests.get(f"{issuer}/", timeout=5).text
    return html.unescape(re.search(rf'<pre id="{name}"[^>]*><code>(.*?)</code>', page, re.DOTALL)[1])


def with_spring(checks, example, program):
    """Signs in at an application that has nothing but these lines."""
    port = free_port()
    mine = f"http://localhost:{port}/"
    with tempfile.TemporaryDirectory() as folder, open(LOGS / "spring.log", "wb") as log:
        Path(folder, "application.yaml").write_text(lines(example.issuer, "spring"), encoding="utf-8")
        command = ["java", "-jar", program, f"--server.port={port}"]
        with subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as application:
            try:
                with checks.case("Spring Security by the front page: signs in"):
                    person = Person(example.told("sign in as"), example.told("password"))
                    address = asked_to_sign_in(person, mine, example.issuer)
                    assert "code_challenge_method=S256" in address, "PKCE without being told to"
                    greeting = person.browser.get(person.authorize(address))
                    assert greeting.text == "Hello Demo Person, demo@example.com", (greeting.status_code, person.seen)
            finally:
                application.kill()


def asked_to_sign_in(person, mine, issuer):
    """Where the application, which may still be starting, sends a person who opens it."""
    begin = time.monotonic()
    address = mine
    while not address.startswith(f"{issuer}/"):
        try:
            answer = person.browser.get(address, headers={"Accept": "text/html"}, allow_redirects=False, timeout=10)
            address = urllib.parse.urljoin(address, answer.headers["Location"])
        except requests.ConnectionError:
            assert time.monotonic() - begin < 60, "the application did not start"
            time.sleep(0.2)
    return address
