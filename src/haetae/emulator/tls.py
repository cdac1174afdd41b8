"""A private authority, so that an unmodified client can be pointed here by its hosts file.

Here: ``Authority``: a self-made CA and certificates for the broker's REST host names, kept in a folder, and the
three wrong certificates that a client must refuse. Not here: the ports (``doors``), when which is shown (``faults``).
The CA is worth nothing outside this machine: hand ``ca.pem`` to the client (``REQUESTS_CA_BUNDLE``, ``SSL_CERT_FILE``),
and never to a system's trust store.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOSTS = ("openapi.koreainvestment.com", "openapivts.koreainvestment.com", "localhost")
_LIFE_DAYS = 90
_CA_FILE, _KEY_FILE = "ca.pem", "server.pem"


class Certificate(Enum):
    """Which certificate a handshake shows."""

    GOOD = "good"
    EXPIRED = "expired"
    UNKNOWN_CA = "unknown_ca"
    WRONG_HOST = "wrong_host"


@dataclass(slots=True)
class Authority:
    """Certificates of one folder; ``shown`` decides what the next handshakes get."""

    folder: Path
    contexts: dict[Certificate, ssl.SSLContext]
    shown: Certificate = Certificate.GOOD

    @property
    def ca_file(self) -> Path:
        """What a client must trust."""
        return self.folder / _CA_FILE

    def context(self) -> ssl.SSLContext:
        """Return the server's context; each handshake takes the certificate that is shown then."""

        def choose(session: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            session.context = self.contexts[self.shown]

        self.contexts[Certificate.GOOD].sni_callback = choose
        return self.contexts[Certificate.GOOD]


def open_authority(folder: Path, now: dt.datetime) -> Authority:
    """Make an authority in a folder, its keys readable by the owner only; ``now`` is the machine's time, with zone."""
    folder.mkdir(parents=True, exist_ok=True)
    ca_key, stranger_key = _key(), _key()
    ca, stranger = _ca(ca_key, now, "Haetae emulator"), _ca(stranger_key, now, "Somebody else")
    good = (now - dt.timedelta(days=1), now + dt.timedelta(days=_LIFE_DAYS))
    past = (now - dt.timedelta(days=_LIFE_DAYS), now - dt.timedelta(days=1))
    makes = {
        Certificate.GOOD: (ca, ca_key, HOSTS, good),
        Certificate.EXPIRED: (ca, ca_key, HOSTS, past),
        Certificate.UNKNOWN_CA: (stranger, stranger_key, HOSTS, good),
        Certificate.WRONG_HOST: (ca, ca_key, ("elsewhere.example",), good),
    }
    contexts = {}
    for kind, (issuer, issuer_key, names, life) in makes.items():
        path = folder / (_KEY_FILE if kind is Certificate.GOOD else f"{kind.value}.pem")
        _write(path, _chain(issuer, issuer_key, names, life))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(path)
        contexts[kind] = context
    _write(folder / _CA_FILE, ca.public_bytes(serialization.Encoding.PEM))
    return Authority(folder, contexts)


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _ca(key: ec.EllipticCurvePrivateKey, now: dt.datetime, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2 * _LIFE_DAYS))
        .not_valid_after(now + dt.timedelta(days=_LIFE_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _chain(
    issuer: x509.Certificate,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: tuple[str, ...],
    life: tuple[dt.datetime, dt.datetime],
) -> bytes:
    key = _key()
    addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))] if names is HOSTS else []
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(life[0])
        .not_valid_after(life[1])
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, names), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, data: bytes) -> None:
    """Replace a file by one that only its owner may read."""
    partial = path.with_name(f".{path.name}.partial")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    partial.replace(path)
