"""Certificates and keys as operators have them: PEM and PFX, with and without a passphrase."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Pair(NamedTuple):
    """A private key, and a certificate for it."""

    key: Key
    certificate: x509.Certificate

    def key_pem(self, passphrase: str = "") -> str:
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, _locked(passphrase)).decode()

    @property
    def certificate_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def pem(self, passphrase: str = "") -> str:
        return self.key_pem(passphrase) + self.certificate_pem

    def pfx(self, passphrase: str = "", *others: x509.Certificate) -> bytes:
        return pkcs12.serialize_key_and_certificates(
            b"sync", self.key, self.certificate, others, _locked(passphrase)
        )


@cache
def pair(which: int = 0, *, ends_in: timedelta = timedelta(days=365), begins_in: float = -1) -> Pair:
    """A pair with an RSA key, each made once, as Entra knows it by its thumbprint; `which` tells them apart."""
    return certified(rsa_key(which), ends_in=ends_in, begins_in=begins_in)


def certified(key: Key, *, ends_in: timedelta = timedelta(days=365), begins_in: float = -1) -> Pair:
    """A certificate for a key; `begins_in` in days."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sync")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=begins_in))
        .not_valid_after(now + ends_in)
        .sign(key, hashes.SHA256())
    )
    return Pair(key, certificate)


@cache
def rsa_key(_which: int) -> rsa.RSAPrivateKey:
    """An RSA key; making one takes long."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _locked(passphrase: str) -> serialization.KeySerializationEncryption:
    if not passphrase:
        return serialization.NoEncryption()
    return serialization.BestAvailableEncryption(passphrase.encode())
