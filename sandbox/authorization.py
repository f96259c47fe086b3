"""What users consent to, for either vendor: authorization requests and the codes given out for them."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from sandbox.clock import Clock

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
CODE_LIFETIME = 600
"""Seconds for which a code may be exchanged."""


class Why(StrEnum):
    """What is wrong with a code that is to be exchanged."""

    UNKNOWN = "unknown"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    OTHER_CLIENT = "other_client"
    OTHER_REDIRECT = "other_redirect"
    WRONG_VERIFIER = "wrong_verifier"


class CodeRefused(Exception):
    """A code is not exchanged."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What an application asks a user for. Without a challenge its code needs no verifier."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str = ""
    challenge: str = ""
    nonce: str = ""
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a user said yes to."""

    request: AuthorizationRequest
    user: str
    scopes: tuple[str, ...]
    expires_at: float


@dataclass(slots=True)
class Codes:
    """The codes of one vendor: each is good once, for a while, for who asked and knows the verifier."""

    clock: Clock
    issued: dict[str, Granted] = field(default_factory=dict)
    redeemed: set[str] = field(default_factory=set)

    def issue(self, request: AuthorizationRequest, user: str, scopes: tuple[str, ...]) -> str:
        """A code for a request that a user has said yes to."""
        code = secrets.token_urlsafe(32)
        self.issued[code] = Granted(request, user.lower(), scopes, self.clock() + CODE_LIFETIME)
        return code

    def redeem(self, code: str, *, client_id: str, redirect_uri: str, verifier: str) -> Granted:
        """What a code stands for; it is used up. Raises CodeRefused."""
        if code in self.redeemed:
            raise CodeRefused(Why.REDEEMED)
        granted = self.issued.get(code)
        if granted is None:
            raise CodeRefused(Why.UNKNOWN)
        request = granted.request
        if granted.expires_at <= self.clock():
            raise CodeRefused(Why.EXPIRED)
        if client_id != request.client_id:
            raise CodeRefused(Why.OTHER_CLIENT)
        if redirect_uri != request.redirect_uri:
            raise CodeRefused(Why.OTHER_REDIRECT)
        if request.challenge and not hmac.compare_digest(challenge_of(verifier), request.challenge):
            raise CodeRefused(Why.WRONG_VERIFIER)
        self.redeemed.add(code)
        return granted


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def same_redirect(asked: str, registered: str) -> bool:
    """Whether a redirect URI is one that was registered; on the loopback, any port is (RFC 8252)."""
    one, other = urlsplit(asked), urlsplit(registered)
    alike = (one.scheme, one.hostname, one.path.rstrip("/")) == (
        other.scheme,
        other.hostname,
        other.path.rstrip("/"),
    )
    return alike and (one.port == other.port or (one.scheme == "http" and one.hostname in LOOPBACK))
