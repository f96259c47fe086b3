"""The calendars of the configuration, to be written and read. Where a third provider is plugged in."""

from collections.abc import Mapping
from pathlib import Path

from bookings.accounts import Accounts, Limits
from bookings.consents import Consents
from bookings.record import NOT_CONFIGURED
from config.accounts import GoogleAccount, MicrosoftAccount
from config.settings import Calendar as Configured
from config.settings import CalendarAddress, Settings
from network.outgoing import Outgoing
from workers.calendars import google_errors, microsoft_errors
from workers.calendars.consent import Consenting
from workers.calendars.consent_tokens import ConsentTokens
from workers.calendars.google import GoogleCalendar
from workers.calendars.google_consent import GoogleConsent
from workers.calendars.google_reader import GoogleFreeBusy, GoogleReader
from workers.calendars.google_tokens import FREE_BUSY_SCOPES, GoogleTokens
from workers.calendars.http import ProviderHttp
from workers.calendars.lane import FreeLane, Lane
from workers.calendars.microsoft import MicrosoftCalendar
from workers.calendars.microsoft_consent import MicrosoftConsent
from workers.calendars.microsoft_reader import MicrosoftReader
from workers.calendars.microsoft_tokens import MicrosoftTokens
from workers.calendars.own_thread import LONGEST_S
from workers.calendars.port import Calendar
from workers.calendars.reading import Readable
from workers.calendars.renewals import Renewals
from workers.calendars.tokens import Tokens
from workers.errors import CalendarError, ErrorClass

MAILBOX_REQUESTS = 3
"""Requests at a time into one Microsoft mailbox; Graph allows four."""
_ERRORS = {"google": google_errors, "microsoft": microsoft_errors}
BURST_S = 6.0
"""A Google user's requests of so many seconds may come at once after a rest."""


