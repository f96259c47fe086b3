"""All that stands in Redis, to look for what must not."""

from typing import Any


async def everything_in(redis: Any) -> bytes:
    """Every key, field, member and value, none of them compressed."""
    found: list[bytes] = []
    for key in await redis.keys():
        found.append(key)
        match await redis.type(key):
            case b"string":
                found.append(await redis.get(key))
            case b"hash":
                found += [each for pair in (await redis.hgetall(key)).items() for each in pair]
            case b"list":
                found += await redis.lrange(key, 0, -1)
            case b"set":
                found += await redis.smembers(key)
            case b"zset":
                found += await redis.zrange(key, 0, -1)
            case kind:
                raise AssertionError(f"{key!r} is a {kind!r}, which nobody looks into")
    return b"\n".join(found)
