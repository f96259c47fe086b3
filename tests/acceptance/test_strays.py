"""After a restore, as an operator types it: what stands in calendars and is on no record, adopted or removed."""

import asyncio
import os
import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.acceptance.commands import Result, command
from tests.acceptance.conftest import Service
from tests.integration.calendars import one_part
from tests.integration.copies import copy_of, restored
from tests.waiting import comes

TOMORROW = datetime.now(UTC).replace(hour=11, minute=0, second=0, microsecond=0) + timedelta(days=1)


def booked(event_id: str, *, part: str = "123", hours: float = 0) -> bytes:
    start = TOMORROW + timedelta(hours=hours)
    end = start + timedelta(hours=1)
    return one_part(part, start=start.isoformat(), end=end.isoformat(), event_id=event_id)


async def strays(service: Service, *arguments: str) -> Result:
    return await command("strays", *arguments, "--config", str(service.config))


@pytest.fixture
async def restore(service: Service) -> Service:
    """A Redis that was restored from a copy: two bookings were made since, and one was moved."""
    await service.start("receiver")
    await service.start("worker")
    await service.post(booked("moved"))
    await service.written()
    async with service.store() as store:
        copy = await copy_of(store.redis)
        await service.post(booked("moved", hours=2))
        await service.post(booked("made", hours=4))
        await service.post(booked("made too", part="456", hours=4))
        await service.written()
        await restored(store.redis, copy)
    return service


async def test_strays_are_listed_with_what_is_known_of_them(restore: Service) -> None:
    listed = await strays(restore, "--json")
    assert listed.status == 0
    assert {(each["calendar"], each["standing"], each["event_id"]) for each in listed.json} == {
        ("interviews", "newer", "moved"),
        ("interviews", "unknown", None),
        ("panel", "unknown", None),
    }
    moved = next(each for each in listed.json if each["standing"] == "newer")
    assert moved["starts"] == f"{TOMORROW + timedelta(hours=2):%Y-%m-%d %H:%M}Z"
    assert "2 unknown" in listed.words
    assert "Interview" not in listed.data  # no meeting text
    table = await strays(restore, "--calendar", "panel")
    assert (table.status, "unknown" in table.data, "newer" in table.data) == (0, True, False)
    assert [
        each["calendar"] for each in (await strays(restore, "--account", "microsoft-hr", "--json")).json
    ] == ["panel"]
    assert (await strays(restore, "--until", "+1h")).status == 3


async def test_they_are_adopted_and_removed(restore: Service) -> None:
    dry = await strays(restore, "--remove", "--all", "--dry-run", "--json")
    assert (dry.status, {each["result"] for each in dry.json}) == (0, {"would remove"})
    assert len(restore.events()) == 3
    unsure = await strays(restore, "--remove", "--all")
    assert (unsure.status, "say --yes" in unsure.words) == (2, True)

    adopted = await strays(restore, "--adopt", "--all", "--yes", "--json")
    assert (adopted.status, [each["result"] for each in adopted.json]) == (0, ["adopted"])
    await restore.written()
    removed = await strays(restore, "--remove", "--all", "--yes", "--json")
    assert (removed.status, len(removed.json)) == (0, 2)
    [kept] = restore.events()
    assert kept.starts_at == TOMORROW + timedelta(hours=2)
    assert (await strays(restore)).status == 3
    async with restore.store() as store:
        assert [entry["command"] for entry in await store.audit(limit=5)] == ["strays remove", "strays adopt"]
    await restore.post(booked("moved", hours=3))
    await restore.written()
    assert [event.starts_at for event in restore.events()] == [TOMORROW + timedelta(hours=3)]


async def test_one_is_chosen_by_its_key_and_what_does_not_fit_is_refused(restore: Service) -> None:
    listed = (await strays(restore, "--json")).json
    newer = next(each["key"] for each in listed if each["standing"] == "newer")
    lost = next(each["key"] for each in listed if each["standing"] == "unknown")
    refused = await strays(restore, newer, "--remove", "--yes")
    assert (refused.status, "adopt it" in " ".join(refused.data.split())) == (1, True)
    partly = await strays(restore, newer, lost, "--adopt", "--yes", "--json")
    assert partly.status == 4
    assert "no booking on record" in next(each["result"] for each in partly.json if not each["done"])
    assert (await strays(restore, "0" * 32, "--remove", "--yes")).status == 3


async def test_a_removal_is_asked_for_twice(restore: Service) -> None:
    for answers, left in ((b"n\n", 3), (b"y\nn\n", 3), (b"y\ny\n", 1)):
        terminal, ours = os.openpty()
        child = await asyncio.create_subprocess_exec(
            *(
                sys.executable,
                "-m",
                "cli.main",
                "strays",
                "--remove",
                "--all",
                "--config",
                str(restore.config),
            ),
            stdin=ours,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        os.write(terminal, answers)
        _, said = await comes(child.communicate())
        os.close(ours)
        os.close(terminal)
        assert said.count(b"[y/N]") == answers.count(b"\n")
        assert child.returncode == (0 if left == 1 else 1)
        assert len(restore.events()) == left


async def test_a_calendar_that_cannot_be_read_is_told(restore: Service) -> None:
    restore.sandbox.state.faults.add(fault="error;status=500", provider="microsoft", count=None)
    listed = await strays(restore, "--json")
    assert (listed.status, "calendar panel could not be read" in listed.words) == (4, True)
    assert {each["calendar"] for each in listed.json} == {"interviews"}


async def test_wrong_usage_is_explained(service: Service) -> None:
    for arguments, word in (
        (("--adopt", "--remove"), "not both"),
        (("--remove",), "or --all"),
        (("--all",), "goes with"),
        (("--adopt", "--all", "key"), "or --all"),
        (("--calendar", "nobody"), "no such calendar"),
        (("--account", "nobody"), "no such account"),
        (("--since", "yesterday"), "how long ago"),
        (("--since", "+2d", "--until", "+1d"), "not after"),
    ):
        result = await strays(service, *arguments)
        assert result.status == 2, (arguments, result)
        assert word in result.words
        assert "Traceback" not in result.words


async def test_what_may_have_left_the_record_in_due_course_is_not_looked_at(restore: Service) -> None:
    listed = await strays(restore, "--since", "365d", "--json")
    assert (listed.status, "worker.keep_bookings" in listed.words) == (0, True)
