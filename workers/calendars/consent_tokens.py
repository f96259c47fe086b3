"""Access tokens of a user who consented: kept in Redis for the fleet, renewed by one worker at a time."""

import asyncio
import time
import uuid
from functools import partial

from redis.exceptions import RedisError

from bookings.consents import Consent, Consents, Kept
from bookings.errors import SealError
from workers.calendars.consent import Consenting
from workers.calendars.own_thread import OwnThread
from workers.calendars.single_flight import SingleFlight
from workers.errors import CalendarError, ErrorClass

_FRESH_FOR_S = 300.0
_LOOK_AGAIN_S = 0.1


class ConsentTokens:
    """Tokens of one account whose user consented by `sequence-sync login`.

    Args:
        account: the account's name.
        provider: renews them.
        consents: where they are kept.
        timeout_s: how long one request to the provider may take. A renewal may take several.
    """

    def __init__(self, account: str, provider: Consenting, consents: Consents, *, timeout_s: float) -> None:
        self._account = account
        self._provider = provider
        self._consents = consents
        self._turn_s = 4 * timeout_s
        self._flight = SingleFlight()
        self._thread = OwnThread(timeout_s)
        self._here: Consent | None = None

    async def token(self, *, instead_of: str = "") -> str:
        """Gives an access token; see `workers.calendars.http.Tokens`."""
        async with self._flight.turn():
            if self._here is not None and self._serves(self._here, instead_of):
                return self._here.access_token
            try:
                self._here = await self._from_the_fleet(instead_of)
            except SealError:
                raise CalendarError(ErrorClass.AUTH, "encryption_key_missing", whole_account=True) from None
            except (RedisError, OSError):
                raise CalendarError(ErrorClass.TRANSIENT, "redis_unavailable") from None
            return self._here.access_token

    def close(self) -> None:
        """Closes the connections to the token endpoint."""
        self._provider.close()

    def _serves(self, consent: Consent, instead_of: str) -> bool:
        fresh_for = 0.0 if self._flight.rests else _FRESH_FOR_S
        return consent.access_token != instead_of and _lives(consent, fresh_for)

    async def _from_the_fleet(self, instead_of: str) -> Consent:
        """The consent as Redis has it, renewed if need be: by us, or by whoever does so already."""
        patience = time.monotonic() + self._turn_s
        while True:
            consent = (await self._kept()).consent
            if self._serves(consent, instead_of):
                return consent
            async with self._consents.turn(self._account, uuid.uuid4().hex, for_s=self._turn_s) as ours:
                if ours:
                    kept = await self._kept()  # once more: somebody may just have had their turn
                    if self._serves(kept.consent, instead_of):
                        return kept.consent
                    renewed = await self._renewed(kept, instead_of)
                    if renewed is not None:
                        return renewed
            if consent.access_token != instead_of and _lives(consent, 0):
                return consent  # while another worker renews it
            if time.monotonic() > patience:
                raise CalendarError(ErrorClass.TRANSIENT, "consent_not_renewed")
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _kept(self) -> Kept:
        kept = await self._consents.get(self._account)
        if kept is None:
            raise CalendarError(ErrorClass.AUTH, "not_logged_in", whole_account=True)
        if kept.consent.client_id != self._provider.client_id:
            raise CalendarError(ErrorClass.AUTH, "logged_in_to_another_client", whole_account=True)
        return kept

    async def _renewed(self, kept: Kept, instead_of: str) -> Consent | None:
        """Renews; None where the user consented anew meanwhile.

        The new refresh token takes the old one's place in one step. Should that fail, the old one is still
        there, and still good: neither provider revokes it for having been used.
        """
        try:
            renewed = await self._thread.run(partial(self._provider.renew, kept.consent))
        except CalendarError as error:
            usable = kept.consent.access_token != instead_of and _lives(kept.consent, 0)
            if error.error_class is ErrorClass.AUTH or not usable:
                raise
            self._flight.rest()
            return kept.consent
        replaced = await self._consents.keep(self._account, renewed, instead_of=kept)
        return replaced.consent if replaced else None


def _lives(consent: Consent, least_s: float) -> bool:
    return time.time() < consent.lives_until - least_s
