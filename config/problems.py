"""Turns what pydantic found wrong into texts that say where, what, and what to do."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from config.accounts import GoogleAccount, MicrosoftAccount
from config.apps import App
from config.nearest import suggestion
from config.network import NetworkSettings
from config.sections import (
    ApiSettings,
    ConsoleSettings,
    EncryptionSettings,
    ReceiverSettings,
    RedisSettings,
    TelemetrySettings,
    WorkerSettings,
)
from config.settings import Calendar, Person, Route, Settings
from config.table import Table

Location = tuple[int | str, ...]

_TABLES: Mapping[Location, type[Table]] = {
    (): Settings,
    ("redis",): RedisSettings,
    ("network",): NetworkSettings,
    ("encryption",): EncryptionSettings,
    ("receiver",): ReceiverSettings,
    ("api",): ApiSettings,
    ("worker",): WorkerSettings,
    ("telemetry",): TelemetrySettings,
    ("console",): ConsoleSettings,
    ("apps",): App,
    ("accounts", "google"): GoogleAccount,
    ("accounts", "microsoft"): MicrosoftAccount,
    ("calendars",): Calendar,
    ("routes",): Route,
    ("people",): Person,
}
_LISTS = {"apps", "accounts", "calendars", "routes", "people"}
_TAGS = {"union_tag_not_found", "union_tag_invalid"}
_GONE = {"own_queue": "take it out: apps have their turns without it"}
"""What a key of an earlier version has become."""
_WHOLE_NUMBER = "must be a whole number"
_TEXTS = {
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "string_type": "must be text in quotes",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": _WHOLE_NUMBER,
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "finite_number": _WHOLE_NUMBER,
}


def value_problems(error: ValidationError) -> list[tuple[str, str]]:
    """Where and what, for every value that is wrong; no text repeats a value that could be a secret."""
    return [
        _problem(found["loc"], found["type"], found["msg"], found.get("ctx", {}))
        for found in error.errors(include_url=False, include_input=False)
    ]


def dotted(location: Iterable[int | str]) -> str:
    """A place in the file as one writes it: `accounts[1].client_secret`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return "".join(steps).removeprefix(".")


def _problem(location: Location, kind: str, message: str, context: Mapping[str, Any]) -> tuple[str, str]:
    steps = _without_provider(location)
    if kind in _TAGS:
        return dotted((*steps, "provider")), 'must be "google" or "microsoft"'
    return dotted(steps), _text(location, kind, message, context)


def _text(location: Location, kind: str, message: str, context: Mapping[str, Any]) -> str:
    key = str(location[-1])
    match kind:
        case "value_error":
            return str(context["error"])
        case "extra_forbidden":
            return _GONE.get(key) or f"unknown key; {suggestion(key, _known_keys(location[:-1]))}"
        case "missing":
            return f"missing; add {key} = …"
        case "literal_error":
            return f"must be {str(context['expected']).replace(chr(39), chr(34))}"
        case "tuple_type" | "model_type" | "model_attributes_type":
            return _form(location)
        case _ if kind in _TEXTS:
            return _TEXTS[kind].format_map(context)
        case _:
            return message


def _form(location: Location) -> str:
    section = location[0]
    if section in _LISTS and len(location) <= 2:
        return f"must be a list of tables; write [[{section}]] above each"
    return 'must be a list; write ["…"]' if len(location) > 1 else f"must be one table; write [{section}]"


def _without_provider(location: Location) -> Location:
    # Within a union, pydantic names the member after the index: accounts, 1, microsoft, client_id.
    if location[:1] == ("accounts",) and len(location) > 2:
        return (*location[:2], *location[3:])
    return location


def _known_keys(table: Location) -> Iterable[str]:
    return _TABLES[tuple(step for step in table if isinstance(step, str))].model_fields
