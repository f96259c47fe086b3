"""Links to meetings that exist already, and that no reader of the calendar finds.

38: Google refuses a conference of a third party from a client that is not its add-on, or drops it without a word,
and the booking costs three requests or has no link. openclaw/gogcli pull request 590, a matrix of May 2026.
"""

import html
import json
from typing import Any

import pytest

from bookings.record import WriteState
from sandbox.person import Person
from tests.integration.calendars import PROVIDERS, World, one_part

both = pytest.mark.parametrize("provider", PROVIDERS)
number_38 = pytest.mark.fault(number=38)

LINK = "https://zoom.example/j/1?pwd=a&b=2"
LINKS = [
    LINK,
    "https://zoom.example/j/1?a=1&copy=2",  # an entity to a reader of HTML
    "https://zoom.example/j/" + "x" * 400,  # too long for Microsoft's place
    "https://zoom.example/j/" + "x" * 1900,
    "zoommtg://zoom.example/join?confno=1",
]
BESIDE: list[dict[str, Any]] = [
    {},
    {"location": {"description": "Room 1"}},
    {"description": "Bring a pen\n& paper"},
    {"description": "word " * 2000},
    {"description": "word " * 2000 + LINK, "location": {"description": "Room 1"}},  # would be cut off
    {"description": "<b>1 < 2</b>", "url": "https://globex.example/1"},
]


def explicit(link: str = LINK) -> dict[str, str]:
    return {"profile_id": "explicit", "join_url": link, "provider_description": "Zoom"}


def shown(world: World, provider: str) -> str:
    """The text and the place of the event, as a reader finds them."""
    event = world.event(provider).event
    places = [event.get(name) for name in ("description", "body", "location")]
    return html.unescape(json.dumps(places, ensure_ascii=False))


async def about_links(world: World, body: bytes) -> list[str]:
    """What the record says of the link; the write is done."""
    write = await world.write(body)
    assert write.state is WriteState.WRITTEN
    return [note for note in write.degraded if "link" in note or "meeting" in note]


@number_38
@both
@pytest.mark.parametrize("link", LINKS, ids=lambda link: link[:40])
@pytest.mark.parametrize("beside", BESIDE, ids=lambda beside: str(beside)[:40])
async def test_a_join_link_is_shown(world: World, provider: str, link: str, beside: dict[str, Any]) -> None:
    body = one_part(provider, conferencing=explicit(link), **beside)
    await world.accept(body)
    await world.work()
    assert link in shown(world, provider)
    assert await about_links(world, body) == []


@number_38
async def test_a_join_link_costs_one_request(world: World) -> None:
    await world.accept(one_part("google", conferencing=explicit()))
    await world.work()
    assert world.requests("google") == ["POST"]
    await world.accept(one_part("google", conferencing=explicit(LINK + "0")))
    await world.work()
    assert world.requests("google") == ["POST", "PATCH"]
    assert f"{LINK}0" in shown(world, "google")


@number_38
@both
async def test_a_join_link_that_is_not_in_the_answer_is_said(world: World, provider: str) -> None:
    world.fault(provider, "drop_after", method="POST")
    body = one_part(provider, conferencing=explicit(), location={"description": "Room 1"})
    await world.accept(body)
    await world.work()
    event = world.event(provider)
    emptied: dict[str, Any] = {"google": {"description": "Gone"}, "microsoft": {"body": {"content": "Gone"}}}
    Person(world.sandbox.state).edits(provider, event.calendar, event.id, emptied[provider])
    await world.work_until_done()
    assert await about_links(world, body)
