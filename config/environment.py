"""Settings from the environment: `SEQUENCE_SYNC__REDIS__URL` stands for `url` in `[redis]`."""

from collections.abc import Mapping
from typing import Any

from config.nearest import suggestion

PREFIX = "SEQUENCE_SYNC__"
SECTIONS = ("redis", "network", "receiver", "api", "worker", "telemetry", "console")


def overrides(environ: Mapping[str, str]) -> tuple[dict[tuple[str, str], str], list[str]]:
    """The (section, key) that variables set, with their text, and the names that mean nothing."""
    found: dict[tuple[str, str], str] = {}
    problems = []
    for name in sorted(environ):
        if not name.startswith(PREFIX):
            continue
        section, _, key = name.removeprefix(PREFIX).lower().partition("__")
        if section in SECTIONS and key:
            found[section, key] = environ[name]
        elif section in {"apps", "accounts", "calendars", "routes", "people"}:
            problems.append(f"{name}: the environment cannot set {section}; write them in the file")
        else:
            known = [f"{PREFIX}{each.upper()}__…" for each in SECTIONS]
            problems.append(f"{name}: names no section; {suggestion(name, known)}")
    return found, problems


def variable(section: str, key: str) -> str:
    """The name of the variable that sets a key."""
    return f"{PREFIX}{section.upper()}__{key.upper()}"


def overlaid(tables: Mapping[str, Any], found: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    """The tables with what the environment sets laid over them."""
    result = dict(tables)
    for (section, key), text in found.items():
        below = result.get(section, {})
        if isinstance(below, dict):
            result[section] = {**below, key: text}
    return result
