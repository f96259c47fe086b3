"""A copy of all that Redis holds, and Redis as it was when the copy was made."""

from typing import Any

Copy = dict[bytes, tuple[bytes, int]]
"""Each key's value as Redis gives it away, and for how many milliseconds it has to live; 0: for good."""


async def copy_of(redis: Any) -> Copy:
    """Copies everything."""
    return {key: (await redis.dump(key), max(await redis.pttl(key), 0)) for key in await redis.keys()}


async def restored(redis: Any, copy: Copy) -> None:
    """Puts the copy in the place of everything."""
    await redis.flushall()
    for key, (value, life) in copy.items():
        await redis.restore(key, life, value)
