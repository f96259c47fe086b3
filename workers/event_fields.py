"""The optional fields of an event, each read on its own: a wrong one is left out and noted, never fatal.

Field names and shapes: Cronofy's "create or update event" and the request types of its client libraries.
"""

import math
import re
from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Any

import msgspec

from workers.event_text import clean, one_line, shorten

Fields = Mapping[str, Any]

URL_LIMIT = 2000  # characters; longer ones are refused or cut by browsers and calendars alike
PROVIDER_LIMIT = 100
_INT32 = 2**31
_COLOR = re.compile(r"#[0-9a-f]{6}")


class Transparency(StrEnum):
    """Cronofy's `transparency` and the finer `extended_transparency` in one."""

    OPAQUE = "opaque"
    TRANSPARENT = "transparent"
    TENTATIVE = "tentative"
    OUT_OF_OFFICE = "out_of_office"
    WORKING_ELSEWHERE = "working_elsewhere"


class Conferencing(Enum):
    """A conference the provider makes by itself, or none."""

    NONE = "none"
    DEFAULT = "default"


class JoinLink(msgspec.Struct, frozen=True):
    """A conference that exists already (`profile_id: explicit`)."""

    url: str
    provider: str = ""


class Location(msgspec.Struct, frozen=True):
    """A place; None is "not sent". Degrees come as strings in callbacks."""

    description: str | None = None
    lat: float | None = None
    long: float | None = None
    address: str | None = None


def read_text(fields: Fields, name: str, notes: list[str]) -> str | None:
    """The text of a field, cleaned; of a number its digits; None when it is absent or anything else."""
    value = fields.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        notes.append(f"wrong_type: {name}")
        return str(value)
    if not isinstance(value, str):
        _note_wrong_type(value, name, notes)
        return None
    text = clean(value)
    if text != value.replace("\r\n", "\n").replace("\r", "\n"):
        notes.append(f"cleaned: {name}")
    return text


def read_line(fields: Fields, name: str, notes: list[str]) -> str | None:
    """As `read_text`, on one line."""
    text = read_text(fields, name, notes)
    return None if text is None else one_line(text)


def read_url(fields: Fields, name: str, notes: list[str]) -> str | None:
    """A URL without white space; an empty one counts as absent."""
    text = read_line(fields, name, notes)
    if text and (len(text) > URL_LIMIT or any(character.isspace() for character in text)):
        notes.append(f"bad_value: {name}")
        return None
    return text or None


def read_flag(fields: Fields, name: str, notes: list[str]) -> bool:
    """True only for a JSON true."""
    value = fields.get(name)
    if not isinstance(value, bool):
        _note_wrong_type(value, name, notes)
    return value is True


def read_location(fields: Fields, notes: list[str]) -> Location | None:
    """The location object; None when nothing of it can be used."""
    value = _object(fields, "location", notes)
    if value is None:
        return None
    lat, long = _degrees(value, "lat", 90, notes), _degrees(value, "long", 180, notes)
    found = Location(
        description=read_line(value, "description", notes),
        lat=lat if long is not None else None,  # half a coordinate is none
        long=long if lat is not None else None,
        address=read_line(value, "address", notes),
    )
    return None if found == Location() else found


def _degrees(location: Fields, name: str, limit: int, notes: list[str]) -> float | None:
    value = location.get(name)
    if value is None or value == "":
        return None
    try:
        degrees = math.nan if isinstance(value, bool | list | dict) else float(value)
    except ValueError:
        degrees = math.nan
    if abs(degrees) <= limit:
        return degrees
    notes.append(f"bad_value: location.{name}")
    return None


def read_reminders(fields: Fields, notes: list[str]) -> tuple[int, ...] | None:
    """Minutes before the start, the most important first; None when absent, () for "no reminder"."""
    value = fields.get("reminders")
    if not isinstance(value, list):
        _note_wrong_type(value, "reminders", notes)
        return None
    minutes = [item.get("minutes") if isinstance(item, dict) else None for item in value]
    # type() and not isinstance(): a JSON true is no number of minutes.
    good = tuple(number for number in minutes if type(number) is int and abs(number) < _INT32)
    if len(good) < len(value):
        notes.append("bad_value: reminders")
    return good if good or not value else None


def read_transparency(fields: Fields, notes: list[str]) -> Transparency | None:
    """The finer of the two fields where it says something. `unknown` is a value Cronofy only reports."""
    for name in ("extended_transparency", "transparency"):
        value = fields.get(name)
        if value is None or value == "unknown":
            continue
        if value in list(Transparency):
            return Transparency(value)
        notes.append(f"bad_value: {name}")
    return None


def read_color(fields: Fields, notes: list[str]) -> str | None:
    """`#rrggbb` in lower case."""
    value = fields.get("color")
    if isinstance(value, str) and _COLOR.fullmatch(value.strip().lower()):
        return value.strip().lower()
    if value is not None:
        notes.append("bad_value: color")
    return None


def read_conferencing(fields: Fields, notes: list[str]) -> Conferencing | JoinLink | None:
    """What the booking says about a conference; None: nothing, so an existing one is left alone."""
    value = _object(fields, "conferencing", notes)
    if value is None:
        return None
    profile = value.get("profile_id")
    if profile in ("none", "default"):
        return Conferencing(profile)
    if profile == "explicit":
        url = read_url(value, "join_url", notes)
        if url is not None:
            provider = read_line(value, "provider_description", notes) or ""
            return JoinLink(url, shorten(provider, PROVIDER_LIMIT))
        notes.append("missing: conferencing.join_url")
        return None
    # A pro_… id names an account connected to Cronofy; only Cronofy can make its conferences.
    notes.append("conferencing_profile: only Cronofy can use it, no conference was made")
    return Conferencing.NONE


def read_tags(fields: Fields, notes: list[str]) -> tuple[str, ...] | None:
    """The private tags, Cronofy's only kind: `{"private": [{"value": "Interview"}]}`."""
    value = _object(fields, "tags", notes)
    items = None if value is None else value.get("private")
    if not isinstance(items, list):
        _note_wrong_type(items, "tags.private", notes)
        return None
    tags = [read_line(item, "value", notes) if isinstance(item, dict) else None for item in items]
    if not all(tags):
        notes.append("bad_value: tags")
    return tuple(dict.fromkeys(tag for tag in tags if tag))


def _object(fields: Fields, name: str, notes: list[str]) -> Fields | None:
    value = fields.get(name)
    if isinstance(value, dict):
        return value
    _note_wrong_type(value, name, notes)
    return None


def _note_wrong_type(value: Any, name: str, notes: list[str]) -> None:
    """An absent field and a null are as good as each other; anything else was meant as something."""
    if value is not None:
        notes.append(f"wrong_type: {name}")
