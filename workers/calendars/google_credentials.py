"""google-auth's credentials for each kind of Google account, made of what its file holds."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import google.oauth2.credentials
import google.oauth2.service_account
from google.auth.crypt import RSASigner

from config.accounts import GoogleAccount
from config.google_files import GoogleFile, impersonation, with_line_ends
from config.rsa_keys import rsa_key
from workers.calendars.google_federation import Federated
from workers.calendars.google_keyless import CLOUD, ActingAs, Attached, Target

_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 - where tokens are asked for


def credentials_of(account: GoogleAccount, info: Mapping[str, Any], scopes: Sequence[str]) -> Any:
    """google-auth's credentials of an account.

    Args:
        account: the account.
        info: the members of its file; none where it has no file.
        scopes: what tokens are for.

    Raises what a file of another shape comes to, and what `cryptography` makes of a wrong key.
    """
    if account.service_account:
        return _with_key(info, scopes, account.subject)
    if account.authorized_user:
        return _of_user(info, scopes)
    if account.attached_service_account:
        email = account.service_account_email
        base: Any = Attached()
        at = f"{account.iam_endpoint}/projects/-/serviceAccounts/{email}"
    else:
        assert account.file is not None  # one of the kinds, by the settings' own check
        at, email = impersonation(account.file)
        base = Federated(info) if account.external_account else _source(info["source_credentials"])
    return ActingAs(
        base,
        Target(
            account=at,
            email=email,
            scopes=scopes,
            subject=account.subject or "",
            delegates=info.get("delegates") or (),
            token_endpoint=account.token_endpoint,
            headers=account.billing,
        ),
    )


def _with_key(info: Mapping[str, Any], scopes: Sequence[str], subject: str | None = None) -> Any:
    return google.oauth2.service_account.Credentials(
        RSASigner(_private_key(with_line_ends(info["private_key"])), info["private_key_id"]),
        service_account_email=info["client_email"],
        token_uri=info["token_uri"],
        universe_domain=info.get("universe_domain", "googleapis.com"),
        scopes=scopes,
        subject=subject or None,
    )


def _of_user(info: Mapping[str, Any], scopes: Sequence[str] | None) -> Any:
    """Not by from_authorized_user_info: it asks Google whatever `token_uri` says."""
    return google.oauth2.credentials.Credentials(
        token=None,
        refresh_token=info["refresh_token"],
        client_id=info["client_id"],
        client_secret=info["client_secret"],
        token_uri=info.get("token_uri", _TOKEN_URI),
        scopes=scopes,
    )


def _source(info: Mapping[str, Any]) -> Any:
    """Who acts as another account. What a user consented to long ago is what their tokens are for."""
    return _with_key(info, CLOUD) if info["type"] == GoogleFile.SERVICE_ACCOUNT else _of_user(info, None)


@lru_cache(maxsize=16)
def _private_key(pem: str) -> Any:
    """A service account's key; to check one takes a twentieth of a second, and many accounts may share it."""
    return rsa_key(pem)
