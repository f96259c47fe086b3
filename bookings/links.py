"""Links that we had made at Cronofy: under whose token a callback comes, and where its parts go.

A link is registered before it is asked for, so that its callback cannot come before its calendars are known.
It is found by a name that is made of its token (`identity.link_id`); the token itself is not kept.
"""

from collections.abc import AsyncIterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from bookings.clock import now_ms
from bookings.identity import link_id
from bookings.reader import Reader
from bookings.stored import Stored

_PAGE = 200
"""How many expired links leave the index when one comes."""


class LinkKind(StrEnum):
    """What was asked for, by the last word of its address at Cronofy."""

    SEQUENCING = "real_time_sequencing"
    SCHEDULING = "real_time_scheduling"


class LinkState(StrEnum):
    """What is known of a link at Cronofy."""

    ASKED = "asked"
    """Asked for, and not known whether it was made."""
    OPEN = "open"
    COMPLETED = "completed"
    """A time was chosen: its callback was accepted."""
    DISABLED = "disabled"


class LinkTarget(msgspec.Struct, frozen=True, array_like=True):
    """A calendar that a part goes to; with a `sub`, where that participant was picked for it."""

    calendar: str
    sub: str | None = None


_TARGETS = msgspec.json.Decoder(dict[str, tuple[LinkTarget, ...]])
_ADDRESSES = msgspec.json.Decoder(tuple[str, ...])

LinkTargets = Mapping[str, tuple[LinkTarget, ...]]
"""The targets of each `sequence_id`; of a callback without a sequence, under ""."""


class Link(msgspec.Struct, frozen=True):
    """A registered link; times in Unix milliseconds."""

    id: str
    app: str
    kind: LinkKind
    state: LinkState
    targets: dict[str, tuple[LinkTarget, ...]]
    forward_to: tuple[str, ...] = ()
    """Addresses that its callback is passed on to, besides those of its app."""
    cronofy_id: str = ""
    url: str = ""
    """Where people pick a time."""
    created_at: int = 0
    expires_at: int | None = None


class Links(Reader):
    """The part of `Store` that knows links."""

    async def register_link(
        self,
        app: str,
        token: str,
        targets: LinkTargets,
        *,
        keep_s: float,
        kind: LinkKind = LinkKind.SEQUENCING,
        forward_to: tuple[str, ...] = (),
    ) -> str:
        """Records where the parts of a link go, before it is asked for; gives the link's id."""
        lid = link_id(app, token)
        now = now_ms()
        fields: dict[str, Any] = {
            "app": app,
            "kind": kind,
            "state": LinkState.ASKED,
            "targets": self.stored.json(targets),
            "created_at": now,
        }
        if forward_to:
            fields["forward_to"] = self.stored.json(forward_to)
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.hset(self.keys.link(lid), mapping=fields)
            pipe.expire(self.keys.link(lid), int(keep_s))
            pipe.zadd(self.keys.links, {lid: now})
            await pipe.execute()
        return lid

    async def link_made(self, lid: str, *, cronofy_id: str, url: str) -> None:
        """Writes down what Cronofy calls a link, and where it is."""
        named = [self.keys.link_called(cronofy_id)] if cronofy_id else []
        await self.run(
            "amend_link",
            keys=[self.keys.link(lid), *named],
            args=[lid, "state", LinkState.OPEN, "cronofy_id", cronofy_id, "url", self.stored.text(url)],
        )

    async def link_disabled(self, cronofy_id: str) -> None:
        """Writes down that a link is disabled, if it is one of ours."""
        lid = await self.redis.get(self.keys.link_called(cronofy_id))
        if lid is not None:
            await self.run(
                "amend_link",
                keys=[self.keys.link(lid.decode())],
                args=[lid.decode(), "state", LinkState.DISABLED],
            )

    async def forget_link(self, lid: str) -> None:
        """Drops a link that was not made."""
        async with self.redis.pipeline(transaction=True) as pipe:
            pipe.delete(self.keys.link(lid))
            pipe.zrem(self.keys.links, lid)
            await pipe.execute()

    async def link(self, lid: str) -> Link | None:
        """One link; None where there is none, or it has expired."""
        async with self.redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(self.keys.link(lid))
            pipe.pttl(self.keys.link(lid))
            record, ttl = await pipe.execute()
        return _link(lid, record, now_ms() + ttl if ttl > 0 else None, self.stored) if record else None

    async def link_of_cronofy(self, cronofy_id: str) -> Link | None:
        """The link that Cronofy calls so, if it is one of ours."""
        lid = await self.redis.get(self.keys.link_called(cronofy_id))
        return await self.link(lid.decode()) if lid is not None else None

    async def links(self) -> AsyncIterator[Link]:
        """All links, the newest first; those that have expired leave the index on the way."""
        newest, seen = "+inf", set[bytes]()
        while True:
            page: list[tuple[bytes, float]] = await self.redis.zrevrangebyscore(
                self.keys.links, newest, "-inf", start=0, num=_PAGE + len(seen), withscores=True
            )
            fresh = [(lid, made) for lid, made in page if lid not in seen]
            if not fresh:
                return
            for lid, _ in fresh:
                link = await self.link(lid.decode())
                if link is None:
                    await self.redis.zrem(self.keys.links, lid)
                else:
                    yield link
            newest = str(int(fresh[-1][1]))
            seen = {lid for lid, made in page if int(made) == int(newest)}


def _link(lid: str, record: Mapping[bytes, bytes], expires_at: int | None, stored: Stored) -> Link:
    def text(name: str) -> str:
        return record.get(name.encode(), b"").decode()

    return Link(
        id=lid,
        app=text("app"),
        kind=LinkKind(text("kind")),
        state=LinkState.COMPLETED if b"completed_at" in record else LinkState(text("state")),
        targets=_TARGETS.decode(stored.read_json(record[b"targets"])),
        forward_to=_ADDRESSES.decode(stored.read_json(record.get(b"forward_to", b"[]"))),
        cronofy_id=text("cronofy_id"),
        url=stored.read_text(record.get(b"url", b"")),
        created_at=int(text("created_at")),
        expires_at=expires_at,
    )
