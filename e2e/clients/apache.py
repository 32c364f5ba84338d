"""Debian's Apache with `mod_auth_openidc`, as a process in a folder of its own."""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from certificate import issued_certificate  # noqa: E402
from provider import LOGS, free_port  # noqa: E402
from started import await_ready, listens  # noqa: E402

MODULES = Path("/usr/lib/apache2/modules")
CONFIGURATION = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
ErrorLog {log}
LogLevel warn auth_openidc:info
Listen 127.0.0.1:{port}
{modules}
DocumentRoot {folder}/site
SSLEngine on
SSLCertificateFile {folder}/tls.crt
SSLCertificateKeyFile {folder}/tls.key

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI {origin}/members/redirect
OIDCCryptoPassphrase {passphrase}
OIDCScope "openid email offline_access"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email
OIDCInfoHook userinfo access_token refresh_token
OIDCRedirectURLsAllowed ^{origin}/
<Location /members/>
    AuthType openid-connect
    Require valid-user
    Options +Includes
    SetOutputFilter INCLUDES
</Location>
"""


class Apache:
    """A web site whose members sign in at an issuer; `settings` let the provider post to it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="chancery-apache-"))
        self.folder.chmod(0o755)  # Apache's workers act as a user of their own
        self.port = free_port()
        self.origin = f"https://localhost:{self.port}"
        self.process = None
        issued_certificate(self.folder, "localhost")
        self.authority = str(self.folder / "ca.crt")
        self.settings = {"fetch.allow_hosts": f"localhost:{self.port}", "fetch.extra_roots": self.authority}
        members = self.folder / "site" / "members"
        members.mkdir(parents=True)
        (members / "index.html").write_text('Hello <!--#echo var="REMOTE_USER" -->')
        (self.folder / "site" / "goodbye.html").write_text("Goodbye")

    def __enter__(self):
        return self

    def __exit__(self, *failure):
        if self.process:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def serve(self, issuer, client):
        """Starts it for a client of an issuer and waits until it listens."""
        names = ["mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "include", "ssl", "auth_openidc"]
        modules = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in names)
        log = LOGS / "apache.log"
        text = CONFIGURATION.format(folder=self.folder, log=log, port=self.port, modules=modules, issuer=issuer,
                                    origin=self.origin, passphrase=secrets.token_urlsafe(32), **client)
        text += "DirectoryIndex index.html\nTypesConfig /dev/null\nAddType text/html .html\n"
        if os.geteuid() == 0:
            text += f"User {pwd.getpwnam('www-data').pw_name}\nGroup www-data\n"
        file = self.folder / "apache.conf"
        file.touch(mode=0o600)
        file.write_text(text)
        self.process = subprocess.Popen(["/usr/sbin/apache2", "-f", file, "-DFOREGROUND"], stdin=subprocess.DEVNULL)
        await_ready("Apache", self.process, lambda: listens(self.port), log)
