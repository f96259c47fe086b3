"""Fault 19: attendees get the same invitation twice, or a cancellation of what was only moved.

calcom/cal.diy 22826; insanum/gcalcli 599. Graph mails attendees whatever is asked, Google as `sendUpdates` says: what
keeps mails from being repeated is that a change is not repeated.
"""

from typing import Any
from urllib.parse import parse_qs

import pytest

from sandbox.person import Person
from tests.faults.conftest import Hire
from tests.integration.calendars import PROVIDERS, World, calendar_tables, one_part

pytestmark = pytest.mark.fault(number=19)

both = pytest.mark.parametrize("provider", PROVIDERS)
LOST = pytest.mark.parametrize(
    "fault", ["drop_after", "error_after;status=503", "html_after;status=404", "empty_after", "conflict"]
)
GUEST = "guest@initech.example"
GUESTS: dict[str, dict[str, Any]] = {
    "google": {"attendees": [{"email": GUEST}]},
    "microsoft": {"attendees": [{"emailAddress": {"address": GUEST}, "type": "required"}]},
}
CANCELLED = {"google": "delete", "microsoft": "cancel"}


@pytest.fixture
async def talkative(world: World, hire: Hire) -> World:
    """A worker whose Google account mails attendees, as Microsoft does anyway."""
    accounts = calendar_tables(world.sandbox)["accounts"]
    return await hire(accounts=[{**accounts[0], "send_updates": "all"}, accounts[1]])


async def booked_with_a_guest(world: World, provider: str) -> bytes:
    """A booking to whose event a person has invited somebody."""
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    event = world.event(provider)
    Person(world.sandbox.state).edits(provider, event.calendar, event.id, GUESTS[provider])
    return body


def mails(world: World) -> list[tuple[str, list[str]]]:
    return [(mail.kind, mail.recipients) for mail in world.sandbox.state.journal.notifications]


@both
@LOST
async def test_a_change_that_has_to_be_tried_again_and_again_is_mailed_once(
    talkative: World, provider: str, fault: str
) -> None:
    await booked_with_a_guest(talkative, provider)
    talkative.fault(provider, fault, method="PATCH", count=2)  # the first finds the guest's etag, 412
    await talkative.accept(one_part(provider, start="2026-04-30T11:30:00Z"))
    await talkative.work_until_done()
    assert mails(talkative) == [("update", [GUEST])]


@both
@LOST
async def test_a_cancellation_that_has_to_be_tried_again_is_mailed_once(
    talkative: World, provider: str, fault: str
) -> None:
    body = await booked_with_a_guest(talkative, provider)
    talkative.fault(provider, fault, method="DELETE")
    await talkative.store.cancel((await talkative.booking(body)).id)
    await talkative.work_until_done()
    assert mails(talkative) == [(CANCELLED[provider], [GUEST])]


@both
async def test_a_delivery_that_is_repeated_is_not_mailed_again(talkative: World, provider: str) -> None:
    body = await booked_with_a_guest(talkative, provider)
    for _ in range(3):
        await talkative.accept(body)
        await talkative.work_until_done()
    assert mails(talkative) == []


async def test_google_mails_nobody_unless_it_is_told_to(world: World) -> None:
    body = await booked_with_a_guest(world, "google")
    await world.accept(one_part("google", start="2026-04-30T11:30:00Z"))
    await world.work()
    await world.store.cancel((await world.booking(body)).id)
    await world.work_until_done()
    assert mails(world) == []
    asked = [
        parse_qs(each.query).get("sendUpdates")
        for each in world.sandbox.state.journal.requests
        if each.provider == "google" and each.method in ("POST", "PATCH", "DELETE")
    ]
    assert len(asked) >= 3
    assert all(each == ["none"] for each in asked)
