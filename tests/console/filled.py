"""A world in which an operator finds something of everything: a day's history, bookings, and trouble."""

import math
import random

import msgspec

from bookings.accounts import Accounts
from bookings.clock import now_ms
from bookings.history import MINUTE_MS, Sample
from bookings.identity import delivery_id
from bookings.store import Store
from tests.callbacks import SEQUENCING
from tests.integration.calendars import World, one_part

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>&amp;"\'`{{7*7}}'
TURNED = "gpj.\u202etxe\u2066 \x07\x1b[31m"


async def fill(world: World) -> None:
    """Bookings that are written, that wait and that died."""
    store = world.store
    for number in range(8):
        await world.accept(one_part("both", event_id=f"evt_{number}", description="Bring your portfolio"))
    await world.accept(SEQUENCING)
    await world.work_until_done()
    for number in range(2):
        world.fault("google", "error;status=400;code=invalid", method="POST")
        await world.accept(one_part("123", event_id=f"refused-{number}", summary="Confidential"))
        await world.work()
    for event_id in (HOSTILE, TURNED, "unrouted-" + 12 * "long-"):
        await world.accept(one_part("789", event_id=event_id, summary=HOSTILE, location=[HOSTILE, TURNED]))
        await world.find_no_route()
    body = b'{"event": <b>'
    await store.quarantine(
        delivery=delivery_id("hiring", None, body), app="hiring", link=None,
        reason=f"the body is not JSON: {HOSTILE}", body=body, dead_letters_limit=100,
    )  # fmt: skip
    await park(store)
    await world.accept(one_part("456", event_id="waits-for-its-account"))
    await world.work()
    await note_day(store, now_ms())


async def park(store: Store) -> None:
    """An account whose credentials are refused, and a mailbox that is throttled."""
    accounts = Accounts(store)
    await accounts.close("microsoft-hr", least_s=600, most_s=600, state="parked", reason="invalid_client")
    lane = "google-hr/anna@globex.example"
    await accounts.close(lane, least_s=60, most_s=60, state="paused", reason="rateLimitExceeded")


async def note_day(store: Store, now: int) -> None:
    """A day's history, in which an hour is missing."""
    chance, total, samples = random.Random(3), 0, []  # noqa: S311
    for minute in range(1440, 0, -1):
        total += max(0, int(chance.gauss(4 + 6 * math.sin(minute / 230), 2)))
        old = 180_000 * math.exp(-(((minute - 900) / 18) ** 2)) + chance.choice((0, 0, 400, 1200))
        if not 650 < minute < 710:
            samples.append(Sample(now - minute * MINUTE_MS, total, 3, 2, 1, int(old)))
    await store.redis.lpush(store.keys.history, *map(msgspec.json.encode, samples))
