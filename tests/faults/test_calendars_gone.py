"""Fault 17: the calendar or its credentials are not there any more, and the booking fails or lands in another one.

calcom/cal.diy 3705, 11702, 12680; freeCodeCamp/chapter 2168.
"""

from pathlib import Path

import pytest

from bookings.record import WriteState
from sandbox.server import Sandbox
from tests.faults.conftest import Hire
from tests.integration.calendars import (
    GOOGLE,
    MICROSOFT,
    PROVIDERS,
    World,
    calendar_secrets,
    calendar_tables,
    one_part,
    utc,
)

pytestmark = pytest.mark.fault(number=17)

both = pytest.mark.parametrize("provider", PROVIDERS)
CALENDARS = {"google": "interviews", "microsoft": "panel"}
LATER = "2026-04-30T11:30:00Z"


@pytest.fixture(autouse=True)
def other_calendars(sandbox: Sandbox) -> None:
    """Beside each calendar there is another one that could be written to just as well."""
    sandbox.state.google.put_calendar("other@globex.example", shared_with={"*": "writer"})
    sandbox.state.microsoft.put_calendar(MICROSOFT, "other")


def calendar_is(world: World, provider: str, *, gone: bool) -> None:
    if provider == "google":
        world.sandbox.state.google.put_calendar(GOOGLE, gone=gone)
    else:
        world.sandbox.state.microsoft.put_calendar(MICROSOFT, None, gone=gone)


async def parked(world: World, body: bytes) -> bool:
    write = await world.write(body)
    return write.state is WriteState.PARKED and await world.store.dead_letters(limit=1) == []


@both
async def test_a_booking_waits_for_a_calendar_that_is_gone_and_is_written_to_no_other(
    world: World, provider: str
) -> None:
    calendar_is(world, provider, gone=True)
    body = one_part(provider)
    await world.accept(body)
    for _ in range(3):
        await world.work()
        await world.let_pass(7200)
    assert await parked(world, body)
    assert world.events() == []
    calendar_is(world, provider, gone=False)
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)
    assert world.event(provider).calendar in (GOOGLE, MICROSOFT)


@both
async def test_an_event_in_a_calendar_that_is_gone_is_not_made_anew_elsewhere(
    world: World, provider: str
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    before = world.event(provider)
    calendar_is(world, provider, gone=True)
    await world.accept(one_part(provider, start=LATER))
    await world.work()
    assert await parked(world, body)
    calendar_is(world, provider, gone=False)
    await world.work_until_done()
    after = world.event(provider)
    assert (after.id, after.calendar, after.starts_at) == (before.id, before.calendar, utc(11, 30))


@pytest.mark.parametrize(
    "trouble", ["google: may only be read", "microsoft: denied", "microsoft: no mailbox"]
)
async def test_a_calendar_that_may_not_be_written_to_is_waited_for(world: World, trouble: str) -> None:
    provider = trouble.partition(":")[0]
    google, microsoft = world.sandbox.state.google, world.sandbox.state.microsoft
    match trouble:
        case "google: may only be read":
            google.put_calendar(GOOGLE, readonly=True)
        case "microsoft: denied":
            microsoft.put_mailbox(MICROSOFT, denied=True)
        case "microsoft: no mailbox":
            microsoft.put_mailbox(MICROSOFT, rest_enabled=False)
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    assert await parked(world, body)
    assert world.events() == []
    google.put_calendar(GOOGLE, readonly=False)
    microsoft.put_mailbox(MICROSOFT, denied=False, rest_enabled=True)
    await world.work_until_done()
    assert world.event(provider).starts_at == utc(11)


@both
async def test_a_booking_is_written_while_the_file_with_its_credentials_is_missing(
    world: World, hire: Hire, provider: str, tmp_path: Path
) -> None:
    secrets, tables = calendar_secrets(world.sandbox), calendar_tables(world.sandbox)
    files = {"google": tmp_path / "google.json", "microsoft": tmp_path / "microsoft_secret"}
    for name, path in files.items():
        path.write_text(secrets[name.upper()])
    google, microsoft = tables["accounts"]
    google["service_account"] = f"file:{files['google']}"
    microsoft["client_secret"] = f"file:{files['microsoft']}"
    worker = await hire(accounts=[google, microsoft])
    files[provider].unlink()
    await worker.accept(one_part(provider))
    await worker.work()
    assert worker.event(provider).starts_at == utc(11)


@both
async def test_a_part_whose_calendar_is_no_longer_configured_is_a_dead_letter_and_its_event_stays(
    world: World, hire: Hire, provider: str
) -> None:
    await world.accept(one_part(provider))
    await world.work()
    tables, gone = calendar_tables(world.sandbox), CALENDARS[provider]
    worker = await hire(
        calendars=[each for each in tables["calendars"] if each["name"] != gone],
        routes=[each for each in tables["routes"] if gone not in each["calendars"]],
    )
    await worker.accept(one_part(provider, start=LATER))
    await worker.work_until_done()
    [_] = await worker.store.dead_letters(limit=5)
    assert worker.event(provider).starts_at == utc(11)
