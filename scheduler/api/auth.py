"""Who asks: `Authorization: Bearer {client secret of an app}`; older SDKs send the secret in the body."""

import hmac
from collections.abc import Mapping
from typing import Any

from config.apps import App
from config.settings import Settings


def presented_secret(authorization: str, data: object) -> str:
    """The secret that a request presents; empty where there is none."""
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return secret.strip()
    in_body: Any = data.get("client_secret") if isinstance(data, Mapping) and not authorization else None
    return in_body if isinstance(in_body, str) else ""


def app_of(secret: str, settings: Settings) -> App | None:
    """The app with this secret. Takes as long whichever it is. Raises `SecretError`."""
    given = secret.encode("utf-8", "surrogatepass")
    found = None
    for app in reversed(settings.apps):
        for known in app.client_secrets:
            if hmac.compare_digest(known.value().encode(), given):
                found = app
    return found
