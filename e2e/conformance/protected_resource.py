"""A protected resource for the plans without OpenID Connect, which have no UserInfo: who may read it is told by the
provider (RFC 7662), and whether the caller is whom the token was issued to it checks itself: the certificate of the
connection (RFC 8705 section 3) or a proof of possession (RFC 9449 section 7).

A token that is bound to nothing is refused. Besides it does what FAPI asks of a resource: `x-fapi-interaction-id`, `Date`,
JSON whatever `Accept` says, no token in the query.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import ssl
import threading
import time
import urllib.parse
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from keygen import b64, jwk, new_key

# How far the `iat` of a proof may be from now, in seconds; for twice as long its `jti` is remembered.
PROOF_LIFE = 60
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)


class Refused(Exception):
    """The request is not answered; the scheme and the error of RFC 6750 section 3 or RFC 9449 section 7.1."""

    def __init__(self, scheme, error, description):
        super().__init__(description)
        self.challenge = f'{scheme} error="{error}", error_description="{description}"'


def unbase64(text):
    """Base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(key, header, claims):
    """A JWT with ES256."""
    text = ".".join(b64(json.dumps(part).encode()) for part in ({"alg": "ES256", **header}, claims))
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def public_key(member):
    """The key of a JWK as `cryptography` has it, and the members of its thumbprint (RFC 7638 section 3.2)."""
    number = {name: int.from_bytes(unbase64(member[name]), "big") for name in ("n", "e", "x", "y") if name in member}
    if member["kty"] == "RSA":
        return rsa.RSAPublicNumbers(number["e"], number["n"]).public_key(), ("e", "kty", "n")
    if (member["kty"], member["crv"]) == ("EC", "P-256"):
        numbers = ec.EllipticCurvePublicNumbers(number["x"], number["y"], ec.SECP256R1())
        return numbers.public_key(), ("crv", "kty", "x", "y")
    raise ValueError(member["kty"])


def verify(alg, key, text, signature):
    """Whether the signature is good; nothing but the two algorithms of FAPI that this resource knows."""
    if (alg, isinstance(key, rsa.RSAPublicKey)) == ("PS256", True):
        key.verify(signature, text, PSS, hashes.SHA256())
    elif (alg, isinstance(key, ec.EllipticCurvePublicKey), len(signature)) == ("ES256", True, 64):
        numbers = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        key.verify(encode_dss_signature(*numbers), text, ec.ECDSA(hashes.SHA256()))
    else:
        raise ValueError(alg)


def same_address(one, other):
    """RFC 9449 section 4.3, check 9: query and fragment do not count, nor does another spelling of scheme, host and
    default port (RFC 3986 section 6.2.3)."""
    def parts(text):
        url = urllib.parse.urlsplit(text)
        return url.scheme.lower(), (url.hostname or "").lower(), url.port or 443, url.path or "/"

    return parts(one) == parts(other)


class Proofs:
    """The checks of RFC 9449 section 4.3, and the proofs that were seen."""

    def __init__(self, address):
        self.address, self.seen, self.lock = address, {}, threading.Lock()

    def thumbprint(self, headers, method, token):
        """The thumbprint of the key that the caller has shown possession of."""
        try:
            (proof,) = headers
            text, _, signature = proof.rpartition(".")
            header, claims = (json.loads(unbase64(part)) for part in text.split("."))
            member, now = header["jwk"], time.time()
            key, names = public_key(member)
            if header["typ"] != "dpop+jwt" or {"d", "p", "q", "dp", "dq", "qi", "k"} & set(member):
                raise ValueError("header")
            verify(header["alg"], key, text.encode(), unbase64(signature))
            if claims["htm"] != method or not same_address(claims["htu"], self.address):
                raise ValueError("another request")
            if not hmac.compare_digest(claims["ath"], b64(hashlib.sha256(token.encode()).digest())):
                raise ValueError("another token")
            if abs(now - claims["iat"]) > PROOF_LIFE:
                raise ValueError("time")
            with self.lock:
                self.seen = {name: end for name, end in self.seen.items() if end > now}
                if not isinstance(claims["jti"], str) or claims["jti"] in self.seen:
                    raise ValueError("replay")
                self.seen[claims["jti"]] = now + 2 * PROOF_LIFE
        except (ValueError, KeyError, TypeError, AttributeError, InvalidSignature) as error:
            raise Refused("DPoP", "invalid_dpop_proof", "the proof is missing or wrong") from error
        text = json.dumps({name: member[name] for name in names}, separators=(",", ":"))
        return b64(hashlib.sha256(text.encode()).digest())


