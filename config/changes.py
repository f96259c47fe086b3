"""What a running process can take up of a configuration that was read anew."""

from config.digest import is_of_one_process
from config.settings import Settings

_SHARED = ("redis", "network", "telemetry", "console")
_ONLY_AT_START = frozenset({("worker", "concurrency"), ("worker", "poll_delay")})


def needs_restart(section: str, key: str) -> bool:
    """Whether a process takes a key from its configuration only when it starts."""
    return is_of_one_process(section, key) or (section, key) in _ONLY_AT_START


def taken_up(now: Settings, read: Settings, *, kind: str) -> tuple[Settings, tuple[str, ...]]:
    """What a process that works by `now` makes of the configuration that it has just `read`.

    Args:
        now: what it works by.
        read: what it is to work by.
        kind: the section that is its own: `receiver`, `worker` or `api`.

    Gives what it works by from then on, and the keys that stay as they are until it is started anew.
    """
    sections, keys = {}, []
    for name in (*_SHARED, kind):
        before, after = getattr(now, name), getattr(read, name)
        kept = {
            key: getattr(before, key)
            for key in type(after).model_fields
            if needs_restart(name, key) and getattr(before, key) != getattr(after, key)
        }
        sections[name] = after.model_copy(update=kept)
        keys += [f"{name}.{key}" for key in kept]
    return read.model_copy(update=sections), tuple(keys)
