"""A rehearsal: whether Redis would let a process do its work, found out by doing all of it for nothing."""

import asyncio
import re
from collections.abc import Iterable, Sequence

from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from bookings.reader import Reader
from bookings.refusals import NAMING, NOAUTH, NOPERM, Refusal, is_a_hint, word, word_of
from bookings.roles import A_JOB, NONE, Role
from bookings.scripted import script

_NAMED = re.compile(r"'([a-z]+)(?:\|[a-z]+)?' command|unknown command [`']([\w|]+)", re.IGNORECASE)
_OF_KEYS = re.compile(r"\baccess\b")

_Told = tuple[str, str, str]
"""What was refused: the word for it, the command or '', the key or ''."""


async def rehearse(store: Reader, role: Role) -> list[Refusal]:
    """Tries what a role does; gives what Redis refuses of it, by reasons.

    One round trip where nothing is refused. Raises `redis.RedisError` or `OSError` where there is no answer.
    """
    ran, waited = await asyncio.gather(_ran(store, role), _waited(store, role), return_exceptions=True)
    refused: dict[str, tuple[set[str], set[str]]] = {}
    if isinstance(ran, BaseException):
        raise ran
    if isinstance(waited, BaseException):
        if not ran:
            raise waited
        waited = []  # a read-only replica ends the connection
    for said, command, key in (*ran, *waited):
        commands, keys = refused.setdefault(said, (set(), set()))
        commands |= {command} - {""}
        keys |= {key} - {""}
    return list(_told(refused, _keys(store, role), store.keys.prefix))


def _told(
    refused: dict[str, tuple[set[str], set[str]]], whole: Sequence[str], prefix: str
) -> Iterable[Refusal]:
    for said, (commands, names) in refused.items():
        if said not in NAMING:
            yield Refusal(said)
            continue
        kinds = _patterns(names, whole, prefix)
        for hints in (False, True):
            some = Refusal(
                said,
                tuple(sorted(each for each in commands if is_a_hint(each) is hints)),
                tuple(each for each in kinds if is_a_hint(each) is hints),
            )
            if some.commands or some.keys:
                yield some


async def _ran(store: Reader, role: Role) -> list[_Told]:
    """What a script was refused: the word, and the command or the key."""
    keys = _keys(store, role)
    args = (keys[0], " ".join(role.commands()))
    try:
        if role.loads:
            await store.command("SCRIPT", "LOAD", script("rehearse").text)
        try:
            answer = await store.run("rehearse", keys=keys, args=args)
        except NoPermissionError as error:
            if not _OF_KEYS.search(str(error)):
                raise
            answer = await store.run("rehearse", keys=(), args=(*args, *keys))  # which of them?
    except ResponseError as error:
        if word(error) == NOAUTH:
            raise AuthenticationError("Authentication required.") from None
        return [(word(error) or type(error).__name__, _named(error) or "EVALSHA", "")]
    said = [each.decode() for each in answer]
    return list(_refusals(zip(said[::2], said[1::2], strict=True), keys))


def _refusals(told: Iterable[tuple[str, str]], keys: Sequence[str]) -> Iterable[_Told]:
    for what, why in told:
        if _OF_KEYS.search(why):
            yield word_of(why) or why[:40], "", what if what in keys else keys[0]
        elif what not in keys:  # otherwise it is the command that is refused, and has been told of
            yield word_of(why) or why[:40], what, ""


async def _waited(store: Reader, role: Role) -> list[_Told]:
    """What waiting for the bell was refused; in a transaction nobody is kept waiting."""
    if not role.waits:
        return []
    try:
        async with store.redis.pipeline(transaction=True) as pipe:
            pipe.blpop([store.keys.booking(NONE)], timeout=1)
            await pipe.execute()
    except ResponseError as error:
        if _OF_KEYS.search(str(error)):
            return [(word(error) or type(error).__name__, "", store.keys.booking(NONE))]
        if "without MULTI" in str(error):  # which was refused before
            return [(NOPERM, "MULTI", "")]
        return [(word(error) or type(error).__name__, _named(error) or "BLPOP", "")]
    return []


def _named(error: ResponseError) -> str:
    """The command that an error names."""
    found = _NAMED.search(str(error))
    name = (found[1] or found[2]).upper() if found else ""
    return "SCRIPT|LOAD" if name == "SCRIPT" else name


def _keys(store: Reader, role: Role) -> tuple[str, ...]:
    return role.kinds(store.keys)


def _patterns(names: set[str], whole: Sequence[str], prefix: str) -> tuple[str, ...]:
    """Keys as an access list would have them; where none of ours may be used, they are one."""
    ours = set(whole) - {A_JOB}
    if names >= ours:
        names = names - ours | {f"{prefix}:{NONE}"}
    return tuple(sorted(re.sub(f"{NONE}$", "*", name) for name in names))
