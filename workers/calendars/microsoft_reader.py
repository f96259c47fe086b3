"""Reading Microsoft calendars. What the answers mean is in `microsoft_reading`.

getSchedule tells of a mailbox's default calendar only, and not of personal accounts (Graph's page of
`calendar: getSchedule`); everything else is read by calendarView.
"""

import asyncio
from datetime import tzinfo
from typing import Any
from urllib.parse import quote

import msgspec

from config.accounts import MicrosoftAccount
from workers.calendars import microsoft_reading
from workers.calendars.http import ProviderHttp
from workers.calendars.microsoft_errors import raise_for_answer
from workers.calendars.microsoft_fields import KEY, TAGS
from workers.calendars.microsoft_http import MicrosoftHttp
from workers.calendars.reading import CalendarEvent, rfc3339
from workers.errors import AccountWaits, CalendarError, ErrorClass

_PAGE = 500
_AT_A_TIME = 3  # as many as the mailbox bears
_HOUR_S = 3600
_DAY_S = 86_400
_EXPAND = quote(f"singleValueExtendedProperties($filter=id eq '{KEY}' or id eq '{TAGS}')", safe="")


class MicrosoftReader:
    """One calendar of a mailbox; see `workers.calendars.reading.Readable`."""

    def __init__(self, account: MicrosoftAccount, mailbox: str, calendar_id: str, http: ProviderHttp) -> None:
        self._graph = MicrosoftHttp(account, mailbox, calendar_id, http)
        self._mailbox = mailbox
        self._has_schedule = not calendar_id
        self._zone: tzinfo | None = None
        self.lane = http.lane

    async def free_busy(self, start: int, end: int) -> list[CalendarEvent]:
        """By getSchedule; by calendarView where that does not tell of this calendar."""
        if not self._has_schedule:
            return await self.events(start, end)
        try:
            return microsoft_reading.read_schedule(await self._schedule(start, end))
        except CalendarError as error:
            if not _is_refused(error):
                raise
        events = await self.events(start, end)
        self._has_schedule = False  # only now: it might have been the calendar itself
        return events

    async def events(self, start: int, end: int) -> list[CalendarEvent]:
        """By calendarView; recurring events come as their occurrences."""
        items = await self._view(start - _DAY_S, end + _DAY_S)  # midnights are UTC's there, not the person's
        if microsoft_reading.lack_zone(items) and self._zone is None:
            self._zone = await self._mailbox_zone(start)
        events = microsoft_reading.read_view(items, self._zone)
        return [event for event in events if event.start < end and event.end > start]

    async def _view(self, start: int, end: int) -> list[Any]:
        """The items of all pages, with our properties."""
        url = (
            f"{self._graph.calendar}/calendarView?startDateTime={rfc3339(start)}&endDateTime={rfc3339(end)}"
            f"&$select={microsoft_reading.SELECT}&$expand={_EXPAND}&$top={_PAGE}"
        )
        return await self._with_properties([item async for item in self._graph.items(url)])

    async def _with_properties(self, items: list[Any]) -> list[Any]:
        """Asks one by one for the properties of events that may be ours and came without."""
        ids = microsoft_reading.lack_properties(items)
        whole: dict[str, dict[str, Any]] = {}
        for first in range(0, len(ids), _AT_A_TIME):
            some = ids[first : first + _AT_A_TIME]
            found = await asyncio.gather(*map(self._properties, some), return_exceptions=True)
            for event_id, properties in zip(some, found, strict=True):
                if isinstance(properties, BaseException):
                    raise properties
                whole[event_id] = properties
        return [{**item, **whole.get(item["id"], {})} for item in items] if whole else items

    async def _properties(self, event_id: str) -> dict[str, Any]:
        url = f"{self._graph.event(event_id)}?$select=id&$expand={_EXPAND}"
        try:
            found = raise_for_answer(await self._graph.send("GET", url))
        except CalendarError as error:
            if error.error_class is not ErrorClass.GONE:
                raise
            return {}  # deleted meanwhile; it still blocks, this once
        return {"singleValueExtendedProperties": found.get("singleValueExtendedProperties")}

    async def _schedule(self, start: int, end: int) -> dict[str, Any]:
        """Asks for whole hours: a period shorter than an interval of the answer's overview may be refused."""
        body = {
            "schedules": [self._mailbox],
            "startTime": {"dateTime": rfc3339(start - start % _HOUR_S)[:-1], "timeZone": "UTC"},
            "endTime": {"dateTime": rfc3339(end + -end % _HOUR_S)[:-1], "timeZone": "UTC"},
        }
        url = f"{self._graph.user}/calendar/getSchedule"
        answer = await self._graph.send("POST", url, body=msgspec.json.encode(body))
        return raise_for_answer(answer, calendar=True)

    async def _mailbox_zone(self, at: int) -> tzinfo | None:
        """None where Graph does not tell: whole days then last as long as anywhere."""
        try:
            return microsoft_reading.read_zone(await self._schedule(at, at + _HOUR_S))
        except CalendarError as error:
            if not _is_refused(error):
                raise
        return None


def _is_refused(error: CalendarError) -> bool:
    """Whether getSchedule is not for this mailbox; trouble of the moment, or of the account, is not that."""
    refused = error.error_class in (ErrorClass.AUTH, ErrorClass.PARK, ErrorClass.PERMANENT)
    return refused and not error.whole_account and not isinstance(error, AccountWaits)
