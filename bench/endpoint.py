"""How much longer a whole availability query over HTTP takes than the slowest of its calendars."""

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import aiohttp

from bench.children import answers, child
from bench.figures import Bar, Figures, Findings, percentile, take_turns
from bench.world import World, world
from bookings.accounts import Accounts
from cli.processes import free_ports
from network.outgoing import Outgoing
from scheduler.query import Period
from scheduler.reading import Unreadable, read
from workers.calendars.directory import Directory

TITLE = "Availability over HTTP"
OURS, CALENDARS = "sequence-sync", "its calendars alone"
_PEOPLE, _MEETINGS, _CALLS = 10, 40, 15
_MOST_MS = 50.0
_REPLY_S = 0.1
_MONDAY = (datetime.now(UTC) + timedelta(days=14)).replace(hour=0, minute=0, second=0, microsecond=0)


async def run(rounds: int) -> Findings:
    """Measures."""
    async with (
        world() as here,
        _api(here) as url,
        aiohttp.ClientSession() as session,
        Outgoing(here.settings.network) as outgoing,
    ):
        await _fill(here, session)
        await here.delay(_REPLY_S)
        settings = here.settings
        accounts = Accounts(here.store())
        directory = Directory(settings, outgoing, accounts)
        period = Period(*(int((_MONDAY + timedelta(days=day)).timestamp()) for day in (0, 8)))
        rows, bars, notes = [], [], []
        for case, details in (("busy times", False), ("events, with who is tentative", True)):
            query = _query(details=details)
            turns = {
                OURS: partial(_asked, session, url, here.secret, query),
                CALENDARS: partial(_read, directory, details, period),
            }
            ours, alone = await take_turns(case, turns, rounds)
            rows += [ours, alone]
            more = ours.median("p50 ms") - alone.median("p50 ms")
            what = f"{case}: more than the slowest calendar's reply"
            bars.append(Bar(what, more, _MOST_MS, at_least=False, unit="ms"))
            notes.append(f"{case}: {int(ours.median('sequences'))} sequences")
        directory.close()
        notes.append(
            f"{_PEOPLE} people, half of them at each provider, {_MEETINGS} meetings each; 5 parts in 5 days;"
            f" each reply of the sandbox comes {1000 * _REPLY_S:.0f} ms late."
        )
        return Findings(rows, bars, notes)


@asynccontextmanager
async def _api(here: World) -> AsyncIterator[str]:
    """Runs the API with ten people in its configuration."""
    port, admin_port = free_ports(2)
    text = here.config.read_text()
    for number in range(_PEOPLE):
        mail = f"p{number}@globex.example"
        of = (
            f'account = "google-hr"\ncalendar_id = "{mail}"'
            if number % 2
            else f'account = "microsoft-hr"\nmailbox = "{mail}"'
        )
        text += f'\n[[calendars]]\nname = "p{number}"\n{of}\n'
        text += f'\n[[people]]\nsub = "acc_{number}"\ncalendars = ["p{number}"]\n'
    here.config.write_text(f"[api]\nport = {port}\nadmin_port = {admin_port}\n\n{text}")
    log = here.folder / "api.log"
    async with child(sys.executable, "-m", "cli.main", "api", "--config", str(here.config), log=log):
        await answers(f"http://127.0.0.1:{admin_port}/readyz", log)
        yield f"http://127.0.0.1:{port}/v1/sequenced_availability"


async def _fill(here: World, session: aiohttp.ClientSession) -> None:
    """Puts meetings into everybody's calendar, straight at the sandbox's Google and Graph."""
    random = Random(0)  # noqa: S311 - a calendar, no secret
    microsoft = await here.sandbox.post("/microsoft/tokens", {})
    for number in range(_PEOPLE):
        mail = f"p{number}@globex.example"
        if number % 2:
            await here.sandbox.post(
                "/calendars", {"provider": "google", "id": mail, "shared_with": {"*": "writer"}}
            )
            answer = await here.sandbox.post("/google/tokens", {"subject": mail})
            url = f"{here.sandbox.url}/calendar/v3/calendars/{mail}/events"
        else:
            await here.sandbox.post("/calendars", {"provider": "microsoft", "mailbox": mail})
            answer, url = microsoft, f"{here.sandbox.url}/graph/v1.0/users/{mail}/events"
        for _ in range(_MEETINGS):
            start = _MONDAY + timedelta(days=random.randrange(5), minutes=30 * random.randrange(14, 36))
            body = _meeting(start, start + timedelta(minutes=30), graph=number % 2 == 0)
            headers = {"Authorization": f"Bearer {answer['access_token']}"}
            async with session.post(url, json=body, headers=headers) as response:
                if response.status not in (200, 201):
                    raise RuntimeError(await response.text())


def _meeting(start: datetime, end: datetime, *, graph: bool) -> dict[str, Any]:
    if graph:
        times = [{"dateTime": f"{each:%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"} for each in (start, end)]
        return {"subject": "Meeting", "start": times[0], "end": times[1]}
    return {
        "summary": "Meeting",
        "start": {"dateTime": start.isoformat()},
        "end": {"dateTime": end.isoformat()},
    }


def _query(*, details: bool) -> dict[str, Any]:
    """Five parts, two groups in each, and everybody in some of them."""
    days = [_MONDAY + timedelta(days=day) for day in range(5)]

    def member(number: int) -> dict[str, Any]:
        return {"sub": f"acc_{number % _PEOPLE}", "ignore_tentative": details}

    return {
        "query_periods": [
            {"start": (day + timedelta(hours=8)).isoformat(), "end": (day + timedelta(hours=18)).isoformat()}
            for day in days
        ],
        "sequence": [
            {
                "sequence_id": str(place),
                "ordinal": place + 1,
                "participants": [
                    {"members": [member(2 * place + each) for each in range(4)], "required": 2},
                    {"members": [member(2 * place + 4)], "required": "all"},
                ],
                "required_duration": {"minutes": 30},
                "start_interval": {"minutes": 15},
            }
            for place in range(5)
        ],
    }


async def _asked(session: aiohttp.ClientSession, url: str, secret: str, query: dict[str, Any]) -> Figures:
    took, found = [], 0
    for _ in range(_CALLS):
        began = time.perf_counter()
        async with session.post(url, json=query, headers={"Authorization": f"Bearer {secret}"}) as response:
            answer = await response.json()
            if response.status != 200 or "X-Unavailable-Accounts" in response.headers:
                raise RuntimeError(f"{response.status}: {answer}")
        took.append(1000 * (time.perf_counter() - began))
        found = len(answer["sequences"])
    return {"p50 ms": percentile(took, 0.5), "p95 ms": percentile(took, 0.95), "sequences": found}


async def _read(directory: Directory, details: bool, period: Period) -> Figures:
    took = []
    for _ in range(_CALLS):
        began = time.perf_counter()
        found = await read(
            directory, {f"p{number}": details for number in range(_PEOPLE)}, period, within_s=10
        )
        took.append(1000 * (time.perf_counter() - began))
        if any(isinstance(each, Unreadable) for each in found.values()):
            raise RuntimeError(str(found))
    return {"p50 ms": percentile(took, 0.5), "p95 ms": percentile(took, 0.95), "sequences": 0}
