"""What may stand in the body of a Graph event, by `graph_event.schema.json`.

A small interpreter of the JSON Schema keywords that file uses, so that the sandbox needs no schema library
at run time. A test holds it against the jsonschema package.
"""

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from typing import Any

IS_TYPE: dict[str, Callable[[object], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}


@cache
def schema() -> dict[str, Any]:
    """The schema of a writable event (JSON Schema 2020-12)."""
    text = (resources.files("sandbox") / "graph_event.schema.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def problems(body: object) -> list[str]:
    """Everything in `body` that Graph would refuse as an event; empty when it is fine."""
    return list(_walk(schema(), body, "event"))


def _walk(rules: dict[str, Any], value: object, path: str) -> Iterator[str]:
    if "$ref" in rules:
        rules = schema()["$defs"][rules["$ref"].removeprefix("#/$defs/")]
    types = rules.get("type", [])
    if types and not any(IS_TYPE[name](value) for name in ([types] if isinstance(types, str) else types)):
        yield f"Cannot convert the value at '{path}' to the expected type '{types}'."
        return
    if "enum" in rules and value not in rules["enum"]:
        yield f"Requested value at '{path}' was not found among {rules['enum']}."
    if isinstance(value, dict):
        yield from _walk_object(rules, value, path)
    elif isinstance(value, list):
        if len(value) > rules.get("maxItems", len(value)):
            yield f"'{path}' has more than {rules['maxItems']} items."
        for index, item in enumerate(value):
            yield from _walk(rules.get("items", {}), item, f"{path}[{index}]")
    elif isinstance(value, int | float) and not rules.get("minimum", value) <= value <= rules.get(
        "maximum", value
    ):
        yield f"The value at '{path}' is out of range."


def _walk_object(rules: dict[str, Any], value: dict[str, object], path: str) -> Iterator[str]:
    for name in rules.get("required", []):
        if name not in value:
            yield f"The property '{name}' is missing at '{path}'."
    properties = rules.get("properties", {})
    open_to_others = rules.get("additionalProperties", True)
    for name, item in value.items():
        if name in properties:
            yield from _walk(properties[name], item, f"{path}.{name}")
        elif not open_to_others and not any(
            re.search(pattern, name) for pattern in rules["patternProperties"]
        ):
            yield (
                f"The property '{name}' does not exist on type '{path}'. "
                "Make sure to only use property names that are defined by the type."
            )
