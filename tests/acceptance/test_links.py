"""Links and availability as processes and commands: no route is configured, the link knows its calendars."""

import json
import signal
from pathlib import Path

import aiohttp

from sandbox.cronofy_link import Status
from tests.acceptance.commands import command
from tests.acceptance.linked import Linked, linked
from tests.integration.scheduling import RECRUITER, at, availability, sequencing
from tests.waiting import comes, until

__all__ = ["linked"]


async def test_a_link_is_made_picked_written_listed_and_disabled(linked: Linked, tmp_path: Path) -> None:
    service, _ = linked
    config = ("--config", str(service.config))
    await service.start("receiver")
    await service.start("worker")
    file = tmp_path / "link.json"
    file.write_text(json.dumps(sequencing()))

    made = await command("links", "create", str(file), *config, "--json")
    assert made.status == 0, made.words
    link_id = made.json["real_time_sequencing"]["real_time_sequencing_id"]
    other = await command("links", "create", str(file), *config)
    assert (other.status, "real_time_sequencing.url" in other.data) == (0, True)

    picked = await service.sandbox.pick(link_id, start=at(10))
    assert picked.status is Status.COMPLETED
    await service.written()
    assert sorted((event.calendar, event.summary) for event in service.events()) == [
        ("interviews@globex.example", "Pre screen"),
        ("panel@globex.example", "Face to face"),
    ]

    newest, first = (await command("links", "list", *config, "--json")).json
    assert (first["link"], first["state"]) == (link_id, "completed")
    assert first["targets"]["123"] == [{"calendar": "interviews", "sub": RECRUITER}]
    table = await command("links", "list", *config, "--limit", "1")
    assert newest["link"] in table.data
    disabled = await command("links", "disable", newest["link"], *config)
    assert (disabled.status, "disabled" in disabled.data) == (0, True)
    assert (await command("links", "list", *config, "--json")).json[0]["state"] == "disabled"

    completed = await command("links", "disable", link_id, *config)
    assert (completed.status, "422" in completed.words) == (1, True)
    unknown = await command("links", "disable", "seq_unknown", *config)
    assert (unknown.status, "seq_unknown" in unknown.words) == (3, True)


async def test_what_is_wrong_with_a_link_is_said_in_words(linked: Linked, tmp_path: Path) -> None:
    service, _ = linked
    config = ("--config", str(service.config))
    file = tmp_path / "link.json"
    file.write_text(json.dumps(sequencing(target_calendars=[{"sub": RECRUITER, "calendar_id": "cal_x"}])))
    wrong = await command("links", "create", str(file), *config)
    assert (wrong.status, wrong.data) == (2, "")
    assert "target_calendars[0].calendar_id: " in wrong.words
    file.write_text("{")
    assert "is not JSON" in (await command("links", "create", str(file), *config)).words
    assert (await command("links", "list", *config)).status == 3


async def test_the_api_and_the_command_answer_the_same_query(linked: Linked, tmp_path: Path) -> None:
    service, api = linked
    child = await linked.start_api()
    query = availability()
    headers = {"Authorization": f"Bearer {service.secrets[0]}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{api}/v1/sequenced_availability", json=query) as response,
    ):
        assert response.status == 200
        answer = await response.json()
    file = tmp_path / "query.json"
    file.write_text(json.dumps(query))
    config = ("--config", str(service.config))
    assert (await command("availability", str(file), *config, "--json")).json == answer
    table = await command("availability", str(file), *config)
    assert (table.status, table.data.count(RECRUITER)) == (0, 2)

    service.sandbox.state.faults.add(fault="error;status=500", provider="google", method="*", count=None)
    none = await command("availability", str(file), *config)
    assert none.status == 3
    assert "calendar interviews could not be read" in none.words

    child.send_signal(signal.SIGTERM)
    assert await comes(child.wait()) == 0
    await until(lambda: "api_stopped" in service.log("api"))
    assert service.secrets[0] not in service.log("api")
