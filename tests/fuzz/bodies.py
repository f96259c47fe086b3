"""Signed bodies: callbacks with something hostile in any of their places, and bytes that are none."""

import json
from random import Random
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tests.callbacks import SCHEDULING, SEQUENCING, SEQUENCING_OLDER

HOSTILE = [
    *(
        "null",
        "true",
        "false",
        "{}",
        "[]",
        '""',
        "0",
        "-0",
        "1.0",
        "1e3",
        "1e999",
        "-1e999",
        "1e-400",
        "0.1e1",
    ),
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "undefined",
        "'x'",
        "",
        "01",
        "+1",
        "0x10",
        "1_000",
        ".5",
        "[",
        "}",
        ",",
        '"',
    ),
    *(
        "9007199254740993",
        "9223372036854775808",
        "18446744073709551616",
        "9" * 400,
        "9" * 5000,
        "-" + "9" * 30,
    ),
    *(
        '"\\ud83d"',
        '"\\ude00\\ud83d"',
        '"\\u0000"',
        '"\x00"',
        '"\ufeff"',
        '"\u202e"',
        '"\\x"',
        '"\\ud83d\\u0041"',
    ),
    *(
        '"' + "x" * 3000 + '"',
        '"' + "\u00e4" * 70_000 + '"',
        '" "',
        '"\\n"',
        '"a:b|c d"',
        '"__proto__"',
        '"*"',
    ),
    *("[" * 900 + "]" * 900, "[" * 5000 + "]" * 5000, '{"a":' * 3000 + "1" + "}" * 3000, "[" * 60_000),
    *(
        '{"a":1,"a":2}',
        '{"":""}',
        '{"time":null,"tzid":5}',
        '[[{"sub":"acc_1"}]]',
        '{"type":"x","type":null}',
    ),
    *('"2026-13-45T99:99:99Z"', '"0000-00-00"', '"9999-12-31T23:59:59+99:99"', '"2026-04-30"', '"-1"'),
    *('{"type":"verification"}', '{"type":{}}', '{"type":"\\ud800"}', '"event"', '["event"]', "1e5", "-1"),
]
MEMBERS = [
    "event",
    "sequence",
    "participants",
    "notification",
    "event_id",
    "sequence_id",
    "start",
    "end",
    "tzid",
]


def _object(members: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{key}:{value}" for key, value in members) + "}"


_texts = st.text(max_size=12).map(json.dumps) | st.text(alphabet="\ud800\udfff\x00ab", max_size=4).map(
    json.dumps
)
_values: SearchStrategy[str] = st.recursive(
    st.sampled_from(HOSTILE) | _texts | st.integers().map(str) | st.floats().map(repr),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(st.sampled_from(MEMBERS).map(json.dumps) | _texts, inner), max_size=4).map(
            _object
        )
    ),
    max_leaves=6,
)


_TIME = '"2026-04-30T11:00:00Z"'
_EVENT = {"start": f'{{"time":{_TIME},"tzid":"Europe/London"}}', "end": _TIME, "summary": '"Panel"'}
_PART = {"sequence_id": '"1"', "event": _EVENT, "participants": '[{"sub":"acc_1"}]'}
_PLACES = [
    *(
        "",
        ".event",
        ".event.event_id",
        ".event.start",
        ".event.tzid",
        ".sequence",
        ".participants",
        ".notification",
    ),
    *(
        ".sequence.0",
        ".sequence.0.sequence_id",
        ".sequence.0.event",
        ".sequence.0.event.start",
        ".sequence.0.start",
    ),
    *(
        ".sequence.0.event.end",
        ".sequence.0.event.summary",
        ".sequence.0.participants",
        ".sequence.1.sequence_id",
    ),
]
_injuries = st.dictionaries(
    st.sampled_from(_PLACES), st.tuples(st.sampled_from(["replaced", "twice", "gone"]), _values), max_size=4
)
_outside = st.sampled_from(
    [("", "")] * 20 + [("\ufeff", ""), (" \n", "\n"), ("x", ""), ("\x00", ""), ("", "{}"), ("[", "]")]
)
_encodings = st.sampled_from(["utf-8"] * 16 + ["utf-16", "utf-16-le", "utf-32-be", "cp1252", "utf-7"])


def _render(node: Any, injuries: dict[str, tuple[str, str]], path: str = "") -> str:
    """JSON text of nested members, whose leaves are JSON texts themselves; injured where it is said."""
    kind, text = injuries.get(path, ("", ""))
    if kind == "replaced":
        return text
    if isinstance(node, str):
        return node
    if isinstance(node, list):
        return f"[{','.join(_render(item, injuries, f'{path}.{at}') for at, item in enumerate(node))}]"
    members = []
    for key in [*node, *(place.rpartition(".")[2] for place in injuries if place.rpartition(".")[0] == path)]:
        kind, text = injuries.get(f"{path}.{key}", ("", ""))
        if key not in node or kind == "twice":
            members.append((json.dumps(key), text))
        if key in node and kind != "gone":
            members.append((json.dumps(key), _render(node[key], injuries, f"{path}.{key}")))
    return _object(members)


@st.composite
def callbacks(draw: DrawFn) -> bytes:
    """A body in the form of a callback, with something hostile in up to four of its places."""
    whole: dict[str, Any] = {
        "event": {"event_id": f'"fuzz-{draw(st.integers(0, 2000))}"', "start": _TIME, "tzid": '"UTC"'}
    }
    parts = draw(st.sampled_from([None, 0, 1, 2, 2, 2, 2, 2, 3, 5, 99, 101, 200]))
    if parts is not None:
        whole["sequence"] = [{**_PART, "sequence_id": f'"{number}"'} for number in range(parts)]
    before, after = draw(_outside)
    text = before + _render(whole, draw(_injuries)) + after
    encoding = draw(_encodings)
    return text.encode(encoding, "replace" if encoding in {"cp1252", "utf-7"} else "surrogatepass")


def mutated(random: Random) -> bytes:
    """A documented callback with some of its bytes changed, or bytes that were never one."""
    if random.random() < 0.15:
        return random.randbytes(random.choice((0, 1, 2, 10, 100, 5000)))
    body = bytearray(random.choice((SEQUENCING, SEQUENCING_OLDER, SCHEDULING)))
    for _ in range(random.choice((1, 1, 2, 4, 16, 64))):
        at = random.randrange(len(body) or 1)
        match random.randrange(6):
            case 0:
                body[at : at + 1] = random.randbytes(1)
            case 1:
                del body[at : at + random.choice((1, 1, 2, 8, 200))]
            case 2:
                body[at:at] = random.choice(HOSTILE).encode()
            case 3:
                body[at:at] = body[at : at + random.choice((1, 10, 300))]
            case 4:
                body[at:at] = random.choice(
                    (b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\\u", b"\x00", b"\xff")
                )
            case _:
                body[at : at + 4] = random.choice(
                    (b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8")
                )
    return bytes(body) * (300 if random.random() < 0.002 else 1)
