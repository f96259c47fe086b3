"""Azure's managed identities: the platform gives out tokens, and there is no secret at all.

msal finds out by itself where it runs and how tokens are asked for there: a virtual machine or AKS (the
metadata server, or what AZURE_POD_IDENTITY_AUTHORITY_HOST names), App Service, Functions and Container Apps
(IDENTITY_ENDPOINT), Azure Arc, Service Fabric, Machine Learning.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msal
import requests

from config.accounts import SYSTEM_ASSIGNED
from workers.calendars.metadata_server import MetadataSession, MetadataUnavailable
from workers.errors import CalendarError, ErrorClass

_EXCHANGE = "api://AzureADTokenExchange"
_CLOUDS: Mapping[str, str] = {
    "login.microsoftonline.us": "USGov",
    "login.partner.microsoftonline.cn": "China",
}

_TRY_AGAIN = frozenset({404, 408, 410, 429})


class _Session(MetadataSession):
    """Raises where the server will answer later: msal takes every answer for its last word.

    Azure's says so by 404, 410, 429 and all of 5xx (learn.microsoft.com/entra/identity/
    managed-identities-azure-resources/how-to-use-vm-token#retry-guidance).
    """

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        answer = super().request(*args, **kwargs)
        if answer.status_code in _TRY_AGAIN or answer.status_code >= 500:
            raise MetadataUnavailable(str(answer.status_code))
        return answer


def managed_identity(identity: str, resource: str) -> dict[str, Any]:
    """Asks for a token of a managed identity; blocks.

    What msal keeps would only hide that a token was refused: the metadata server has a cache of its own.

    Args:
        identity: `system`, or the client ID of a user-assigned one.
        resource: what the token is for.

    Raises:
        CalendarError: TRANSIENT where the metadata server does not answer now.
        ValueError: it does not answer as one.
    """
    try:
        answer = _asked(identity, resource)
    except MetadataUnavailable:
        raise CalendarError(ErrorClass.TRANSIENT, "managed_identity_unreachable") from None
    if "access_token" not in answer:
        return {**answer, "error": f"managed_identity_{answer.get('error', 'refused')}"}
    return answer


def _asked(identity: str, resource: str) -> dict[str, Any]:
    with _Session() as session:
        client = msal.ManagedIdentityClient(
            msal.SystemAssignedManagedIdentity()
            if identity == SYSTEM_ASSIGNED
            else msal.UserAssignedManagedIdentity(client_id=identity),
            http_client=session,
        )
        answer: dict[str, Any] = client.acquire_token_for_client(resource=resource)
        return answer


def assertion(identity: str, authority: str) -> str:
    """What a managed identity vouches with for an application that trusts it; blocks.

    Raises:
        CalendarError: AUTH where there is no such identity; and as `managed_identity`.
    """
    cloud = _CLOUDS.get(urlsplit(authority).hostname or "", "")
    answer = managed_identity(identity, f"{_EXCHANGE}{cloud}")
    if "access_token" not in answer:
        raise CalendarError(ErrorClass.AUTH, str(answer["error"]), whole_account=True)
    return str(answer["access_token"])
