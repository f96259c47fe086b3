"""A copy of all that Redis holds, and Redis as it was when the copy was made."""

from typing import Any

Copy = dict[bytes, tuple[bytes, int]]
"""Each key's value as Redis gives it away, and for how many milliseconds it has to live; 0: for good."""


async def copy_of(redis: Any) -> Copy:
    """Copies everything; what goes meanwhile is not among it."""
    copy: Copy = {}
    for key in await redis.keys():
        value, life = await redis.dump(key), await redis.pttl(key)
        if value is not None:
            copy[key] = value, max(life, 0)
    return copy


async def restored(redis: Any, copy: Copy) -> None:
    """Puts the copy in the place of everything, in one step: processes that work on see the one or the other."""
    async with redis.pipeline(transaction=True) as pipe:
        pipe.flushall()
        for key, (value, life) in copy.items():
            pipe.restore(key, life, value)
        await pipe.execute()
