"""An operator's night: dead letters found, understood, replayed, discarded, carried elsewhere."""

from pathlib import Path
from typing import Any

import pytest

from bookings.store import Store
from tests.acceptance.commands import Result, command
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING, changed, moved
from tests.integration.calendars import utc


async def dead_letters(service: Service, *arguments: str) -> Result:
    return await command("dead-letters", *arguments, "--config", str(service.config))


@pytest.fixture
async def night(service: Service) -> Service:
    """Three dead letters: a part that Google refuses, one that no route knows, a body that nobody can read."""
    await service.start("receiver")
    await service.start("worker")
    service.sandbox.state.faults.add(fault="error;status=400;code=invalid", provider="google", method="POST")
    await service.post(changed(sequence__0__event__summary="planted words"))
    await service.written()
    await service.post(changed(event__event_id="second", sequence=[{"sequence_id": "789", "event": {}}]))
    await service.find_no_route()
    await service.post(b'{"planted": ')
    return service


async def listed(service: Service, *arguments: str) -> list[dict[str, Any]]:
    result = await dead_letters(service, "list", "--json", *arguments)
    return result.json if result.status == 0 else []


async def test_they_are_listed_filtered_counted_and_shown(night: Service) -> None:
    found = await listed(night)
    assert [each["reason"] for each in found] == ["unreadable", "unrouted", "permanent"]
    refused = found[2]
    assert (refused["provider"], refused["account"], refused["sequence_id"]) == ("google", "google-hr", "123")
    for arguments, count in (
        (("--reason", "unrouted"), 1),
        (("--provider", "google"), 1),
        (("--account", "google-hr"), 1),
        (("--event-id", "second"), 1),
        (("--sequence-id", "789"), 1),
        (("--app", "hiring"), 3),
        (("--app", "nobody"), 0),
        (("--since", "1h"), 3),
        (("--until", "1h"), 0),
        (("--limit", "2"), 2),
    ):
        assert len(await listed(night, *arguments)) == count, arguments
    counts = (await dead_letters(night, "stats", "--json")).json
    assert sum(each["count"] for each in counts) == 3

    shown = await dead_letters(night, "show", refused["dead_letter"], "--json")
    assert shown.json["write"]["attempts"][0]["code"] == "invalid"
    assert "planted" not in shown.data
    revealed = await dead_letters(night, "show", refused["dead_letter"], "--json", "--reveal")
    assert revealed.json["event"]["summary"] == "planted words"
    table = await dead_letters(night, "show", refused["dead_letter"])
    assert "permanent" in table.data
    assert "planted" not in table.data
    unreadable = await dead_letters(night, "show", found[0]["dead_letter"])
    assert "12 bytes" in unreadable.data


async def test_a_replay_after_the_cause_was_mended_ends_in_the_event(night: Service) -> None:
    dry = await dead_letters(night, "replay", "--reason", "permanent", "--dry-run", "--json")
    assert [each["result"] for each in dry.json] == ["would replay"]
    assert len(await listed(night)) == 3

    unsure = await dead_letters(night, "replay", "--reason", "permanent")
    assert (unsure.status, "say --yes" in unsure.words) == (2, True)

    done = await dead_letters(night, "replay", "--reason", "permanent", "--yes", "--json")
    assert (done.status, [each["result"] for each in done.json]) == (0, ["replayed"])
    await night.written()
    assert [event.starts_at for event in night.events("google")] == [utc(11)]
    assert len(await listed(night)) == 2
    assert (await dead_letters(night, "replay", "--reason", "permanent", "--yes")).status == 3


async def test_what_cannot_be_replayed_is_refused_with_words(night: Service) -> None:
    found = await listed(night)
    unreadable = await dead_letters(night, "replay", found[0]["dead_letter"], "--yes", "--json")
    assert unreadable.status == 1
    assert "not JSON" in unreadable.json[0]["result"]
    partly = await dead_letters(night, "replay", "--all", "--yes", "--rate", "50", "--json")
    assert partly.status == 4
    assert "1 of 3" in partly.words
    said = {each["dead_letter"].rpartition(":")[2]: each["result"] for each in partly.json}
    assert said["unrouted"] == (
        "replayed, but no route says which calendar this part goes to: open for 5 minutes, then dead again"
    )
    gone = await dead_letters(night, "replay", "no:such:letter", "--yes")
    assert (gone.status, "there is no dead letter" in gone.words) == (3, True)


