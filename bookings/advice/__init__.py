"""What a provider's code means and what to do about it, in the words of its administrators.

One table for `sequence-sync check`, the console and the documentation.
"""

import re

from bookings.advice.google import GOOGLE
from bookings.advice.keyless import GOOGLE_KEYLESS, MICROSOFT_KEYLESS
from bookings.advice.microsoft import MICROSOFT
from bookings.advice.ours import OURS
from bookings.advice.row import Advice

__all__ = ["Advice", "advice"]

_TABLES = {
    "google": {**GOOGLE, **GOOGLE_KEYLESS},
    "microsoft": {**MICROSOFT, **MICROSOFT_KEYLESS},
}
_NUMBER = re.compile(r"AADSTS\d+")


def advice(provider: str, code: str, account: str) -> Advice | None:
    """Gives the advice on a code of a provider for an account; None where the tables do not have it.

    The more precise word decides: of `invalid_client (AADSTS7000215)` the number, of `invalid_grant (clock)`
    the whole.
    """
    table = {**OURS, **_TABLES.get(provider, {})}
    words = (code, *_NUMBER.findall(code), code.partition(" (")[0])
    found = next((table[word] for word in words if word in table), None)
    if found is None:
        return None
    return found._replace(remedy=found.remedy.format(provider=provider, name=account))
