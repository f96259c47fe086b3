"""A Microsoft application's certificate and its private key, from a PEM or from a PFX (PKCS #12)."""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from config.errors import SecretError
from config.google_files import with_line_ends
from config.rsa_keys import KeyTrouble
from config.secrets import Secret

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_DER = b"\x30"  # what a PFX and a bare certificate begin with


class ClientCertificate(NamedTuple):
    """What an application shows that it is itself by."""

    private_key: str
    """PEM, not encrypted."""
    certificates: str
    """PEM: the one that fits the key, then the others."""
    thumbprint: str
    """SHA-1, as Entra lists it."""
    begins: datetime
    ends: datetime


def client_certificate(secret: Secret, passphrase: Secret | None) -> ClientCertificate:
    """What a secret holds: a PEM, or a PFX as it is or in base64 (as Azure's Key Vault gives it).

    Raises:
        SecretError: it cannot be read, is neither, lacks the key or its certificate,
            the passphrase does not open it, or the key is not RSA. Says what to do.
    """
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - only workers need it
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415

    raw = _plain(secret.read_bytes())
    opens = passphrase.value().encode() if passphrase else None
    key, found = (_from_pem if b"-----BEGIN" in raw else _from_pfx)(secret, raw, opens)
    if not isinstance(key, RSAPrivateKey):
        raise SecretError(
            f"the private key in {secret} is not RSA; make an RSA key, Microsoft takes no other"
        )
    fits = [each for each in found if each.public_key() == key.public_key()]
    if not fits:
        raise SecretError(f"no certificate in {secret} fits its private key; put the one of that key in it")
    own = max(fits, key=lambda each: each.not_valid_after_utc)  # a renewed one often stands beside the old
    return ClientCertificate(
        private_key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        certificates="".join(
            each.public_bytes(serialization.Encoding.PEM).decode()
            for each in (own, *(each for each in found if each not in fits))
        ),
        thumbprint=own.fingerprint(hashes.SHA1()).hex(),  # noqa: S303 - it is a name, not a proof
        begins=own.not_valid_before_utc,
        ends=own.not_valid_after_utc,
    )


def _plain(raw: bytes) -> bytes:
    """A PEM with real line ends, or a PFX out of its base64."""
    if b"-----BEGIN" in raw:
        return with_line_ends(raw.decode("utf-8", "replace")).encode()
    try:
        decoded = base64.b64decode(b"".join(raw.split()), validate=True)
    except binascii.Error:
        return raw
    return decoded if decoded.startswith(_DER) else raw


def _from_pem(secret: Secret, raw: bytes, opens: bytes | None) -> "tuple[object, Sequence[Certificate]]":
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    key, certificates = _KEY.search(raw), _CERTIFICATE.findall(raw)
    missing = [what for what, there in (("private key", key), ("certificate", certificates)) if not there]
    if missing or key is None:
        raise SecretError(
            f"{secret} has no {' and no '.join(missing)}; put the certificate and its key into one file"
        )
    locked = b"ENCRYPTED" in key[0]
    if locked and opens is None:
        raise KeyTrouble(
            "key_passphrase_missing",
            f"the private key in {secret} is encrypted; add certificate_passphrase = …",
        )
    trouble = ""
    try:
        return load_pem_private_key(key[0], opens if locked else None), [
            x509.load_pem_x509_certificate(each) for each in certificates
        ]
    except Exception as error:  # noqa: BLE001 - the library raises many kinds, and some repeat what they read
        trouble = type(error).__name__
    raise KeyTrouble(
        "key_passphrase_wrong" if locked else "key_unreadable",
        f"certificate_passphrase does not open the private key in {secret}; use the one it was encrypted with"
        if locked
        else f"{secret} cannot be read as PEM ({trouble}); copy the certificate and its key into it anew",
    )


def _from_pfx(secret: Secret, raw: bytes, opens: bytes | None) -> "tuple[object, Sequence[Certificate]]":
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates  # noqa: PLC0415

    if raw.startswith(_DER) and not _is_bare(raw):
        try:
            key, certificate, others = load_key_and_certificates(raw, opens)
        except Exception:  # noqa: BLE001 - see above; the library does not tell a wrong passphrase from damage
            key, certificate, others = None, None, None
        if others is None:
            given = (
                "certificate_passphrase does not open it" if opens else "it needs certificate_passphrase = …"
            )
            raise SecretError(f"{secret} is a PFX (PKCS #12), and {given}; use the one it was exported with")
        if key is None or certificate is None:
            raise SecretError(f"{secret} is a PFX (PKCS #12) without a private key; export it with its key")
        return key, (certificate, *others)
    if raw.startswith(_DER):
        raise SecretError(
            f"{secret} is a certificate alone (.cer), as Entra has it; use the file with its private key"
        )
    raise SecretError(
        f"{secret} is neither a PEM nor a PFX; use one with the certificate and its private key"
    )


def _is_bare(raw: bytes) -> bool:
    from cryptography import x509  # noqa: PLC0415

    try:
        x509.load_der_x509_certificate(raw)
    except ValueError:
        return False
    return True