async def test_a_newer_revision_has_overtaken_a_dead_letter(night: Service) -> None:
    [letter] = await listed(night, "--reason", "permanent")
    night.sandbox.state.faults.add(fault="hold", provider="google", method="POST")
    await night.post(moved(2))
    refused = await dead_letters(night, "replay", letter["dead_letter"], "--yes", "--json")
    assert refused.status in (1, 3)  # overtaken, or taken off the list already
    night.sandbox.state.faults.release()
    await night.written()
    assert [event.starts_at for event in night.events("google")] == [utc(13)]


async def test_discarded_ones_are_gone_and_their_bookings_done(night: Service) -> None:
    done = await dead_letters(night, "discard", "--all", "--yes")
    assert (done.status, "discard: 3 of 3" in done.words) == (0, True)
    await night.written()
    assert await listed(night) == []
    states = (await command("bookings", "list", "--json", "--config", str(night.config))).json
    assert {each["state"] for each in states} == {"done"}
    client = night.client()
    [entry] = await Store(client, "sequence-sync").audit(limit=5)
    await client.aclose()
    assert (entry["command"], entry["count"], entry["filter"]["all"]) == ("discard", 3, True)
    assert entry["who"]


async def test_they_can_be_carried_to_another_redis(night: Service, tmp_path: Path) -> None:
    exported = await dead_letters(night, "export")
    assert exported.status == 0
    file = tmp_path / "letters.jsonl"
    file.write_text(exported.data)
    client = night.client()
    await client.flushall()
    await client.aclose()
    assert await listed(night) == []
    imported = await dead_letters(night, "import", str(file))
    assert (imported.status, imported.words.strip()) == (0, "3 restored")
    again = await dead_letters(night, "import", str(file))
    assert again.status == 0
    assert {each["reason"] for each in await listed(night)} == {"unreadable", "unrouted", "permanent"}
    assert (await dead_letters(night, "replay", "--reason", "permanent", "--yes")).status == 0
    await night.written()
    assert [event.starts_at for event in night.events("google")] == [utc(11)]


async def test_a_booking_on_a_lost_link_is_found_carried_elsewhere_and_replayed(
    service: Service, tmp_path: Path
) -> None:
    await service.start("receiver")
    await service.start("worker")
    assert (await service.post(SEQUENCING, token="lost"))[1]["status"] == "quarantined"
    nowhere = changed(event__event_id="nowhere", sequence=[{"sequence_id": "789", "event": {}}])
    assert (await service.post(nowhere, token="lost"))[1]["status"] == "quarantined"
    before = await listed(service, "--reason", "unknown_link")
    assert [each["event_id"] for each in before] == ["nowhere", "qTtZdczOccgaPncGJaCiLg"]
    assert await listed(service, "--event-id", "nowhere") == before[:1]
    shown = (await dead_letters(service, "show", before[1]["dead_letter"], "--json")).json
    assert "bring the link back" in shown["detail"]
    assert shown["link"]

    file = tmp_path / "letters.jsonl"
    file.write_text((await dead_letters(service, "export")).data)
    async with service.client() as client:
        await client.flushall()
    assert (await dead_letters(service, "import", str(file))).status == 0
    assert await listed(service, "--reason", "unknown_link") == before

    result = await dead_letters(service, "replay", "--reason", "unknown_link", "--yes", "--json")
    assert result.status == 4
    refused, replayed = [each["result"] for each in result.json]
    assert "no route says where any of its parts goes" in refused
    assert replayed == "replayed"
    await service.written()
    assert len(service.events()) == 2
    assert await listed(service) == before[:1]


async def test_wrong_usage_is_explained(service: Service, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jsonl"
    broken.write_text("{}\n")
    for arguments, word in (
        (("replay",), "or --all"),
        (("discard", "id", "--all"), "not several"),
        (("list", "--since", "yesterday"), "how long ago"),
        (("import", str(tmp_path / "missing")), "cannot read"),
        (("import", str(broken)), "is not what"),
    ):
        result = await dead_letters(service, *arguments)
        assert result.status == 2, (arguments, result)
        assert word in result.words
        assert "Traceback" not in result.words


async def test_a_booking_is_cancelled_and_looked_at_again(service: Service) -> None:
    await service.start("receiver")
    await service.start("worker")
    await service.post(SEQUENCING)
    await service.written()
    config = ("--config", str(service.config))
    event_id = "qTtZdczOccgaPncGJaCiLg"
    assert (await command("bookings", "resync", event_id, *config)).status == 0
    await service.written()
    assert len(service.events()) == 2
    unsure = await command("bookings", "cancel", event_id, *config)
    assert (unsure.status, "say --yes" in unsure.words) == (2, True)
    assert (await command("bookings", "cancel", event_id, *config, "--yes")).status == 0
    await service.written()
    assert service.events() == []
    assert (await command("bookings", "cancel", "nobody", *config, "--yes")).status == 3
