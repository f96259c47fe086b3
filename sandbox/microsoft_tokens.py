"""Who may call Graph: tenants, their applications and users, and the access tokens issued to them."""

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1

from sandbox.authorization import CodeRefused, Codes, Why
from sandbox.clock import Clock
from sandbox.device_codes import Devices, DeviceWaits, Wait

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


CALENDAR_ROLES = frozenset({"Calendars.ReadWrite"})
ASSERTION_SKEW_S = 300
"""How far an assertion's `nbf` may lie ahead (a guess)."""

_CODE_REFUSALS = {
    Why.UNKNOWN: (9002313, "Invalid request. Request is malformed or invalid."),
    Why.REDEEMED: (54005, "OAuth2 Authorization code was already redeemed."),
    Why.EXPIRED: (70008, "The provided authorization code or refresh token has expired."),
    Why.OTHER_CLIENT: (70000, "The provided value for the 'code' parameter is not valid."),
    Why.OTHER_REDIRECT: (50011, "The redirect URI does not match the one of the authorization request."),
    Why.WRONG_VERIFIER: (501481, "The Code_Verifier does not match the code_challenge."),
}
_DEVICE_WAITS = {
    Wait.PENDING: (70016, "The request has not yet been authorized by the user."),
    Wait.SLOW_DOWN: (70016, "The request is polled more often than its interval allows."),
    Wait.DECLINED: (65004, "User declined to consent to access the app."),
    Wait.EXPIRED: (70020, "The provided value for 'device_code' is not valid: it has expired."),
    Wait.UNKNOWN: (70018, "Invalid verification code."),
}


class TokenError(Exception):
    """A token request that is refused: OAuth's error code, the AADSTS number and its words."""

    def __init__(self, status: int, code: str, number: int, description: str) -> None:
        super().__init__(f"AADSTS{number}: {description}")
        self.status = status
        self.code = code
        self.number = number


@dataclass(frozen=True, slots=True)
class GraphGrant:
    """What an access token stands for. Without a user it is the application's own."""

    tenant: str
    client_id: str
    user: str | None
    expires_at: float
    scopes: frozenset[str] | None = None
    """What the user said yes to, by their last words (`Calendars.ReadWrite`); None: to anything."""
    roles: frozenset[str] = CALENDAR_ROLES
    """What the application was allowed when the token was issued: what is granted later is in later ones."""


@dataclass(slots=True)
class Application:
    """An application known to a tenant. `certificate` is PEM; without it no assertion's signature is checked.

    That is how a federated credential's assertion is taken: somebody else signed it, and
    `federated_subject`, where it is given, is whom for. With neither a secret nor a certificate, users may
    consent to it as to a public client. `roles` are its application permissions, with an administrator's
    consent; they stand in tokens issued from then on.
    """

    client_id: str
    secret: str = ""
    certificate: str = ""
    secret_expired: bool = False
    redirect_uris: tuple[str, ...] = ("http://localhost",)
    roles: tuple[str, ...] = tuple(CALENDAR_ROLES)
    disabled: bool = False
    principal: bool = True
    federated_subject: str = ""
    may_read_itself: bool = False
    """Whether it has Application.Read.All."""
    secret_ends: str = "2299-12-31T00:00:00Z"  # noqa: S105 - a time


@dataclass(frozen=True, slots=True)
class ManagedIdentity:
    """An identity of the platform's, in the tenant of its subscription."""

    tenant: str
    client_id: str


@dataclass(frozen=True, slots=True)
class Consent:
    """Who consented to what, where; a refresh token stands for it."""

    tenant: str
    client_id: str
    user: str
    scopes: tuple[str, ...] | None = None


