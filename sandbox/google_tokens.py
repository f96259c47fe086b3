"""Who may call Google Calendar: service accounts, user consents, and the access tokens issued to them."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from sandbox.authorization import CodeRefused, Codes
from sandbox.clock import Clock

CALENDAR_SCOPE = "https://www.googleapis.com/auth/calendar"
CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GOOGLE_AUDIENCE = "https://oauth2.googleapis.com/token"
"""google-auth signs for this audience whatever the key's token_uri says (measured)."""
MAX_ASSERTION_LIFE = 3600
ASSERTION_SKEW_S = 300
"""How far ahead an assertion's `iat` may lie (a guess; that there is such a limit is reported)."""


class GrantError(Exception):
    """A token request that is refused, with OAuth's error code and Google's words."""

    def __init__(self, status: int, code: str, description: str, subtype: str = "") -> None:
        super().__init__(f"{code}: {description}")
        self.subtype = subtype
        self.status = status
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class GoogleGrant:
    """What an access token stands for. `may_invite`: a service account needs delegation to set attendees."""

    subject: str
    scopes: frozenset[str]
    expires_at: float
    may_invite: bool


@dataclass(slots=True)
class ServiceAccount:
    """A service account: its public keys by key id, and whether the domain lets it act for users.

    `delegated_scopes` are those it may do so for; None: any.
    """

    email: str
    keys: dict[str, RSAPublicKey] = field(default_factory=dict)
    delegated: bool = True
    delegated_scopes: frozenset[str] | None = None
    revoked: bool = False
    actors: set[str] = field(default_factory=set)
    """Who may act as it, or have it sign: mail addresses, and principals of federated identities."""

    def may_be(self, subject: str) -> bool:
        """Whether somebody may act as it."""
        return subject in {each.lower() for each in self.actors}

    def may_act(self, scopes: Iterable[str]) -> bool:
        """Whether it may act for a user: one scope that is not authorised spoils all that are asked for."""
        authorised = self.delegated_scopes
        return self.delegated and (authorised is None or authorised.issuperset(scopes))


@dataclass(frozen=True, slots=True)
class Pool:
    """A provider of workload identities: whose tokens are exchanged, and what they have to be for."""

    issuer: str
    audiences: frozenset[str]
    subject: str = ""
    """The one workload that its attribute condition lets in; empty: any."""


@dataclass(slots=True)
class Consent:
    """A user's consent, by its refresh token."""

    user: str
    client_id: str
    client_secret: str
    scopes: frozenset[str] | None = None
    """What the user said yes to; None: to anything."""
    revoked: bool = False
    reauthenticate: bool = False
    """Whether the Workspace asks its users to sign in again (session control), and this one has not."""


