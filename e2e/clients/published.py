"""What a client publishes for the provider: documents over HTTPS on a port of localhost."""

import http.server
import json
import ssl
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from certificate import issued_certificate  # noqa: E402


class Published:
    """A server of documents; `settings` let the provider ask it."""

    def __init__(self):
        self.documents = {}  # path: (content type, bytes)
        self.asked = []  # paths, in order
        self.folder = tempfile.TemporaryDirectory(prefix="chancery-published-")
        issued_certificate(Path(self.folder.name), "localhost")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(f"{self.folder.name}/tls.crt", f"{self.folder.name}/tls.key")
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.host = f"localhost:{self.server.server_address[1]}"
        self.settings = {"fetch.allow_hosts": self.host, "fetch.extra_roots": f"{self.folder.name}/ca.crt"}
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()

    def publish(self, path, document, content_type="application/json"):
        """Serves a text, or a value as JSON; its address."""
        body = document if isinstance(document, str) else json.dumps(document)
        self.documents[path] = (content_type, body.encode())
        return f"https://{self.host}{path}"

    def handler(self):
        published = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """GET of a document."""

            def do_GET(self):
                published.asked.append(self.path)
                kind, body = published.documents.get(self.path, ("text/plain", b""))
                self.send_response(200 if self.path in published.documents else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *line):
                """Nothing on standard error."""

        return Handler