@dataclass(slots=True)
class MicrosoftTokens:
    """The registry behind the token endpoints. `lifetime` is in seconds, as answered in expires_in."""

    clock: Clock
    lifetime: int = 3599
    tenants: dict[str, dict[str, Application]] = field(default_factory=dict)
    refresh_tokens: dict[str, Consent] = field(default_factory=dict)
    grants: dict[str, GraphGrant] = field(default_factory=dict)
    identities: dict[str, ManagedIdentity] = field(default_factory=dict)
    """Managed identities of the machine, by client ID; by "" the one that it has by itself."""
    identity_header: str = "sandbox"
    """What App Service tells its own processes, and nobody else."""
    codes: Codes = field(init=False)
    devices: Devices = field(init=False)

    def __post_init__(self) -> None:
        self.codes = Codes(self.clock)
        self.devices = Devices(self.clock)

    def register(self, tenant: str, client_id: str, **credential: Any) -> Application:
        """Make an application known to a tenant, with its secret or certificate (Application's fields)."""
        application = Application(client_id, **credential)
        self.tenants.setdefault(tenant, {})[client_id] = application
        return application

    def register_user(
        self, tenant: str, client_id: str, user: str, scopes: tuple[str, ...] | None = None
    ) -> str:
        """A refresh token for a user who has consented to an application."""
        refresh_token = f"0.{secrets.token_urlsafe(48)}"
        self.refresh_tokens[refresh_token] = Consent(tenant, client_id, user.lower(), scopes)
        return refresh_token

    def revoke(self, who: str) -> None:
        """Withdraw everything of a user (its address) or application (its client id)."""
        self.refresh_tokens = {
            token: consent
            for token, consent in self.refresh_tokens.items()
            if who not in (consent.user, consent.client_id)
        }
        self.grants = {
            token: grant for token, grant in self.grants.items() if who not in (grant.user, grant.client_id)
        }

    def issue(
        self,
        tenant: str = "sandbox",
        client_id: str = "sandbox",
        user: str | None = None,
        scopes: Iterable[str] | None = None,
    ) -> str:
        """A new access token, valid for `lifetime` seconds."""
        owner = user.lower() if user else None
        granted = None if scopes is None else frozenset(each.rpartition("/")[2] for each in scopes)
        application = self.tenants.get(tenant, {}).get(client_id)
        roles = CALENDAR_ROLES if application is None else frozenset(application.roles)
        expires_at = self.clock() + self.lifetime
        token = _signed(
            {
                "aud": "https://graph.microsoft.com",
                "appid": client_id,
                "tid": tenant,
                "exp": int(expires_at),
                **({"scp": " ".join(sorted(granted or ()))} if owner else {"roles": sorted(roles)}),
            }
        )
        self.grants[token] = GraphGrant(tenant, client_id, owner, expires_at, granted, roles)
        return token

    def grant(self, token: str) -> GraphGrant | None:
        """What a token stands for; None when it is unknown or has expired."""
        grant = self.grants.get(token)
        if grant is None or grant.expires_at <= self.clock():
            return None
        return grant

    def for_application(self, tenant: str, form: Mapping[str, str]) -> str:
        """An access token for an application itself (client_credentials). Raises TokenError."""
        application = self.application(tenant, form)
        self._check_credential(application, form)
        if not form.get("scope", "").endswith("/.default"):
            raise TokenError(
                400, "invalid_scope", 1002012, "The provided value for scope must end in /.default."
            )
        return self.issue(tenant, application.client_id)

    def for_identity(self, client_id: str, resource: str) -> str | None:
        """An access token of a managed identity; None where the machine has no such identity.

        For `api://AzureADTokenExchange` it is a JWT that applications may trust, as a federated credential.
        """
        identity = self.identities.get(client_id)
        if identity is None:
            return None
        if not resource.startswith("api://"):
            return self.issue(identity.tenant, identity.client_id)
        claims = {
            "iss": f"https://login.microsoftonline.com/{identity.tenant}/v2.0",
            "sub": identity.client_id,
            "aud": resource,
            "exp": int(self.clock()) + self.lifetime,
        }
        return jwt.encode(claims, secrets.token_bytes(32), algorithm="HS256")

    def for_user(self, tenant: str, form: Mapping[str, str]) -> dict[str, str]:
        """The answer to a refresh token: the next one in it, though the old one stays good (refresh-tokens).

        Raises TokenError.
        """
        application = self._client(tenant, form)
        consent = self.refresh_tokens.get(form.get("refresh_token", ""))
        if consent is None or consent.client_id != application.client_id:
            raise TokenError(400, "invalid_grant", 50173, "The provided grant has expired or was revoked.")
        return self._answer(consent, consent.scopes or tuple(form.get("scope", "").split()))

    def for_code(self, tenant: str, form: Mapping[str, str]) -> dict[str, str]:
        """The answer to an authorization code. Raises TokenError."""
        application = self._client(tenant, form)
        try:
            granted = self.codes.redeem(
                form.get("code", ""),
                client_id=application.client_id,
                redirect_uri=form.get("redirect_uri", ""),
                verifier=form.get("code_verifier", ""),
            )
        except CodeRefused as refused:
            raise TokenError(400, "invalid_grant", *_CODE_REFUSALS[refused.why]) from None
        scopes = tuple(granted.scopes)
        consent = Consent(tenant, application.client_id, granted.user, scopes)
        return self._answer(consent, scopes, nonce=granted.request.nonce)

    def for_device(self, tenant: str, form: Mapping[str, str]) -> dict[str, str]:
        """The answer to a device that asks whether its user has consented. Raises TokenError."""
        application = self._client(tenant, form)
        try:
            device = self.devices.poll(tenant, application.client_id, form.get("device_code", ""))
        except DeviceWaits as waits:
            raise TokenError(400, waits.why, *_DEVICE_WAITS[waits.why]) from None
        consent = Consent(tenant, application.client_id, device.user, device.scopes)
        return self._answer(consent, device.scopes)

    def _answer(self, consent: Consent, scopes: tuple[str, ...], nonce: str = "") -> dict[str, str]:
        answer = {
            "access_token": self.issue(consent.tenant, consent.client_id, consent.user, consent.scopes),
            "scope": " ".join(each for each in scopes if each != "offline_access"),
        }
        if consent.scopes is None or "offline_access" in scopes:
            answer["refresh_token"] = self.register_user(
                consent.tenant, consent.client_id, consent.user, consent.scopes
            )
        if "openid" in scopes:
            person = {"uid": consent.user, "utid": consent.tenant}
            answer["client_info"] = base64.urlsafe_b64encode(json.dumps(person).encode()).decode()
            claims = {
                "aud": consent.client_id,
                "iss": consent.tenant,
                "sub": consent.user,
                "exp": int(self.clock()) + self.lifetime,
                "iat": int(self.clock()),
                "preferred_username": consent.user,
                "nonce": nonce,
            }
            answer["id_token"] = jwt.encode(claims, "not verified by anybody, being sent over TLS")
        return answer

    def _client(self, tenant: str, form: Mapping[str, str]) -> Application:
        """The application that a user's grant is for; a public client has no credential to show."""
        application = self.application(tenant, form)
        if application.secret or application.certificate:
            self._check_credential(application, form)
        return application

    def application(self, tenant: str, form: Mapping[str, str]) -> Application:
        """The application that a request names. Raises TokenError."""
        client_id = form.get("client_id", "")
        application = self.tenants.get(tenant, {}).get(client_id)
        if application is None:
            raise TokenError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory '{tenant}'.",
            )
        if application.disabled:
            raise TokenError(400, "unauthorized_client", 7000112, f"Application '{client_id}' is disabled.")
        if not application.principal:
            raise TokenError(
                400,
                "unauthorized_client",
                7000229,
                f"The client application {client_id} is missing service principal.",
            )
        return application

    def _check_credential(self, application: Application, form: Mapping[str, str]) -> None:
        if "client_assertion" in form:
            self._check_assertion(application, form)
        elif application.secret_expired:
            raise TokenError(401, "invalid_client", 7000222, "The provided client secret keys are expired.")
        elif not application.secret or form.get("client_secret") != application.secret:
            raise TokenError(401, "invalid_client", 7000215, "Invalid client secret provided.")

    def _check_assertion(self, application: Application, form: Mapping[str, str]) -> None:
        verify = bool(application.certificate)
        if verify and _thumbprint_shown(form["client_assertion"]) != _thumbprint(application.certificate):
            raise TokenError(
                401,
                "invalid_client",
                700027,
                "The certificate with this identifier is not registered on application.",
            )
        try:
            claims = jwt.decode(
                form["client_assertion"],
                _public_key(application.certificate) if verify else "",
                algorithms=["RS256", "PS256"],
                options={
                    "verify_signature": verify,
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "require": ["iss", "sub", "aud"],
                },
            )
        except jwt.PyJWTError as error:
            raise TokenError(
                401, "invalid_client", 700027, f"The client assertion is invalid: {error}"
            ) from None
        if (
            form.get("client_assertion_type") != ASSERTION_TYPE
            or claims.get("exp", self.clock() + 1) <= self.clock()
            or claims.get("nbf", 0) > self.clock() + ASSERTION_SKEW_S
        ):
            raise TokenError(
                401, "invalid_client", 700024, "Client assertion is not within its valid time range."
            )
        if not verify and application.federated_subject not in ("", claims["sub"]):
            raise TokenError(
                401,
                "invalid_client",
                700213,
                "No matching federated identity record found for presented assertion subject.",
            )


def _signed(claims: Mapping[str, Any]) -> str:
    """A token of the shape of Graph's. Nobody but its issuer can check the signature, so there is none worth
    it.
    """
    parts = ({"typ": "JWT", "alg": "RS256"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts]
    return ".".join([*encoded, secrets.token_urlsafe(24)])


def _thumbprint(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).fingerprint(SHA1())  # noqa: S303 - a name, not a proof


def _thumbprint_shown(assertion: str) -> bytes | None:
    """The certificate that an assertion says it is signed by; msal names it by `x5t`."""
    try:
        shown = str(jwt.get_unverified_header(assertion).get("x5t", ""))
        return base64.urlsafe_b64decode(shown + "=" * (-len(shown) % 4))
    except (jwt.PyJWTError, ValueError):
        return None


def _public_key(pem: str) -> RSAPublicKey:
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("an application's certificate holds an RSA key")
    return key