@dataclass(slots=True)
class GoogleTokens:
    """The registry behind the token endpoint. `lifetime` is in seconds, as answered in expires_in."""

    clock: Clock
    lifetime: int = 3599
    service_accounts: dict[str, ServiceAccount] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    grants: dict[str, GoogleGrant] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)
    """Installed applications: their secrets by their ids."""
    pools: dict[str, Pool] = field(default_factory=dict)
    """Providers of workload identities, by the audience that tokens are exchanged for."""
    attached: str = ""
    """The service account of the machine that the metadata server is of."""
    machine_scopes: frozenset[str] = frozenset({CLOUD_SCOPE})
    """What the machine's tokens are for, whatever is asked for: so does Compute Engine."""
    iam_enabled: bool = True
    """Whether the project uses the IAM Service Account Credentials API."""
    unknown_users: frozenset[str] = frozenset()
    """Addresses that nobody can act for, there being no such user."""
    codes: Codes = field(init=False)

    def __post_init__(self) -> None:
        self.codes = Codes(self.clock)

    def register_key(self, key: Mapping[str, Any]) -> ServiceAccount:
        """Learn the public half of a service account's JSON key."""
        email = key["client_email"]
        account = self.service_account(email)
        account.keys[key["private_key_id"]] = _public_half(key["private_key"])
        return account

    def register_user(self, user: Mapping[str, Any]) -> Consent:
        """Learn the refresh token of an authorized_user file."""
        consent = Consent(user["account"].lower(), user["client_id"], user["client_secret"])
        self.consents[user["refresh_token"]] = consent
        return consent

    def revoke(self, who: str) -> None:
        """Withdraw everything of a user or service account: refreshing fails, access tokens die."""
        who = who.lower()
        if who in self.service_accounts:
            self.service_accounts[who].revoked = True
        for consent in self.consents.values():
            consent.revoked = consent.revoked or consent.user == who
        self.grants = {token: grant for token, grant in self.grants.items() if grant.subject != who}

    def revoke_token(self, token: str) -> bool:
        """Withdraw the consent that a token stands for, and with it the user's access tokens."""
        consent = self.consents.get(token)
        grant = self.grants.get(token)
        if (consent is None or consent.revoked) and grant is None:
            return False
        self.revoke(consent.user if consent else grant.subject if grant else "")
        return True

    def issue(
        self, subject: str, scopes: Iterable[str] = (CALENDAR_SCOPE,), *, may_invite: bool = True
    ) -> str:
        """A new access token for a subject, valid for `lifetime` seconds."""
        token = f"ya29.{secrets.token_urlsafe(24)}"
        expires_at = self.clock() + self.lifetime
        self.grants[token] = GoogleGrant(subject.lower(), frozenset(scopes), expires_at, may_invite)
        return token

    def grant(self, token: str) -> GoogleGrant | None:
        """What a token stands for; None when it is unknown or has expired."""
        grant = self.grants.get(token)
        if grant is None or grant.expires_at <= self.clock():
            return None
        return grant

    def from_assertion(self, assertion: str, token_uri: str) -> str:
        """An access token for a signed JWT (the jwt-bearer grant). Raises GrantError."""
        account = self._signer(assertion)
        claims = self._claims(assertion, account, token_uri)
        subject = claims.get("sub", account.email)
        scopes = str(claims.get("scope", "")).split()
        if not scopes:
            raise GrantError(400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.")
        if str(subject).lower() in self.unknown_users:
            raise GrantError(400, "invalid_grant", "Invalid email or User ID")
        if subject != account.email and not account.may_act(scopes):
            raise GrantError(
                401,
                "unauthorized_client",
                "Client is unauthorized to retrieve access tokens using this method, or client not "
                "authorized for any of the scopes requested.",
            )
        return self.issue(subject, scopes, may_invite=subject != account.email)

    def service_account(self, email: str) -> ServiceAccount:
        """The service account of this address, made where there is none: keys are not what makes one."""
        return self.service_accounts.setdefault(email, ServiceAccount(email))

    def from_refresh_token(self, form: Mapping[str, str]) -> str:
        """An access token for a refresh token. Raises GrantError."""
        consent = self.consents.get(form.get("refresh_token", ""))
        if consent is None or consent.revoked:
            raise GrantError(400, "invalid_grant", "Token has been expired or revoked.")
        if consent.reauthenticate:
            raise GrantError(400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt")
        if (form.get("client_id"), form.get("client_secret")) != (consent.client_id, consent.client_secret):
            raise GrantError(401, "invalid_client", "The provided client secret is invalid.")
        granted = consent.scopes if consent.scopes is not None else frozenset({CALENDAR_SCOPE})
        asked = frozenset(form.get("scope", "").split()) or granted
        if consent.scopes is not None and not asked <= granted:
            raise GrantError(400, "invalid_scope", "Some requested scopes were invalid.")
        return self.issue(consent.user, asked)

    def from_code(self, form: Mapping[str, str]) -> tuple[str, str]:
        """An access token and a refresh token for an authorization code. Raises GrantError."""
        client_id = form.get("client_id", "")
        if not self.clients.get(client_id) or form.get("client_secret") != self.clients[client_id]:
            raise GrantError(401, "invalid_client", "The provided client secret is invalid.")
        try:
            granted = self.codes.redeem(
                form.get("code", ""),
                client_id=client_id,
                redirect_uri=form.get("redirect_uri", ""),
                verifier=form.get("code_verifier", ""),
            )
        except CodeRefused as refused:
            raise GrantError(400, "invalid_grant", f"Malformed auth code: {refused.why}.") from None
        refresh_token = f"1//{secrets.token_urlsafe(32)}"
        scopes = frozenset(granted.scopes)
        self.consents[refresh_token] = Consent(granted.user, client_id, self.clients[client_id], scopes)
        return self.issue(granted.user, scopes), refresh_token

    def _signer(self, assertion: str) -> ServiceAccount:
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError:
            raise GrantError(400, "invalid_grant", "Bad Request") from None
        account = self.service_accounts.get(str(claims.get("iss")))
        if account is None or account.revoked:
            raise GrantError(400, "invalid_grant", "Invalid grant: account not found")
        return account

    def _claims(self, assertion: str, account: ServiceAccount, token_uri: str) -> dict[str, Any]:
        key = account.keys.get(jwt.get_unverified_header(assertion).get("kid", ""))
        if key is None:
            raise GrantError(400, "invalid_grant", "Invalid JWT Signature.")
        try:
            claims: dict[str, Any] = jwt.decode(
                assertion,
                key,
                algorithms=["RS256"],
                audience=[GOOGLE_AUDIENCE, token_uri],
                options={"verify_exp": False, "verify_iat": False, "require": ["iss", "aud", "exp", "iat"]},
            )
        except jwt.InvalidAudienceError:
            raise GrantError(400, "invalid_grant", "Invalid JWT: Failed audience check.") from None
        except jwt.PyJWTError:
            raise GrantError(400, "invalid_grant", "Invalid JWT Signature.") from None
        issued, expires = float(claims["iat"]), float(claims["exp"])
        if (
            not self.clock() < expires <= issued + MAX_ASSERTION_LIFE
            or issued > self.clock() + ASSERTION_SKEW_S
        ):
            raise GrantError(
                400,
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim.",
            )
        return claims


@lru_cache(maxsize=16)
def _public_half(pem: str) -> RSAPublicKey:
    """Of a private key; reading one takes a twentieth of a second."""
    private = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(private, RSAPrivateKey):
        raise TypeError("a service account's key is an RSA key")
    return private.public_key()
