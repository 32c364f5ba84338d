"""Decides CIBA requests for the suite as a person does: signs in, and presses a button on the pages of `/approvals`.

The suite POSTs to `/?person=NAME&action=allow` (or `deny`), with the `auth_req_id` as well; that one is between client and
provider, and no page shows it to a person. Each configuration therefore has a person of its own (`keygen.py`), and its
modules run one after the other: whatever waits for the person is meant, and all of it is decided.
"""

import contextlib
import json
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "harness"))

from person import Person  # noqa: E402  needs `requests`

# How long a request may take to be seen by its person, in seconds.
PATIENCE = 5


class Approver(Person):
    """A person who looks at the page of requests when the suite says so."""

    def __init__(self, approvals, username, password, authority):
        super().__init__(username, password, authority)
        self.approvals, self.lock = approvals, threading.Lock()

    def answer(self, action):
        """Presses this button for all that waits, as soon as something does; how often."""
        last = time.monotonic() + PATIENCE
        with self.lock:
            while not (decided := self.decide_all(self.approvals, action)) and time.monotonic() < last:
                time.sleep(0.2)
        return decided


class Handler(BaseHTTPRequestHandler):
    """`POST`, from the suite."""

    approvers = {}

    def do_POST(self):  # the name is that of the library
        """Decides."""
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        try:
            status, body = 200, {"decided": self.approvers[asked["person"]].answer(asked["action"])}
            if not body["decided"]:
                status, body = 404, {"error": "nothing waits"}
        except Exception as error:  # the suite's log shall say what happened
            status, body = 500, {"error": f"{type(error).__name__}: {error}"}
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Says nothing."""


@contextlib.contextmanager
def serving(address, approvals, people, password, authority):
    """The program at this address, while the block runs; `people`: names, each with this password."""
    approvers = {name: Approver(approvals, name, password, authority) for name in people}
    handler = type("Handler", (Handler,), {"approvers": approvers})
    with ThreadingHTTPServer(("127.0.0.1", urllib.parse.urlsplit(address).port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()
