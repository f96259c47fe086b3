"""What the running service leaves behind in Redis, and whether Cronofy can reach it."""

import asyncio
import json

from redis.exceptions import RedisError, ResponseError

from bookings.accounts import Accounts
from bookings.clock import moment
from bookings.connection import connect
from bookings.delayed import counted
from bookings.errors import SealError
from bookings.fleet import Fleet, headcount
from bookings.refusals import named
from bookings.store import Store
from cli.checks.finding import DEFECT, Finding, right, warning, wrong
from config.settings import Settings
from network.advice import OF_CERTIFICATES, OF_THE_PROXY, advice
from network.outgoing import Outgoing
from network.refusals import Unreached

_LATE_MS = 60_000
_NEWEST = 50


async def record(settings: Settings) -> list[Finding]:
    """Processes, what waits, dead letters, the queue, encryption; nothing where Redis does not answer.

    One that cannot be looked at takes none of the others with it.
    """
    redis = connect(settings.redis)
    store = Store.of(settings, redis)
    looks = {
        "processes": _processes(store, settings),
        "accounts": _waiting(store),
        "waiting": _delayed(store),
        "dead letters": _dead_letters(store, settings),
        "queue": _queue(store, settings),
        "encryption": _encryption(store, settings),
    }
    try:
        found = await asyncio.gather(*looks.values(), return_exceptions=True)
    finally:
        await redis.aclose()
    return [finding for subject, each in zip(looks, found, strict=True) for finding in _seen(subject, each)]


def _seen(subject: str, found: list[Finding] | BaseException) -> list[Finding]:
    match found:
        case list():
            return found
        case ResponseError():
            return [wrong(subject, f"could not be looked at ({named(found)})", "see the lines of Redis")]
        case RedisError() | OSError():
            return []  # the line of Redis says so
    return [wrong(subject, f"could not be looked at ({named(found)})", DEFECT)]


async def _processes(store: Store, settings: Settings) -> list[Finding]:
    """Which processes run, and what of them differs from this file and this version."""
    processes = await Fleet(store).processes()
    different = [
        warning(f"{each.kind} {each.name}", difference, remedy)
        for each in processes
        for difference, remedy in each.differences(settings.digest)
    ]
    if not processes:
        return [right("processes", "none is running")]
    words = headcount(processes) + ("" if different else ", all by this file")
    return [right("processes", words), *different]


async def _waiting(store: Store) -> list[Finding]:
    return [
        wrong(
            f"account {each.account}",
            f"parked until {moment(each.until)} ({each.reason}); {each.waiting} parts wait for it",
            "mend what the line of its token or calendar says; workers then go on by themselves",
        )
        if each.state == "parked"
        else warning(
            f"account {each.account}",
            f"paused until {moment(each.until)} ({each.reason}); {each.waiting} parts wait for it",
            "nothing; the provider asked for it, and workers go on by themselves",
        )
        for each in await Accounts(store).closed()
    ]


async def _delayed(store: Store) -> list[Finding]:
    """What is parked or retried, a line for each calendar and state."""
    return [
        warning(
            f"waiting for {each.calendar or 'a route'}",
            f"{each.count} {each.state}, the oldest since {moment(each.since)} ({each.why})",
            "see the line of the calendar; once it is well, `sequence-sync bookings retry --all`",
        )
        for each in await counted(store)
    ]


async def _dead_letters(store: Store, settings: Settings) -> list[Finding]:
    counts, limit = await store.counts(), settings.share(settings.receiver.dead_letters_limit)
    dead, remedy = counts["dead"], "`sequence-sync dead-letters stats`, then replay or discard them"
    full = {app: held.dead for app, held in counts["of_apps"].items() if held.dead >= limit}
    if full:
        return [
            wrong(
                "dead letters", f"{held} of {app}, of at most {limit}: its callbacks are answered 503", remedy
            )
            for app, held in full.items()
        ]
    if dead:
        return [warning("dead letters", f"{dead} wait for a person", remedy)]
    return [right("dead letters", "none")]


async def _queue(store: Store, settings: Settings) -> list[Finding]:
    counts, limit = await store.counts(), settings.share(settings.receiver.queue_limit)
    full = {app: held.open for app, held in counts["of_apps"].items() if held.open >= limit}
    if full:
        return [
            wrong(
                "queue",
                f"{held} parts of {app} are open, of at most {limit}: its callbacks are answered 503",
                "start more workers; see which accounts wait",
            )
            for app, held in full.items()
        ]
    if counts["oldest_ready_ms"] > _LATE_MS:
        words = f"{counts['ready']} jobs are ready, the oldest for {counts['oldest_ready_ms'] // 1000} s"
        return [wrong("queue", words, "see that workers run, and start more of them")]
    return [right("queue", f"{counts['open']} parts open, {counts['ready']} jobs ready")]


async def _encryption(store: Store, settings: Settings) -> list[Finding]:
    """Whether the newest of what is stored can be read with the keys there are."""
    keys = settings.encryption.keys
    try:
        await store.bookings_accepted(0, 2**53, skip=0, limit=_NEWEST)
    except SealError as error:
        what, _, remedy = str(error).partition("; ")
        return [wrong("encryption", what, remedy)]
    if not keys:
        return []
    what = "bookings and consents" if settings.encryption.bookings else "consents"
    return [right("encryption", f"{what} are encrypted; the newest bookings can be read")]


async def public_url(settings: Settings, outgoing: Outgoing) -> list[Finding]:
    """Whether our receiver answers where Cronofy is told to call."""
    url = settings.receiver.public_url
    if url is None:
        return [
            warning(
                "public_url",
                "not set: whether Cronofy reaches the receiver is not checked",
                'set receiver.public_url = "https://...", the address in front of the receiver',
            )
        ]
    address = f"{url}/callbacks/{settings.apps[0].name if settings.apps else 'app'}"
    try:
        async with outgoing.request("GET", address, timeout_s=settings.worker.request_timeout) as answer:
            return [_answered(url, answer.status, await answer.content.read(10_000))]
    except Unreached as error:
        return [_not_answered(url, error)]


def _not_answered(url: str, error: Unreached) -> Finding:
    words = f"{url} does not answer: {advice(error.code).words} ({error.code})"
    if error.code in OF_CERTIFICATES:
        remedy = "renew the certificate in front of the receiver, with its chain"
    elif error.code in OF_THE_PROXY:
        remedy = advice(error.code).remedy
    else:
        remedy = "see its name in DNS, the proxy and the receiver behind it"
    return wrong("public_url", words, f"{remedy}; nothing, where only this machine is kept from it")


def _answered(url: str, status: int, body: bytes) -> Finding:
    """What a GET says: our receiver takes nothing but POST, and says so in JSON."""
    if status == 405 and _is_ours(body):
        return right("public_url", f"our receiver answers at {url}")
    if 300 <= status < 400:
        words = f"{url} leads elsewhere ({status}); Cronofy posts and does not follow"
        return wrong("public_url", words, "name the address that it leads to")
    if status >= 500:
        words = f"{url} answers {status}: what stands in front of the receiver does not reach it"
        return wrong("public_url", words, "see that the receiver runs, and where the proxy leads")
    words = f"{url} answers {status}, but it is not our receiver that does"
    return wrong("public_url", words, "let the proxy pass /callbacks/ on to receiver.port, path and all")


def _is_ours(body: bytes) -> bool:
    try:
        return bool(json.loads(body) == {"error": "method_not_allowed"})
    except ValueError:
        return False
