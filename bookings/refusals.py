"""What Redis said, in the word that an operator looks for."""

import re
from typing import NamedTuple

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ExecAbortError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)

NOPERM, UNKNOWN, CROSSSLOT, NOAUTH = "NOPERM", "unknown command", "CROSSSLOT", "NOAUTH"

NAMING = {NOPERM, UNKNOWN}
_CLUSTER = {CROSSSLOT, "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN"}
_REMEDIES = {
    "MISCONF": "its last snapshot failed; look at its disk and its log",
    "OOM": "it is out of memory; raise maxmemory",
    "READONLY": "it is a read-only replica; let redis.url name the primary, or the sentinels that know it",
    "NOREPLICAS": "it has too few of the replicas that its min-replicas-to-write asks for",
    "LOADING": "it is still loading its data; wait",
    "BUSY": "it is busy with somebody's script; see SLOWLOG",
}

_TAKEN_OFF = {
    AuthenticationError: NOAUTH,
    BusyLoadingError: "LOADING",
    ExecAbortError: "EXECABORT",
    NoPermissionError: NOPERM,
    NoScriptError: "NOSCRIPT",
    OutOfMemoryError: "OOM",
    ReadOnlyError: "READONLY",
}
"""Words that redis-py makes a class of and takes off the text."""
_WORD = re.compile(r"(?:^|: (?:-|\(')?)([A-Z][A-Z]+) (?=[A-Z0-9]|command)")
"""At the beginning. Redis before version 7 says it in the middle where it refuses a script's command, and
redis-py says before it which command of a pipeline was refused."""
_IN_SCRIPTS = (
    (re.compile(r"\b[Uu]nknown (?:Redis )?(?:sub)?command"), UNKNOWN),  # first: it repeats what was sent
    (re.compile("can't run this command|can't access at least one of the keys|ACL failure"), NOPERM),
    (re.compile("non local key"), CROSSSLOT),
    (re.compile("Protocol error: unauthenticated"), NOAUTH),
)
"""What it refuses in words of its own: to scripts, and to long commands of a client without a password."""


def named(error: BaseException) -> str:
    """The name of an exception, and where Redis gave one its own word: `ResponseError: MISCONF`.

    Never more than that: some errors repeat what was sent.
    """
    said = word(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def word(error: BaseException) -> str:
    """Redis' own word for an error (NOPERM, MISCONF, OOM, …); empty where it is none of Redis'."""
    for refusal in (error, error.__cause__):  # a new connection's refusal comes wrapped
        if isinstance(refusal, AuthenticationError) and "invalid" in str(refusal):
            return "WRONGPASS"
        if isinstance(refusal, _REFUSED):
            return word_of(str(refusal)) or _TAKEN_OFF.get(type(refusal), "")
    return ""


def word_of(text: str) -> str:
    """The word of an error's text; empty where it has none."""
    if said := next((said for pattern, said in _IN_SCRIPTS if pattern.search(text)), ""):
        return said
    found = _WORD.search(text.removeprefix("ERR "))
    return found[1] if found else ""


_REFUSED = (ResponseError, *_TAKEN_OFF)


def is_a_hint(what: str) -> bool:
    """Whether a command or a key is only for the bell: without it workers find jobs at their next poll."""
    return what in {"LLEN", "LPUSH"} or what.endswith(":bell")


class Refusal(NamedTuple):
    """What Redis refuses for one reason."""

    word: str
    """The word that Redis gives for it."""
    commands: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    @property
    def is_a_hint(self) -> bool:
        """Whether the work gets done without it, later."""
        what = (*self.commands, *self.keys)
        return self.word in NAMING and bool(what) and all(map(is_a_hint, what))

    @property
    def is_of_clusters(self) -> bool:
        """Whether it comes of a Redis in cluster mode."""
        return self.word in _CLUSTER

    @property
    def what(self) -> str:
        """What happened."""
        commands, keys = ", ".join(self.commands), ", ".join(self.keys)
        match self.word:
            case "NOPERM":
                kinds = (f"command {commands}" if commands else "", f"keys {keys}" if keys else "")
                return f"Redis refuses its user (NOPERM): {'; '.join(filter(None, kinds))}"
            case "unknown command":
                return f"Redis does not know a command that is needed ({self.word}): {commands}"
            case said if said in _CLUSTER:
                return f"Redis runs in cluster mode, which is not supported ({said})"
        return f"Redis refuses to write ({self.word})"

    @property
    def remedy(self) -> str:
        """What to do."""
        match self.word:
            case "NOPERM":
                grants = [f"+{each.lower()}" for each in self.commands] + [f"~{each}" for each in self.keys]
                return f"ACL SETUSER … {' '.join(grants)}, and in its access list"
            case "unknown command":
                return "it is renamed or disabled; give it back its name, or use another Redis"
            case said if said in _CLUSTER:
                return "use a Redis or Valkey without cluster mode"
        return _REMEDIES.get(self.word, "see Redis' log")
