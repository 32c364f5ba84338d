"""nginx in front of the server, as a process in a folder of its own: one port for everybody, and one that asks for the
certificates of clients and hands them on."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from certificate import issued_certificate  # noqa: E402
from provider import LOGS, free_port  # noqa: E402
from started import await_ready, listens  # noqa: E402

PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")

CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log {log};
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    ssl_certificate {folder}/tls.crt;
    ssl_certificate_key {folder}/tls.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:all:1m;

    server {{
        listen 127.0.0.1:{port} ssl http2;
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-SSL-Client-Cert "";
        }}
    }}
    server {{
        listen 127.0.0.1:{mtls_port} ssl http2;
        ssl_verify_client optional_no_ca;
        location / {{
            proxy_pass http://127.0.0.1:{behind};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
        }}
    }}
}}
"""


class Nginx:
    """A proxy at `port` and `mtls_port`; `settings` let the provider take certificates from it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="chancery-nginx-"))
        self.folder.chmod(0o755)  # nginx's workers act as a user of their own
        self.port, self.mtls_port = free_port(), free_port()
        self.process = None
        issued_certificate(self.folder, "localhost")
        self.authority = str(self.folder / "ca.crt")
        self.settings = {"http.trusted_proxies": "127.0.0.1",
                         "http.client_certificate_proxies": "127.0.0.1", "http.client_certificate": "nginx"}

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.process:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self, behind):
        """Starts it in front of the server at this port and waits until it listens."""
        log = LOGS / "nginx.log"
        user = "user www-data;" if os.geteuid() == 0 else ""
        file = self.folder / "nginx.conf"
        file.write_text(CONFIGURATION.format(folder=self.folder, log=log, port=self.port, mtls_port=self.mtls_port,
                                             behind=behind, user=user))
        self.process = subprocess.Popen([PROGRAM, "-c", file, "-e", log], stdin=subprocess.DEVNULL)
        await_ready("nginx", self.process, lambda: listens(self.mtls_port), log)
