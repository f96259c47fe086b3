"""An app with a queue of its own does not wait for another app's."""

import aiohttp
import msgspec
import pytest

from bookings.record import Part
from bookings.store import Store
from receiver.signature import signature
from tests.acceptance.conftest import Service
from tests.conftest import Settle
from tests.integration.calendars import one_part
from tests.waiting import until

STAFFING = """
[[apps]]
name = "staffing"
client_secrets = ["file:cronofy_current"]
own_queue = true

[[routes]]
app = "staffing"
calendars = ["panel"]
"""


async def post(service: Service, app: str, body: bytes) -> int:
    headers = {"Cronofy-HMAC-SHA256": signature(body, secret=service.secrets[1]).decode()}
    url = service.url.replace("hiring", app)
    async with aiohttp.ClientSession() as session, session.post(url, data=body, headers=headers) as response:
        return response.status


async def test_a_flood_of_one_app_that_occupies_every_worker_leaves_an_app_with_its_own_queue_alone(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service.config.open("a") as config:
        config.write(STAFFING)
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__CONCURRENCY", "1")
    monkeypatch.setenv("SEQUENCE_SYNC__WORKER__DRAIN_TIMEOUT", "100ms")
    service.sandbox.state.faults.add(fault="hold", provider="google", count=None)
    await service.start("receiver")
    await service.start("worker")
    for number in range(5):
        assert await post(service, "hiring", one_part("123", event_id=f"flood-{number}")) == 202
    await until(lambda: service.sandbox.state.faults.held)
    assert await post(service, "staffing", one_part("123", summary="Staffing")) == 202
    await until(lambda: service.events("microsoft"))
    assert [event.summary for event in service.events("microsoft")] == ["Staffing"]
    assert len(service.events("google")) == 1  # the others wait behind it


async def accept(store: Store) -> None:
    await store.accept(
        app="hiring",
        event_id="1",
        delivery="d1",
        parts=[Part(sequence_id="123", event=msgspec.Raw(b"{}"))],
        link=None,
        window_s=60,
        queue_limit=10,
        dead_letters_limit=10,
    )


async def test_what_waits_moves_with_its_app_s_queue(store: Store, settle: Settle) -> None:
    secrets = {"FIRST": "1"}
    apps = [{"name": "hiring", "client_secrets": ["env:FIRST"]}]
    shared = Store.of(settle(secrets=secrets, apps=apps), store.redis)
    own = Store.of(settle(secrets=secrets, apps=[{**apps[0], "own_queue": True}]), store.redis)
    queue = store.keys.queue_of("hiring")
    await accept(shared)
    assert (await store.redis.zcard(store.keys.queue), await store.redis.zcard(queue)) == (1, 0)

    await overdue(store)
    assert await own.reconcile() == (1, 1)
    assert await store.redis.zcard(queue) == 1
    assert (await own.counts())["ready"] == 2  # one of them will find nothing to do

    await store.redis.delete(store.keys.queue)
    await overdue(store)
    assert await shared.reconcile() == (1, 1)
    assert await store.redis.zcard(store.keys.queue) == 1


async def overdue(store: Store) -> None:
    """Lets the time pass after which the reconciler looks at what is open."""
    for member in await store.redis.zrange(store.keys.open, 0, -1):
        await store.redis.zadd(store.keys.open, {member: 0})


async def test_a_job_that_was_taken_is_in_no_queue_any_more(store: Store, settle: Settle) -> None:
    apps = [{"name": "hiring", "client_secrets": ["env:FIRST"], "own_queue": True}]
    own = Store.of(settle(secrets={"FIRST": "1"}, apps=apps), store.redis)
    await accept(own)
    assert len(await own.take(own.keys.queue_of("hiring"), limit=9)) == 1
    assert (await own.counts())["queue"] == 0
