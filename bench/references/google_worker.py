"""Workers as most would write them: `python -m bench.references.google_worker naive`, or `tuned`.

The naive one is arq with its defaults, and each job calls `build()` and `.execute()` in a thread. The tuned
one shares what can be shared: one service, a hundred threads with a connection for each, a quick poll.
"""

import asyncio
import json
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httplib2
from arq.connections import RedisSettings
from arq.worker import func, run_worker
from google.oauth2.service_account import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.http import HttpRequest

CALENDAR = "interviews@globex.example"
SCOPE = "https://www.googleapis.com/auth/calendar.events"
AT_ONCE = 100

_here = threading.local()


def event_of(part: dict[str, Any]) -> dict[str, Any]:
    """The least that an event needs."""
    event = part["event"]
    return {
        "summary": event["summary"],
        "start": {"dateTime": event["start"], "timeZone": "Etc/UTC"},
        "end": {"dateTime": event["end"], "timeZone": "Etc/UTC"},
    }


def credentials() -> Credentials:
    key = json.loads(Path(os.environ["BENCH_GOOGLE_KEY"]).read_text())
    own: Credentials = Credentials.from_service_account_info(key, scopes=[SCOPE])
    return own


def service(own: Credentials, **options: Any) -> Any:
    endpoint = {"api_endpoint": os.environ["BENCH_GOOGLE"]}
    return build("calendar", "v3", credentials=own, client_options=endpoint, cache_discovery=False, **options)


async def naive(context: dict[str, Any], part: dict[str, Any]) -> None:
    def write() -> None:
        calendar = service(context["credentials"])
        calendar.events().insert(calendarId=CALENDAR, body=event_of(part)).execute()

    await asyncio.to_thread(write)


def own_http(own: Credentials) -> AuthorizedHttp:
    """httplib2 is not for several threads: each has a connection of its own, which is kept."""
    if not hasattr(_here, "http"):
        _here.http = AuthorizedHttp(own, http=httplib2.Http())
    http: AuthorizedHttp = _here.http
    return http


async def tuned(context: dict[str, Any], part: dict[str, Any]) -> None:
    def write() -> None:
        request: HttpRequest = context["service"].events().insert(calendarId=CALENDAR, body=event_of(part))
        request.execute(http=own_http(context["credentials"]))

    await asyncio.get_running_loop().run_in_executor(context["threads"], write)


async def begin(context: dict[str, Any]) -> None:
    context["credentials"] = credentials()
    context["service"] = service(context["credentials"])
    context["threads"] = ThreadPoolExecutor(AT_ONCE)


class Naive:
    """arq's defaults: ten jobs at once, a poll every half second."""

    functions = (func(naive, name="write_part"),)  # type: ignore[arg-type]  # arq types its own context
    redis_settings = RedisSettings.from_dsn(os.environ.get("BENCH_REDIS", "redis://"))
    on_startup = begin


class Tuned:
    """As quick as its settings make it."""

    functions = (func(tuned, name="write_part"),)  # type: ignore[arg-type]  # arq types its own context
    redis_settings = RedisSettings.from_dsn(os.environ.get("BENCH_REDIS", "redis://"))
    on_startup = begin
    poll_delay = 0.005
    max_jobs = AT_ONCE
    keep_result = 0


if __name__ == "__main__":
    run_worker({"naive": Naive, "tuned": Tuned}[sys.argv[1]])  # type: ignore[arg-type]
