"""What a Redis holds that was started on a copy of its files, as the runbook says it to whoever restores one."""

import shutil
from pathlib import Path

from bookings.connection import connect
from bookings.store import Store
from tests.callbacks import moved
from tests.conftest import Settle
from tests.integration.test_record import BID, accept
from tests.redis_trouble.server import DURABLE, RedisServer


async def test_a_restored_append_only_file_holds_what_was_booked_until_the_copy(
    settle: Settle, tmp_path: Path
) -> None:
    async with (
        RedisServer(tmp_path / "redis", *DURABLE) as server,
        connect(settle(redis={"url": server.url}).redis) as client,
    ):
        copied = await accept(Store(client, "sequence-sync"))
        shutil.copytree(server.folder, tmp_path / "restored")
        lost = await accept(Store(client, "sequence-sync"), moved(1))
    async with (
        RedisServer(tmp_path / "restored", *DURABLE) as server,
        connect(settle(redis={"url": server.url}).redis) as client,
    ):
        store = Store(client, "sequence-sync")
        booking = await store.booking(BID)
        assert booking is not None
        assert booking.revision == copied
        assert await accept(store, moved(1)) > lost


async def test_a_dump_beside_an_append_only_server_is_not_read(settle: Settle, tmp_path: Path) -> None:
    async with (
        RedisServer(tmp_path / "redis", *DURABLE) as server,
        connect(settle(redis={"url": server.url}).redis) as client,
    ):
        await accept(Store(client, "sequence-sync"))
        await server.ask("SAVE")
        (tmp_path / "restored").mkdir()
        shutil.copy(server.folder / "dump.rdb", tmp_path / "restored")
    async with (
        RedisServer(tmp_path / "restored", *DURABLE) as server,
        connect(settle(redis={"url": server.url}).redis) as client,
    ):
        assert (await Store(client, "sequence-sync").counts())["bookings"] == 0
        assert (await client.info())["aof_last_write_status"] == "ok"  # all is well, it says
