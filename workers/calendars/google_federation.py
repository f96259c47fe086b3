"""Workload identity federation: somebody else's token is exchanged for one of Google's (RFC 8693)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import google.auth.exceptions
from google.auth import identity_pool
from google.auth.transport.requests import Request

from workers.calendars.google_keyless import CLOUD, UNHEARD, refused
from workers.calendars.metadata_server import MetadataSession, is_metadata


class Federated(identity_pool.Credentials):
    """The identity that an `external_account` file describes, without the service account that it acts as."""

    def __init__(self, info: Mapping[str, Any]) -> None:
        super().__init__(  # type: ignore[no-untyped-call] # google-auth has no types
            audience=info["audience"],
            subject_token_type=info["subject_token_type"],
            token_url=info["token_url"],
            subject_token_supplier=SubjectToken(info["credential_source"]),
            client_id=info.get("client_id"),
            client_secret=info.get("client_secret"),
            workforce_pool_user_project=info.get("workforce_pool_user_project"),
            scopes=CLOUD,
        )

    def refresh(self, request: Any) -> None:
        """Exchanges a token. Raises `CalendarError`, and what the request raises."""
        status = UNHEARD

        def noted(*args: Any, **kwargs: Any) -> Any:
            nonlocal status
            answer = request(*args, **kwargs)
            status = answer.status
            return answer

        try:
            super().refresh(noted)  # type: ignore[no-untyped-call]
        except google.auth.exceptions.OAuthError as error:
            code = _code(error)
            raise refused(f"federation {code}" if code else "", status) from None
        except (ValueError, TypeError):  # said 200, and gave something else: somebody in between
            raise refused("answer_unreadable", UNHEARD) from None


class SubjectToken(identity_pool.SubjectTokenSupplier):
    """Where the other identity's token is: a file that is kept fresh, or an address that gives it out."""

    def __init__(self, source: Mapping[str, Any]) -> None:
        self._source = source
        form = source.get("format") or {}
        self._field = form.get("subject_token_field_name") if form.get("type") == "json" else None

    def get_subject_token(self, _context: Any, request: Any) -> str:
        """Gives the token, read anew each time. Raises `CalendarError`."""
        text = self._of_file() if self._source.get("file") else self._of_url(request)
        try:
            token = json.loads(text)[self._field] if self._field else text.strip()
        except (ValueError, KeyError, TypeError):
            token = ""
        if not token:
            raise refused("subject_token_unreadable", 400)
        return str(token)

    def _of_file(self) -> str:
        try:
            return Path(self._source["file"]).read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise refused("subject_token_missing", 400) from None

    def _of_url(self, request: Any) -> str:
        url, headers = self._source["url"], self._source.get("headers")
        if is_metadata(url):
            with MetadataSession() as session:
                answer = Request(session)(url=url, method="GET", headers=headers)
        else:
            answer = request(url=url, method="GET", headers=headers)
        if answer.status != 200:
            raise refused("subject_token_refused", answer.status)
        return str(answer.data.decode("utf-8", "replace"))


def _code(error: google.auth.exceptions.OAuthError) -> str:
    """The endpoint's own error code; google-auth keeps the body of the answer behind its words."""
    try:
        code = json.loads(error.args[1])["error"]
    except (IndexError, ValueError, KeyError, TypeError):
        return ""
    return code if isinstance(code, str) else ""
