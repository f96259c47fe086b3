"""A counter begins at 0 with every value that its labels may have: nobody can see one rise that begins with 1."""

import json
import re
import subprocess
import sys
from itertools import product

import pytest

from bookings.record import UNKNOWN_LINK, UNREADABLE, WriteState
from tests.house.project import ROOT
from workers.errors import ErrorClass
from workers.metrics import Alarm
from workers.outcome import Effect

OF_CONFIGURATION = {"sequence_sync_calendars_unreadable", "sequence_sync_availability_incomplete"}
"""The API has one for each of its calendars, and one for each app."""
CALENDARS = ("google", "microsoft")
FAILED = (WriteState.RETRYING, WriteState.PARKED, WriteState.DEAD)
PROGRAM = """
import json
from admin.metrics import REGISTRY
import receiver.metrics, scheduler.metrics, workers.metrics
print(json.dumps({
    metric.name: [[*sample.labels.values(), sample.value] for sample in metric.samples]
    for metric in REGISTRY.collect() if metric.type == "counter" and metric.name.startswith("sequence_sync")
}))
"""


@pytest.fixture(scope="module")
def born() -> dict[str, set[tuple[str, ...]]]:
    """What each counter shows in a process that has just begun: the values of its labels."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=ROOT
    )
    shown = json.loads(ran.stdout)
    assert {value for samples in shown.values() for *_, value in samples} == {0}
    return {name: {tuple(labels) for *labels, _ in samples} for name, samples in shown.items()}


def test_no_counter_waits_for_its_first_event(born: dict[str, set[tuple[str, ...]]]) -> None:
    assert {name for name, labels in born.items() if not labels} == OF_CONFIGURATION


def test_callbacks_are_counted_from_0_by_all_that_they_may_be_answered(
    born: dict[str, set[tuple[str, ...]]],
) -> None:
    source = "".join(path.read_text() for path in (ROOT / "receiver").glob("*.py"))
    named = [
        words
        for called in re.findall(r"RECEIVED\.labels\((.*)\)", source)
        for words in re.findall(r'"(\w+)"', called)
    ]
    refused = re.findall(r'\bRefused\(\d+, "(\w+)"', source)
    assert {(result,) for result in (*named, *refused, "accepted", "duplicate")} == born[
        "sequence_sync_callbacks_received"
    ]
    assert born["sequence_sync_callbacks_quarantined"] == {(UNREADABLE,), (UNKNOWN_LINK,)}
    assert born["sequence_sync_signature_failures"] == {("missing",), ("wrong",)}


def test_what_a_port_refuses_early_is_counted_from_0_by_all_that_it_may_say(
    born: dict[str, set[tuple[str, ...]]],
) -> None:
    source = "".join(path.read_text() for path in (ROOT / "admin" / "ports").glob("*.py"))
    said = {
        words
        for called in re.findall(r"(?:Unacceptable|_?refused?)\(([^()]*)", source)
        for words in re.findall(r'"(\w+)"', called)
    }
    assert born["sequence_sync_port_refusals"] == set(product(("admin", "api"), said))


def test_writes_are_counted_from_0_by_all_that_they_may_come_to(
    born: dict[str, set[tuple[str, ...]]],
) -> None:
    of_calendars = product(CALENDARS, (*Effect, "removed", *FAILED))
    forwards = product(("forward",), ("forwarded", WriteState.RETRYING, WriteState.DEAD))
    assert born["sequence_sync_writes"] == {*of_calendars, *forwards}
    assert born["sequence_sync_failures"] == set(product((*CALENDARS, "forward"), ErrorClass))
    assert born["sequence_sync_provider_throttled"] == {(provider,) for provider in CALENDARS}
    assert born["sequence_sync_alarms"] == {(kind,) for kind in Alarm}
