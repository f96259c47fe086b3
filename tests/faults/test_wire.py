"""Fault 22: google-api-python-client sends through httplib2, which threads must not share: TLS errors, crashes.

googleapis/google-api-python-client 277, 568; googleapis/google-cloud-python 1214.
"""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.calendars import World, one_part

pytestmark = pytest.mark.fault(number=22)

CALENDARS = (b"/calendar/v3/", b"/graph/v1.0/")


class Ear:
    """Hears what goes out through the standard library's client, which httplib2 and requests are built on."""

    def __init__(self) -> None:
        self.listens = False
        self.heard: list[bytes] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.listens and event == "http.client.send" and isinstance(arguments[1], bytes):
            self.heard.append(arguments[1])


_EAR = Ear()
sys.addaudithook(_EAR)  # it cannot be taken away again


@pytest.fixture
def heard() -> Iterator[list[bytes]]:
    _EAR.heard, _EAR.listens = [], True
    yield _EAR.heard
    _EAR.listens = False


async def test_no_calendar_is_spoken_to_by_a_client_that_threads_must_not_share(
    world: World, heard: list[bytes]
) -> None:
    for start in ("2026-04-30T11:00:00Z", "2026-04-30T11:30:00Z"):
        await world.accept(one_part("both", start=start))
        await world.work_until_done()
    booking = await world.booking(one_part("both"))
    await world.store.ask(booking.id, booking.parts[0].id, "resync")
    await world.work_until_done()
    await world.store.cancel(booking.id)
    await world.work_until_done()
    for provider in ("google", "microsoft"):
        assert set(world.requests(provider)) == {"GET", "POST", "PATCH", "DELETE"}
    assert any(b"POST /google/token" in sent for sent in heard)  # tokens are asked for so, one at a time
    assert not [sent for sent in heard if any(path in sent for path in CALENDARS)]


async def test_many_writes_at_once_share_one_session_and_none_of_them_fails(world: World) -> None:
    bodies = [one_part("google", event_id=f"booking-{number}") for number in range(40)]
    world.fault("google", "delay;seconds=0.02", count=None)
    for body in bodies:
        await world.accept(body)
    await world.work_until_done()
    assert len(world.events("google")) == 40
    assert {(await world.write(body)).attempts for body in bodies} == {()}
    assert world.requests("google").count("POST") == 40
