"""The calendars of the configuration, ready to be written to. Where a third provider is plugged in."""

import asyncio
from collections import defaultdict

import aiohttp

from config.accounts import GoogleAccount, MicrosoftAccount
from config.settings import Settings
from workers.calendars.google import GoogleCalendar
from workers.calendars.google_tokens import GoogleTokens
from workers.calendars.http import ProviderHttp
from workers.calendars.microsoft import MicrosoftCalendar
from workers.calendars.microsoft_tokens import MicrosoftTokens, ssl_context
from workers.calendars.port import Calendar

MAILBOX_REQUESTS = 3
"""Requests at a time into one Microsoft mailbox; Graph allows four."""


class Directory:
    """Finds calendars by their configured name; accounts, tokens and connections are shared among them."""

    def __init__(self, settings: Settings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._accounts: dict[str, ProviderHttp] = {}
        self._calendars: dict[str, Calendar] = {}
        self._gates: defaultdict[tuple[str, str], asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(MAILBOX_REQUESTS)
        )

    def calendar(self, name: str) -> Calendar:
        """Gives the calendar of this name. Raises `KeyError` where the configuration has none."""
        if name not in self._calendars:
            self._calendars[name] = self._open(name)
        return self._calendars[name]

    def close(self) -> None:
        """Closes the connections to the token endpoints; the session is its owner's."""
        for http in self._accounts.values():
            http.tokens.close()

    async def token(self, account: str) -> str:
        """Gives an access token of the account of this name. Raises `KeyError`, `CalendarError`."""
        configured = self._settings.account(account)
        if configured is None:
            raise KeyError(account)
        return await self._http(configured).tokens.token()

    def _open(self, name: str) -> Calendar:
        configured = self._settings.calendar(name)
        account = self._settings.account(configured.account) if configured else None
        if configured is None or account is None:
            raise KeyError(name)
        match account:
            case GoogleAccount():
                return GoogleCalendar(account, configured.calendar_id, self._http(account))
            case MicrosoftAccount():
                mailbox = (configured.mailbox or "").lower()
                gate = self._gates[account.client_id, mailbox]
                return MicrosoftCalendar(account, mailbox, configured.calendar_id, self._http(account), gate)

    def _http(self, account: GoogleAccount | MicrosoftAccount) -> ProviderHttp:
        if account.name not in self._accounts:
            self._accounts[account.name] = self._sign_in(account)
        return self._accounts[account.name]

    def _sign_in(self, account: GoogleAccount | MicrosoftAccount) -> ProviderHttp:
        timeout_s = self._settings.worker.request_timeout
        match account:
            case GoogleAccount():
                tokens = GoogleTokens(account, timeout_s=timeout_s)
                return ProviderHttp(self._session, tokens, provider="google", timeout_s=timeout_s)
            case MicrosoftAccount():
                return ProviderHttp(
                    self._session,
                    MicrosoftTokens(account, timeout_s=timeout_s),
                    provider="microsoft",
                    timeout_s=timeout_s,
                    ssl=ssl_context(account) if account.ca_file else True,
                )
