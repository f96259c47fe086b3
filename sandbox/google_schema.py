"""What Google Calendar's discovery document says about a request body.

google-api-python-client checks a request's parameters but never its body, so a misspelt field passes
silently there. The vendor refuses it. The document bundled with that library names every field and its type.
"""

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}
INT32_LIMIT = 2**31


@cache
def document() -> dict[str, Any]:
    """The calendar v3 discovery document that google-api-python-client carries. No network."""
    folder = resources.files("googleapiclient") / "discovery_cache" / "documents"
    parsed: dict[str, Any] = json.loads((folder / "calendar.v3.json").read_text(encoding="utf-8"))
    return parsed


def problems(schema_name: str, body: object) -> list[str]:
    """Everything in `body` that Google would refuse, in Google's words; empty when the body is fine.

    `schema_name` is a schema of the document, such as "Event" or "FreeBusyRequest"; a KeyError if there is
    none of that name. Only names and types are looked at, not the meaning of values. A null means "not set"
    wherever a field stands.
    """
    return list(_walk(document()["schemas"][schema_name], body, ""))


def _walk(schema: dict[str, Any], value: object, path: str) -> Iterator[str]:
    if "$ref" in schema:
        schema = document()["schemas"][schema["$ref"]]
    kind = schema["type"]
    if kind == "any":
        return
    if not _has_type(kind, value) or (schema.get("format") == "int32" and not _fits_int32(value)):
        wanted = schema.get("format") or kind
        yield f"Invalid value at '{path or 'body'}' ({wanted}), {json.dumps(value, default=str)}"
    elif isinstance(value, dict):
        yield from _walk_object(schema, value, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(schema["items"], item, f"{path}[{index}]")


def _walk_object(schema: dict[str, Any], value: dict[str, object], path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    of_any_name = schema.get("additionalProperties")
    for name, item in value.items():
        found = properties.get(name, of_any_name)
        if found is None:
            place = f" at '{path}'" if path else ""
            yield f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
        elif item is not None:
            yield from _walk(found, item, f"{path}.{name}" if path else name)


def _has_type(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def _fits_int32(value: object) -> bool:
    return isinstance(value, int) and -INT32_LIMIT <= value < INT32_LIMIT
