"""What waits, in the console: seen at a glance, by calendar and one by one, and tried now with a button."""

from bookings.accounts import Accounts
from bookings.record import WriteState
from bookings.store import Store
from tests.console.operator import Operator
from tests.integration.calendars import GOOGLE, World, one_part, utc


async def park(world: World, *event_ids: str) -> None:
    world.sandbox.state.google.put_calendar(GOOGLE, gone=True)
    for event_id in event_ids:
        await world.accept(one_part("google", event_id=event_id))
    await world.work()
    world.sandbox.state.google.put_calendar(GOOGLE, gone=False)


async def retried(world: World, event_id: str) -> None:
    world.fault("microsoft", "error;status=503", count=3)
    await world.accept(one_part("microsoft", event_id=event_id))
    await world.work()


async def test_what_is_parked_is_the_first_thing_that_the_overview_says(
    world: World, operator: Operator
) -> None:
    assert "Nothing waits" in (await operator.get("waiting")).words
    await park(world, "one", "two")
    page = await operator.get()
    assert "2 writes are parked." in page.words
    assert "Nothing needs you" not in page.words
    assert "interviews google parked 2" in page.words
    assert "notFound" in page.words
    assert "/console/waiting?calendar=interviews&state=parked" in page.links


async def test_each_write_that_waits_is_listed_with_its_reason_and_tried_with_a_button(
    world: World, operator: Operator, store: Store
) -> None:
    await park(world, "one", "two")
    await retried(world, "three")
    page = await operator.get("waiting")
    for words in ("one hiring google interviews parked since", "three hiring microsoft panel retrying since"):
        assert words in page.words
    only = await operator.get("waiting?calendar=interviews&state=parked")
    assert ("one hiring" in only.words, "three hiring" in only.words) == (True, False)
    done = await operator.press(only, "Try these now")
    assert done.heading == "Tried now: 2 of 2"
    await world.work()
    assert {event.starts_at for event in world.events("google")} == {utc(11)}
    assert len(world.events("google")) == 2
    [entry] = await store.audit(limit=1)
    assert (entry["who"], entry["command"], entry["count"]) == ("Anna (console)", "retry", 2)
    assert entry["filter"] == {"calendar": "interviews", "state": "parked", "ids": [], "all": False}
    assert "retry 2 done; calendar interviews state parked" in (await operator.get("audit")).words
    again = await operator.press(only, "Try these now")
    assert (again.status, again.heading) == (404, "There is nothing to try")


async def test_all_that_waits_is_tried_with_one_button_and_a_paused_account_is_left_alone(
    world: World, operator: Operator, store: Store
) -> None:
    await park(world, "one")
    await retried(world, "three")
    await Accounts(store).close(
        "google-hr", least_s=600, most_s=600, state="paused", reason="rateLimitExceeded"
    )
    done = await operator.press(await operator.get("waiting"), "Try all now")
    assert done.heading == "Tried now: 1 of 2"
    assert "google-hr is paused by its provider until 20" in done.words
    world.sandbox.state.faults.clear()
    await world.work()
    assert len(world.events("microsoft")) == 1
    assert (await world.write(one_part("google", event_id="one"))).state is WriteState.PARKED


async def test_a_booking_that_waits_says_since_when_and_is_tried_with_a_button(
    world: World, operator: Operator
) -> None:
    await park(world, "one")
    bid = (await world.booking(one_part("google", event_id="one"))).id
    page = await operator.get(f"bookings/{bid}")
    assert "waits since 20" in page.words
    assert (await operator.press(page, "Try now")).heading == "Tried now: 1 of 1"
    await world.work()
    after = await operator.get(f"bookings/{bid}")
    assert "written" in after.words
    assert "Try now" not in after.text


async def test_a_state_that_there_is_not_and_a_foreign_form_change_nothing(operator: Operator) -> None:
    assert (await operator.get("waiting?state=dead")).status == 400
    posted = await operator.post("waiting/retry", [("calendar", ""), ("state", ""), ("token", "forged")])
    assert (posted.status, posted.heading) == (403, "This form is out of date")


async def test_what_waits_is_paged_through(world: World, operator: Operator) -> None:
    await park(world, *(f"event-{number}" for number in range(24)))
    for batch in range(2):
        await park(world, *(f"more-{batch}-{number}" for number in range(20)))
    first = await operator.get("waiting")
    second = await operator.get(next(link for link in first.links if "page=2" in link))
    both = {link for page in (first, second) for link in page.links if link.startswith("/console/bookings/")}
    assert len(both) == 64
