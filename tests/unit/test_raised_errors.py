"""An error that was raised leaves nothing behind, however often it is raised and whoever waits for it."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bookings.errors import Overtaken, again
from bookings.record import Forward
from bookings.round_trips import RoundTrips
from config.network import NetworkSettings
from network.outgoing import Outgoing
from workers.calendars.single_flight import SingleFlight
from workers.endpoints import Endpoints
from workers.errors import AccountWaits, CalendarError, ErrorClass, FormRefused, Taken

TIMES = 50


class InHand:
    """What a caller has in hand: the body of a callback, for one."""


class Caller:
    """Calls what raises an error; knows what it had in hand then."""

    def __init__(self) -> None:
        self.depths: list[int] = []
        self.held: list[weakref.ref[InHand]] = []

    async def calls(self, what: Callable[[], Awaitable[Any]]) -> None:
        in_hand = InHand()
        self.held.append(weakref.ref(in_hand))
        try:
            await what()
        except Exception as error:  # noqa: BLE001 - whatever it is
            self.depths.append(depth(error))

    def assert_nothing_is_left(self) -> None:
        gc.collect()
        assert len(self.depths) == TIMES
        assert len(set(self.depths[1:])) == 1  # the first may be the one for whom it was asked
        assert [each for each in self.held if each() is not None] == []


def depth(error: BaseException) -> int:
    """Through how many frames it was raised."""
    frames, at = 0, error.__traceback__
    while at is not None:
        frames, at = frames + 1, at.tb_next
    return frames


@pytest.mark.parametrize("url", ["http://10.0.0.1/cronofy", "http://localhost:1/cronofy"])
async def test_an_address_that_is_refused_again_and_again(url: str) -> None:
    endpoints, caller = Endpoints(Outgoing(NetworkSettings()), timeout_s=5, at_a_time=10), Caller()
    forward = Forward(b"{}", "signature")
    for _ in range(TIMES):
        await caller.calls(lambda: endpoints.post(url, forward, delivery="d", private=False))
    await endpoints.aclose()
    caller.assert_nothing_is_left()


async def test_a_token_that_is_refused_to_all_who_wait_for_it() -> None:
    flight, caller = SingleFlight(), Caller()
    refused = asyncio.Event()

    async def ask() -> None:
        async with flight.turn():
            await refused.wait()
            raise CalendarError(ErrorClass.AUTH, "invalid_grant", whole_account=True)

    waiting = [asyncio.create_task(caller.calls(ask)) for _ in range(TIMES)]
    await asyncio.sleep(0)
    refused.set()
    await asyncio.gather(*waiting)
    del waiting
    caller.assert_nothing_is_left()


async def test_a_redis_that_is_away_for_all_who_share_a_round_trip() -> None:
    class Away:
        """A pool without a connection to give."""

        async def get_connection(self) -> None:
            raise ConnectionRefusedError(111, "Connection refused")

    class Client:
        connection_pool = Away()

    trips, caller = RoundTrips(Client()), Caller()
    await asyncio.gather(*(caller.calls(lambda: trips.send("PING")) for _ in range(TIMES)))
    caller.assert_nothing_is_left()
    raised = await asyncio.gather(*(trips.send("PING") for _ in range(TIMES)), return_exceptions=True)
    assert len({id(error) for error in raised}) == TIMES


@pytest.mark.parametrize(
    "error",
    [
        CalendarError(ErrorClass.THROTTLED, "slower", request_id="r", retry_after=5, whole_account=True),
        Taken("409", event_id="e"),
        AccountWaits("throttled", until=5, parked=True),
        FormRefused("zone", "400"),
        Overtaken(7),
        OSError(28, "No space left on device"),
        KeyError("name"),
        TimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_same_error_once_more_says_the_same_and_knows_nothing_of_who_raised_it(error: Exception) -> None:
    with pytest.raises(type(error)):
        raise error
    copy = again(error)
    assert copy is not error
    assert (type(copy), str(copy), copy.args, vars(copy)) == (
        type(error),
        str(error),
        error.args,
        vars(error),
    )
    assert (copy.__traceback__, copy.__context__) == (None, None)
