"""Cronofy's own libraries, as they are but for the host, make links and ask for availability of us."""

import asyncio
import fcntl
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pycronofy
import pycronofy.settings
import pytest
from pycronofy.exceptions import PyCronofyRequestError

from bookings.links import LinkState
from bookings.store import Store
from sandbox.server import Sandbox
from tests.conftest import FIRST_SECRET, Settle
from tests.integration.scheduling import MANAGER, RECRUITER, Office, at, office, scheduling, sequencing

SDKS = Path(__file__).parents[1] / "sdks"
MESSAGE = "Position filled"


@pytest.fixture(name="office")
async def opened(settle: Settle, store: Store, sandbox: Sandbox) -> AsyncIterator[Office]:
    async with office(settle, store, sandbox) as opened:
        yield opened


def query() -> dict[str, Any]:
    """A query in the words of the libraries."""
    return {
        "sequence": [
            {
                "sequence_id": sequence_id,
                "ordinal": ordinal,
                "participants": [{"members": [{"sub": sub}], "required": "all"}],
                "required_duration": {"minutes": 60},
            }
            for ordinal, (sequence_id, sub) in enumerate([("123", RECRUITER), ("456", MANAGER)], 1)
        ],
        "available_periods": [{"start": at(9), "end": at(11)}],
    }


FOUND = [
    {"sequence_id": "123", "start": at(9), "end": at(10), "participants": [{"sub": RECRUITER}]},
    {"sequence_id": "456", "start": at(10), "end": at(11), "participants": [{"sub": MANAGER}]},
]


# -- pycronofy


@pytest.fixture
def python(office: Office, monkeypatch: pytest.MonkeyPatch) -> pycronofy.Client:
    monkeypatch.setattr(pycronofy.settings, "API_BASE_URL", office.api)
    return pycronofy.Client(client_id="hiring", client_secret=FIRST_SECRET, access_token=FIRST_SECRET)


async def test_pycronofy_makes_links_and_disables_them(office: Office, python: pycronofy.Client) -> None:
    def make_and_disable() -> tuple[Any, Any, Any]:
        request, one = sequencing(), scheduling()
        for each in (request, one):  # it knows the periods by their older name only
            each["availability"]["available_periods"] = each["availability"].pop("query_periods")
        of_sequence = python.real_time_sequencing(
            request["availability"], request["oauth"], request["event"], request["target_calendars"]
        )
        made = python.real_time_scheduling(one["availability"], one["oauth"], one["event"])
        link_id = made["real_time_scheduling"]["real_time_scheduling_id"]
        return of_sequence, made, python.disable_real_time_scheduling_link(link_id, MESSAGE)

    of_sequence, made, disabled = await asyncio.to_thread(make_and_disable)
    assert of_sequence["real_time_sequencing"]["real_time_sequencing_id"].startswith("seq_")
    assert made["real_time_scheduling"]["url"]
    assert disabled["real_time_scheduling"]["status"] == "disabled"
    assert [(link.state, bool(link.targets)) for link in await office.links()] == [
        (LinkState.DISABLED, True),
        (LinkState.OPEN, True),
    ]


async def test_pycronofy_asks_for_availability(office: Office, python: pycronofy.Client) -> None:
    found = await asyncio.to_thread(lambda: python.sequenced_availability(**query()))
    assert {"sequence": FOUND} in found
    assert office.world.events() == []


async def test_pycronofy_understands_our_errors(office: Office, python: pycronofy.Client) -> None:
    wrong = query()
    del wrong["sequence"][0]["required_duration"]
    wrong["sequence"][0]["required_duration"] = {"minutes": 0}
    with pytest.raises(PyCronofyRequestError) as caught:
        await asyncio.to_thread(lambda: python.sequenced_availability(**wrong))
    assert caught.value.response.status_code == 422
    assert "required_duration" in caught.value.response.json()["errors"]
    assert office.sandbox.cronofy_links() == []


# -- cronofy for Node


@pytest.fixture(scope="session")
def node() -> str:
    """Node, with Cronofy's library installed as its lock file says."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        pytest.skip("there is no Node here")
    with (SDKS / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the other test processes wait for the one that installs
        if not (SDKS / "node_modules" / "cronofy").is_dir():
            options = ("--ignore-scripts", "--no-audit", "--no-fund", "--silent")
            subprocess.run([npm, "ci", "--prefix", str(SDKS), *options], check=True)
    return found


async def call(node: str, office: Office, *calls: list[Any]) -> list[Any]:
    config = {"client_id": "hiring", "client_secret": FIRST_SECRET, "access_token": FIRST_SECRET}
    told = {"host": office.api, "config": config, "calls": calls}
    child = await asyncio.create_subprocess_exec(
        node,
        str(SDKS / "drive.js"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await child.communicate(json.dumps(told).encode())
    assert child.returncode == 0
    results: list[Any] = json.loads(out)
    return results


async def test_cronofy_for_node_makes_links_and_disables_them(office: Office, node: str) -> None:
    of_sequence, made = await call(
        node, office, ["realTimeSequencing", sequencing()], ["realTimeScheduling", scheduling()]
    )
    assert of_sequence["given"]["real_time_sequencing"]["real_time_sequencing_id"].startswith("seq_")
    link_id = made["given"]["real_time_scheduling"]["real_time_scheduling_id"]
    path = f"/v1/real_time_scheduling/{link_id}/disable"  # it has no method for that, but one for any path
    body = {"display_message": MESSAGE, "bearer_token": FIRST_SECRET}
    [disabled] = await call(node, office, ["_httpPost", path, body])
    assert disabled["given"]["real_time_scheduling"]["status"] == "disabled"
    assert all("client_secret" not in link.request for link in office.sandbox.cronofy_links())


async def test_cronofy_for_node_asks_for_availability_and_understands_our_errors(
    office: Office, node: str
) -> None:
    wrong = {**query(), "sequence": []}
    found, refused = await call(
        node, office, ["sequencedAvailability", query()], ["sequencedAvailability", wrong]
    )
    assert {"sequence": FOUND} in found["given"]["sequences"]
    assert (refused["status"], list(refused["entity"]["errors"])) == (422, ["sequence"])
