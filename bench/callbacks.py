"""Callbacks to send: the documented one, as often as wanted, each for a booking of its own and signed."""

import json
from importlib.resources import files

import msgspec

from receiver.signature import signature

DOCUMENTED = (files("cli") / "callbacks" / "sequencing.json").read_bytes()
"""Two parts: `123` goes to the Google calendar, `456` into the Microsoft mailbox."""


class Signed(msgspec.Struct, frozen=True):
    """A callback and what is in its signature header."""

    body: bytes
    signature: str


def booking(name: str, *, sequence_id: str | None = None) -> bytes:
    """The documented callback for a booking of this name; with `sequence_id`, one part of it alone."""
    data = json.loads(DOCUMENTED)
    data["event"]["event_id"] = name
    for part in data["sequence"]:
        part["event"]["summary"] = name  # by which its events are known again
    if sequence_id is not None:
        data["sequence"] = [part for part in data["sequence"] if part["sequence_id"] == sequence_id]
    return json.dumps(data).encode()


def signed(body: bytes, secret: str) -> Signed:
    """Signs it."""
    return Signed(body, signature(body, secret=secret).decode())
