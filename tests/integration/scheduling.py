"""What the tests of links and availability share: an API, a receiver and a worker, and Cronofy's stand-in."""

import copy
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web

from admin.in_force import InForce
from admin.ports.applications import limited
from admin.ports.limits import Limits
from bookings.accounts import Accounts
from bookings.consents import Consents
from bookings.links import Link
from bookings.store import Store
from cli.processes import free_ports
from config.settings import Settings
from network.outgoing import Outgoing
from receiver.public_port import PublicPort
from receiver.server import receiver_runner
from sandbox.cronofy_link import CronofyLink
from sandbox.server import Sandbox
from scheduler.api.app import MOST_BYTES, Service, api_app
from scheduler.asking import Asker
from scheduler.computing import Computing
from scheduler.cronofy import Cronofy
from scheduler.links import LinkMaker
from tests.conftest import FIRST_SECRET, Settle
from tests.integration.calendars import Clock, World, calendar_secrets, calendar_tables
from workers.calendars.directory import Directory
from workers.sync import Sync

RECRUITER, MANAGER = "acc_5ba21743f408617d1269ea1e", "acc_64b17d868090ea21640c914c"
RECRUITER_CALENDAR, MANAGER_CALENDAR = "cal_n23kjnwrw2_jsdfjksn234", "cal_n23kjnwrw2_sakdnawerd3"
DAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=7)


class Said(NamedTuple):
    status: int
    data: Any
    headers: dict[str, str]


