"""Dead letters in the console: found, replayed and discarded, exactly as the command line does it."""

import asyncio
from typing import Any

import pytest

from bookings.clock import now_ms
from bookings.dead_letters import Filter
from bookings.identity import delivery_id, link_id
from bookings.links import LinkTarget
from bookings.operating import Act, Selection
from bookings.record import WriteState
from bookings.store import Store
from cli.dead_letters import Doing, run_change
from config.settings import Settings
from tests.callbacks import SCHEDULING
from tests.console.operator import Operator
from tests.console.reading import Page
from tests.integration.calendars import World, one_part, utc
from tests.integration.test_many_dead_letters import fill
from tests.waiting import until


async def refuse(world: World, event_id: str, **fields: Any) -> bytes:
    """A booking that Google refuses: a dead letter, once it was worked on."""
    world.fault("google", "error;status=400;code=invalid", method="POST")
    body = one_part("123", event_id=event_id, **fields)
    await world.accept(body)
    await world.work()
    assert (await world.write(body)).state is WriteState.DEAD
    return body


async def quarantine(store: Store, body: bytes) -> str:
    """A delivery that nobody could read when it came; gives the id of its dead letter."""
    did = delivery_id("hiring", None, body)
    await store.quarantine(
        delivery=did,
        app="hiring",
        link=None,
        reason="the body is not JSON",
        body=body,
        dead_letters_limit=100,
    )
    return f"delivery:{did}"


def listed(page: Page) -> list[str]:
    """The ids of the dead letters of a page, in order."""
    return [given["value"] for tag, given in page.tags if tag == "input" and given.get("type") == "checkbox"]


async def letter_of(store: Store) -> str:
    [(letter, _), *_] = await store.dead_letters(limit=1)
    return letter


@pytest.fixture
async def night(world: World) -> World:
    """Three dead letters: a refused write, a part without a route, a body that nobody can read."""
    await refuse(world, "refused")
    await world.accept(one_part("789", event_id="unrouted"))
    await world.find_no_route()
    await quarantine(world.store, b'{"planted": ')
    return world


async def test_they_are_found_by_the_filters_of_the_command_line(night: World, operator: Operator) -> None:
    everything = await operator.get("dead-letters")
    assert len(listed(everything)) == 3
    for query, count in (
        ("reason=unrouted", 1),
        ("provider=google", 1),
        ("account=google-hr", 1),
        ("event_id=refused", 1),
        ("sequence_id=789", 1),
        ("app=hiring", 3),
        ("app=nobody", 0),
        ("since=1h", 3),
        ("until=1h", 0),
        ("since=2020-01-01&until=2099-01-01T00:00Z&reason=permanent", 1),
        ("app=hiring&reason=&event_id=+unrouted+", 1),
    ):
        page = await operator.get(f"dead-letters?{query}")
        assert (page.status, len(listed(page))) == (200, count), query
    wrong = await operator.get("dead-letters?since=soon")
    assert (wrong.status, listed(wrong)) == (400, [])
    assert 'Since: write how long ago ("2h", "3d") or a time' in wrong.words


async def test_a_replay_after_the_cause_was_mended_ends_in_the_event(
    world: World, operator: Operator, store: Store
) -> None:
    await refuse(world, "refused")
    shown = await operator.get(f"dead-letters/{await letter_of(store)}")
    assert "permanent: invalid" in shown.words
    assert "1 failed attempt" in shown.words
    asked = await operator.press(shown, "Replay …")
    assert asked.heading == "Replay 1 dead letter?"
    assert await store.dead_letters(limit=5)  # nothing is done before the second look
    done = await operator.press(asked, "Replay 1")
    assert done.heading == "Replayed: 1 of 1", done.words
    assert await store.dead_letters(limit=5) == []
    await world.work_until_done()
    assert world.event("google").starts_at == utc(11)


async def test_a_discarded_one_is_gone_and_its_booking_done(
    world: World, operator: Operator, store: Store
) -> None:
    body = await refuse(world, "refused")
    asked = await operator.press(await operator.get("dead-letters"), "Discard all 1 …")
    assert (await operator.press(asked, "Discard 1")).heading == "Discarded: 1 of 1"
    await world.work_until_done()
    assert await store.dead_letters(limit=5) == []
    assert (await world.write(body)).state is WriteState.CANCELLED
    assert world.events() == []


