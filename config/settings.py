"""The whole configuration, as the other rooms see it. `config.load` makes it and checks how its parts fit."""

from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from config.accounts import Account, GoogleAccount, MicrosoftAccount
from config.apps import App
from config.digest import digest_of
from config.fields import AT_LEAST_ONE, EMPTY_IS_NONE, Name, SequenceId, Text
from config.leave import Leave, Routed, leave_of
from config.network import NetworkSettings
from config.sections import (
    ApiSettings,
    ConsoleSettings,
    EncryptionSettings,
    ReceiverSettings,
    RedisSettings,
    TelemetrySettings,
    WorkerSettings,
)
from config.table import Table


class Calendar(Table):
    """A named target. `calendar_id` is as the provider wants it; "" is a mailbox's default calendar."""

    name: Name
    account: Name
    calendar_id: str = ""
    mailbox: Annotated[Text | None, EMPTY_IS_NONE] = None
    cronofy_id: Annotated[Text | None, EMPTY_IS_NONE] = None
    """What Cronofy calls it."""


class Person(Table):
    """Somebody whose availability may be asked for: Cronofy's name of the account, and our calendars of it.

    All of them are read; the first is where a part of theirs is written that nothing else sends anywhere.
    """

    sub: Text
    calendars: Annotated[tuple[Name, ...], AT_LEAST_ONE]


class Route(Table):
    """Which calendars a part goes to, by app, `sequence_id` (exact or glob) and a participant's `sub`."""

    app: Name
    sequence_id: SequenceId | None = None
    sub: Text | None = None
    calendars: Annotated[tuple[Name, ...], AT_LEAST_ONE]

    @property
    def is_glob(self) -> bool:
        """Whether `sequence_id` is a pattern with `*`, `?` or `[…]`, rather than one exact id."""
        return self.sequence_id is not None and any(sign in self.sequence_id for sign in "*?[")


class CalendarAddress(NamedTuple):
    """Which calendar it is at the provider, whatever we call it: part of the identity of a write.

    `owner` is in small letters: a Microsoft mailbox, the user a Google account acts for, or "" where Google's
    calendar id says all. `forward` is no calendar: callbacks are passed on there.
    """

    provider: Literal["google", "microsoft", "forward"]
    owner: str
    calendar_id: str


class Settings(Table):
    """A configuration that was found sound."""

    redis: RedisSettings = Field(default_factory=RedisSettings)
    network: NetworkSettings = Field(default_factory=NetworkSettings)
    encryption: EncryptionSettings = Field(default_factory=EncryptionSettings)
    receiver: ReceiverSettings = Field(default_factory=ReceiverSettings)
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)
    console: ConsoleSettings = Field(default_factory=ConsoleSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    apps: tuple[App, ...] = ()
    accounts: tuple[Account, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    routes: tuple[Route, ...] = ()
    people: tuple[Person, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The same for any two configurations that mean the same to bookings; 12 hexadecimal digits."""
        return digest_of(self)

    @cached_property
    def _apps(self) -> dict[str, App]:
        return {each.name: each for each in self.apps}

    @cached_property
    def _accounts(self) -> dict[str, GoogleAccount | MicrosoftAccount]:
        return {each.name: each for each in self.accounts}

    @cached_property
    def _calendars(self) -> dict[str, Calendar]:
        return {each.name: each for each in self.calendars}

    @cached_property
    def _people(self) -> dict[str, Person]:
        return {each.sub: each for each in self.people}

    @cached_property
    def _leaves(self) -> dict[str, Leave]:
        return {
            app.name: leave_of(
                app,
                [Routed(each.sub, each.calendars) for each in self.routes if each.app == app.name],
                calendars=frozenset(self._calendars),
                people={person.sub: person.calendars for person in self.people},
                alone=len(self.apps) == 1,
            )
            for app in self.apps
        }

    @cached_property
    def _addresses(self) -> dict[Calendar, CalendarAddress]:
        return {}

    def app(self, name: str) -> App | None:
        """The app of this name, if there is one."""
        return self._apps.get(name)

    def share(self, limit: int) -> int:
        """What each app may have of a limit that all of them share."""
        return -(-limit // max(1, len(self.apps)))

    def leave(self, app: str) -> Leave:
        """What an app of this configuration may use. Raises `KeyError` where it is none."""
        return self._leaves[app]

    def account(self, name: str) -> GoogleAccount | MicrosoftAccount | None:
        """The account of this name, if there is one."""
        return self._accounts.get(name)

    def calendar(self, name: str) -> Calendar | None:
        """The calendar of this name, if there is one."""
        return self._calendars.get(name)

    def person(self, sub: str) -> Person | None:
        """The person with this `sub`, if there is one."""
        return self._people.get(sub)

    def calendar_of_cronofy(self, cronofy_id: str) -> Calendar | None:
        """The calendar that Cronofy calls so, if there is one."""
        return next((each for each in self.calendars if each.cronofy_id == cronofy_id), None)

    def address(self, calendar: Calendar) -> CalendarAddress:
        """Which calendar at the provider this is; the same for as long as the process runs.

        Raises:
            KeyError: the calendar's account is not in this configuration.
            SecretError: the account's key file is needed for it, and cannot be read.
        """
        if calendar not in self._addresses:
            self._addresses[calendar] = _address(calendar, self._accounts[calendar.account])
        return self._addresses[calendar]

    def calendar_at(self, address: CalendarAddress) -> Calendar | None:
        """The calendar with this address, if there is one, whatever it is called now."""
        return next((each for each in self.calendars if self.address(each) == address), None)


def _address(calendar: Calendar, account: GoogleAccount | MicrosoftAccount) -> CalendarAddress:
    if isinstance(account, MicrosoftAccount):
        # Graph's calendar ids tell capitals from small letters.
        return CalendarAddress("microsoft", (calendar.mailbox or "").lower(), calendar.calendar_id)
    calendar_id = calendar.calendar_id.lower()
    if calendar_id in {"", "primary", account.owner}:
        return CalendarAddress("google", account.owner, "primary")
    return CalendarAddress("google", (account.subject or "").lower(), calendar_id)