class Office:
    """The whole product without its processes, as one who holds a client secret sees it."""

    def __init__(self, world: World, api: str, session: aiohttp.ClientSession, computing: Computing) -> None:
        self.world = world
        self.api = api
        self.computing = computing
        self._session = session

    @property
    def sandbox(self) -> Sandbox:
        return self.world.sandbox

    @property
    def receiver(self) -> str:
        return str(self.world.settings.receiver.public_url)

    async def ask(
        self,
        path: str,
        data: Any = None,
        *,
        secret: str | None = FIRST_SECRET,
        method: str = "POST",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Said:
        """Asks the API."""
        authorized = {} if secret is None else {"Authorization": f"Bearer {secret}"}
        sent = body if body is not None else json.dumps(data).encode() if method == "POST" else None
        async with self._session.request(
            method, f"{self.api}/v1/{path}", data=sent, headers={**authorized, **(headers or {})}
        ) as response:
            raw = await response.read()
            return Said(response.status, json.loads(raw) if raw else None, dict(response.headers))

    @property
    def asked_of_cronofy(self) -> CronofyLink:
        """The one link that Cronofy was asked for."""
        [link] = self.sandbox.cronofy_links()
        return link

    async def links(self) -> list[Link]:
        return [link async for link in self.world.store.links()]


@asynccontextmanager
async def office(settle: Settle, store: Store, sandbox: Sandbox, **changes: Any) -> AsyncIterator[Office]:
    """Opens one. `changes` are tables laid over the configuration; of the app, keys laid over it."""
    [port] = free_ports(1)
    tables = calendar_tables(sandbox)
    google, microsoft = tables["calendars"]
    app = {
        "name": "hiring",
        "client_secrets": ["env:FIRST", "env:SECOND"],
        "cronofy_endpoint": sandbox.cronofy_endpoint,
        **changes.pop("app", {}),
    }
    settings: Settings = settle(
        secrets=calendar_secrets(sandbox),
        **{
            **tables,
            "apps": [app, *changes.pop("neighbours", [])],
            "calendars": [
                google | {"cronofy_id": RECRUITER_CALENDAR},
                microsoft | {"cronofy_id": MANAGER_CALENDAR},
            ],
            "routes": [],
            "people": [
                {"sub": RECRUITER, "calendars": ["interviews"]},
                {"sub": MANAGER, "calendars": ["panel"]},
            ],
            **changes,
            "receiver": {"public_url": f"http://127.0.0.1:{port}", **changes.get("receiver", {})},
        },
    )
    sandbox.cronofy_app(
        client_id="hiring",
        secret=(FIRST_SECRET,),
        impersonate=frozenset({RECRUITER}),
        callback_url=f"http://127.0.0.1:{port}/callbacks/hiring",
        pauses=(0.01,),
    )
    receiver = receiver_runner(PublicPort(settings, store), settings)
    await receiver.setup()
    await web.TCPSite(receiver, "127.0.0.1", port).start()
    async with aiohttp.ClientSession() as session, Outgoing(settings.network) as outgoing:
        directory = Directory(settings, outgoing, Accounts(store), Consents(store))
        sync = Sync(store, settings, directory, worker="test", clock=Clock())
        cronofy = Cronofy(outgoing, timeout_s=20, waits_s=(0.01, 0.01))
        maker = LinkMaker(settings, store, cronofy)
        computing = Computing()
        service = Service(settings, maker, Asker(settings, store, directory, computing))
        api = await limited(api_app(InForce(service)), Limits(connections=100, body=MOST_BYTES), port="api")
        await web.TCPSite(api, "127.0.0.1", 0).start()
        world = World(settings, store, sandbox, sync, Clock())
        yield Office(world, f"http://127.0.0.1:{api.addresses[0][1]}", session, computing)
        await api.cleanup()
        await sync.endpoints.aclose()
        directory.close()
    await receiver.cleanup()


def at(hour: float, *, day: int = 0) -> str:
    """A time on the day that the requests are about, or a later one, as Cronofy writes it."""
    return (DAY + timedelta(days=day, hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ")


def sequencing(**changes: Any) -> dict[str, Any]:
    """A request for a Real-Time Sequencing link of two parts, as Cronofy documents it."""

    def part(sequence_id: str, ordinal: int, sub: str, summary: str) -> dict[str, Any]:
        return {
            "sequence_id": sequence_id,
            "ordinal": ordinal,
            "participants": [{"members": [{"sub": sub}], "required": "all"}],
            "required_duration": {"minutes": 60},
            "event": {"event_id": "qTtZdczOccgaPncGJaCiLg", "summary": summary, "tzid": "Europe/London"},
        }

    request = {
        "oauth": {"redirect_uri": "https://hiring.globex.example/done"},
        "event": {"event_id": "qTtZdczOccgaPncGJaCiLg", "summary": "Interview", "tzid": "Europe/London"},
        "availability": {
            "query_periods": [{"start": at(9), "end": at(18)}],
            "sequence": [part("123", 1, RECRUITER, "Pre screen"), part("456", 2, MANAGER, "Face to face")],
        },
        "target_calendars": [
            {"sub": RECRUITER, "calendar_id": RECRUITER_CALENDAR},
            {"sub": MANAGER, "calendar_id": MANAGER_CALENDAR},
        ],
    }
    return {name: value for name, value in {**copy.deepcopy(request), **changes}.items() if value is not None}


def availability(**changes: Any) -> dict[str, Any]:
    """A query of availability: one hour of both, one after the other."""
    request = {
        "query_periods": [{"start": at(9), "end": at(12)}],
        "sequence": [
            {
                "sequence_id": sequence_id,
                "ordinal": ordinal,
                "participants": [{"members": [{"sub": sub}], "required": "all"}],
                "required_duration": {"minutes": 60},
                "start_interval": {"minutes": 60},
            }
            for ordinal, (sequence_id, sub) in enumerate([("123", RECRUITER), ("456", MANAGER)], 1)
        ],
    }
    return {**request, **changes}


def scheduling(**changes: Any) -> dict[str, Any]:
    """A request for a Real-Time Scheduling link."""
    request = {
        "oauth": {"redirect_uri": "https://hiring.globex.example/done"},
        "event": {"event_id": "evt-1", "summary": "Interview", "tzid": "Europe/London"},
        "availability": {
            "participants": [{"members": [{"sub": RECRUITER}, {"sub": MANAGER}], "required": 1}],
            "required_duration": {"minutes": 60},
            "query_periods": [{"start": at(9), "end": at(18)}],
        },
    }
    return {**request, **changes}
