"""Encryption of what is kept in Redis, by keys that never are there (Fernet: AES-128-CBC and HMAC-SHA256).

The first of `encryption.keys` encrypts, any of them decrypts. `cryptography` is imported when it is first
needed: a receiver without encryption does not bear its size.
"""

from typing import TYPE_CHECKING

from bookings.errors import SealError
from config.errors import SecretError
from config.sections import EncryptionSettings

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet


def new_key() -> str:
    """A fresh key, in the text form in which `encryption.keys` take it."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - see above

    return Fernet.generate_key().decode()


class Seal:
    """Encrypts and decrypts by the keys as they stand at the moment: a rotated file needs no restart."""

    def __init__(self, settings: EncryptionSettings) -> None:
        self._settings = settings
        self._texts: tuple[bytes, ...] = ()
        self._fernet: MultiFernet | None = None

    @property
    def on_bookings(self) -> bool:
        """Whether what is newly stored of bookings is to be encrypted."""
        return self._settings.bookings

    def seal(self, plain: bytes) -> bytes:
        """Encrypts; letters, digits, `-`, `_` and `=` come out. Raises `SealError` without a key."""
        return self._keys().encrypt(plain)

    def unseal(self, sealed: bytes) -> bytes:
        """The reverse. Raises `SealError`, too, where none of the keys fits."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - see above

        try:
            return self._keys().decrypt(sealed)
        except InvalidToken:
            raise SealError(
                "encryption.keys: none of them opens what is stored; add the key that it was encrypted "
                "with after the others, and it is read again"
            ) from None

    def is_of_newest_key(self, sealed: bytes) -> bool:
        """Whether the first key encrypted this, and not one that is to be taken out one day."""
        from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415 - see above

        self._keys()
        try:
            Fernet(self._texts[0]).decrypt(sealed)
        except InvalidToken:
            return False
        return True

    def _keys(self) -> "MultiFernet":
        try:
            texts = self._settings.key_texts()
        except SecretError as error:
            raise SealError(f"encryption.keys: {error}") from None
        if not texts:
            raise SealError(
                "encryption.keys: there is none, and what is stored is encrypted; "
                "give the key that it was encrypted with, and it is read again"
            )
        if self._fernet is None or texts != self._texts:
            from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - see above

            self._texts, self._fernet = texts, MultiFernet([Fernet(text) for text in texts])
        return self._fernet
