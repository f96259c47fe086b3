"""Lengths of time as a configuration writes them: "24h", "50ms", or a number of seconds."""

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?) *(ms|s|m|h|d|w)?", re.ASCII)
_LONGEST = 36_500 * _SECONDS["d"]
_HOW = 'write a number and a unit (ms, s, m, h, d, w), such as "50ms", "15s" or "24h"'


def seconds(value: object) -> float:
    """The seconds that a configured duration stands for; a number without unit is seconds.

    Raises:
        ValueError: it is not a duration, not longer than nothing, or longer than 36500 days.
    """
    match value:
        case str():
            form = _FORM.fullmatch(value.strip())
            if form is None:
                raise ValueError(f"{value!r} is not a duration; {_HOW}")
            amount = float(form[1]) * _SECONDS[form[2] or "s"]
        case int() | float() if not isinstance(value, bool):
            amount = value
        case _:
            raise ValueError(f"not a duration; {_HOW}")
    if not 0 < amount <= _LONGEST:
        raise ValueError("a duration is longer than 0 and not longer than 36500 days")
    return float(amount)


def pause(value: object) -> float:
    """As `seconds`, but it may be nothing: 0 or "0s"."""
    return 0.0 if value in (0, "0", "0s") and not isinstance(value, bool) else seconds(value)
