"""Who asks: `Authorization: Bearer {client secret of an app}`, or the secret in the body.

Cronofy's libraries for Ruby and Node put it there for links; Node sends `Bearer undefined` along. For
availability pycronofy and Node send an access token, whatever secrets they have: what an app lists counts.
"""

import hmac
from collections.abc import Iterable, Mapping

from config.apps import App
from config.settings import Settings


def presented_secrets(authorization: str, data: object) -> list[str]:
    """The secrets that a request presents."""
    scheme, _, secret = authorization.partition(" ")
    in_header = secret.strip() if scheme.lower() == "bearer" else ""
    in_body = data.get("client_secret") if isinstance(data, Mapping) else None
    return [each for each in (in_header, in_body) if isinstance(each, str) and each]


def app_of(secrets: Iterable[str], settings: Settings, *, by_token: bool = False) -> App | None:
    """The app that one of these is a secret of, or `by_token` an access token, too.

    Takes as long whichever it is. Raises `SecretError`.
    """
    given = [secret.encode("utf-8", "surrogatepass") for secret in secrets]
    found = None
    for app in reversed(settings.apps):
        for known in (*app.client_secrets, *(app.access_tokens if by_token else ())):
            for each in given:
                if hmac.compare_digest(known.value().encode(), each):
                    found = app
    return found
