"""Clients for the Maven project `nimbus`, their keys and certificates, and what a provider has for them."""

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from joserfc import jwk

from certificate import issued_certificate, made
from provider import free_port, new_secret

REDIRECT_URI = "https://client.example/callback"


# What clients ask for in detail (RFC 9396), and the type of it.
PAYMENTS = [{"type": "payment", "actions": ["initiate", "status"], "amount": amount, "to": "DE02100100109307118603"}
            for amount in ("123.50", "7.00")]
PAYMENT = {"title": "Transfer money", "required": ["amount", "to"], "properties": {
    "actions": {"items": {"enum": ["initiate", "status"]}}, "amount": {"type": "string", "pattern": "^[0-9]+[.][0-9]{2}$"},
    "to": {"type": "string", "maxLength": 34}}}


def add_payments(provider):
    """The provider knows payments."""
    (provider.folder / "payment.json").write_text(json.dumps(PAYMENT))
    with open(provider.config, "a", encoding="utf-8") as file:
        file.write('\n[authorization_details.types]\npayment = "payment.json"\n')


class Certificates:
    """Certificates of the server and of clients, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        issued_certificate(folder, "localhost")
        self.tls = (f"{folder}/tls.crt", f"{folder}/tls.key")
        self.authority, self.passphrase = ec.generate_private_key(ec.SECP256R1()), new_secret()
        root = made("clients", self.authority, "clients", self.authority, authority=True)
        (folder / "clients.crt").write_bytes(root.public_bytes(serialization.Encoding.PEM))
        port = free_port()
        # Of a provider that asks for certificates and knows the authority of the clients. `init` trusts the proxies on
        # this machine, and the certificate of a proxy is nobody's.
        self.settings = {
            "tls.certificate": self.tls[0], "tls.key": self.tls[1], "tls.mtls_listen": f"127.0.0.1:{port}",
            "tls.client_authorities": f"{folder}/clients.crt", "mtls.endpoint_aliases": f"https://localhost:{port}",
            "mtls.tls_client_auth": "true", "mtls.self_signed_tls_client_auth": "true",
            "mtls.certificate_bound_access_tokens": "true", "http.trusted_proxies": ""}

    def of_client(self, name, self_signed):
        """A certificate for a client: the file with it and its key, and the JWK that shows it."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = made(name, key, *((name, key) if self_signed else ("clients", self.authority)), authority=False)
        file = self.folder / f"{name}.p12"
        file.write_bytes(pkcs12.serialize_key_and_certificates(
            name.encode(), key, certificate, None, serialization.BestAvailableEncryption(self.passphrase.encode())))
        der = certificate.public_bytes(serialization.Encoding.DER)
        public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        shown = jwk.ECKey.import_key(public).as_dict(private=False, x5c=[base64.b64encode(der).decode()])
        return str(file), shown


# How a client authenticates, what it signs with, how its responses are encrypted, and what its tokens are bound to.
CLIENTS = {
    "PKI": ("tls_client_auth", "ES256", "RSA-OAEP-256", "A256GCM", "certificate"),
    "self-signed": ("self_signed_tls_client_auth", "PS256", "ECDH-ES+A256KW", "A256CBC-HS512", "certificate"),
    "assertion": ("private_key_jwt", "ES256", "ECDH-ES", "A128GCM", "certificate"),
    "FAPI 1.0": ("tls_client_auth", "PS256", "RSA-OAEP-256", "A128CBC-HS256", "certificate"),
    "DPoP": ("private_key_jwt", "ES256", "ECDH-ES+A128KW", "A256GCM", "proofs"),
}

# Those that also ask people who are at another device (CIBA), by signed requests.
ASK_PEOPLE = ("FAPI 1.0", "assertion")

# The same of devices without a browser.
DEVICES = {"device with a certificate": ("tls_client_auth", "certificate"), "device with proofs": ("private_key_jwt", "proofs")}


def key(algorithm, use):
    """A new key of the kind for this algorithm."""
    parameters = {"kid": use, "use": use}
    if algorithm.startswith(("RSA", "PS")):
        return jwk.RSAKey.generate_key(2048, parameters)
    return jwk.ECKey.generate_key("P-256", parameters)


def client(name, certificates):
    """The registration of a client, and what it has: its private keys, its certificate."""
    method, signs, alg, enc, bound_to = CLIENTS[name]
    profile = "fapi1-advanced" if name == "FAPI 1.0" else "fapi2-message-signing"
    client_id = name.replace(" ", "-")
    keys = [key(signs, "sig"), key(alg, "enc")]
    public = [one.as_dict(private=False) for one in keys]
    has = {"keys": {"keys": [one.as_dict(private=True) for one in keys]}, "pushes": profile.startswith("fapi2")}
    metadata = {
        "client_id": client_id, "client_name": name, "redirect_uris": [REDIRECT_URI], "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
        "token_endpoint_auth_method": method, "request_object_signing_alg": signs,
        "id_token_signed_response_alg": "ES256", "authorization_signed_response_alg": "ES256",
        "authorization_encrypted_response_alg": alg, "authorization_encrypted_response_enc": enc,
        "chancery": {"profile": profile}}
    if name in ASK_PEOPLE:
        metadata["grant_types"].append("urn:openid:params:grant-type:ciba")
        metadata |= {"backchannel_token_delivery_mode": "poll", "backchannel_authentication_request_signing_alg": signs}
    return completed(metadata, has, certificates, public, (method, signs, bound_to))


def device(name, certificates):
    """The same of a device, which is held to no profile."""
    method, bound_to = DEVICES[name]
    signs = key("ES256", "sig")
    has = {"keys": {"keys": [signs.as_dict(private=True)]}, "pushes": False}
    metadata = {
        "client_id": name.replace(" ", "-"), "client_name": name, "redirect_uris": [], "response_types": [],
        "grant_types": ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        "token_endpoint_auth_method": method, "request_object_signing_alg": "ES256", "id_token_signed_response_alg": "ES256"}
    return completed(metadata, has, certificates, [signs.as_dict(private=False)], (method, "ES256", bound_to))


def completed(metadata, has, certificates, public, how):
    """With what belongs to the way in which it authenticates and its tokens are bound."""
    method, signs, bound_to = how
    client_id = metadata["client_id"]
    if method == "private_key_jwt":
        metadata["token_endpoint_auth_signing_alg"] = signs
    if method == "tls_client_auth":
        metadata["tls_client_auth_subject_dn"] = f"CN={client_id}"
    if bound_to == "certificate":
        metadata["tls_client_certificate_bound_access_tokens"] = True
        has["certificate"], shown = certificates.of_client(client_id, method == "self_signed_tls_client_auth")
        public += [shown] if method == "self_signed_tls_client_auth" else []
    else:
        metadata["dpop_bound_access_tokens"] = True
    return {"metadata": {**metadata, "jwks": {"keys": public}}, **has}
