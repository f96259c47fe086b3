"""When a Microsoft application's client secret ends, where Graph shows the application itself."""

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

from config.accounts import MicrosoftAccount
from network.outgoing import Outgoing
from network.refusals import Unreached

_HINT = 3  # characters of a secret that Graph shows (passwordCredential.hint)


async def secret_ends(
    account: MicrosoftAccount, outgoing: Outgoing, token: str, *, timeout_s: float
) -> datetime | None:
    """Asks for the end of the secret in use; None where Graph does not tell.

    It tells applications that may read applications (Application.Read.All), and few of those that write into
    calendars may. Of several secrets that begin alike, the last one's end is given.
    """
    if account.client_secret is None or account.client_id is None:
        return None
    which = quote(account.client_id, safe="")
    url = f"{account.graph_endpoint}/applications(appId='{which}')?$select=passwordCredentials"
    try:
        async with outgoing.request(
            "GET",
            url,
            headers={"Authorization": f"Bearer {token}"},
            timeout_s=timeout_s,
            ca_file=account.ca_file,
        ) as answer:
            shown = json.loads(await answer.read()) if answer.status == 200 else {}
    except (Unreached, ValueError):
        return None
    return _last_end(shown, account.client_secret.value()[:_HINT])


def _last_end(shown: Any, hint: str) -> datetime | None:
    try:
        ends = [
            datetime.fromisoformat(each["endDateTime"])
            for each in shown.get("passwordCredentials", ())
            if each["hint"] == hint
        ]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return max(ends, default=None)
