"""What a lane has of a mailbox while Redis is in trouble."""

from contextlib import aclosing

from bookings.accounts import Accounts, Limits
from bookings.connection import connect
from bookings.keys import Keys
from bookings.store import Store
from tests.conftest import Settle
from tests.redis_trouble.proxy import Proxy, Trouble
from tests.redis_trouble.server import RedisServer
from tests.waiting import until
from workers.calendars.lane import Lane


async def test_a_slot_that_cannot_be_given_back_just_now_is_given_back_later(
    server: RedisServer, settle: Settle
) -> None:
    slots = Keys("sync").account("m/a", "slots")
    async with (
        Proxy(server.port) as proxy,
        aclosing(connect(settle(redis={"url": proxy.url}).redis)) as client,
    ):
        lane = Lane(Accounts(Store(client, "sync")), "m", "m/a", Limits(at_a_time=1), cap_s=60)
        async with lane.admitted():
            proxy.arm(Trouble(word=b"ZREM"))
        await until(lambda: proxy.broken == 2)
        assert await server.ask("ZCARD", slots) == 1
        proxy.arm()

        async def is_free() -> bool:
            return int(await server.ask("ZCARD", slots)) == 0

        await until(is_free)
