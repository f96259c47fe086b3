"""What a provider does not hold is cut and said, or is a dead letter that names the field, and never its text."""

from typing import Any

import pytest

from bookings.record import Write, WriteState
from tests.integration.calendars import PROVIDERS, World, one_part

both = pytest.mark.parametrize("provider", PROVIDERS)

TOO_LONG: list[tuple[str, dict[str, Any]]] = [
    ("summary", {"summary": "word " * 3000}),
    ("summary", {"summary": "😀" * 3000}),
    ("description", {"description": "word " * 3000}),
    ("description", {"description": "a & b<c>\n" * 3000}),
    ("description", {"description": "é😀" * 6000}),
    ("location", {"location": {"description": "word " * 3000}}),
    ("location", {"location": {"description": "HQ", "address": "word " * 3000}}),
    ("reminders", {"reminders": [{"minutes": 2**31 - 1}]}),
    ("reminders", {"reminders": [{"minutes": -5}]}),
    ("tags", {"tags": {"private": [{"value": f"{number}" * 300} for number in range(9)]}}),
]


async def written(world: World, provider: str, **fields: Any) -> Write:
    body = one_part(provider, **fields)
    await world.accept(body)
    await world.work()
    return await world.write(body)


@both
@pytest.mark.parametrize(("field", "fields"), TOO_LONG, ids=lambda value: str(value)[:40])
async def test_a_value_out_of_bounds_is_cut_and_said(
    world: World, provider: str, field: str, fields: dict[str, Any]
) -> None:
    write = await written(world, provider, **fields)
    assert write.state is WriteState.WRITTEN
    assert any(field in note for note in write.degraded)
    assert not any("word" in note for note in write.degraded)


@both
async def test_the_text_of_an_online_meeting_is_cut_as_what_it_is_written_as(
    world: World, provider: str
) -> None:
    meeting = {"profile_id": "default"}
    write = await written(world, provider, description="a & b\n" * 3000, conferencing=meeting)
    assert write.state is WriteState.WRITTEN
    assert any("description" in note for note in write.degraded)


async def test_a_name_of_255_letters_is_whole_at_microsoft(world: World) -> None:
    write = await written(world, "microsoft", summary="x" * 255, location={"description": "y" * 255})
    assert write.degraded == ()
    assert world.event("microsoft").summary == "x" * 255


@pytest.mark.parametrize(
    ("provider", "start", "end", "field"),
    [
        ("google", "3000-01-01T10:00:00Z", "3000-01-01T11:00:00Z", "start"),
        ("google", "2026-04-30T10:00:00Z", "3000-01-01T11:00:00Z", "end"),
        ("microsoft", "1600-01-01T10:00:00Z", "1600-01-01T11:00:00Z", "start"),
        ("microsoft", "4600-01-01T10:00:00Z", "4600-01-01T11:00:00Z", "start"),
        ("microsoft", "2026-04-30T10:00:00Z", "2031-05-02T10:00:00Z", "end"),
        ("microsoft", "2026-04-30", "2031-05-02", "end"),
    ],
)
async def test_times_that_a_provider_refuses_are_a_dead_letter_that_names_them(
    world: World, provider: str, start: str, end: str, field: str
) -> None:
    write = await written(world, provider, start=start, end=end)
    assert (write.state, write.reason) == (WriteState.DEAD, "permanent")
    assert write.detail.startswith(f"{field}: refused by the provider (")
    assert world.events() == []


@both
async def test_a_refused_change_is_a_dead_letter_that_names_its_field_and_the_event_stays(
    world: World, provider: str
) -> None:
    await written(world, provider)
    times = {"start": "1700-01-01T00:00:00Z", "end": "4400-01-01T00:00:00Z"}
    if provider == "google":
        times = {"start": "2026-04-30T10:00:00Z", "end": "3000-01-01T00:00:00Z"}
    write = await written(world, provider, **times)
    assert write.state is WriteState.DEAD
    assert write.detail.startswith("end: ")
    assert world.event(provider).summary == "Pre screen"
