"""Requests to Google Calendar v3: google-api-python-client builds them, our own session sends them."""

from collections.abc import AsyncIterator, Mapping
from functools import cache
from typing import Any

import httplib2
from googleapiclient.discovery import build

from workers.calendars.google_errors import raise_for_answer
from workers.calendars.http import Answer, ProviderHttp
from workers.calendars.reading import MOST_PAGES, unreadable

_PAGE = 2500  # the largest that Google gives


@cache
def _service(endpoint: str) -> Any:
    return build(
        "calendar",
        "v3",
        http=httplib2.Http(),  # never used: it only builds
        client_options={"api_endpoint": endpoint},
        static_discovery=True,
    )


@cache
def events(endpoint: str) -> Any:
    """The builder of requests about events; made once for an endpoint, since each costs a megabyte."""
    return _service(endpoint).events()


@cache
def free_busy(endpoint: str) -> Any:
    """The builder of requests for busy times."""
    return _service(endpoint).freebusy()


async def send(http: ProviderHttp, request: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """Sends a built request. Raises `CalendarError`."""
    body = request.body.encode() if request.body else None
    return await http.send(
        request.method, request.uri, headers={**request.headers, **(headers or {})}, body=body
    )


async def pages(http: ProviderHttp, events: Any, **query: Any) -> AsyncIterator[dict[str, Any]]:
    """The pages of events.list. Raises `CalendarError`."""
    token: str | None = None
    for _ in range(MOST_PAGES):
        request = events.list(**query, maxResults=_PAGE, pageToken=token)
        page = raise_for_answer(await send(http, request), calendar=True)
        yield page
        token = page.get("nextPageToken")
        if not token:
            return
    raise unreadable("too_many_pages")
