"""Certificates for TLS listeners."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder, name):
    """A self-signed certificate for localhost as the files `tls.crt` and `tls.key`; its DER form."""
    key = ec.generate_private_key(ec.SECP256R1())
    return write(folder, key, made(name, key, name, key, authority=True))


def issued_certificate(folder, name, addresses=()):
    """For localhost and these IP addresses, as `certificate`, but issued by an authority whose certificate is the file `ca.crt`: a certificate cannot be both
    for clients that go by RFC 5280."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = made("authority", authority, "authority", authority, authority=True)
    (folder / "ca.crt").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return write(folder, key, made(name, key, "authority", authority, authority=False, addresses=addresses))


def made(name, key, issuer, issuer_key, authority, addresses=()):
    """A certificate for localhost and these IP addresses."""
    def common_name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    names = [x509.DNSName("localhost"), *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses)]
    now = datetime.datetime.now(datetime.timezone.utc)
    return (x509.CertificateBuilder().subject_name(common_name(name)).issuer_name(common_name(issuer))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .sign(issuer_key, hashes.SHA256()))


def write(folder, key, of_server):
    """The files of the server; the certificate's DER form."""
    (folder / "tls.key").touch(mode=0o600)
    (folder / "tls.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                                       serialization.NoEncryption()))
    (folder / "tls.crt").write_bytes(of_server.public_bytes(serialization.Encoding.PEM))
    return of_server.public_bytes(serialization.Encoding.DER)


class Authority:
    """One that vouches for clients."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = made("clients", self.key, "clients", self.key, authority=True)

    def pem(self):
        """Its own certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)


def client_certificate(folder, file, name, issuer=None):
    """The certificate of a client with this common name, by an authority or by nobody else, as the files `FILE.crt` and
    `FILE.key`."""
    key = ec.generate_private_key(ec.SECP256R1())
    of_client = made(name, key, "clients", issuer.key, authority=False) if issuer else \
        made(name, key, name, key, authority=False)
    (folder / f"{file}.key").touch(mode=0o600)
    (folder / f"{file}.key").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    (folder / f"{file}.crt").write_bytes(of_client.public_bytes(serialization.Encoding.PEM))
