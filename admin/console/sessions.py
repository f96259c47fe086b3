"""Who is signed in: a signed cookie, which any process of the fleet can check, and the tokens of its forms.

In Redis there are only a random secret of the fleet and the sessions that were ended early. The signing key
is made of that secret and the password: a new password ends every session, and whoever has a cookie, as
everybody has who looks at the form to sign in, can try out no passwords on it.
"""

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Callable

import msgspec

from bookings.store import Store
from config.secrets import Secret

FORM_LASTS_S = 3600.0
"""For how long the form to sign in may lie open."""
_LONGEST_NAME = 60


class Session(msgspec.Struct, frozen=True, array_like=True):
    """A signed-in operator, or somebody who is just looking at the form to sign in (without a name)."""

    id: str
    who: str
    until: float
    """Unix seconds."""

    @property
    def signed_in(self) -> bool:
        """Whether the password was given."""
        return bool(self.who)


_DECODER = msgspec.json.Decoder(Session)


class Sessions:
    """The sessions of one console.

    Args:
        password: what operators sign in with.
        store: where ended sessions are remembered, for all processes.
        lasts_s: for how long one is signed in.
        clock: Unix seconds.
    """

    def __init__(
        self, password: Secret, store: Store, *, lasts_s: float, clock: Callable[[], float] = time.time
    ) -> None:
        self.lasts_s = lasts_s
        self._password = password
        self._store = store
        self._clock = clock

    async def stranger(self) -> tuple[Session, str]:
        """A session for the form to sign in, and its cookie."""
        return await self._made("", FORM_LASTS_S)

    async def signed_in(self, who: str) -> tuple[Session, str]:
        """A new session and its cookie; `who` is what the operator is called in the audit record."""
        return await self._made(" ".join(who.split())[:_LONGEST_NAME], self.lasts_s)

    async def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None where it is forged, over or ended. Raises what Redis raises."""
        payload, _, signature = cookie.partition(".")
        try:
            body, given = _decoded(payload), _decoded(signature)
            if not hmac.compare_digest(await self._mac("session", body), given):
                return None
            session = _DECODER.decode(body)
        except (binascii.Error, ValueError, msgspec.DecodeError):
            return None
        if session.until <= self._clock():
            return None
        if session.signed_in and await self._store.redis.exists(self._ended(session)):
            return None
        return session

    async def end(self, session: Session) -> None:
        """Ends a session before its time, in every process."""
        left_s = max(1.0, session.until - self._clock())
        await self._store.redis.set(self._ended(session), "", px=int(left_s * 1000))

    async def is_password(self, given: str) -> bool:
        """Whether it is the password; takes equally long whichever it is."""
        right = await self._mac("password", self._password.value().encode())
        return hmac.compare_digest(right, await self._mac("password", given.encode(errors="replace")))

    async def form_token(self, session: Session) -> str:
        """What a form of this session carries: no other site knows it."""
        return _encoded(await self._mac("form", session.id.encode()))

    async def is_form_token(self, session: Session, given: str) -> bool:
        """Whether a form was made for this session."""
        return hmac.compare_digest((await self.form_token(session)).encode(), given.encode(errors="replace"))

    async def _made(self, who: str, lasts_s: float) -> tuple[Session, str]:
        session = Session(secrets.token_urlsafe(16), who, self._clock() + lasts_s)
        body = msgspec.json.encode(session)
        return session, f"{_encoded(body)}.{_encoded(await self._mac('session', body))}"

    async def _mac(self, purpose: str, data: bytes) -> bytes:
        key = hmac.digest(await self._fleets_secret(), self._password.value().encode(), "sha256")
        return hmac.digest(key, purpose.encode() + b"|" + data, "sha256")

    async def _fleets_secret(self) -> bytes:
        """Random bytes that only those know who can read our Redis anyway; whoever is first makes them."""
        redis, name = self._store.redis, f"{self._store.keys.prefix}:console:secret"
        secret: bytes | None = await redis.get(name)
        if secret is None:
            await redis.set(name, secrets.token_bytes(32), nx=True)
            secret = await redis.get(name)
        assert secret is not None
        return secret

    def _ended(self, session: Session) -> str:
        return f"{self._store.keys.prefix}:console:ended:{session.id}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
