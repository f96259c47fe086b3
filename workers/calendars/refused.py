"""Which field of a booking a provider's refusal is about.

Providers tell by a code, or in words that may hold the refused text itself: only our own name of the field is
taken from them.
"""

import re

_BY_WORDS = {
    "start": "start",
    "end": "end",
    "duration": "end",
    "time range": "end",
    "time max": "end",
    "summary": "summary",
    "subject": "summary",
    "description": "description",
    "body": "description",
    "message size": "description",
    "location": "location",
    "display name": "location",
    "street": "location",
    "coordinates": "location",
    "source": "url",
    "reminder": "reminders",
    "reminders": "reminders",
    "transparency": "transparency",
    "show as": "transparency",
    "visibility": "event_private",
    "sensitivity": "event_private",
    "color": "color",
    "categories": "color",
    "extended properties": "tags",
    "extended property": "tags",
}
_WORDS = re.compile(rf"\b(?:{'|'.join(_BY_WORDS)})\b")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WHOLE_REQUEST = re.compile(r"\b(?:request body|at 'body')")


def refused_field(*told: str) -> str:
    """The booking's name of the first field that is named in what a provider told; empty for none."""
    for text in told:
        words = _HUMP.sub(" ", text).lower()
        if named := _WORDS.search(_WHOLE_REQUEST.sub("", words)):
            return _BY_WORDS[named[0]]
    return ""
