"""`sequence-sync check`: what is right, what is wrong, and what to do."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Iterable
from typing import Any, NamedTuple

import aiohttp
from redis.exceptions import RedisError

from bookings.accounts import Accounts
from bookings.connection import connect
from bookings.store import Store
from cli.output import moment, print_json, print_table, words
from config.advice import warnings
from config.redis_url import RedisKind
from config.settings import Settings
from workers.calendars.directory import Directory
from workers.errors import CalendarError, ErrorClass

_OLDEST_REDIS = (6, 2)
_MOST_SKEW_S = 1.0

_REMEDIES = {
    ErrorClass.AUTH: "renew the account's credentials, or give it access to the calendar",
    ErrorClass.PARK: "see that the calendar exists and is shared with the account",
    ErrorClass.THROTTLED: "wait; the provider throttles this account",
    ErrorClass.TRANSIENT: "try again; see that this machine reaches the provider",
}


class Finding(NamedTuple):
    """One line of the check; `remedy` is empty where nothing is to be done."""

    subject: str
    level: str
    words: str
    remedy: str = ""


async def run_check(settings: Settings, *, as_json: bool) -> bool:
    """Prints every finding; True where none is wrong. The configuration itself was found sound on loading."""
    findings = [Finding("configuration", "right", "readable, every secret present")]
    findings += [Finding("configuration", "warning", warning) for warning in warnings(settings)]
    with words.status("looking at Redis, accounts and calendars …"):
        findings += [finding async for finding in _redis(settings)]
        findings += await _calendars(settings)
        findings += [finding async for finding in _waiting(settings)]
    findings += _routes(settings)
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        print_table(("what", "", "finding", "what to do"), _rows(findings))
    return all(finding.level != "wrong" for finding in findings)


def _rows(findings: Iterable[Finding]) -> list[tuple[str, str, str, str]]:
    colours = {"right": "green", "warning": "yellow", "wrong": "red"}
    return [
        (each.subject, f"[{colours[each.level]}]{each.level}[/]", each.words, each.remedy)
        for each in findings
    ]


async def _redis(settings: Settings) -> AsyncIterator[Finding]:
    redis: Any = connect(settings.redis)
    try:
        info = await redis.info()
        seconds, micros = await redis.time()
    except (RedisError, OSError) as error:
        remedy = "see redis.url; is it running, and reachable from here?"
        if settings.redis.url.kind is RedisKind.EMBEDDED:
            remedy = "it runs while `sequence-sync up` runs; start that, then check again"
        yield Finding(
            "redis", "wrong", f"{settings.redis.url} does not answer ({type(error).__name__})", remedy
        )
        return
    finally:
        await redis.aclose()
    version = str(info["redis_version"])
    if tuple(int(number) for number in version.split(".")[:2]) < _OLDEST_REDIS:
        yield Finding("redis", "wrong", f"version {version}", "use Redis 6.2 or newer")
    else:
        yield Finding("redis", "right", f"version {version} at {settings.redis.url}")
    policy = info["maxmemory_policy"]
    if policy == "noeviction":
        yield Finding("redis", "right", "maxmemory-policy is noeviction")
    else:
        yield Finding(
            "redis",
            "wrong",
            f"maxmemory-policy is {policy}: bookings may be dropped",
            "CONFIG SET maxmemory-policy noeviction, and in its configuration file",
        )
    if info.get("aof_enabled"):
        yield Finding("redis", "right", "append-only file is on")
    else:
        yield Finding(
            "redis",
            "warning",
            "append-only file is off: a crash of Redis may lose bookings we confirmed",
            "CONFIG SET appendonly yes, and in its configuration file; appendfsync always to lose none",
        )
    skew = abs(time.time() - (seconds + micros / 1_000_000))
    if skew > _MOST_SKEW_S:
        yield Finding(
            "redis",
            "warning",
            f"its clock differs from ours by {skew:.1f} s",
            "synchronise both clocks (NTP): retries are due by Redis's, picked by ours",
        )
    else:
        yield Finding("redis", "right", "clocks agree")


async def _calendars(settings: Settings) -> list[Finding]:
    async with aiohttp.ClientSession() as session:
        directory = Directory(settings, session)
        accounts = [
            _asked(f"account {account.name}", directory.token(account.name), "gives a token")
            for account in settings.accounts
        ]
        calendars = [
            _asked(f"calendar {each.name}", directory.calendar(each.name).probe(), "can be read")
            for each in settings.calendars
        ]
        try:
            return list(await asyncio.gather(*accounts, *calendars))
        finally:
            directory.close()


async def _asked(subject: str, work: Awaitable[object], right: str) -> Finding:
    try:
        await work
    except CalendarError as error:
        remedy = _REMEDIES.get(error.error_class, "see what the provider says of this code")
        return Finding(subject, "wrong", f"{error.error_class}: {error.code}", remedy)
    return Finding(subject, "right", right)


async def _waiting(settings: Settings) -> AsyncIterator[Finding]:
    """Accounts that the workers make wait."""
    redis = connect(settings.redis)
    try:
        for each in await Accounts(Store(redis, settings.redis.key_prefix)).closed():
            yield Finding(
                f"account {each.account}",
                "wrong" if each.state == "parked" else "warning",
                f"{each.state} until {moment(each.until)} ({each.reason}); {each.waiting} parts wait for it",
                "mend what the line of its token or calendar says; workers then go on by themselves"
                if each.state == "parked"
                else "nothing; the provider asked for it, and workers go on by themselves",
            )
    except (RedisError, OSError):
        return  # said already
    finally:
        await redis.aclose()


def _routes(settings: Settings) -> list[Finding]:
    routed = {route.app for route in settings.routes}
    return [
        Finding(f"app {app.name}", "right", "has routes")
        if app.name in routed
        else Finding(f"app {app.name}", "warning", "has no route", "add [[routes]], or register links")
        for app in settings.apps
    ]
