"""Debian's Chromium against the release binary: every page with sample data, then A9, the browser's part of A10, A11 and
A12.

    run [WORDS OF A TEST'S NAME]
    run --pictures FOLDER

Without arguments what goes from site to site (A11) is tried on the TLS listener, too, where cookies have other names.
Then the pages of examples/remote-pages take the place of the built-in ones. A page with sample data is a test whose name
is `gallery: ` and its own.

With --pictures nothing is tried: pictures of the pages are taken into the folder, named from the repository's root, in the
place of those that are there. Pillow makes them small.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "harness"))

from certificate import certificate  # noqa: E402
from checks import Checks  # noqa: E402
from provider import LOGS, REPOSITORY, SECRETS, Provider, free_port, release  # noqa: E402


MODES = {"response_modes.web_message": "true", "session.management": "true"}
# The pages for devices, and for what is asked in the background, are the server's own.
OWN_PAGES = {**MODES, "device_authorization.offered": "true", "ciba.offered": "true"}


# APIs that clients may ask for access to, with a name for people and without one.
APIS = {"https://api.albums.example": 'name = "Photo albums"\nscopes = ["albums.read", "albums.write"]',
        "https://prints.example/v2": 'scopes = ["prints.order"]', "urn:example:calendar": 'name = "Calendar"'}

# Of a picture: those of the page, and shades for the edges of letters.
COLOURS = 64

BY_CLIENT = 'stored_interactions_by_client = { parameter = "app_id", header = "Logto-App-Id" }'


def browse(checks, provider, arguments, pages=None, by_client=False):
    """All tests that the arguments name, on one provider; `pages` is the origin of pages that are not its own, whose
    URL carries no handle with `by_client`."""
    if by_client:
        config = provider.config.read_text()
        provider.config.write_text(config.replace("[compatibility]\n", f"[compatibility]\n{BY_CLIENT}\n"))
    with provider.config.open("a", encoding="utf-8") as config:
        config.writelines(f'\n[[resource_server]]\nuri = "{uri}"\n{more}\n' for uri, more in APIS.items())
    provider.serve()
    fixture = provider.folder / "fixture.json"
    fixture.write_text(json.dumps({
        "name": provider.name, "issuer": provider.issuer, "binary": str(release("chancery")),
        "config": str(provider.config), "folder": str(provider.folder), "secrets": str(SECRETS), "logs": str(LOGS),
        "sign_up": provider.variables.get("CHANCERY_SIGN_UP_OFFERED") == "true",
        "devices": provider.variables.get("CHANCERY_DEVICE_AUTHORIZATION_OFFERED") == "true",
        "pages": pages, "by_client": by_client, "apis": list(APIS)}))
    trust = {"NODE_EXTRA_CA_CERTS": provider.tls[0]} if provider.tls else {}
    run_node(checks, ["main.mjs", fixture, *arguments], {**provider.variables, **trust})
    checks.check(f"{provider.name}: the server is still there", provider.process.poll() is None)


def run_node(checks, program, variables):
    """Tests in JavaScript, which end with a line of totals."""
    node = subprocess.Popen(["node", *program], stdout=subprocess.PIPE, text=True, env={**os.environ, **variables})
    said = False
    for line in node.stdout:
        said = checks.absorb(line) or said
        if not said:
            print(line, end="", flush=True)
    if node.wait() and not said:
        checks.check("the browser's tests run to their end", False)


@contextlib.contextmanager
def gallery():
    """The origin of every page with sample data, as they are without a configuration."""
    with tempfile.TemporaryDirectory() as folder:
        preview = subprocess.Popen([release("chancery"), "pages", "preview", "--port", "0"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, text=True, cwd=folder)
        try:
            yield re.search(r"http://[\d.:]+", preview.stdout.readline())[0]
        finally:
            preview.kill()
            preview.wait()


def take_pictures(folder):
    """Pictures of few colours, which is what the pages have, and the page that shows them."""
    try:
        from PIL import Image
    except ImportError:
        sys.exit("pictures are made small by Pillow: pip install Pillow")
    with gallery() as origin:
        subprocess.run(["node", "pictures.mjs", origin, folder], check=True)
    for picture in sorted(folder.glob("*.png")):
        with Image.open(picture) as taken:
            full = taken.convert("RGB")
        # The most frequent colours stay as they are; a palette that is computed would blend those of small things.
        frequent = sorted(full.getcolors(full.width * full.height), reverse=True)[:COLOURS]
        palette = Image.new("P", (1, 1))
        palette.putpalette([part for _, colour in frequent for part in colour])
        small = full.quantize(palette=palette, dither=Image.Dither.NONE)
        small.save(picture, optimize=True)
    print(f"{sum(picture.stat().st_size for picture in folder.glob('*.png')):,} bytes of pictures")


def main():
    if sys.argv[1:2] == ["--pictures"]:
        return take_pictures(REPOSITORY / sys.argv[2])
    checks = Checks()
    with gallery() as origin:
        run_node(checks, ["gallery.mjs", origin, *sys.argv[1:]], {})
    sign_up = {"sign_up.offered": "true"}
    with Provider("browser", settings={**OWN_PAGES, **sign_up}) as provider:
        browse(checks, provider, sys.argv[1:])
    if not sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            certificate(Path(folder), "localhost")
            with Provider("browser-tls", (f"{folder}/tls.crt", f"{folder}/tls.key"), settings=OWN_PAGES) as provider:
                browse(checks, provider, ["A11"])
    pages = f"http://localhost:{free_port()}"
    for name, by_client in (("browser-remote", False), ("browser-by-client", True)):
        with Provider(name, settings={**MODES, **sign_up, "interaction.location": f"{pages}/"}) as provider:
            browse(checks, provider, sys.argv[1:], pages, by_client)
    checks.close()


main()
