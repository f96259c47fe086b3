"""The `fields` parameter: a partial response holds only what it selects.

developers.google.com/workspace/calendar/api/guides/performance: `kind,items(id,start/dateTime)`. A field that
the discovery document does not know is refused.
"""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.google_errors import refused
from sandbox.google_schema import document

TOKEN = re.compile(r"\w+|[(),/*]")

Selection = dict[str, Any]
"""Names, each with what is selected below it; an empty selection is everything."""


def partial(schema_name: str, answer: dict[str, Any], fields: str | None) -> dict[str, Any]:
    """The answer cut down to `fields`, which are checked against its schema; all of it without any."""
    if fields is None:
        return answer
    tokens = TOKEN.findall(fields)
    if "".join(tokens) != fields.replace(" ", ""):
        raise _invalid(fields)
    selection, left = _list(tokens)
    if left:
        raise _invalid(fields)
    _check(selection, document()["schemas"][schema_name])
    cut: dict[str, Any] = _cut(answer, selection)
    return cut


def _list(tokens: list[str]) -> tuple[Selection, list[str]]:
    selection: Selection = {}
    while True:
        name, below, tokens = _item(tokens)
        selection[name] = below
        if tokens[:1] != [","]:
            return selection, tokens
        tokens = tokens[1:]


def _item(tokens: list[str]) -> tuple[str, Selection, list[str]]:
    name, rest = (tokens[0], tokens[1:]) if tokens else ("", [])
    if not (name == "*" or name.isidentifier()):
        raise _invalid(name)
    if rest[:1] == ["/"]:
        inner, below, rest = _item(rest[1:])
        return name, {inner: below}, rest
    if rest[:1] == ["("]:
        selection, rest = _list(rest[1:])
        if rest[:1] != [")"]:
            raise _invalid(name)
        return name, selection, rest[1:]
    return name, {}, rest


def _check(selection: Selection, schema: Mapping[str, Any]) -> None:
    while "$ref" in schema or schema.get("type") == "array":
        schema = document()["schemas"][schema["$ref"]] if "$ref" in schema else schema["items"]
    for name, below in selection.items():
        known = schema.get("properties", {}).get(name, schema.get("additionalProperties"))
        if name != "*" and known is None:
            raise _invalid(name)
        if below and known is not None:
            _check(below, known)


def _cut(value: Any, selection: Selection) -> Any:
    if not selection or "*" in selection:
        return value
    if isinstance(value, list):
        return [_cut(item, selection) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _cut(value[name], below) for name, below in selection.items() if name in value}


def _invalid(name: str) -> Exception:
    return refused(400, "invalidParameter", f"Invalid field selection {name}", location="fields")
