"""Private keys as the providers want them: RSA, in PEM. Looked at before a library does, which says less."""

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING

from config.errors import SecretError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


class KeyTrouble(SecretError):
    """A private key cannot be used; `code` says why in one word."""

    def __init__(self, code: str, problem: str) -> None:
        super().__init__(problem)
        self.args = (code, problem)
        self.code = code


@lru_cache(maxsize=16)
def rsa_key(pem: str, passphrase: str | None = None) -> "RSAPrivateKey":
    """The private key that a text holds. To check one takes a twentieth of a second; accounts may share it.

    Raises:
        KeyTrouble: it is damaged, is of another kind, or the passphrase is missing or wrong.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415 - receivers need none
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    locked = "ENCRYPTED" in pem
    if locked and not passphrase:
        raise KeyTrouble("key_passphrase_missing", "its private key is encrypted, and there is no passphrase")
    key: object = None
    with suppress(Exception):  # cryptography raises many kinds, and some repeat what they read
        key = load_pem_private_key(pem.encode(), passphrase.encode() if locked and passphrase else None)
    if key is None and locked:
        raise KeyTrouble("key_passphrase_wrong", "the passphrase does not open its private key")
    if key is None:
        raise KeyTrouble("key_unreadable", "its private key is damaged; copy the whole file anew")
    if not isinstance(key, RSAPrivateKey):
        raise KeyTrouble("key_not_rsa", "its private key is not RSA, and the provider takes no other")
    return key
