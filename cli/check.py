"""`sequence-sync check`: what is right, what is wrong, and what to do."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import aclosing
from functools import partial
from pathlib import Path

from rich.text import Text

from bookings.connection import connect
from bookings.consents import Consents
from bookings.patience import in_time
from bookings.refusals import named
from bookings.retry import calendar_works
from bookings.store import Store
from cli.checks.configuration import configuration, unreadable
from cli.checks.finding import DEFECT, Check, Finding, Level, wrong
from cli.checks.providers import Providers
from cli.checks.redis import redis
from cli.checks.service import public_url, record
from cli.options import settings_from
from cli.output import print_json, print_table, words
from config.errors import ConfigError
from config.references import EVERYTHING, Use
from config.settings import Settings
from network.outgoing import Outgoing
from workers.calendars.directory import Directory

_COLOURS = {Level.RIGHT: "green", Level.WARNING: "yellow", Level.WRONG: "red"}


async def run_check(config: Path | None, uses: frozenset[Use], *, within_s: float, as_json: bool) -> bool:
    """Prints every finding; True where none is wrong. Each thing asked has `within_s` seconds to answer."""
    findings = await everything(config, uses, within_s=within_s)
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        print_table(("what", "", "finding", "what to do"), _rows(findings))
        words.print(_summary(findings))
    return all(finding.level is not Level.WRONG for finding in findings)


async def everything(
    config: Path | None, uses: frozenset[Use] = EVERYTHING, *, within_s: float
) -> list[Finding]:
    """Every finding, in the order in which it is shown."""
    try:
        settings = settings_from(config, *uses)
    except ConfigError as error:
        return unreadable(error)
    return configuration(settings) + await _asked(settings, uses, within_s)


async def _asked(settings: Settings, uses: frozenset[Use], within_s: float) -> list[Finding]:
    """Asks everything at once, and says meanwhile what it waits for."""
    hasty = settings.model_copy(
        update={"worker": settings.worker.model_copy(update={"request_timeout": within_s})}
    )
    async with Outgoing(settings.network) as outgoing, aclosing(connect(settings.redis)) as client:
        store = Store.of(settings, client)
        directory = Directory(hasty, outgoing, consents=Consents(store))
        providers = Providers(settings, directory, partial(calendar_works, store))
        checks = [
            Check("redis", partial(redis, settings)),
            *(providers.checks() if Use.CALENDARS in uses else ()),
            Check("record", partial(record, settings)),
            Check("public_url", partial(public_url, settings, outgoing)),
        ]
        try:
            with words.status(f"asking {len(checks)} at once ...") as status:
                waiting = {check.subject: None for check in checks}

                async def look(check: Check) -> list[Finding]:
                    found = await _looked(check, within_s)
                    del waiting[check.subject]
                    status.update(f"{len(waiting)} of {len(checks)} to go: {', '.join(waiting)} ...")
                    return found

                return [finding for found in await asyncio.gather(*map(look, checks)) for finding in found]
        finally:
            directory.close()


async def _looked(check: Check, within_s: float) -> list[Finding]:
    began = time.monotonic()
    try:
        return await in_time(check.look(), within_s=within_s)
    except TimeoutError:
        waited = f"no answer within {time.monotonic() - began:.0f} s"
        return [wrong(check.subject, waited, "see that this machine reaches it; --within 60s waits longer")]
    except Exception as error:  # noqa: BLE001 - one line, so that the others are seen
        return [wrong(check.subject, f"could not be checked ({named(error)})", DEFECT)]


def _rows(findings: Iterable[Finding]) -> list[tuple[str | Text, ...]]:
    return [
        (each.subject, Text(each.level, _COLOURS[each.level]), each.words, each.remedy) for each in findings
    ]


def _summary(findings: Iterable[Finding]) -> str:
    levels = [finding.level for finding in findings]
    counted = ", ".join(_counted(levels.count(level), level) for level in Level if level in levels)
    return f"{counted}: " + ("mend what is wrong" if Level.WRONG in levels else "nothing is wrong")


def _counted(number: int, level: Level) -> str:
    return f"{number} {level}" + ("s" if level is Level.WARNING and number > 1 else "")
