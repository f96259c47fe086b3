"""What goes on beside healthy bookings: another mailbox's, account's or app's trouble."""

import asyncio
import json
from collections.abc import Iterable, Mapping

from bench.callbacks import booking
from bench.filling import NO_LIMIT
from bench.world import World
from bookings.identity import booking_id, delivery_id
from bookings.store import Store
from receiver.callback import Callback, read_callback

SLOW = "delay;seconds=0.2"
"""Beside the healthy ones, a mailbox is written at its own pace, and not at the sandbox's."""
TROUBLED = "microsoft-hr/trouble@globex.example"
"""The lane of the mailbox that is in trouble."""
GO_ON = "5,000 waiting parts go on at once"
_ACCOUNTS = """
[[apps]]
name = "other"
client_secrets = ["file:cronofy_current"]

[[accounts]]
name = "microsoft-refused"
provider = "microsoft"
tenant_id = "globex"
client_id = "sequence-sync"
client_secret = "file:cronofy_previous"
authority = "{authority}"
graph_endpoint = "{graph}"
ca_file = "sandbox-ca.pem"
"""
_PLACE = """
[[calendars]]
name = "{name}"
account = "{account}"
mailbox = "{name}@globex.example"

[[routes]]
app = "{app}"
sequence_id = "{name}"
calendars = ["{name}"]
"""
_PLACES = (
    ("trouble", "microsoft-hr", "hiring"),
    ("told", "microsoft-hr", "hiring"),
    ("refused", "microsoft-refused", "hiring"),
    ("other", "microsoft-hr", "other"),
)


class Trouble:
    """What goes on beside the healthy bookings: faults, and so many parts for a place."""

    def __init__(self, place: str, parts: int, *faults: tuple[str, str], app: str = "hiring") -> None:
        self.place = place
        self.parts = parts
        self.faults = faults
        self.app = app

    async def begin(self, here: World, store: Store, *, mark: str) -> None:
        """Puts it up."""
        await put_up(here, self.faults)
        numbers = iter(range(self.parts))

        async def some() -> None:
            for number in numbers:
                await accept(store, f"{mark}-{number}", self.place, app=self.app)

        await asyncio.gather(*(some() for _ in range(16)))


async def put_up(here: World, faults: Iterable[tuple[str, str]]) -> None:
    """Has the sandbox answer for places as these faults say."""
    for fault, place in faults:
        path = f"*{place}@globex.example*"
        await here.sandbox.post("/faults", {"fault": fault, "path": path, "count": None})


TROUBLES: Mapping[str, Trouble | None] = {
    "nothing": None,
    "429 for 30 s, 2,000 parts waiting": Trouble("trouble", 2000, ("throttle;retry_after=30", "trouble")),
    "refused credentials, 2,000 parts": Trouble("refused", 2000),
    GO_ON: Trouble("trouble", 5000, ("throttle;retry_after=60", "trouble")),
    "replies take 15 s, 500 parts": Trouble("trouble", 500, ("delay;seconds=15", "trouble")),
    "another mailbox of the account is told to wait now and then": Trouble(
        "trouble", 2000, ("throttle;retry_after=60", "trouble"), ("throttle;retry_after=1", "told")
    ),
    "5,000 bookings of another app": Trouble("other", 5000, (SLOW, "other"), app="other"),
}


async def accept(store: Store, name: str, sequence_id: str, *, app: str = "hiring") -> str:
    """Accepts a booking with one part; gives its id."""
    known = sequence_id in ("123", "456")
    data = json.loads(booking(name, sequence_id=sequence_id if known else "456"))
    data["sequence"][0]["sequence_id"] = sequence_id
    body = json.dumps(data).encode()
    callback = read_callback(body)
    assert isinstance(callback, Callback)
    await store.accept(
        app=app,
        event_id=name,
        delivery=delivery_id(app, None, body),
        parts=callback.parts,
        link=None,
        window_s=60,
        queue_limit=NO_LIMIT,
        dead_letters_limit=NO_LIMIT,
    )
    return booking_id(app, name)


def add_places(here: World) -> None:
    """Puts the places into the configuration."""
    more = _ACCOUNTS.format(
        authority=f"https://localhost:{here.ports.authority}", graph=f"{here.sandbox.url}/graph/v1.0"
    )
    more += "".join(_PLACE.format(name=name, account=account, app=app) for name, account, app in _PLACES)
    here.config.write_text(here.config.read_text() + more)


async def make_mailboxes(here: World) -> None:
    """Puts them into the sandbox."""
    for name, _, _ in _PLACES:
        await here.sandbox.post("/calendars", {"provider": "microsoft", "mailbox": f"{name}@globex.example"})
