"""Reads a request field by field and notes everything that is wrong with it. No I/O.

A field has its documented name, such as `availability.sequence.event`; null is the same as absent. Of the
keys only `errors.required` is documented.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox import zones
from sandbox.cronofy_errors import Errors, invalid

KINDS = {str: "a string", dict: "an object", list: "an array", int: "an integer", bool: "a boolean"}


@dataclass(frozen=True, slots=True)
class Fields:
    """An object of a request. `path` is empty for the body itself; `errors` are those of the whole body."""

    values: dict[str, Any]
    path: str
    errors: Errors

    def add(self, name: str, description: str, key: str = "errors.invalid") -> None:
        """Note that a field is wrong."""
        noted = self.errors.setdefault(f"{self.path}.{name}".lstrip("."), [])
        error = {"key": key, "description": description}
        if error not in noted:
            noted.append(error)

    def has(self, name: str) -> bool:
        """Whether a field was sent."""
        return self.values.get(name) is not None

    def text(self, name: str, *, required: bool = False, most: int | None = None) -> str | None:
        """A string, of up to `most` characters."""
        found: str | None = self._typed(name, str, required=required)
        if found == "" and required:
            self.add(name, "required", "errors.required")
        if found is not None and most is not None and len(found) > most:
            self.add(name, f"must be no longer than {most} characters", "errors.too_long")
        return found

    def one_of(self, name: str, choices: Collection[str]) -> None:
        """One of some strings."""
        found = self.text(name)
        if found is not None and found not in choices:
            self.add(name, f"must be one of {', '.join(choices)}")

    def flag(self, name: str) -> None:
        """A boolean."""
        self._typed(name, bool)

    def whole(self, name: str, *, required: bool = False) -> int | None:
        """An integer."""
        found: int | None = self._typed(name, int, required=required)
        return found

    def zone(self, name: str, *, required: bool = False) -> None:
        """An IANA time zone."""
        found = self.text(name, required=required)
        if found and zones.iana(found) is None:
            self.add(name, "must be a known time zone")

    def object(self, name: str, *, required: bool = False) -> "Fields | None":
        """An object."""
        found = self._typed(name, dict, required=required)
        return None if found is None else self._below(name, found)

    def objects(
        self, name: str, *, required: bool = False, most: int | None = None, none_too: bool = False
    ) -> list["Fields"]:
        """An array of up to `most` objects: of at least one, unless `none_too`."""
        found = self._typed(name, list, required=required)
        if found is None:
            return []
        if not found and not none_too:
            self.add(name, "must not be empty", "errors.required")
        if most is not None and len(found) > most:
            self.add(name, f"must have no more than {most} items", "errors.too_many")
        if not all(isinstance(each, dict) for each in found):
            self.add(name, "must be an array of objects")
        return [self._below(name, each) for each in found if isinstance(each, dict)]

    def texts(self, name: str) -> None:
        """An array of strings."""
        if not all(isinstance(each, str) for each in self._typed(name, list) or []):
            self.add(name, "must be an array of strings")

    def instant(self, name: str) -> float | None:
        """A required Time of whole seconds (docs.cronofy.com/developers/api/data-types/), in Unix seconds."""
        text = self.text(name, required=True)
        if not text:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None or found.microsecond:
            self.add(name, "must be a time in ISO 8601, to the second, with an offset")
            return None
        return found.timestamp()

    def minutes(self, name: str, *, required: bool = False) -> int | None:
        """A Duration, in minutes."""
        found = self.object(name, required=required)
        if found is None:
            return None
        hours, minutes = (found.values.get(unit) for unit in ("hours", "minutes"))
        given = [each for each in (hours, minutes) if each is not None]
        if not given or not all(type(each) is int and each >= 0 for each in given):
            self.add(name, "must be a duration in hours and minutes")
            return None
        if hours is not None and (minutes or 0) >= 60:
            self.add(name, "must have fewer than 60 minutes beside hours")
        return int((hours or 0) * 60 + (minutes or 0))

    def close(self) -> None:
        """Raises Refused if anything in the whole body is wrong."""
        if self.errors:
            raise invalid(self.errors)

    def _below(self, name: str, values: dict[str, Any]) -> "Fields":
        return Fields(values, f"{self.path}.{name}".lstrip("."), self.errors)

    def _typed(self, name: str, kind: type, *, required: bool = False) -> Any:
        found = self.values.get(name)
        if found is None:
            if required:
                self.add(name, "required", "errors.required")
            return None
        if type(found) is not kind:  # a boolean is no integer
            self.add(name, f"must be {KINDS[kind]}")
            return None
        return found
