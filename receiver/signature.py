"""`Cronofy-HMAC-SHA256`: base64 of HMAC-SHA256 over the raw body, a value per client secret. Pure."""

import base64
import hmac
from collections.abc import Iterable, Sequence
from functools import lru_cache

from multidict import MultiMapping, istr

HEADER = istr("Cronofy-HMAC-SHA256")
MOST_VALUES = 16
_LENGTH = 44  # base64 of 32 bytes


def signature(body: bytes, *, secret: str) -> bytes:
    """Gives the header's value for `body`, signed with one client secret."""
    digest = _begun(secret).copy()
    digest.update(body)
    return base64.b64encode(digest.digest())


@lru_cache(64)
def _begun(secret: str) -> hmac.HMAC:
    """What an HMAC makes of a secret before it sees a body."""
    return hmac.new(secret.encode(), digestmod="sha256")


def header(headers: MultiMapping[str]) -> bytes:
    """Gives the header of a request as it came; repeated ones joined."""
    return ",".join(headers.getall(HEADER, ())).encode("utf-8", "surrogateescape")


def presented(header: bytes) -> list[bytes]:
    """Gives the values that a header presents; white space around them is dropped."""
    return [value for item in header.split(b",") if (value := item.strip(b" \t"))]


def is_valid(body: bytes, *, values: Sequence[bytes], secrets: Iterable[str]) -> bool:
    """Tells whether any of the secrets signed `body` as any of the values says.

    Compares every value with every secret, each in constant time, so that the time taken tells
    nothing about which matched. More than 16 values are nobody's signature; nothing is computed for
    those, nor where none is as long as a signature.
    """
    if len(values) > MOST_VALUES or not any(len(value) == _LENGTH for value in values):
        return False
    valid = False
    for secret in secrets:
        expected = signature(body, secret=secret)
        for value in values:
            valid |= hmac.compare_digest(expected, value)
    return valid
