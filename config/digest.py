"""The digest of a configuration: two that mean the same to bookings have the same.

It is made of the settings as they take effect: defaults and what the environment sets count; comments, the
order of tables and the way a value is written do not. A secret counts as its reference, never as its value.
What each process may have of its own (`OF_ONE_PROCESS`) is left out.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from config.secrets import Secret

_DIGITS = 12
_EVERY_KEY = frozenset({"*"})
_PLACE = frozenset({"host", "port", "admin_host", "admin_port", "drain_delay", "drain_timeout"})

OF_ONE_PROCESS = {
    "redis": _EVERY_KEY,  # a command may reach the same Redis by another way
    "network": _EVERY_KEY,  # a pod may stand in another network than the next
    "telemetry": _EVERY_KEY,
    "console": _EVERY_KEY,
    "receiver": _PLACE,
    "api": _PLACE,
    "worker": _PLACE,
}
"""Keys, by section, that may differ from process to process: where it listens, how it
reaches others, how it stops, who watches."""


def digest_of(settings: BaseModel) -> str:
    """Gives the digest of `Settings`: 12 hexadecimal digits."""
    sections = {
        name: _plain(getattr(settings, name), but=OF_ONE_PROCESS.get(name, frozenset()))
        for name in type(settings).model_fields
        if OF_ONE_PROCESS.get(name) != _EVERY_KEY
    }
    for route in sections["routes"]:
        route["calendars"].sort()
    in_order = {
        name: sorted(value, key=_text) if isinstance(value, list) else value
        for name, value in sections.items()
    }
    return hashlib.sha256(_text(in_order).encode()).hexdigest()[:_DIGITS]


def is_of_one_process(section: str, key: str) -> bool:
    """Whether a key may differ from process to process."""
    return OF_ONE_PROCESS.get(section, frozenset()) & {"*", key} != frozenset()


def _plain(value: object, *, but: frozenset[str] = frozenset()) -> Any:
    match value:
        case BaseModel():
            return {
                name: _plain(getattr(value, name)) for name in type(value).model_fields if name not in but
            }
        case tuple():
            return [_plain(each) for each in value]
        case Secret():
            return value.written
        case Path():
            return str(value)
        case _:
            return value


def _text(value: object) -> str:
    return json.dumps(value, sort_keys=True)
