"""Reads what came as JSON, value by value, and goes on where something is wrong: see `Problems`.

A reader gives None for what is missing or wrong; then it has said so. The types are those of
docs.cronofy.com/developers/api/data-types/.
"""

import re
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from scheduler.api.problems import BODY, Invalid, Key, Problem, Problems
from workers.times import UTC_ZONE, UnreadableTime, known_zone, read_time

LONGEST_TEXT = 1024
MOST_ITEMS = 100
"""How long a list is that nothing else limits."""
INTEGERS = range(-(1 << 31), 1 << 31)
"""Cronofy's own are of 32 bits."""
IDENTIFIERS = range(-(1 << 63), 1 << 64)
"""What names something may be of 64 bits, with a sign or without."""
LONGEST = 35 * 24 * 60
"""Minutes that a Duration may have: no query is longer."""

T = TypeVar("T")

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMES: dict[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a String",
    int: "an Integer",
    bool: "a Boolean",
}


def from_json(body: bytes) -> object:
    """What a body holds. Of members with the same name the last counts.

    Raises:
        Invalid: it is not JSON.
    """
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        reason = "nested too deeply"
    except ValueError as error:
        reason = str(error)
    raise Invalid({BODY: (Problem(Key.INVALID, f"the body is not JSON: {reason}", ""),)})


class Value:
    """A value, where it stands, and where its problems go."""

    def __init__(self, data: object, path: str, problems: Problems) -> None:
        self._data, self.path, self._problems = data, path, problems

    def wrong(self, key: Key, description: str) -> None:
        """Notes a problem of this value."""
        self._problems.add(self.path, key, description)

    def object(self) -> "Object | None":
        """Its members."""
        data = self._as(dict)
        return None if data is None else Object(data, self.path, self._problems)

    def items(self, least: int = 0, most: int = MOST_ITEMS) -> "list[Value]":
        """Its items; of too many only the first are read."""
        items = self._as(list)
        if items is None:
            return []
        if not least <= len(items) <= most:
            key = Key.TOO_FEW if len(items) < least else Key.TOO_MANY
            self.wrong(key, f"must have {least} to {most} items, has {len(items)}")
        return [Value(item, f"{self.path}[{at}]", self._problems) for at, item in enumerate(items[:most])]

    def text(self, *, ascii_only: bool = False) -> str | None:
        """A String that is not empty."""
        text = self._as(str)
        if text is None:
            return None
        if not text.strip() or len(text) > LONGEST_TEXT:
            self.wrong(Key.INVALID, f"must have 1 to {LONGEST_TEXT} characters, not all of them blank")
        elif ascii_only and not text.isascii():
            self.wrong(Key.INVALID, "must be ASCII only")
        elif _LONE_SURROGATE.search(text):
            self.wrong(Key.INVALID, "must be Unicode text; it has half a surrogate pair")
        else:
            return text
        return None

    def integer(self, allowed: range = INTEGERS) -> int | None:
        """An Integer of this range."""
        number = self._as(int)
        if number is not None and number not in allowed:
            self.wrong(Key.INVALID, f"must be from {allowed.start} to {allowed.stop - 1}")
            return None
        return number

    def identifier(self) -> str | int | None:
        """What names something: a String, or the Integer that Cronofy's library for Ruby may send."""
        return self.integer(IDENTIFIERS) if self.is_integer() else self.text()

    def flag(self) -> bool | None:
        """A Boolean."""
        return self._as(bool)

    def minutes(self, least: int = 0) -> int | None:
        """A Duration of hours and minutes, in minutes; at most 35 days, which no query is longer than."""
        duration = self._as(dict)
        if duration is None:
            return None
        given = {name: duration[name] for name in ("hours", "minutes") if duration.get(name) is not None}
        if not given or any(type(number) is not int for number in given.values()):
            self.wrong(
                Key.INVALID, 'must be a Duration in Integers: {"minutes": 60} or {"hours": 1, "minutes": 30}'
            )
            return None
        hours, minutes = given.get("hours", 0), given.get("minutes", 0)
        if hours < 0 or minutes < 0 or ("hours" in given and minutes > 59):
            self.wrong(Key.INVALID, "must not be negative, nor have more than 59 minutes beside its hours")
            return None
        total = int(hours * 60 + minutes)
        if not least <= total <= LONGEST:
            self.wrong(Key.INVALID, f"must last from {least} to {LONGEST} minutes")
            return None
        return total

    def time(self, *, round_up: bool = False) -> datetime | None:
        """A Time, in UTC and whole seconds. It has an offset: which moment is meant is never guessed."""
        text = self.text()
        if text is None:
            return None
        try:
            read = read_time(text, UTC_ZONE)
        except UnreadableTime as error:
            self.wrong(Key.INVALID, f"must be a Time such as 2026-12-01T09:00:00Z: {error}")
            return None
        if not isinstance(read.value, datetime) or read.no_offset:
            self.wrong(Key.INVALID, "must be a Time with its offset, such as 2026-12-01T09:00:00Z")
            return None
        return read.value + timedelta(seconds=round_up and read.fraction_dropped)

    def zone(self) -> ZoneInfo | None:
        """A time zone, by its name in the IANA database."""
        name = self.text()
        if name is None:
            return None
        known = known_zone(name)
        if known is None:
            self.wrong(Key.UNKNOWN, "no time zone of the IANA database; write a name such as Europe/London")
            return None
        return ZoneInfo(known)

    def is_text(self) -> bool:
        """Whether it is a String, where something else may stand for one."""
        return type(self._data) is str

    def is_integer(self) -> bool:
        """Whether it is an Integer, where a String may stand for one."""
        return type(self._data) is int

    def is_empty(self) -> bool:
        """Whether it asks for nothing: `[]`, `{}`, `false`."""
        return self._data in ([], {}) or self._data is False

    def _as(self, wanted: type[T]) -> T | None:
        if isinstance(self._data, wanted) and type(self._data) is wanted:  # a Boolean is no Integer
            return self._data
        if self._data is None:
            self.wrong(Key.REQUIRED, "required")
        else:
            self.wrong(Key.TYPE, f"must be {_NAMES[wanted]}, is {_NAMES.get(type(self._data), 'a Float')}")
        return None


class Object:
    """The members of an object; one that is null is as good as missing."""

    def __init__(self, data: dict[str, object], path: str, problems: Problems) -> None:
        self._data, self._path, self._problems = data, path, problems

    def __getitem__(self, name: str) -> Value:
        """A member; reading one that is missing is a problem."""
        path = f"{self._path}.{name}" if self._path else name
        return Value(self._data.get(name), path, self._problems)

    def get(self, name: str) -> Value | None:
        """A member that may be missing."""
        return None if self._data.get(name) is None else self[name]

    def has_more_than(self, *names: str) -> bool:
        """Whether there are other members than these."""
        return any(value is not None for name, value in self._data.items() if name not in names)
