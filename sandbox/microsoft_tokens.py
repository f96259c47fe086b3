"""Who may call Graph: tenants, their applications and users, and the access tokens issued to them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from sandbox.clock import Clock

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


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


@dataclass(slots=True)
class Application:
    """An application known to a tenant. `certificate` is PEM; without it no assertion's signature is checked.

    That is how a federated credential's assertion is taken: somebody else signed it.
    """

    client_id: str
    secret: str = ""
    certificate: str = ""
    secret_expired: bool = False


@dataclass(slots=True)
class MicrosoftTokens:
    """The registry behind the token endpoints. `lifetime` is in seconds, as answered in expires_in."""

    clock: Clock
    lifetime: int = 3599
    tenants: dict[str, dict[str, Application]] = field(default_factory=dict)
    refresh_tokens: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    grants: dict[str, GraphGrant] = field(default_factory=dict)

    def register(self, tenant: str, client_id: str, **credential: Any) -> Application:
        """Make an application known to a tenant, with its secret or certificate (Application's fields)."""
        application = Application(client_id, **credential)
        self.tenants.setdefault(tenant, {})[client_id] = application
        return application

    def register_user(self, tenant: str, client_id: str, user: str) -> str:
        """A refresh token for a user who has consented to an application."""
        refresh_token = f"0.{secrets.token_urlsafe(48)}"
        self.refresh_tokens[refresh_token] = (tenant, client_id, user.lower())
        return refresh_token

    def revoke(self, who: str) -> None:
        """Withdraw everything of a user (its address) or application (its client id)."""
        self.refresh_tokens = {
            token: owner for token, owner in self.refresh_tokens.items() if who not in owner[1:]
        }
        self.grants = {
            token: grant for token, grant in self.grants.items() if who not in (grant.user, grant.client_id)
        }

    def issue(self, tenant: str = "sandbox", client_id: str = "sandbox", user: str | None = None) -> str:
        """A new access token, valid for `lifetime` seconds."""
        token = f"eyJ0eXAi.{secrets.token_urlsafe(24)}"
        owner = user.lower() if user else None
        self.grants[token] = GraphGrant(tenant, client_id, owner, self.clock() + self.lifetime)
        return token

    def grant(self, token: str) -> GraphGrant | None:
        """What a token stands for; None when it is unknown or has expired."""
        grant = self.grants.get(token)
        if grant is None or grant.expires_at <= self.clock():
            return None
        return grant

    def for_application(self, tenant: str, form: Mapping[str, str]) -> str:
        """An access token for an application itself (client_credentials). Raises TokenError."""
        application = self._application(tenant, form)
        self._check_credential(application, form)
        if not form.get("scope", "").endswith("/.default"):
            raise TokenError(
                400, "invalid_scope", 1002012, "The provided value for scope must end in /.default."
            )
        return self.issue(tenant, application.client_id)

    def for_user(self, tenant: str, form: Mapping[str, str]) -> tuple[str, str]:
        """An access token and the next refresh token for a refresh token. Raises TokenError."""
        application = self._application(tenant, form)
        if application.secret or application.certificate:
            self._check_credential(application, form)
        owner = self.refresh_tokens.get(form.get("refresh_token", ""))
        if owner is None or owner[1] != application.client_id:
            raise TokenError(400, "invalid_grant", 50173, "The provided grant has expired or was revoked.")
        user = owner[2]
        return self.issue(tenant, application.client_id, user), self.register_user(
            tenant, application.client_id, user
        )

    def _application(self, tenant: str, form: Mapping[str, str]) -> Application:
        client_id = form.get("client_id", "")
        application = self.tenants.get(tenant, {}).get(client_id)
        if application is None:
            raise TokenError(
                400,
                "unauthorized_client",
                700016,
                f"Application with identifier '{client_id}' was not found in the directory '{tenant}'.",
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
        ):
            raise TokenError(
                401, "invalid_client", 700024, "Client assertion is not within its valid time range."
            )


def _public_key(pem: str) -> RSAPublicKey:
    key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    if not isinstance(key, RSAPublicKey):
        raise TypeError("an application's certificate holds an RSA key")
    return key
