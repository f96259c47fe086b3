"""What the tests of reading share: calendars of both providers, what stands in them, and a reader of them."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from bookings.accounts import Accounts
from bookings.consents import Consent, Consents
from bookings.seal import new_key
from bookings.store import Store
from network.outgoing import Outgoing
from sandbox.google_calendar import GoogleEvent
from sandbox.graph_mailbox import GraphEvent
from sandbox.server import Sandbox
from scheduler.query import Period
from scheduler.reading import Unreadable, read
from tests.conftest import Settle
from workers.calendars.directory import Directory
from workers.calendars.reading import CalendarEvent

RECRUITER = "recruiter@globex.example"
ENGINEER = "engineer@globex.example"
DIRECTOR = "director@globex.example"
PEOPLE = {f"person{number}": f"person{number}@globex.example" for number in range(10)}


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


WEEK = Period(at("2026-10-19"), at("2026-10-31"))
NINE, TEN = at("2026-10-20T09:00"), at("2026-10-20T10:00")
OF = {"google": "recruiter-google", "microsoft": "recruiter-microsoft"}


def tables(sandbox: Sandbox, folder: Path, *, provider_url: str) -> dict[str, Any]:
    """A service account, one that acts for a user, a Google user; an application, and a user who logged in."""
    google = {"provider": "google", "api_endpoint": provider_url or sandbox.google_endpoint}
    microsoft = {
        "provider": "microsoft",
        "tenant_id": "globex",
        "authority": sandbox.authority,
        "graph_endpoint": provider_url or sandbox.graph_endpoint,
        "ca_file": sandbox.ca_file,
    }
    people = [
        {"name": name, "account": "google", "calendar_id": address}
        if number % 2
        else {"name": name, "account": "microsoft", "mailbox": address}
        for number, (name, address) in enumerate(PEOPLE.items())
    ]
    return {
        "encryption": {"keys": [f"file:{folder}/keys"]},
        "accounts": [
            {"name": "google", "service_account": "env:GOOGLE", **google},
            {"name": "delegated", "service_account": "env:DELEGATED", "subject": RECRUITER, **google},
            {"name": "google-user", "authorized_user": "env:USER", **google},
            {"name": "microsoft", "client_id": "sync", "client_secret": "env:MICROSOFT", **microsoft},
            {"name": "engineer", "login": True, "client_id": "public", "shared_calendars": True, **microsoft},
        ],
        "calendars": [
            {"name": "recruiter-google", "account": "google", "calendar_id": RECRUITER},
            {"name": "recruiter-microsoft", "account": "microsoft", "mailbox": RECRUITER},
            {
                "name": "recruiter-second",
                "account": "microsoft",
                "mailbox": RECRUITER,
                "calendar_id": "second",
            },
            {"name": "recruiter-delegated", "account": "delegated"},
            {"name": "team-delegated", "account": "delegated", "calendar_id": "team"},
            {"name": "recruiter-user", "account": "google-user"},
            {"name": "engineer-alone", "account": "engineer", "mailbox": ENGINEER},
            {"name": "director-of-engineer", "account": "engineer", "mailbox": DIRECTOR},
            {"name": "nobody-google", "account": "google", "calendar_id": "nobody"},
            {"name": "nobody-microsoft", "account": "microsoft", "mailbox": "nobody@globex.example"},
            *people,
        ],
    }


class Desk:
    """A process that only reads, and the calendars that it reads."""

    def __init__(self, sandbox: Sandbox, store: Store, directory: Directory) -> None:
        self.sandbox = sandbox
        self.store = store
        self.directory = directory

    async def read(
        self, name: str, *, details: bool = True, within_s: float = 30
    ) -> tuple[CalendarEvent, ...] | Unreadable:
        return (await read(self.directory, {name: details}, WEEK, within_s=within_s))[name]

    async def events(self, name: str, *, details: bool = True) -> tuple[CalendarEvent, ...]:
        found = await self.read(name, details=details)
        assert isinstance(found, tuple), found
        return found

    async def code(self, name: str, *, details: bool = True, within_s: float = 30) -> str:
        """Why a calendar cannot be read."""
        found = await self.read(name, details=details, within_s=within_s)
        assert isinstance(found, Unreadable), found
        return found.code

    def put_google(self, calendar: str = RECRUITER, **fields: Any) -> GoogleEvent:
        google = self.sandbox.state.google
        times = {
            "start": {"dateTime": "2026-10-20T09:00:00Z"},
            "end": {"dateTime": "2026-10-20T10:00:00Z"},
        }
        return google.insert(google.calendars[calendar], {"summary": "Private talk", **times, **fields})

    def put_microsoft(
        self, mailbox: str = RECRUITER, calendar_id: str | None = None, **fields: Any
    ) -> GraphEvent:
        microsoft = self.sandbox.state.microsoft
        box = microsoft.mailbox(mailbox)
        times = {
            which: {"dateTime": f"2026-10-20T{hour}:00:00", "timeZone": "UTC"}
            for which, hour in (("start", "09"), ("end", "10"))
        }
        body = {"subject": "Private talk", **times, **fields}
        event, _ = microsoft.create(box, box.calendar(calendar_id), body, immutable=True)
        return event

    def put(self, provider: str) -> None:
        """An event of an hour in the calendar."""
        (self.put_google if provider == "google" else self.put_microsoft)()

    def asked(self, provider: str) -> list[str]:
        """What was requested, by the last word of the path."""
        requests = (each for each in self.sandbox.state.journal.requests if each.provider == provider)
        return [each.path.rpartition("/")[2] for each in requests]


@asynccontextmanager
async def desk(
    sandbox: Sandbox, settle: Settle, redis: Redis, folder: Path, *, provider_url: str = ""
) -> AsyncIterator[Desk]:
    """A desk; `provider_url` names another provider than the sandbox."""
    (folder / "keys").write_text(new_key())
    state = sandbox.state
    state.microsoft_tokens.register("globex", "sync", secret="microsoft-secret")
    state.microsoft_tokens.register("globex", "public")
    for calendar in (RECRUITER, "team", *PEOPLE.values()):
        state.google.put_calendar(calendar, shared_with={"*": "writer"}, time_zone="Europe/London")
        state.microsoft.put_mailbox(calendar)
    state.google.put_calendar(RECRUITER, owner=RECRUITER)
    state.microsoft.put_mailbox(ENGINEER)
    state.microsoft.put_mailbox(DIRECTOR)
    state.microsoft.put_calendar(RECRUITER, "second")
    secrets = {
        "GOOGLE": json.dumps(sandbox.service_account_key()),
        "DELEGATED": json.dumps(sandbox.service_account_key("delegated@globex.iam.example")),
        "USER": json.dumps(sandbox.authorized_user(RECRUITER)),
        "MICROSOFT": "microsoft-secret",
    }
    settings = settle(secrets=secrets, **tables(sandbox, folder, provider_url=provider_url))
    store = Store.of(settings, redis)
    consent = Consent(
        client_id="public",
        refresh_token=state.microsoft_tokens.register_user("globex", "public", ENGINEER),
        access_token=state.microsoft_tokens.issue("globex", "public", ENGINEER),
        lives_until=time.time() + 3000,
    )
    await Consents(store).keep("engineer", consent)
    async with Outgoing(settings.network) as outgoing:
        with closing(Directory(settings, outgoing, Accounts(store), Consents(store))) as directory:
            yield Desk(sandbox, store, directory)
