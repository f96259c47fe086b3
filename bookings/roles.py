"""What processes do with Redis: scripts, kinds of keys. Commands are read out of the scripts themselves."""

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from bookings.keys import Keys
from bookings.scripted import script

NONE = "none"
"""What is at the end of the names that stand for a kind of keys: nothing is ever called so."""
A_JOB = f"arq:job:{NONE}"

_CALLED = re.compile(r"redis\.p?call\('([A-Z]+)'")


class Role(NamedTuple):
    """What a process does with Redis."""

    scripts: tuple[str, ...]
    kinds: Callable[[Keys], tuple[str, ...]]
    """Keys of every kind that they use."""
    waits: bool = False
    """Whether it waits for the bell."""
    loads: bool = False
    """Whether it is to load a script although it is there: Redis 6 writes each time into its file."""

    def commands(self) -> tuple[str, ...]:
        """The commands of its scripts; first those that Redis refuses while it is out of memory."""
        return _commands(self.scripts)


@cache
def _commands(scripts: tuple[str, ...]) -> tuple[str, ...]:
    found = {name for each in scripts for name in _CALLED.findall(script(each).text.decode())}
    return tuple(sorted(found, key=lambda name: (name not in {"SET", "ZADD"}, name)))


def _of_bookings(keys: Keys) -> tuple[str, ...]:
    return (
        keys.booking(NONE),
        keys.open,
        keys.open_of(NONE),
        keys.queue,
        keys.queue_of(NONE),
        keys.turns,
        keys.dead,
        keys.dead_of(NONE),
        keys.bell,
        A_JOB,
    )


def _of_accounts(keys: Keys) -> tuple[str, ...]:
    clocks = (keys.account(NONE), keys.accounts, keys.lanes, keys.turns, keys.bell)
    return (*clocks, keys.consent(NONE), keys.office(NONE))


def _of_links(keys: Keys) -> tuple[str, ...]:
    return (keys.link(NONE), keys.link_called(NONE), keys.links)


def _of_receivers(keys: Keys) -> tuple[str, ...]:
    return (*_of_bookings(keys), keys.index, keys.seen, keys.delivery(NONE), keys.link(NONE))


def _of_workers(keys: Keys) -> tuple[str, ...]:
    delayed = (keys.delayed, f"{keys.delayed}:{NONE}", keys.lanes)
    links = (keys.links, keys.link(NONE))
    return (*_of_bookings(keys), keys.index, keys.seen, *delayed, *links, *_of_accounts(keys))


def _of_apis(keys: Keys) -> tuple[str, ...]:
    return (*_of_links(keys), *_of_accounts(keys))


def _of_all(keys: Keys) -> tuple[str, ...]:
    more = (keys.audit, keys.history, keys.written, keys.fleet)
    return tuple(dict.fromkeys((*_of_receivers(keys), *_of_workers(keys), *_of_apis(keys), *more)))


_ACCOUNTS = ("admit", "close", "reopen", "keep_consent", "resign")
_WORKING = (
    "take",
    "claim",
    "journal",
    "settle",
    "release",
    "reconcile",
    "saw",
    "heal_delayed",
    "heal_shares",
)
_OPERATING = ("amend_link", "ask", "cancel", "restore", "try_account", "wake_calendar")
RECEIVER = Role(("accept", "quarantine"), _of_receivers)
WORKER = Role((*_WORKING, *_ACCOUNTS), _of_workers, waits=True)
API = Role((*_ACCOUNTS, "amend_link"), _of_apis)
ALL = Role(
    (*RECEIVER.scripts, *WORKER.scripts, *_OPERATING),
    _of_all,
    waits=True,
    loads=True,
)
