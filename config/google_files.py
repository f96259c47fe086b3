"""Google's credentials files: which kind one is, whether it is whole, and which service account it names.

Each file says its kind in `type`, and an account's key for it has that very name. An OAuth client's file has
no `type`; what it holds stands under `installed` or `web`.
"""

import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from config.errors import SecretError
from config.secrets import Secret


class GoogleFile(StrEnum):
    """A kind of credentials file, by its `type`."""

    SERVICE_ACCOUNT = "service_account"
    AUTHORIZED_USER = "authorized_user"
    EXTERNAL_ACCOUNT = "external_account"
    IMPERSONATED = "impersonated_service_account"


_MEMBERS: Mapping[GoogleFile, tuple[str, ...]] = {
    GoogleFile.SERVICE_ACCOUNT: ("client_email", "private_key", "token_uri"),
    GoogleFile.AUTHORIZED_USER: ("client_id", "client_secret", "refresh_token"),
    GoogleFile.EXTERNAL_ACCOUNT: ("audience", "subject_token_type", "token_url", "credential_source"),
    GoogleFile.IMPERSONATED: ("service_account_impersonation_url", "source_credentials"),
}
_SOURCES = ("file", "url")
_ACTS_AS = re.compile(r"(?P<account>https?://.+/(?P<email>[^/@]+@[^/:]+)):generateAccessToken")
_WHOLE = "use the whole key file as Google gave it"


def json_members(secret: Secret) -> dict[str, Any]:
    """What a secret that is a JSON object holds.

    Line ends within a text are taken as they are: that is what some shells and editors make of
    those that were escaped.

    Raises:
        SecretError: it cannot be read, or is not a JSON object.
    """
    try:
        members = json.loads(secret.value(), strict=False)
    except (json.JSONDecodeError, RecursionError):
        members = None
    if not isinstance(members, dict):  # raised out here: a JSONDecodeError carries the whole text along
        raise SecretError(f"{secret} is not a JSON object; {_WHOLE}")
    return members


def google_file(kind: GoogleFile) -> Callable[[Secret], None]:
    """A check that a secret is a whole credentials file of this kind."""

    def check(secret: Secret) -> None:
        members = json_members(secret)
        if other := _another_kind(kind, members):
            raise SecretError(f"{secret} {other}")
        missing = [each for each in _MEMBERS[kind] if not members.get(each)]
        if missing:
            raise SecretError(f"{secret} has no {', '.join(missing)}; {_WHOLE}")
        match kind:
            case GoogleFile.EXTERNAL_ACCOUNT:
                _check_source(secret, members["credential_source"])
                impersonation(secret)
            case GoogleFile.IMPERSONATED:
                _check_source_credentials(secret, members["source_credentials"])
                impersonation(secret)

    return check


def impersonation(secret: Secret) -> tuple[str, str]:
    """The service account that a file acts as: its address at IAM Credentials, and its mail address.

    Raises:
        SecretError: it cannot be read, or names none.
    """
    found = _ACTS_AS.fullmatch(str(json_members(secret).get("service_account_impersonation_url", "")))
    if found is None:
        raise SecretError(
            f"{secret} names no service account to act as, and calendars are shared with nobody else; "
            "make it anew with --service-account"
        )
    return found["account"], found["email"].lower()


def with_line_ends(pem: str) -> str:
    """A PEM whose line ends may be written out, backslash and n, as environment variables often have them."""
    return pem.replace("\\r", "").replace("\\n", "\n") if "-----BEGIN" in pem else pem


def _another_kind(kind: GoogleFile, members: Mapping[str, Any]) -> str:
    """What a file is and where it belongs, where it is not of this kind; it may have no `type` at all."""
    written = members.get("type", kind)
    if written == kind and not {"installed", "web"} & members.keys():
        return ""
    if written in set(GoogleFile) - {kind}:
        return f'is of type "{written}"; write {written} = … in place of {kind} = …'
    if "installed" in members:
        return "is an OAuth client's file; take client_id and client_secret out of it, and write login = true"
    if "web" in members:
        return (
            "is an OAuth client's file for web servers; make one of type Desktop app, and write login = true"
        )
    if written == "external_account_authorized_user":
        return (
            'is of type "external_account_authorized_user", a person\'s sign-in by a workforce pool; '
            "use external_account, of a workload"
        )
    return f'has a type that is not "{kind}"; {_WHOLE}'


def _check_source(secret: Secret, source: object) -> None:
    """A program is never run: who may write to the file could have any run."""
    found = source if isinstance(source, dict) else {}
    if not any(isinstance(found.get(each), str) for each in _SOURCES) or "environment_id" in found:
        other = next((each for each in ("executable", "certificate", "environment_id") if each in found), "")
        what = f"takes its token from {other}" if other else "does not say where its token comes from"
        raise SecretError(f"{secret} {what}; make one whose credential_source is a file or a url")


def _check_source_credentials(secret: Secret, source: object) -> None:
    found = source if isinstance(source, dict) else {}
    if found.get("type") not in {GoogleFile.SERVICE_ACCOUNT, GoogleFile.AUTHORIZED_USER}:
        raise SecretError(
            f"{secret} has source_credentials of another type than service_account or authorized_user; "
            "make it anew by `gcloud auth application-default login --impersonate-service-account`"
        )
    missing = [each for each in _MEMBERS[GoogleFile(found["type"])] if not found.get(each)]
    if missing:
        raise SecretError(f"{secret} has no {', '.join(missing)} in source_credentials; {_WHOLE}")
