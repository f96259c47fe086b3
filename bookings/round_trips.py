"""Round trips to Redis that callers share: whoever comes while one is under way goes with the next.

With a Redis that writes to disk before it answers, a round trip takes little longer for thirty scripts than
for one. Nobody waits for company: what comes alone goes at once.
"""

import asyncio
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from hiredis import pack_command

from bookings.errors import again

if TYPE_CHECKING:
    from bookings.connection import OurConnection

_SIDE_BY_SIDE = 2
"""Round trips under way at a time: while Redis carries one out, we prepare another."""
_AT_ONCE = 16
"""So many share one round trip without more ado: who is answered in between asks for the next."""
_MOST_AT_ONCE = 128
"""However many wait; Redis does nothing else while it carries them out, some 10 ms."""

Argument = str | bytes | int | float


class RoundTrips:
    """Sends commands that are answered one by one, each to whoever asked.

    What fails is the caller's own: one that Redis refuses raises the refusal, the others have their answers.
    Where the connection is lost, nobody knows what was carried out, and every one of them is told so.
    """

    def __init__(self, redis: Any) -> None:
        self._pool = redis.connection_pool
        self._waiting: dict[asyncio.Future[Any], tuple[Argument, ...]] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    def deadline(self, within_s: float) -> float:
        """The event loop's time in so many seconds."""
        return self._loop.time() + within_s

    async def send(self, *command: Argument, by: float | None = None) -> Any:
        """Gives the answer to a command. Raises `redis.RedisError` or `OSError`.

        Where it has not come by then (the event loop's time) it raises `TimeoutError`. Then, and when its
        caller is cancelled, a command that still waits is taken back; else nobody knows the outcome.
        """
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[answer] = command
        if len(self._waiting) == 1 and len(self._under_way) < _SIDE_BY_SIDE:
            # Else one that is under way already takes it.
            self._under_way.add(self._loop.create_task(self._go()))
        too_late = None if by is None else self._loop.call_at(by, _give_up, answer)
        try:
            return await answer
        finally:
            self._waiting.pop(answer, None)
            if too_late is not None:
                too_late.cancel()

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()  # asks for the process id each time: a system call

    async def _go(self) -> None:
        connection: OurConnection | None = None
        try:
            while self._waiting:
                group = dict(islice(self._waiting.items(), _share(len(self._waiting))))
                for answer in group:
                    del self._waiting[answer]
                try:
                    connection = connection or await self._pool.get_connection()
                    answers = await _exchange(connection, list(group.values()))
                except Exception as error:  # noqa: BLE001 - whatever it is, it is for those who wait
                    answers = [again(error) for _ in group]
                except asyncio.CancelledError:
                    for each in group:
                        each.cancel()
                    raise
                _hand_out(group, answers)
        finally:
            self._under_way.remove(cast("asyncio.Task[None]", asyncio.current_task()))
            if connection is not None:  # whoever comes now begins a round trip of its own
                await self._pool.release(connection)


def _share(waiting: int) -> int:
    """How many of those who wait go with the next round trip: more of them where Redis is slow to answer."""
    return min(max(waiting // 4, _AT_ONCE), _MOST_AT_ONCE)


async def _exchange(connection: "OurConnection", commands: list[tuple[Argument, ...]]) -> list[Any]:
    packed = b"".join([pack_command(each) for each in commands])  # type: ignore[arg-type]  # the stub means one-tuples
    try:
        return await connection.retry.call_with_retry(
            lambda: connection.exchange(packed, len(commands)),
            lambda _: connection.disconnect(nowait=True),
        )
    except BaseException:
        await connection.disconnect(nowait=True)
        raise


def _hand_out(group: dict[asyncio.Future[Any], Any], answers: list[Any]) -> None:
    for each, answer in zip(group, answers, strict=True):
        if each.done():  # its caller did not wait
            continue
        if isinstance(answer, Exception):
            each.set_exception(answer)
        else:
            each.set_result(answer)


def _give_up(answer: asyncio.Future[Any]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())
