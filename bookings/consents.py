"""What users consented to by `sequence-sync login`: encrypted in Redis, shared by the whole fleet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from bookings.store import Store


class Consent(msgspec.Struct, frozen=True):
    """One user's consent: what the provider gave for it, to which application."""

    client_id: str
    refresh_token: str
    access_token: str
    lives_until: float
    """The end of the access token, in Unix seconds."""
    user: str = ""
    """Who consented, where the provider says so."""


class Kept(msgspec.Struct, frozen=True):
    """A consent as it is kept; `version` tells whether it is still the same when another is to replace it."""

    consent: Consent
    version: int


_DECODER = msgspec.json.Decoder(Consent)


class Consents:
    """Every method may raise `redis.RedisError` or `OSError`, and `SealError` where a key is missing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, account: str) -> Kept | None:
        """The consent of an account, if there is one; encrypted anew where an older key did it."""
        seal = self._store.seal
        sealed, version = await self._store.redis.hmget(
            self._store.keys.consent(account), "sealed", "version"
        )
        if sealed is None:
            return None
        kept = Kept(_DECODER.decode(seal.unseal(sealed)), int(version))
        if seal.is_of_newest_key(sealed):
            return kept
        return await self.keep(account, kept.consent, instead_of=kept) or await self.get(account)

    async def keep(self, account: str, consent: Consent, *, instead_of: Kept | None = None) -> Kept | None:
        """Keeps a consent in one step, so that there is never none; None where `instead_of` was overtaken."""
        sealed = self._store.seal.seal(msgspec.json.encode(consent))
        [version] = await self._store.run(
            "keep_consent",
            keys=[self._store.keys.consent(account)],
            args=[sealed, "" if instead_of is None else instead_of.version],
        )
        return Kept(consent, int(version)) if version else None

    async def forget(self, account: str) -> bool:
        """Lets go of a consent; False where there is none."""
        return bool(await self._store.redis.delete(self._store.keys.consent(account)))

    @asynccontextmanager
    async def turn(self, account: str, holder: str, *, for_s: float) -> AsyncIterator[bool]:
        """Whether it is ours to renew the consent now: one worker of the fleet does so at a time."""
        office = f"consent:{account}"
        ours = await self._store.elect(office, holder, for_s=for_s)
        try:
            yield ours
        finally:
            if ours:
                await self._store.resign(office, holder)