class Directory:
    """Finds calendars by their configured name; tokens and connections are shared among them.

    Args:
        settings: the configuration.
        outgoing: carries all requests.
        accounts: the fleet's clocks; None asks nobody for leave (to check what works).
        consents: what users consented to; may be None where no account is of a user who logs in.
    """

    def __init__(
        self,
        settings: Settings,
        outgoing: Outgoing,
        accounts: Accounts | None = None,
        consents: Consents | None = None,
    ) -> None:
        self._settings = settings
        self.outgoing = outgoing
        self._accounts = accounts
        self._consents = consents
        self._tokens: dict[str, Renewals] = {}
        self._calendars: dict[str, Calendar] = {}
        self._readables: dict[str, Readable] = {}
        self._free_busy: dict[str, GoogleFreeBusy] = {}
        self._lanes: dict[str, Lane | FreeLane] = {}
        self._names: dict[CalendarAddress, str] = {}
        self._defaults: dict[str, str] = {}
        self._token_timeout_s = min(settings.worker.request_timeout, LONGEST_S)

    def calendar(self, name: str) -> Calendar:
        """Gives the calendar of this name. Raises `CalendarError` (PARK) where the configuration has none."""
        if name not in self._calendars:
            self._calendars[name] = self._open(name)
        return self._calendars[name]

    def calendar_at(self, address: CalendarAddress) -> Calendar:
        """Gives the calendar with this address, whatever it is called now.

        Raises `CalendarError` (PARK) where the configuration has none: its former name may be another's.
        """
        if address not in self._names:
            found = (self._settings.calendar_at(each) for each in self._names_of(address))
            configured = next(filter(None, found), None)
            if configured is None:
                raise CalendarError(ErrorClass.PARK, NOT_CONFIGURED)
            self._names[address] = configured.name
        return self.calendar(self._names[address])

    async def identity(self, address: CalendarAddress) -> CalendarAddress:
        """Gives the one address of a calendar that has several: Microsoft's default calendar has an id, too.

        Google's `primary` needs no asking. Raises `CalendarError` where Microsoft does not tell.
        """
        if address.provider != "microsoft" or not address.calendar_id:
            return address
        await self.know(address)
        by_id = self._defaults.get(address.owner) == address.calendar_id
        return address._replace(calendar_id="") if by_id else address

    async def addresses(self, address: CalendarAddress) -> tuple[CalendarAddress, ...]:
        """Gives every address under which a calendar may stand in the record. Raises `CalendarError`."""
        await self.know(address)
        return self._names_of(address)

    async def know(self, address: CalendarAddress) -> None:
        """Learns what a Microsoft mailbox calls its default calendar, so that it is found by either name."""
        if address.provider != "microsoft" or address.owner in self._defaults:
            return
        for configured in self._settings.calendars:
            each = self._settings.address(configured)
            if (each.provider, each.owner) == ("microsoft", address.owner):
                calendar = self.calendar(configured.name)
                assert isinstance(calendar, MicrosoftCalendar)
                self._defaults[address.owner] = await calendar.default_calendar_id()
                return

    def _names_of(self, address: CalendarAddress) -> tuple[CalendarAddress, ...]:
        """The address, and the other one of a Microsoft mailbox's default calendar, as far as it is known."""
        default = self._defaults.get(address.owner) if address.provider == "microsoft" else None
        if default is not None and address.calendar_id in ("", default):
            return address, address._replace(calendar_id="" if address.calendar_id else default)
        return (address,)

    def readable(self, name: str) -> Readable:
        """Gives the calendar of this name to be read, on the same terms."""
        if name not in self._readables:
            self._readables[name] = self._open_to_read(name)
        return self._readables[name]

    def close(self) -> None:
        """Closes the connections to the token endpoints; the way out is its owner's."""
        for tokens in self._tokens.values():
            tokens.close()

    async def token(self, account: str) -> str:
        """Gives an access token of the account of this name. Raises `KeyError`, `CalendarError`."""
        configured = self._settings.account(account)
        if configured is None:
            raise KeyError(account)
        return await self._tokens_of(configured).token()

    def _open(self, name: str) -> Calendar:
        configured, account = self._configured(name)
        http = self._http(configured, account, self._tokens_of(account))
        match account:
            case GoogleAccount():
                return GoogleCalendar(account, configured.calendar_id, http)
            case MicrosoftAccount():
                return MicrosoftCalendar(account, _mailbox(configured), configured.calendar_id, http)

    def _open_to_read(self, name: str) -> Readable:
        configured, account = self._configured(name)
        http = self._http(configured, account, self._tokens_of(account))
        match account:
            case GoogleAccount():
                free_busy = self._free_busy_of(configured, account) if account.is_service_account else None
                return GoogleReader(account, configured.calendar_id, http, free_busy)
            case MicrosoftAccount():
                return MicrosoftReader(account, _mailbox(configured), configured.calendar_id, http)

    def _configured(self, name: str) -> tuple[Configured, GoogleAccount | MicrosoftAccount]:
        configured = self._settings.calendar(name)
        account = self._settings.account(configured.account) if configured else None
        if configured is None or account is None:
            raise CalendarError(ErrorClass.PARK, NOT_CONFIGURED)
        return configured, account

    def _http(
        self, configured: Configured, account: GoogleAccount | MicrosoftAccount, tokens: Tokens | Renewals
    ) -> ProviderHttp:
        timeout_s = self._settings.worker.request_timeout
        ca_file: Path | None = None
        own: Mapping[str, str] = {}
        match account:
            case GoogleAccount():
                own = account.billing
                a_second = account.requests_per_minute / 60
                limits = Limits(a_second=a_second, burst=max(1, round(a_second * BURST_S)))
                lane = self._lane(account.name, account.name, limits)
            case MicrosoftAccount():
                limits = Limits(at_a_time=MAILBOX_REQUESTS, slot_s=3 * timeout_s + 1)
                lane = self._lane(account.name, f"{account.name}/{_mailbox(configured)}", limits)
                ca_file = account.ca_file
        return ProviderHttp(
            self.outgoing,
            tokens,
            lane,
            refuses_account=_ERRORS[account.provider].refuses_account,
            refuses_rights=_ERRORS[account.provider].refuses_rights,
            provider=account.provider,
            timeout_s=timeout_s,
            ca_file=ca_file,
            headers=own,
        )

    def _free_busy_of(self, configured: Configured, account: GoogleAccount) -> GoogleFreeBusy:
        """One for all calendars of an account: what Google refuses one of them, it refuses all."""
        if account.name not in self._free_busy:
            tokens = GoogleTokens(
                account, self.outgoing, timeout_s=self._token_timeout_s, scopes=FREE_BUSY_SCOPES
            )
            self._free_busy[account.name] = GoogleFreeBusy(account, self._http(configured, account, tokens))
        return self._free_busy[account.name]

    def _tokens_of(self, account: GoogleAccount | MicrosoftAccount) -> Renewals:
        if account.name not in self._tokens:
            self._tokens[account.name] = Renewals(self._tokens_for(account))
        return self._tokens[account.name]

    def _tokens_for(self, account: GoogleAccount | MicrosoftAccount) -> Tokens:
        timeout_s = self._token_timeout_s
        if account.login:
            assert self._consents is not None  # whoever asks for such an account brings them
            asking = consenting(account, self.outgoing, timeout_s)
            return ConsentTokens(account.name, asking, self._consents, timeout_s=timeout_s)
        if isinstance(account, GoogleAccount):
            return GoogleTokens(account, self.outgoing, timeout_s=timeout_s)
        return MicrosoftTokens(account, self.outgoing, timeout_s=timeout_s)

    def _lane(self, account: str, name: str, limits: Limits) -> Lane | FreeLane:
        if name not in self._lanes:
            self._lanes[name] = (
                FreeLane()
                if self._accounts is None
                else Lane(self._accounts, account, name, limits, cap_s=self._settings.worker.retry_cap)
            )
        return self._lanes[name]


def _mailbox(configured: Configured) -> str:
    return (configured.mailbox or "").lower()


def consenting(account: GoogleAccount | MicrosoftAccount, outgoing: Outgoing, timeout_s: float) -> Consenting:
    """What asks the user of an account for consent, and renews it."""
    if isinstance(account, GoogleAccount):
        return GoogleConsent(account, outgoing, timeout_s=timeout_s)
    return MicrosoftConsent(account, outgoing, timeout_s=timeout_s)