@pytest.mark.parametrize("act", list(Act))
async def test_a_page_and_a_command_line_do_and_record_the_same(
    world: World, operator: Operator, store: Store, settings: Settings, act: Act
) -> None:
    bodies = [await refuse(world, "by-page"), await refuse(world, "by-line")]
    page = await operator.get("dead-letters?event_id=by-page")
    asked = await operator.press(page, f"{act.capitalize()} all that match …")
    await operator.press(asked, f"{act.capitalize()} 1")
    wanted = Filter(event_id="by-line", until=int(dict(page.form("Replay ticked …").fields)["until"]))
    await run_change(
        settings, act, Selection((), wanted), Doing(dry_run=False, yes=True, rate=None), as_json=True
    )
    by_line, by_page, _ = await store.audit(limit=5)
    assert (by_page.pop("who"), by_line.pop("who").endswith(" (console)")) == ("Anna (console)", False)
    by_page["filter"]["event_id"] = "by-line"
    assert {**by_page, "at": ""} == {**by_line, "at": ""}
    records = [
        await store.redis.hgetall(store.keys.booking((await world.booking(body)).id)) for body in bodies
    ]
    assert [record.get(b"asks:" + name) for record in records for name in _parts(record)] != [None, None]
    assert len({frozenset(record) for record in records}) == 1
    await world.work_until_done()
    assert len({(await world.write(body)).state for body in bodies}) == 1


def _parts(record: dict[bytes, bytes]) -> list[bytes]:
    return [name.removeprefix(b"part:") for name in record if name.startswith(b"part:")]


async def test_only_those_that_are_ticked_are_meant(night: World, operator: Operator, store: Store) -> None:
    page = await operator.get("dead-letters")
    ticked = listed(page)[:2]
    asked = await operator.press(page, "Discard ticked …", *(("id", each) for each in ticked))
    assert asked.heading == "Discard 2 dead letters?"
    await operator.press(asked, "Discard 2")
    assert [letter for letter, _ in await store.dead_letters(limit=5)] == listed(page)[2:]
    none = await operator.press(await operator.get("dead-letters"), "Discard ticked …")
    assert (none.status, none.heading) == (400, "No dead letter is ticked")


async def test_those_that_die_after_the_page_was_shown_are_not_meant(
    world: World, operator: Operator
) -> None:
    await refuse(world, "seen")
    page = await operator.get("dead-letters")
    shown_at = int(dict(page.form("Replay ticked …").fields)["until"])
    while now_ms() <= shown_at:  # what dies in the very millisecond is still meant
        await asyncio.sleep(0)
    await refuse(world, "unseen")
    asked = await operator.press(page, "Discard all 1 …")
    assert asked.heading == "Discard 1 dead letter?"
    assert (await operator.press(asked, "Discard 1")).heading == "Discarded: 1 of 1"
    assert [len(listed(await operator.get("dead-letters"))), world.events()] == [1, []]


async def test_what_a_newer_revision_has_overtaken_is_refused(
    world: World, operator: Operator, store: Store
) -> None:
    await refuse(world, "refused")
    letter = await letter_of(store)
    asked = await operator.press(await operator.get(f"dead-letters/{letter}"), "Replay …")
    await world.accept(one_part("123", event_id="refused", start="2026-04-30T11:30:00Z"))
    assert "A newer revision has taken its place" in (await operator.get(f"dead-letters/{letter}")).words
    done = await operator.press(asked, "Replay 1")
    assert done.heading == "Replayed: 0 of 1"
    assert "refused: a newer revision" in done.words
    assert [(each["count"], each["refused"]) for each in await store.audit(limit=1)] == [(0, 1)]
    await world.work_until_done()
    assert world.event("google").starts_at == utc(11, 30)


async def test_pressed_many_times_at_once_it_is_done_once(
    world: World, operator: Operator, store: Store
) -> None:
    await refuse(world, "refused")
    asked = await operator.press(await operator.get("dead-letters"), "Replay all 1 …")
    pages = await asyncio.gather(*(operator.press(asked, "Replay 1") for _ in range(8)))
    assert {page.status for page in pages} <= {200, 404}
    assert sum("done replayed" in page.words for page in pages) == 1
    await world.work_until_done()
    assert world.requests("google").count("POST") == 2  # the one that was refused, and this
    again = await operator.press(asked, "Replay 1")
    assert (again.status, again.heading) == (404, "There is nothing to replay")


async def test_ticked_ones_that_are_gone_meanwhile_are_told_of(
    night: World, operator: Operator, store: Store
) -> None:
    page = await operator.get("dead-letters")
    ids = [("id", each) for each in listed(page)]
    asked = await operator.press(page, "Discard ticked …", *ids)
    await store.drop_delivery(ids[0][1].removeprefix("delivery:"))
    done = await operator.press(asked, "Discard 3")
    assert done.heading == "Discarded: 2 of 2"
    assert "1 of those ticked is no longer there." in done.words


