"""Reading Google calendars. What the answers mean is in `google_reading`."""

import structlog

from config.accounts import GoogleAccount
from workers.calendars import google_api
from workers.calendars.google_errors import raise_for_answer
from workers.calendars.google_reading import FIELDS, read_busy, read_page
from workers.calendars.http import ProviderHttp
from workers.calendars.reading import CalendarEvent, rfc3339
from workers.errors import AccountWaits, CalendarError

_WANT_OF_SCOPE = frozenset(
    {"unauthorized_client", "access_denied", "invalid_scope", "insufficientPermissions"}
)

_log = structlog.get_logger()


class GoogleFreeBusy:
    """freeBusy for the calendars of one account, until Google refuses it for want of scope.

    Args:
        account: the account.
        http: with tokens for the scope of free/busy, which is not among those for writing.
    """

    def __init__(self, account: GoogleAccount, http: ProviderHttp) -> None:
        self._account = account.name
        self._requests = google_api.free_busy(account.api_endpoint)
        self._http = http
        self._refused = False

    async def query(self, calendar_id: str, start: int, end: int) -> list[CalendarEvent] | None:
        """When a calendar is taken; None where that is not ours to ask. Raises `CalendarError`."""
        if self._refused:
            return None
        body = {"timeMin": rfc3339(start), "timeMax": rfc3339(end), "items": [{"id": calendar_id}]}
        try:
            answer = await google_api.send(self._http, self._requests.query(body=body))
            return read_busy(raise_for_answer(answer, calendar=True))
        except CalendarError as error:
            if isinstance(error, AccountWaits) or error.code not in _WANT_OF_SCOPE:
                raise
        self._refused = True
        _log.info("free_busy_not_granted", account=self._account)
        return None


class GoogleReader:
    """One Google calendar; see `workers.calendars.reading.Readable`."""

    def __init__(
        self,
        account: GoogleAccount,
        calendar_id: str,
        http: ProviderHttp,
        free_busy: GoogleFreeBusy | None,
    ) -> None:
        self._calendar_id = calendar_id or "primary"
        self._events = google_api.events(account.api_endpoint)
        self._http = http
        self._free_busy = free_busy
        self.lane = http.lane

    async def free_busy(self, start: int, end: int) -> list[CalendarEvent]:
        """By freeBusy, or by events.list where the scope for that is missing."""
        busy = None
        if self._free_busy is not None:
            busy = await self._free_busy.query(self._calendar_id, start, end)
        return await self.events(start, end) if busy is None else busy

    async def events(self, start: int, end: int) -> list[CalendarEvent]:
        """By events.list; recurring events come as their occurrences."""
        pages = google_api.pages(
            self._http,
            self._events,
            calendarId=self._calendar_id,
            timeMin=rfc3339(start),
            timeMax=rfc3339(end),
            singleEvents=True,
            showDeleted=False,
            maxAttendees=1,  # the owner alone, where there are more
            fields=FIELDS,
        )
        return [event async for page in pages for event in read_page(page)]
