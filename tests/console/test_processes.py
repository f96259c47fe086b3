"""The console of the processes themselves, switched on by two variables."""

import pytest

from bookings.store import Store
from tests.acceptance.conftest import Service
from tests.callbacks import changed
from tests.console.operator import PASSWORD, Operator
from tests.integration.calendars import utc


async def test_a_dead_letter_is_replayed_on_the_receivers_port_and_written_by_the_worker(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQUENCE_SYNC__CONSOLE__PASSWORD", "env:CONSOLE_PASSWORD")
    monkeypatch.setenv("CONSOLE_PASSWORD", PASSWORD)
    await service.start("receiver")
    await service.start("worker")
    service.sandbox.state.faults.add(fault="error;status=400;code=invalid", provider="google", method="POST")
    await service.post(changed(sequence__1=None))
    await service.written()

    addresses = [
        f"http://127.0.0.1:{port}" for port in (service.ports.receiver_admin, service.ports.worker_admin)
    ]
    async with Operator(addresses[0]) as operator, Operator(addresses[1]) as at_the_worker:
        page = await operator.sign_in(to="dead-letters")
        asked = await operator.press(page, "Replay all 1 …")
        assert (await operator.press(asked, "Replay 1")).heading == "Replayed: 1 of 1"
        await service.written()
        assert [event.starts_at for event in service.events("google")] == [utc(11)]
        at_the_worker.take_cookie(operator.cookie)
        assert "1 done" in (await at_the_worker.get("audit")).words

    client = service.client()
    who = [entry["who"] for entry in await Store(client, "sequence-sync").audit(limit=5)]
    await client.aclose()
    assert who == ["Anna (console)"] * 2
    logs = service.log("receiver") + service.log("worker")
    assert ("console_signed_in" in logs, PASSWORD in logs) == (True, False)