async def test_a_delivery_is_read_once_more(world: World, operator: Operator, store: Store) -> None:
    await quarantine(store, SCHEDULING)
    still = await quarantine(store, b'{"planted": ')
    asked = await operator.press(await operator.get("dead-letters"), "Replay all 2 …")
    done = await operator.press(asked, "Replay 2")
    assert done.heading == "Replayed: 1 of 2"
    assert "refused: the body is not JSON" in done.words
    assert [letter for letter, _ in await store.dead_letters(limit=5)] == [still]
    assert (await world.booking(SCHEDULING)).event_id == "one-part"


async def test_a_booking_on_a_lost_link_is_shown_as_one_and_replayed_once_the_link_is_back(
    world: World, operator: Operator, store: Store
) -> None:
    body = one_part("789", event_id="lost")
    await store.quarantine(
        delivery="d", app="hiring", link=link_id("hiring", "token"), reason="the record knows no link",
        body=body, kind="unknown_link", event_id="lost", dead_letters_limit=10,
    )  # fmt: skip
    page = await operator.get("dead-letters?reason=unknown_link&event_id=lost")
    assert listed(page) == ["delivery:d"]
    shown = await operator.get("dead-letters/delivery:d")
    assert shown.heading == "Dead letter of lost"
    assert "unknown_link: the record knows no link" in shown.words
    asked = await operator.press(shown, "Replay …")
    refused = await operator.press(asked, "Replay 1")
    assert refused.heading == "Replayed: 0 of 1"
    assert "no route says where any of its parts goes" in refused.words
    await store.register_link("hiring", "token", {"789": (LinkTarget("interviews"),)}, keep_s=60)
    done = await operator.press(asked, "Replay 1")
    assert done.heading == "Replayed: 1 of 1"
    await world.work_until_done()
    assert len(world.events()) == 1


async def test_what_it_says_is_shown_on_demand_and_that_is_on_record(
    world: World, operator: Operator, store: Store
) -> None:
    await refuse(world, "refused", summary="planted words", description="planted too")
    letters = [await letter_of(store), await quarantine(store, b'{"planted": <b>')]
    for letter in letters:
        hidden = await operator.get(f"dead-letters/{letter}")
        assert "planted" not in hidden.text + (await operator.get("dead-letters")).text
        shown = await operator.press(hidden, "Reveal what it says")
        assert "planted" in shown.words
        [entry] = await store.audit(limit=1)
        assert (entry["who"], entry["command"], entry["dead_letter"]) == ("Anna (console)", "reveal", letter)
        assert "<b>" not in shown.text


async def test_ten_thousand_are_paged_through(operator: Operator, store: Store) -> None:
    await fill(store, 10_000)
    await store.redis.config_resetstat()
    first = await operator.get("dead-letters")
    used = await store.redis.info("commandstats")
    assert used["cmdstat_hmget"]["calls"] <= 500  # of ten thousand
    assert ("All 10,000" in first.words, len(listed(first))) == (True, 50)
    seen = [*listed(first), *listed(await operator.get("dead-letters?page=2"))]
    assert len(set(seen)) == 100
    last = await operator.get("dead-letters?page=200")
    assert (len(listed(last)), [link for link in last.links if "page=201" in link]) == (50, [])
    assert listed(await operator.get("dead-letters?page=201")) == []
    assert len(listed(await operator.get("dead-letters?reason=rare"))) == 1


async def test_no_more_are_changed_at_once_than_the_page_says(operator: Operator, store: Store) -> None:
    await fill(store, 5000)
    asked = await operator.press(await operator.get("dead-letters"), "Replay all 5,000 …")
    assert asked.heading == "Replay 2,000 dead letters?"
    assert "there may be more" in asked.words
    done = await operator.press(asked, "Replay 2,000")
    assert done.heading == "Replayed: 2,000 of 2,000"
    assert "1,800 more are not shown" in done.words
    assert (await store.counts())["dead"] == 3000


async def test_what_was_done_until_an_interruption_is_on_record(
    world: World, store: Store, settings: Settings
) -> None:
    await refuse(world, "first")
    await refuse(world, "second")
    chosen = Selection((), Filter(), everything=True)
    slowly = Doing(dry_run=False, yes=True, rate=0.1)
    under_way = asyncio.create_task(run_change(settings, Act.REPLAY, chosen, slowly, as_json=True))

    async def one_is_replayed() -> bool:
        return len(await store.dead_letters(limit=5)) == 1

    await until(one_is_replayed)
    under_way.cancel()
    with pytest.raises(asyncio.CancelledError):
        await under_way
    [entry] = await store.audit(limit=5)
    assert (entry["command"], entry["count"], entry["refused"]) == ("replay", 1, 0)
