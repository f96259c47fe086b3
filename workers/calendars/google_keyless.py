"""Google service accounts of which there is no key: another identity acts as them, by IAM Credentials.

google-auth has most of this, but signs for users at addresses that cannot be set, asks the metadata server
many times over, and raises what IAM refuses as trouble of the network (`google.auth.iam.Signer`). Who
may act as which service account: cloud.google.com/iam/docs/service-account-impersonation.
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import google.auth.credentials

from workers.calendars.metadata_server import GOOGLE_HOST, MetadataSession, MetadataUnavailable
from workers.errors import CalendarError, ErrorClass

CLOUD = ("https://www.googleapis.com/auth/cloud-platform",)
"""What the identity that acts needs a token for."""
_METADATA_HOST = "GCE_METADATA_HOST"  # what Google's own libraries call it
_ASSERTION_S = 3600
_BUSY = 429
UNHEARD = 0
"""The status of no answer."""


class Target(NamedTuple):
    """What a token is wanted for."""

    account: str
    """The service account's address at IAM Credentials."""
    email: str
    scopes: Sequence[str]
    subject: str
    """The user that it acts for; empty where it acts for itself."""
    delegates: Sequence[str]
    token_endpoint: str
    headers: Mapping[str, str]
    """What goes with requests to IAM Credentials."""


class ActingAs(google.auth.credentials.Credentials):
    """Tokens of a service account that another identity may act as.

    Args:
        base: credentials of that identity, for `CLOUD`.
        target: whose tokens, and what for.
    """

    def __init__(self, base: Any, target: Target) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth has no types
        self._base = base
        self._target = target

    def refresh(self, request: Any) -> None:
        """Gets a new access token. Raises `CalendarError`, and what the request raises."""
        try:
            if self._target.subject:
                self._for_user(request)
            else:
                self._for_itself(request)
        except (KeyError, ValueError, TypeError):  # said 200, and gave something else: somebody in between
            raise refused("answer_unreadable", UNHEARD) from None

    def _for_itself(self, request: Any) -> None:
        answer = self._iam(request, "generateAccessToken", {"scope": list(self._target.scopes)})
        self._keep(answer["accessToken"], datetime.fromisoformat(answer["expireTime"]))

    def _for_user(self, request: Any) -> None:
        """Google signs what a key would: that the service account acts for this user."""
        target, now = self._target, int(time.time())
        claims = {
            "iss": target.email,
            "sub": target.subject,
            "scope": " ".join(target.scopes),
            "aud": target.token_endpoint,
            "iat": now,
            "exp": now + _ASSERTION_S,
        }
        signed = self._iam(request, "signJwt", {"payload": json.dumps(claims)})["signedJwt"]
        form = f"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={signed}"
        answer = request(
            url=target.token_endpoint,
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=form.encode(),
            allow_redirects=False,
        )
        given = members(answer)
        if "access_token" not in given:
            raise refused(str(given.get("error", "")), answer.status)
        self._keep(given["access_token"], datetime.now(UTC) + timedelta(seconds=int(given["expires_in"])))

    def _keep(self, token: str, expiry: datetime) -> None:
        self.token, self.expiry = (
            token,
            expiry.astimezone(UTC).replace(tzinfo=None),
        )  # google-auth's are naive

    def _iam(self, request: Any, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        if not self._base.valid:
            self._base.refresh(request)
        answer = self._asked(request, verb, body)
        if answer.status == 401:  # the identity's token was withdrawn before its time
            self._base.refresh(request)
            answer = self._asked(request, verb, body)
        given = members(answer)
        if answer.status != 200:
            raise refused(_iam_code(given), answer.status)
        return given

    def _asked(self, request: Any, verb: str, body: dict[str, Any]) -> Any:
        if self._target.delegates:
            body = {**body, "delegates": list(self._target.delegates)}
        return request(
            url=f"{self._target.account}:{verb}",
            method="POST",
            headers={
                **self._target.headers,
                "Authorization": f"Bearer {self._base.token}",
                "Content-Type": "application/json",
            },
            body=json.dumps(body).encode(),
            allow_redirects=False,  # it would be shown a token
        )


class Attached(google.auth.credentials.Credentials):
    """The identity of the machine or the pod, by its metadata server."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # google-auth has no types

    def refresh(self, _request: Any) -> None:
        """Gets a new access token, straight from the server. Raises `CalendarError`."""
        host = os.environ.get(_METADATA_HOST) or GOOGLE_HOST
        url = f"http://{host}/computeMetadata/v1/instance/service-accounts/default/token"
        try:
            with MetadataSession() as session:
                answer = session.get(
                    url, params={"scopes": ",".join(CLOUD)}, headers={"Metadata-Flavor": "Google"}
                )
        except MetadataUnavailable:
            raise refused("metadata_server_unreachable", UNHEARD) from None
        given = _json(answer.content) if answer.status_code == 200 else {}
        if "access_token" not in given:
            code = "no_service_account_attached" if answer.status_code == 404 else "metadata_server_refuses"
            raise refused(code, answer.status_code)
        self.token = str(given["access_token"])
        self.expiry = (datetime.now(UTC) + timedelta(seconds=int(given["expires_in"]))).replace(tzinfo=None)


def refused(code: str, status: int) -> CalendarError:
    """What an answer without a token comes to: the account's trouble where it says what it refuses."""
    if status == _BUSY:
        return CalendarError(ErrorClass.THROTTLED, code or f"status_{status}", whole_account=True)
    if not code or status == UNHEARD or status >= 500:
        return CalendarError(ErrorClass.TRANSIENT, code or f"status_{status}")
    return CalendarError(ErrorClass.AUTH, code, whole_account=True)


def members(answer: Any) -> dict[str, Any]:
    """The members of an answer's body; none where it is no JSON object (a page, nothing at all)."""
    return _json(answer.data)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _iam_code(given: Mapping[str, Any]) -> str:
    """`IAM_PERMISSION_DENIED (iam.serviceAccounts.signJwt)`, `IAM SERVICE_DISABLED`; never free text."""
    error = given.get("error")
    if not isinstance(error, dict):
        return ""
    for detail in error.get("details") or ():
        if isinstance(detail, dict) and detail.get("reason"):
            permission = (detail.get("metadata") or {}).get("permission")
            reason = _of_iam(str(detail["reason"]))
            return f"{reason} ({permission})" if permission else reason
    return _of_iam(str(error["status"])) if error.get("status") else ""


def _of_iam(reason: str) -> str:
    """The Calendar API has reasons of the same name, which mean something else."""
    return reason if reason.startswith("IAM_") else f"IAM {reason}"
