"""What token endpoints and discovery answer when they give no token, as error classes.

RFC 6749, 5.2, has `error` and a free text. Microsoft adds numbers, Google a subtype. Only closed words leave
this module, never the text, which names tenants, applications and people. The numbers:
learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import requests
from google.auth.exceptions import TransportError

from network.refusals import unreached
from workers.errors import CalendarError, ErrorClass
from workers.retry_after import retry_after

_THROTTLED = frozenset(
    {
        "rate_limit_exceeded",
        "rateLimitExceeded",
        "userRateLimitExceeded",
        "RATE_LIMIT_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "quota_exceeded",
        "slow_down",
        "too_many_requests",
        "AADSTS50196",  # the same request over and over
        "AADSTS90055",  # too many requests of the tenant
    }
)
_TRANSIENT = frozenset(
    {
        "internal_failure",
        "internal_error",
        "server_error",
        "temporarily_unavailable",
        "service_unavailable",
        "UNAVAILABLE",
        "INTERNAL",
        "backendError",
        "internalError",
        "AADSTS20012",  # the directory federated with does not answer as it should
        "AADSTS40010",
        "AADSTS50000",
        "AADSTS50087",
        "AADSTS90006",
        "AADSTS90024",
        "AADSTS90033",
        "AADSTS90092",
        "AADSTS165900",
    }
)
_REFUSALS_OF_DISCOVERY = frozenset({400, 401, 403, 404, 410})
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_NUMBER = re.compile(r"AADSTS(\d{4,9})\b")
_DETAILS = (
    ("invalid_grant", "short-lived token", "clock"),
    ("invalid_grant", "reasonable timeframe", "clock"),
    ("invalid_grant", "invalid jwt signature", "key_unknown"),
    ("invalid_grant", "no valid verifier", "key_unknown"),
    ("invalid_grant", "account not found", "account_not_found"),
    ("invalid_grant", "account has been deleted", "user_deleted"),
    ("invalid_grant", "account disabled", "account_disabled"),
    ("invalid_grant", "invalid email or user id", "subject_unknown"),
    ("invalid_grant", "expired or revoked", "consent_ended"),
    ("invalid_grant", "audience", "audience"),
    ("invalid_client", "client was not found", "client_not_found"),
    ("invalid_client", "client secret is invalid", "client_secret"),
)
_SUBTYPES = frozenset({"invalid_rapt", "rapt_required"})
_OF_THE_ADDRESS = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
)


class Refusal(NamedTuple):
    """An answer that gives no token."""

    status: int
    error: str
    detail: str = ""
    numbers: Sequence[str] = ()
    retry_after: float | None = None

    @property
    def code(self) -> str:
        """`invalid_client (AADSTS7000215)`, `invalid_grant (clock)`; `status_503` where no word is given."""
        more = ", ".join(self.numbers) or self.detail
        error = self.error or f"status_{self.status}"
        return f"{error} ({more})" if more else error

    @property
    def error_class(self) -> ErrorClass:
        """The words decide, then the status: a 400 that says `temporarily_unavailable` is no refusal."""
        words = {self.error, *self.numbers}
        if self.status == 429 or words & _THROTTLED:
            return ErrorClass.THROTTLED
        if words & _TRANSIENT or self.status >= 500:
            return ErrorClass.TRANSIENT
        return ErrorClass.AUTH if self.error else ErrorClass.TRANSIENT

    def failure(self) -> CalendarError:
        """The account's trouble; the moment's where it says so, or where somebody in between spoke."""
        return CalendarError(
            self.error_class,
            self.code,
            retry_after=self.retry_after,
            whole_account=self.error_class in _OF_ALL,
        )


_OF_ALL = frozenset({ErrorClass.AUTH, ErrorClass.THROTTLED})


class Heard:
    """What the endpoints of one session last answered; libraries keep the half of it to themselves."""

    def __init__(self, session: requests.Session) -> None:
        self.last: requests.Response | None = None
        session.hooks["response"].append(self._hear)

    def forget(self) -> None:
        """Before the next request: what is heard from here on belongs to it."""
        self.last = None

    def _hear(self, response: requests.Response, *_: object, **__: object) -> None:
        self.last = response

    def refusal(self) -> Refusal | None:
        """The last answer, if it was none that gives what was asked for."""
        return None if self.last is None else refusal_of(self.last)

    def without_token(self, answer: Mapping[str, Any]) -> CalendarError:
        """What comes of an answer that a library has read, and that has no token in it."""
        status = self.last.status_code if self.last is not None else 400
        headers = self.last.headers if self.last is not None else {}
        said = read(max(status, 400), answer, headers)
        return said._replace(error=said.error or "no_token").failure()

    def explain(self, error: Exception) -> CalendarError:
        """What a library's exception comes to.

        The moment's trouble only where it is known for that: a connection that failed, an answer that says
        so, a page of HTML. What is raised in a shape that nobody expected is about what we gave: it would be
        raised for a day.
        """
        if isinstance(error, CalendarError):
            return error
        of_the_network = isinstance(error, OSError) and not isinstance(error, _OF_THE_ADDRESS)
        if isinstance(error, TransportError) or (
            of_the_network and not isinstance(error, requests.HTTPError)
        ):
            return CalendarError(ErrorClass.TRANSIENT, unreached(error).code)
        if (said := self.refusal()) is not None:
            return said.failure()
        return CalendarError(ErrorClass.AUTH, f"unexpected ({type(error).__name__})", whole_account=True)


def refusal_of(response: requests.Response) -> Refusal | None:
    """What an answer refuses; None where it is a good one."""
    try:
        data = response.json()
    except ValueError:
        data = None
    if response.status_code < 400 and isinstance(data, dict) and "error" not in data:
        return None
    discovers = response.url.partition("?")[0].endswith("/.well-known/openid-configuration")
    said = read(response.status_code, data if isinstance(data, dict) else {}, response.headers)
    if discovers and not said.error and response.status_code in _REFUSALS_OF_DISCOVERY - {401, 403}:
        return said._replace(error="authority_unknown")  # a path that leads nowhere, whoever says so
    return said


def read(status: int, data: Mapping[str, Any], headers: Mapping[str, str]) -> Refusal:
    """A refusal, of the members of an answer."""
    error, text = data.get("error"), str(data.get("error_description", ""))
    if isinstance(error, dict):  # as Google's other endpoints have it
        text, error = str(error.get("message", "")), error.get("status") or error.get("code")
    word = error if isinstance(error, str) and _WORD.fullmatch(error) else ""
    codes = data.get("error_codes")
    told = [str(each) for each in codes if isinstance(each, int)] if isinstance(codes, list) else []
    numbers = tuple(f"AADSTS{each}" for each in told or _NUMBER.findall(text)[:1])
    return Refusal(status, word, _detail(word, text, data), numbers, retry_after(headers))


def _detail(error: str, text: str, data: Mapping[str, Any]) -> str:
    subtype = data.get("error_subtype")
    if subtype in _SUBTYPES:
        return str(subtype)
    small = text.lower()
    return next((detail for of, words, detail in _DETAILS if of == error and words in small), "")
