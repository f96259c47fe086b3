"""A short form of the campaign that `python -m tests.fuzz` runs."""

import logging

import pytest

from bookings.store import Store
from tests.fuzz.campaign import Campaign
from tests.integration.conftest import Receiver


async def test_no_input_makes_the_receiver_fail(
    receiver: Receiver, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    campaign = Campaign(receiver.port, store)
    await campaign.attack(600, number=1)
    await campaign.still_serves()
    assert sum(campaign.inputs.values()) == 600
    assert {"202 accepted", "202 quarantined", "200 duplicate"} <= set(campaign.answers)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
