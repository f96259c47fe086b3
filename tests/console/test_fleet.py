"""The processes on the overview, and before a replay: those that do not work by the configuration file."""

import pytest

from bookings.fleet import VERSION, Fleet, Process
from bookings.store import Store
from config.settings import Settings
from tests.acceptance.conftest import Service
from tests.console.operator import PASSWORD, Operator
from tests.integration.calendars import World, one_part


def process(number: int, *, digest: str, version: str = VERSION, restart: tuple[str, ...] = ()) -> Process:
    name = f"pod-{number}:1"
    return Process(str(number), "worker", name, version, digest, read_at=1_795_262_400_000, restart=restart)


async def test_where_all_are_as_the_file_has_it_they_are_counted(
    settings: Settings, store: Store, operator: Operator
) -> None:
    assert "None was heard of" in (await operator.get()).words
    for number in range(2):
        await Fleet(store).beat(process(number, digest=settings.digest))
    page = await operator.get()
    assert "Processes 2 workers" in page.words
    assert "Everything that came in stands in its calendars." in page.words


async def test_those_that_differ_are_named_with_what_to_do(
    settings: Settings, store: Store, operator: Operator
) -> None:
    await Fleet(store).beat(process(1, digest="0123456789ab"))
    await Fleet(store).beat(process(2, digest=settings.digest, restart=("worker.concurrency",)))
    await Fleet(store).beat(process(3, digest=settings.digest, version="0.0.9"))
    page = await operator.get()
    assert "3 processes differ from the configuration." in page.words
    for words in (
        "The worker pod-1:1 works by another configuration than the file's, read at 2026-11-21 12:00:00Z.",
        "The worker pod-2:1 has not taken up worker.concurrency. Restart it.",
        "The worker pod-3:1 runs version 0.0.9, not ",
    ):
        assert words in page.words


async def test_before_a_replay_the_workers_that_differ_are_named(
    world: World, store: Store, operator: Operator
) -> None:
    await world.accept(one_part("789"))
    await world.find_no_route()
    await Fleet(store).beat(process(1, digest="0123456789ab"))
    asked = await operator.press(await operator.get("dead-letters"), "Replay all 1 …")
    assert "The worker pod-1:1 works by another configuration than the file's" in asked.words
    done = await operator.press(asked, "Replay 1")
    assert done.heading == "Replayed: 0 of 1"
    assert "in vain replayed, but no route says which calendar this part goes to" in done.words


async def test_a_process_says_of_its_own_file_that_it_has_changed_or_is_wrong(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__CONSOLE__PASSWORD", "env:CONSOLE_PASSWORD")
    monkeypatch.setenv("CONSOLE_PASSWORD", PASSWORD)
    await service.start("receiver")
    text = service.config.read_text()
    async with Operator(f"http://127.0.0.1:{service.ports.receiver_admin}") as operator:
        assert "differ" not in (await operator.sign_in()).words
        service.config.write_text(text.replace('sequence_id = "123"', 'sequence_id = "124"'))
        assert "1 process differs from the configuration." in (await operator.get()).words
        service.config.write_text(f"{text}\nnonsense")
        assert "The configuration file cannot be used as it is now" in (await operator.get()).words
