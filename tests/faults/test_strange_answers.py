"""Fault 21: answers that are not the provider's, and deletes of what is gone already.

calcom/cal.diy 7845 (a page of HTML with 404 breaks the reading of JSON); odoo's google_calendar takes 403, 404 and 410 for
"gone already", which an answer of somebody in between may also be.
"""

import pytest
import structlog

from bookings.accounts import Accounts
from bookings.record import WriteState
from tests.integration.calendars import PROVIDERS, World, one_part, utc

pytestmark = pytest.mark.fault(number=21)

both = pytest.mark.parametrize("provider", PROVIDERS)
REFUSALS = {
    403: ("forbidden", "ErrorAccessDenied"),
    404: ("notFound", "ErrorItemNotFound"),
    410: ("deleted", "Gone"),
}
METHODS = ("GET", "POST", "PATCH", "DELETE")
INSTEAD = [f"html;status={status}" for status in (200, 400, 403, 404, 410, 502)]
INSTEAD += [f"empty;status={status}" for status in (200, 400, 403, 404, 410, 502)]
AFTER = ["html_after;status=200", "html_after;status=404", "empty_after;status=200", "empty_after;status=403"]
LATER = "2026-04-30T11:30:00Z"


@both
@pytest.mark.parametrize("page", [*INSTEAD, *AFTER])
async def test_a_page_of_somebody_in_between_costs_neither_the_event_nor_its_removal(
    world: World, provider: str, page: str
) -> None:
    for method in METHODS:
        world.fault(provider, page, method=method)
    with structlog.testing.capture_logs() as logs:
        await world.accept(one_part(provider))
        await world.work_until_done()
        await world.accept(one_part(provider, start=LATER))
        await world.work_until_done()
        assert world.event(provider).starts_at == utc(11, 30)
        await world.store.cancel((await world.booking(one_part(provider))).id)
        await world.work_until_done()
    assert world.events() == []
    assert (await world.write(one_part(provider))).state is WriteState.CANCELLED
    assert not [line for line in logs if line["event"] == "write_crashed"]


@both
@pytest.mark.parametrize("status", REFUSALS)
async def test_a_delete_that_was_carried_out_and_is_answered_by_a_refusal_is_done_and_parks_nothing(
    world: World, provider: str, status: int
) -> None:
    body = one_part(provider)
    await world.accept(body)
    await world.work()
    code = REFUSALS[status][PROVIDERS.index(provider)]
    world.fault(provider, f"error_after;status={status};code={code}", method="DELETE")
    await world.store.cancel((await world.booking(body)).id)
    await world.work()
    assert await Accounts(world.store).closed() == []  # a 403 says nothing of the account then
    assert world.events() == []
    assert (await world.write(body)).state is WriteState.CANCELLED
    assert world.requests(provider).count("DELETE") == 1
