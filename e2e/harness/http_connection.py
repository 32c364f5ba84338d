"""HTTP/1.1 over one connection, as plain as a load driver wants it."""

import asyncio
import base64
import time
import urllib.parse


class Cut(Exception):
    """The peer ended the connection; `begun` says whether a part of the answer had come."""

    def __init__(self, begun):
        super().__init__("cut off within the answer" if begun else "closed before the answer")
        self.begun = begun


class Answer:
    """Status, headers (names in lower case, the last of a name wins) and body."""

    def __init__(self, status, headers, cookies, body):
        self.status, self.headers, self.cookies, self.body = status, headers, cookies, body

    @property
    def query(self):
        """Parameters of the address in `Location`."""
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.headers.get("location", "")).query))


def basic(client):
    """The Authorization header of a client with a secret (RFC 6749 section 2.3.1)."""
    pair = ":".join(urllib.parse.quote_plus(client[part]) for part in ("client_id", "client_secret"))
    return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


class Connection:
    """A connection that is kept open as long as the server keeps it, and opened again when needed."""

    def __init__(self, host, port, tls=None, on_error_body=None):
        self.host, self.port, self.tls = host, port, tls
        self.on_error_body = on_error_body  # hears the body of every answer from 400 on
        self.reader = self.writer = None
        self.opened, self.sent = 0, 0.0  # connections so far; when the last request was sent
        self.is_asking = False  # whether its answer has not come

    async def open(self):
        """Connects, if not connected."""
        if self.writer is None:
            name = {"server_hostname": self.host} if self.tls else {}
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, ssl=self.tls, **name)
            self.opened += 1

    def close(self):
        """Forgets the connection."""
        if self.writer is not None:
            self.writer.close()
            self.reader = self.writer = None

    async def get(self, target, headers=None):
        """GET."""
        return await self.call("GET", target, headers or {})

    async def post(self, target, form, headers=None):
        """POST of a form."""
        body = urllib.parse.urlencode(form).encode()
        return await self.call("POST", target, {"content-type": "application/x-www-form-urlencoded",
                                                "content-length": str(len(body)), **(headers or {})}, body)

    async def call(self, method, target, headers, body=b""):
        """One request and its answer; `Cut` when the server ended the connection instead."""
        await self.open()
        lines = [f"{method} {target} HTTP/1.1", f"host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        try:
            self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            await self.writer.drain()
            self.sent, self.is_asking = time.monotonic(), True
        except OSError:
            pass  # the answer may have come all the same
        return await self.answer()

    async def answer(self):
        """Reads an answer."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError) as error:
            self.close()
            raise Cut(bool(getattr(error, "partial", b""))) from None
        self.is_asking = False
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        status, headers, cookies = int(first.split(" ", 2)[1]), {}, {}
        for line in lines:
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip()
            headers[name] = value
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                cookies[key] = rest.split(";")[0]
        try:
            body = await self.body(headers)
        except (asyncio.IncompleteReadError, OSError):
            self.close()
            raise Cut(True) from None
        if headers.get("connection", "").lower() == "close":
            self.close()
        if status >= 400 and self.on_error_body:
            self.on_error_body(status, body)
        return Answer(status, headers, cookies, body)

    async def body(self, headers):
        """Reads the body of an answer to GET or POST."""
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return await self.reader.readexactly(int(headers.get("content-length", 0)))
        parts = []
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            parts.append(await self.reader.readexactly(size))
            await self.reader.readexactly(2)
        await self.reader.readuntil(b"\r\n")
        return b"".join(parts)
