"""Accounts and calendars, asked at the provider. Nothing is written there."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from redis.exceptions import RedisError

from bookings.advice import advice
from bookings.advice.ours import OURS
from cli.checks.certificates import soon
from cli.checks.finding import Check, Finding, right, warning, wrong
from config.accounts import MicrosoftAccount
from config.settings import Calendar, CalendarAddress, Settings
from network.advice import advice_on
from workers.calendars.directory import Directory
from workers.calendars.microsoft_secret import secret_ends
from workers.errors import CalendarError, ErrorClass

_ASIDE_S = 2.0  # what is only good to know keeps nobody waiting
_TO_WRITE = "Calendars.ReadWrite"
_SAYS = {
    ErrorClass.AUTH: "is refused",
    ErrorClass.PARK: "cannot be used",
    ErrorClass.THROTTLED: "is throttled",
    ErrorClass.TRANSIENT: "cannot be asked",
}
_RENEW = {
    "google": "renew its key or consent; a subject needs delegation for calendar.events (docs/google.md)",
    "microsoft": "renew its secret or certificate (docs/microsoft.md)",
}
_REACH = "see that this machine reaches the provider, then check again"
_LOGIN = "`sequence-sync login {provider} {name}`"


class Providers:
    """The checks of one configuration; each token is asked for once.

    `works` is told of each calendar that does, by its account and the addresses that it may have in the
    record, and gives how many writes that waited for it are tried now.
    """

    def __init__(
        self,
        settings: Settings,
        directory: Directory,
        works: Callable[[str, Sequence[CalendarAddress]], Awaitable[int]],
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._works = works
        self._tokens: dict[str, asyncio.Task[str]] = {}

    def checks(self) -> list[Check]:
        """One for each account, then one for each calendar."""
        accounts, calendars = self._settings.accounts, self._settings.calendars
        return [
            *(Check(f"account {each.name}", partial(self._account, each.name)) for each in accounts),
            *(Check(f"calendar {each.name}", partial(self._calendar, each)) for each in calendars),
        ]

    async def _account(self, name: str) -> list[Finding]:
        subject = f"account {name}"
        try:
            token = await self._token(name)
        except CalendarError as error:
            return [wrong(subject, _words(error), self._remedy(name, error))]
        return [self._granted(subject, token), *await self._secret(name, token)]

    def _granted(self, subject: str, token: str) -> Finding:
        granted = permissions(token)
        if granted and not any(each.startswith(_TO_WRITE) for each in granted):
            return warning(
                subject,
                f"gives a token without {_TO_WRITE} ({', '.join(granted)})",
                f"grant {_TO_WRITE}, with an administrator's consent; "
                "nothing, where Exchange's role-based access control grants it",
            )
        return right(subject, "gives a token")

    async def _secret(self, name: str, token: str) -> list[Finding]:
        """A warning where the account's client secret ends soon, and Graph says so."""
        account = self._settings.account(name)
        if not isinstance(account, MicrosoftAccount):
            return []
        ends = await secret_ends(account, self._directory.outgoing, token, timeout_s=_ASIDE_S)
        found = soon(f"client secret {name}", ends, datetime.now(UTC)) if ends else None
        return [found] if found else []

    async def _calendar(self, calendar: Calendar) -> list[Finding]:
        subject = f"calendar {calendar.name}"
        try:
            await self._token(calendar.account)
        except CalendarError:
            remedy = f"mend account {calendar.account}, then check again"
            return [wrong(subject, f"not reached: account {calendar.account} gives no token", remedy)]
        try:
            writable = await self._directory.calendar(calendar.name).probe()
        except CalendarError as error:
            return [wrong(subject, _words(error), self._remedy(calendar.account, error))]
        if writable:
            return [right(subject, "can be read and written" + await self._woken(calendar))]
        return [
            wrong(
                subject,
                "can be read, but not written",
                f"share it with account {calendar.account} with the right to change events",
            )
        ]

    async def _woken(self, calendar: Calendar) -> str:
        """Has what was parked for a calendar tried, and says so."""
        address = self._settings.address(calendar)
        try:
            addresses = await self._directory.addresses(address)
        except CalendarError:
            addresses = (address,)
        try:
            woken = await self._works(calendar.account, addresses)
        except (RedisError, OSError):  # the line of redis says so
            return ""
        return f"; {woken} that waited for it are tried now" if woken else ""

    async def _token(self, account: str) -> str:
        if account not in self._tokens:
            asked = asyncio.create_task(self._directory.token(account))
            asked.add_done_callback(_look_at)
            self._tokens[account] = asked
        return await asyncio.shield(self._tokens[account])  # who waits no longer does not end it for others

    def _remedy(self, name: str, error: CalendarError) -> str:
        account = self._settings.account(name)
        assert account is not None  # it was asked just now
        if of_network := advice_on(error.code):
            return of_network.remedy
        known = advice(account.provider, error.code, name)
        if known is not None and error.error_class is not ErrorClass.THROTTLED:
            return known.remedy if error.code in OURS else f"{known.cause}: {known.remedy}"
        if account.login and error.error_class is ErrorClass.AUTH:
            return "have the user consent anew: " + _LOGIN.format(provider=account.provider, name=name)
        match error.error_class:
            case ErrorClass.AUTH:
                return _RENEW[account.provider]
            case ErrorClass.PARK:
                return f"see that the calendar exists and is shared with account {name}"
            case ErrorClass.THROTTLED:
                return "wait; the provider throttles this account"
            case ErrorClass.TRANSIENT:
                return _REACH
        return f"see docs/{account.provider}.md, and what the provider says of this code"


def _look_at(asked: "asyncio.Task[str]") -> None:
    """Looks at how it ended, or asyncio warns that nobody did."""
    if not asked.cancelled():
        asked.exception()


def _words(error: CalendarError) -> str:
    said = advice_on(error.code)
    what = f"{said.words} ({error.code})" if said else error.code
    return f"{_SAYS.get(error.error_class, 'cannot be used')}: {what}"


def permissions(token: str) -> list[str]:
    """What a Microsoft token says that it permits; nothing where it is none that can be read.

    Microsoft calls tokens opaque, so this is a hint at most.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        roles, scopes = claims.get("roles", []), claims.get("scp", "")
        return [str(each) for each in roles] + str(scopes).split()
    except (IndexError, ValueError, AttributeError, TypeError):
        return []