class Introspection:
    """What the provider says about a token. The resource authenticates by an assertion (RFC 7523)."""

    client_id = "protected-resource"

    def __init__(self, issuer):
        self.issuer, self.key = issuer, new_key("ES256")

    def metadata(self, clients):
        """Its registration, by which it may ask about the tokens of these clients."""
        return {"client_id": self.client_id, "token_endpoint_auth_method": "private_key_jwt", "redirect_uris": [],
                "response_types": [], "grant_types": ["client_credentials"],
                "jwks": {"keys": [jwk(self.key, "ES256", self.client_id)]}, "chancery": {"introspects": clients}}

    def ask(self, token):
        """The answer of the provider."""
        now = int(time.time())
        assertion = signed(self.key, {"kid": self.client_id}, {
            "iss": self.client_id, "sub": self.client_id, "aud": self.issuer, "iat": now, "exp": now + 60,
            "jti": secrets.token_urlsafe(16)})
        form = {"token": token, "client_assertion": assertion,
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
        with urllib.request.urlopen(f"{self.issuer}/introspect", urllib.parse.urlencode(form).encode(), timeout=10,
                                    context=ssl._create_unverified_context()) as answer:
            return json.load(answer)


class Handler(BaseHTTPRequestHandler):
    """`GET`, of whatever path."""

    protocol_version, introspection, proofs = "HTTP/1.1", None, None

    def do_GET(self):  # the name is that of the library
        """The resource."""
        try:
            status, body, challenge = 200, self.read(), None
        except Refused as refused:
            status, body, challenge = 401, {"error": str(refused)}, refused.challenge
        content = json.dumps(body).encode()
        self.send_response(status)  # with `Date`
        self.send_header("x-fapi-interaction-id", self.interaction_id())
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(content)

    def read(self):
        """What the caller may read."""
        scheme, _, token = (self.headers["Authorization"] or "").partition(" ")
        scheme = scheme.lower()
        if scheme not in ("bearer", "dpop") or not token:
            raise Refused("DPoP", "invalid_token", "there is no token in the header")
        about = self.introspection.ask(token)
        if not about.get("active"):
            raise Refused("DPoP", "invalid_token", "the token is not good")
        bound = about.get("cnf", {})
        if scheme == "dpop":
            shown = self.proofs.thumbprint(self.headers.get_all("DPoP", []), self.command, token)
            wanted = bound.get("jkt")
        else:
            certificate = self.connection.getpeercert(binary_form=True)
            shown = b64(hashlib.sha256(certificate or b"").digest())
            wanted = bound.get("x5t#S256") if certificate else None
        if not wanted or not hmac.compare_digest(wanted, shown):
            raise Refused("DPoP", "invalid_token", "the token belongs to another key")
        return {"client_id": about.get("client_id"), "scope": about.get("scope")}

    def interaction_id(self):
        """That of the request, if it is one, else a new one (FAPI 1.0 part 1 section 6.2.1-11)."""
        with contextlib.suppress(ValueError):
            return str(uuid.UUID(self.headers["x-fapi-interaction-id"] or ""))
        return str(uuid.uuid4())

    def log_message(self, *_):
        """Says nothing."""


class Server(ThreadingHTTPServer):
    """HTTP over TLS 1.3. A client may show a certificate; whose it is does not matter here, but Python only takes what
    it can verify, so that each of them is trusted as its own authority."""

    daemon_threads = True

    def __init__(self, address, handler, tls, certificates):
        super().__init__(address, handler)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.load_cert_chain(*tls)
        self.tls.verify_mode = ssl.CERT_OPTIONAL
        self.tls.load_verify_locations(cadata="\n".join(certificates) or None)

    def finish_request(self, request, client_address):
        """The handshake, in the thread of the connection."""
        request.settimeout(30)
        with self.tls.wrap_socket(request, server_side=True) as secured:
            self.RequestHandlerClass(secured, client_address, self)

    def handle_error(self, request, client_address):
        """The suite probes handshakes, and breaks them off."""


@contextlib.contextmanager
def serving(address, tls, certificates, introspection):
    """The resource at this address, while the block runs."""
    url = urllib.parse.urlsplit(address)
    own = {"introspection": introspection, "proofs": Proofs(address)}
    with Server(("127.0.0.1", url.port), type("Handler", (Handler,), own), tls, certificates) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()
