"""What the pages show, and what they keep to themselves."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import msgspec
import pytest

from bookings.advice import advice
from bookings.clock import now_ms
from bookings.connection import connect
from bookings.record import Part
from bookings.store import Store
from tests.callbacks import SEQUENCING
from tests.conftest import Settle
from tests.console.conftest import Serve
from tests.console.filled import HOSTILE, TURNED, fill
from tests.console.operator import Operator
from tests.integration.calendars import World, one_part

UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


async def test_an_empty_record_is_good_news(operator: Operator) -> None:
    page = await operator.get()
    assert "Everything that came in stands in its calendars." in page.words
    assert "There is nothing to show yet: a sample is taken once a minute." in page.words
    assert "There is none." in (await operator.get("dead-letters")).words
    assert "No booking was accepted today, so far." in (await operator.get("bookings")).words


async def test_the_overview_says_what_needs_somebody_and_shows_the_day(
    world: World, operator: Operator
) -> None:
    await fill(world)
    page = await operator.get()
    assert "6 dead letters need a person, 2 accounts are made to wait and 1 write is parked." in page.words
    assert "The oldest ready job waited 18" in page.words
    assert "there is no sample" in page.words
    pictures = [given for tag, given in page.tags if tag == "svg"]
    assert [given["aria-labelledby"] for given in pictures] == [
        "written-title written-words",
        "waiting-title waiting-words",
    ]
    assert sum(tag == "rect" for tag, _ in page.tags) > 100
    assert sum(tag == "tr" for tag, _ in page.tags) >= 24  # the same as a table
    assert "microsoft-hr until" in page.words


async def test_todays_bookings_are_listed_with_their_state_and_other_days_are_a_link_away(
    world: World, operator: Operator, store: Store
) -> None:
    await world.accept(SEQUENCING)
    await world.work_until_done()
    await world.accept(one_part("789", event_id="unrouted"))
    await world.find_no_route()
    await world.accept(one_part("123", event_id="new"))
    today = await operator.get("bookings")
    for words in ("new hiring", "unrouted hiring", "qTtZdczOccgaPncGJaCiLg hiring", "interviews, panel"):
        assert words in today.words
    assert today.words.index("open") < today.words.index("dead") < today.words.index("done")
    before = next(link for link in today.links if link.startswith("/console/bookings?day="))
    assert "No booking was accepted on this day" in (await operator.get(before)).words
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    bid = (await world.booking(SEQUENCING)).id
    await store.redis.zadd(store.keys.index, {bid: now_ms() - 86_400_000})
    assert f"day={yesterday}" in before
    assert "qTtZdczOccgaPncGJaCiLg" in (await operator.get(before)).words


async def test_a_days_bookings_are_paged_through(world: World, operator: Operator) -> None:
    for number in range(60):
        await world.accept(one_part("123", event_id=f"event-{number}"))
    first = await operator.get("bookings")
    second = await operator.get(next(link for link in first.links if "page=2" in link))
    both = {link for page in (first, second) for link in page.links if link.startswith("/console/bookings/")}
    assert len(both) == 60


async def test_a_booking_is_found_by_what_cronofy_calls_it(world: World, operator: Operator) -> None:
    await world.accept(SEQUENCING)
    found = await operator.get("bookings?find=+qTtZdczOccgaPncGJaCiLg+")
    assert found.heading.startswith("Booking qTtZdczOccgaPncGJaCiLg")
    bid = (await world.booking(SEQUENCING)).id
    assert (await operator.get(f"bookings?find={bid}")).url == found.url
    assert "No booking has this event id" in (await operator.get("bookings?find=nobody")).words


async def test_a_booking_shows_its_parts_their_events_and_every_attempt(
    world: World, operator: Operator
) -> None:
    world.fault("google", "error;status=503", method="POST")
    await world.accept(SEQUENCING)
    await world.work_until_done()
    page = await operator.get(f"bookings/{(await world.booking(SEQUENCING)).id}")
    assert page.words.count("written") == 2
    assert "1 failed attempt at interviews" in page.words
    [google, microsoft] = [link for link in page.links if link.startswith("http")]
    urls = [write.url for part in (await world.booking(SEQUENCING)).parts for write in part.writes]
    assert [google, microsoft] == urls
    outward = [given for tag, given in page.tags if tag == "a" and given["href"].startswith("http")]
    assert {given["rel"] for given in outward} == {"noopener noreferrer external"}


async def test_what_meetings_say_is_hidden_until_somebody_asks_and_is_known_to_have_asked(
    world: World, operator: Operator, store: Store
) -> None:
    await world.accept(one_part("123", summary="planted words", location={"description": "planted room"}))
    await world.work()
    bid = (await world.booking(one_part("123"))).id
    pages = [await operator.get(path) for path in ("", "bookings", f"bookings/{bid}", "audit", "accounts")]
    assert "planted" not in "".join(page.text for page in pages)
    assert "summary hidden" in pages[2].words
    shown = await operator.press(pages[2], "Reveal what it says")
    assert "planted words" in shown.words
    assert "planted room" in shown.words
    [entry] = await store.audit(limit=1)
    assert (entry["who"], entry["command"], entry["booking"]) == ("Anna (console)", "reveal", bid)
    assert "reveal booking" in (await operator.get("audit")).words
    assert "planted" not in (await operator.get(f"bookings/{bid}")).text


async def test_what_strangers_wrote_is_shown_as_they_wrote_it_and_is_nothing_but_text(
    world: World, operator: Operator
) -> None:
    await fill(world)
    hostile, turned = [
        (await world.booking(one_part("789", event_id=event_id))).id for event_id in (HOSTILE, TURNED)
    ]
    letters = [letter for letter, _ in await world.store.dead_letters(limit=10)]
    paths = ("", "bookings", "dead-letters", f"bookings/{hostile}", f"bookings/{turned}", "audit")
    pages = [await operator.get(path) for path in (*paths, *(f"dead-letters/{each}" for each in letters))]
    pages += [
        await operator.press(page, "Reveal what it says") for page in pages if "Reveal what" in page.text
    ]
    pages.append(
        await operator.get("dead-letters?reason=%3Cscript%3Ealert(1)%3C/script%3E&event_id=%22%3E%3Cimg%3E")
    )
    pages.append(await operator.get("bookings?find=%3Cscript%3Ealert(1)%3C/script%3E"))
    for page in pages:
        assert not [tag for tag, _ in page.tags if tag in ("script", "img")][1:], page.url  # ours is first
        assert not [name for _, given in page.tags for name in given if name.startswith("on")], page.url
        assert "49" not in page.heading
    shown = await operator.press(await operator.get(f"bookings/{hostile}"), "Reveal what it says")
    assert shown.words.count(" ".join(HOSTILE.split())) >= 3
    listed = await operator.get("bookings")
    assert r"<bdi>gpj.\u202etxe\u2066 \x07\x1b[31m</bdi>" in listed.text
    assert not [page.url for page in pages if UNSEEN.search(page.text)]


async def test_what_was_typed_into_a_form_is_what_it_sends_again(world: World, operator: Operator) -> None:
    await fill(world)
    page = await operator.get("dead-letters?event_id=" + quote(TURNED))
    fields = [given for tag, given in page.tags if tag == "input" and given.get("name") == "event_id"]
    assert len(fields) == 2  # of the filter, and of what is done with all that match
    assert {given["value"] for given in fields} == {TURNED}
    assert r"gpj.\u202etxe" in page.words


@pytest.mark.parametrize(
    "strange",
    [
        "9" * 5000,
        "1e999",
        r'"\ud800"',
        "[" * 190 + "]" * 190,
        r'"\u0000"',
        "12345678901234567890123",
        "null",
        "[[]]",
    ],
    ids=["endless", "huge", "half", "deep", "nul", "long", "null", "lists"],
)
async def test_whatever_an_event_holds_its_booking_is_shown(
    world: World, operator: Operator, strange: str
) -> None:
    body = one_part("123").replace(b'"Pre screen"', strange.encode())
    await world.accept(body)
    hidden = await operator.get(f"bookings/{(await world.booking(body)).id}")
    assert (hidden.status, "hidden" in hidden.words) == (200, True)
    shown = await operator.press(hidden, "Reveal what it says")
    assert (shown.status, "2026-04-30T11:00:00Z" in shown.words) == (200, True)


@pytest.mark.parametrize("depth", [800, 900, 920])
async def test_a_well_of_any_depth_is_shown_or_said_to_be_one(
    store: Store, operator: Operator, depth: int
) -> None:
    event = msgspec.Raw(b'{"summary":%s}' % (b"[" * depth + b"]" * depth))
    part = msgspec.json.encode(Part(sequence_id="1", event=event))
    fields = {
        "app": "hiring",
        "event_id": "deep",
        "revision": 1,
        "accepted_at": 1,
        "rev:p": 1,
        "part:p": part,
    }
    await store.redis.hset(store.keys.booking("deep"), mapping=fields)
    hidden = await operator.get("bookings/deep")
    assert (hidden.status, (await operator.press(hidden, "Reveal what it says")).status) == (200, 200)


async def test_accounts_are_shown_with_what_makes_them_wait(world: World, operator: Operator) -> None:
    free = await operator.get("accounts")
    assert free.words.count("free \N{EN DASH}") == 2
    await fill(world)
    page = await operator.get("accounts")
    assert "parked invalid_client since" in page.words
    known = advice("microsoft", "invalid_client", "microsoft-hr")
    assert known is not None
    assert f": {known.cause}. To do: {known.remedy}." in page.words
    assert "1 part waits" in page.words
    assert "paused anna@globex.example: rateLimitExceeded since" in page.words
    link = next(link for link in page.links if "account=google-hr" in link)
    assert "All 6" not in (await operator.get(link)).words


async def test_an_account_that_is_no_longer_configured_is_shown_while_it_makes_wait(
    world: World, operator: Operator
) -> None:
    await fill(world)
    redis, keys = world.store.redis, world.store.keys
    await redis.rename(keys.account("microsoft-hr"), keys.account("former"))
    await redis.srem(keys.accounts, "microsoft-hr")
    await redis.sadd(keys.accounts, "former")
    assert "former not configured any more parked" in (await operator.get("accounts")).words


async def test_the_audit_record_is_shown_newest_first_page_by_page(operator: Operator, store: Store) -> None:
    for number in range(120):
        await store.note(
            {"at": "2026-11-20 03:00:00Z", "who": f"person-{number}", "command": "cancel", "booking": "b"}
        )
    first, second = await operator.get("audit"), await operator.get("audit?page=2")
    assert ("person-119" in first.words, "person-19 " in first.words) == (True, False)
    assert "person-19 " in second.words
    assert "Anna (console) sign in \N{EN DASH}" in second.words


async def test_a_record_that_cannot_be_read_is_told_of(operator: Operator, store: Store) -> None:
    await store.redis.set(store.keys.dead, "not what it should be")
    page = await operator.get("dead-letters")
    assert (page.status, page.heading) == (503, "Redis does not answer as it should")


async def test_a_redis_that_is_away_is_told_of(serve: Serve, settle: Settle, tmp_path: Path) -> None:
    client = connect(settle(redis={"data_dir": str(tmp_path)}).redis)
    async with Operator(await serve(store=Store(client, "sequence-sync"))) as operator:
        page = await operator.get("login")
        assert (page.status, page.heading) == (503, "Redis does not answer as it should")
        assert "sequence-sync check" in page.words
        assert (await operator.get("style.css")).status == 200
    await client.aclose()
