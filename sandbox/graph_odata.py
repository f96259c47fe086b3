"""The parts of OData and of the Prefer header that Graph's event calls use."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sandbox.graph_errors import invalid, invalid_query

PROPERTY_FILTER = re.compile(
    r"singleValueExtendedProperties/any\(\s*(\w+)\s*:\s*\1/id\s+eq\s+'((?:[^']|'')*)'"
    r"\s+and\s+\1/value\s+(?:eq\s+'((?:[^']|'')*)'|ne\s+null)\s*\)",
    re.IGNORECASE,
)
EXPAND = re.compile(
    r"singleValueExtendedProperties(?:\(\s*\$filter\s*=\s*(.*)\))?", re.IGNORECASE | re.DOTALL
)
EXPAND_ID = re.compile(r"id\s+eq\s+'((?:[^']|'')*)'", re.IGNORECASE)
PREFERENCE = re.compile(r'\s*([\w.-]+)\s*(?:=\s*(?:"([^"]*)"|([^\s,;"]+)))?\s*(?:,|;|$)')
ORDERS = {"start/datetime": "start", "createddatetime": "created"}
DEFAULT_PAGE = 10
MAX_PAGE = 1000


class Query(NamedTuple):
    """The understood query options."""

    property_filter: tuple[str, str | None] | None
    """An extended property and its value, or None for any."""
    expand: frozenset[str]
    select: frozenset[str] | None
    order: str | None
    descending: bool
    top: int
    skip: int


class Preferences(NamedTuple):
    """What the Prefer header asks for, and how that is confirmed."""

    immutable_ids: bool = False
    zone: str = "UTC"
    text_body: bool = False
    applied: str = ""


def parse_query(options: Mapping[str, str]) -> Query:
    """The query options of a call; 400 for what Graph or this look-alike does not know."""
    order, _, direction = options.get("$orderby", "").strip().lower().partition(" ")
    if order and order not in ORDERS:
        raise invalid_query(f"The sandbox cannot order by '{order}'.")
    select = options.get("$select")
    return Query(
        property_filter=_property_filter(options.get("$filter")),
        expand=frozenset(_expanded(options.get("$expand"))),
        select=frozenset(name.strip() for name in select.split(",")) if select else None,
        order=ORDERS.get(order),
        descending=direction.strip() == "desc",
        top=_number(options, "$top", DEFAULT_PAGE, lowest=1),
        skip=_number(options, "$skip", 0, lowest=0),
    )


def parse_preferences(headers: list[str]) -> Preferences:
    """The preferences of all Prefer headers together; those not known are passed over, as HTTP says."""
    found: dict[str, str] = {}
    applied: list[str] = []
    for match in PREFERENCE.finditer(", ".join(headers)):
        name, value = match[1].lower(), match[2] if match[2] is not None else match[3] or ""
        if name in ("idtype", "outlook.timezone", "outlook.body-content-type"):
            found[name] = value
            applied.append(f'{match[1]}="{value}"')
    id_type = found.get("idtype", "").lower()
    if id_type not in ("", "immutableid", "mutableid"):
        raise invalid(f"IdType '{id_type}' is not known.")
    return Preferences(
        immutable_ids=id_type == "immutableid",
        zone=found.get("outlook.timezone") or "UTC",
        text_body=found.get("outlook.body-content-type", "").lower() == "text",
        applied=", ".join(applied),
    )


def _property_filter(text: str | None) -> tuple[str, str | None] | None:
    """By a value, or with `ne null` by any (Outlook's page of an add-in's metadata)."""
    if text is None:
        return None
    match = PROPERTY_FILTER.fullmatch(text.strip())
    if match is None:
        raise invalid_query(
            "The sandbox only filters by "
            "singleValueExtendedProperties/Any(ep: ep/id eq '…' and ep/value eq '…'), or with ne null."
        )
    return match[2].replace("''", "'"), None if match[3] is None else match[3].replace("''", "'")


def _expanded(text: str | None) -> Iterator[str]:
    """The ids of the properties to show. Without an inner $filter there are none (docs #21314)."""
    if text is None:
        return
    match = EXPAND.fullmatch(text.strip())
    if match is None:
        raise invalid_query(f"Parsing OData Select and Expand failed: '{text}'.")
    for found in EXPAND_ID.finditer(match[1] or ""):
        yield found[1].replace("''", "'")


def _number(options: Mapping[str, str], name: str, default: int, *, lowest: int) -> int:
    text = options.get(name)
    if text is None:
        return default
    if not text.isdecimal() or not lowest <= int(text) <= (MAX_PAGE if name == "$top" else 10**9):
        raise invalid_query(f"The value '{text}' of {name} is out of range.")
    return int(text)
