"""What is in Redis of the bookings of `record_model`, in two round trips; and how time passes there."""

import json
import re
from dataclasses import dataclass

from bookings import queue
from bookings.store import Store
from tests.integration.record_model import BIDS

_TOLD = re.compile(r"(rev|part|state|writes|asks|gone|lease|delayed):|revision$|parts$")


@dataclass
class Seen:
    """What is in Redis: the sorted sets by their scores, the records by their events."""

    open: dict[str, float]
    dead: dict[str, float]
    queue: dict[str, float]
    delayed: dict[str, dict[str, float]]
    """By state and write."""
    wakeable: dict[str, dict[str, float]]
    """By write."""
    records: dict[str, dict[str, bytes]]
    expire: dict[str, bool]
    jobs: dict[str, float]
    """Of each part with a job that waits and can be run: when the first of them is due (Unix ms)."""

    def told(self, event: str) -> dict[str, bytes]:
        """What of a record its model tells, too."""
        return {
            name: re.sub(rb"^(\d+) \d+ (\w)$", rb"\1 \2", value)
            for name, value in self.records[event].items()
            if _TOLD.match(name)
        }


async def look(store: Store) -> Seen:
    keys, records = store.keys, [store.keys.booking(bid) for bid in BIDS.values()]
    async with store.redis.pipeline(transaction=False) as pipe:
        for name in (keys.open, keys.dead, keys.queue_of("hiring")):
            pipe.zrange(name, 0, -1, withscores=True)
        for key in records:
            pipe.hgetall(key).pttl(key)
        opened, dead, queued, *found = await pipe.execute()
    delayed, wakeable = await _delayed(store)
    jobs = [job.decode() for job, _ in queued]
    payloads = await store.redis.mget([f"arq:job:{job}" for job in jobs]) if jobs else []
    waiting: dict[str, float] = {}
    for job, payload in zip(jobs, payloads, strict=True):
        if payload is not None:
            waiting.setdefault(_place(job, payload), dict(queued)[job.encode()])
    return Seen(
        open=_scores(opened),
        dead=_scores(dead),
        queue=_scores(queued),
        delayed=delayed,
        wakeable=wakeable,
        records={event: _text(record) for event, record in zip(BIDS, found[::2], strict=True)},
        expire={event: ttl > 0 for event, ttl in zip(BIDS, found[1::2], strict=True)},
        jobs=waiting,
    )


async def _delayed(store: Store) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """The index of delayed writes; what its hash lists must be just what there is."""
    prefix = store.keys.delayed + ":"
    names = [name.decode().removeprefix(prefix) async for name in store.redis.scan_iter(f"{prefix}*")]
    found = {name: _scores(await store.redis.zrange(prefix + name, 0, -1, withscores=True)) for name in names}
    wakeable = {name.partition(":")[2]: found.pop(name) for name in names if name.startswith("wakeable:")}
    assert {field.decode() for field in await store.redis.hkeys(store.keys.delayed)} == set(found)
    return found, wakeable


def _scores(members: list[tuple[bytes, float]]) -> dict[str, float]:
    return {member.decode(): score for member, score in members}


def _text(record: dict[bytes, bytes]) -> dict[str, bytes]:
    return {name.decode(): value for name, value in record.items()}


def _place(job: str, payload: bytes) -> str:
    """The part that a job is of, which is all that it may say."""
    bid, pid = job.split(":")[1:3]
    data = json.loads(payload)
    assert isinstance(data.pop("et"), int)
    assert data == {"t": None, "f": queue.FUNCTION, "a": [bid, pid], "k": {}}
    return f"{bid}:{pid}"


async def move_back(store: Store, by_ms: int) -> None:
    """Moves every moment that is stored, so that it is as if time had passed."""
    seen, keys = await look(store), store.keys
    async with store.redis.pipeline(transaction=False) as pipe:
        for name, scores in ((keys.open, seen.open), (keys.queue_of("hiring"), seen.queue)):
            for member, score in scores.items():
                pipe.zadd(name, {member: score - by_ms})
        for wid, scores in seen.wakeable.items():
            for member, score in scores.items():
                pipe.zadd(keys.delayed_at(wid, "wakeable"), {member: score - by_ms})
        for event, record in seen.records.items():
            for name, value in record.items():
                if name == "deliveries" or name.startswith("lease:"):
                    moved = re.sub(rb"(?<= )\d+(?= )", lambda till: b"%d" % (int(till[0]) - by_ms), value)
                    pipe.hset(keys.booking(BIDS[event]), name, moved)
        await pipe.execute()
