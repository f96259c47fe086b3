"""The page behind a link, on which a person chooses one of a handful of times; without a script."""

from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from aiohttp import web
from yarl import URL

from sandbox import consent_page, zones
from sandbox.cronofy_choice import ChoiceError, Chosen, choose, offered, utc, zone_of
from sandbox.cronofy_courier import COURIER
from sandbox.cronofy_link import CronofyLink, Status
from sandbox.cronofy_store import PAGES
from sandbox.state import STATE


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the pages."""
    router.add_get(PAGES + "/{token}", show)
    router.add_post(PAGES + "/{token}", pick)


async def show(request: web.Request) -> web.Response:
    """The times to choose from, or what was chosen."""
    return _page(_link(request), request.app[STATE].clock())


async def pick(request: web.Request) -> web.Response:
    """A person chooses a time. The callback goes out while the person is sent on."""
    link, form = _link(request), await request.post()
    store = request.app[STATE].cronofy
    try:
        link = store.complete(link.id, str(form.get("start", "")))
    except ChoiceError as error:
        return consent_page.page("That did not work", f"<p>{escape(str(error))}</p>", 409)
    request.app[COURIER].send(link)
    back = (link.request.get("redirect_urls") or {}).get("completed_url")
    raise web.HTTPSeeOther(str(URL(back).update_query(token=link.token)) if back else link.url)


def _link(request: web.Request) -> CronofyLink:
    link = request.app[STATE].cronofy.by_token(request.match_info["token"])
    if link is None:
        unknown = consent_page.page("There is no such link", "", 404)
        raise web.HTTPNotFound(text=unknown.text, content_type="text/html")
    return link


def _page(link: CronofyLink, now: float) -> web.Response:
    title = str(link.request["event"]["summary"])
    if link.status is Status.DISABLED:
        return consent_page.page(
            title, f'<p style="white-space: pre-wrap">{escape(link.display_message)}</p>'
        )
    if link.status is Status.COMPLETED:
        return consent_page.page(title, _done(link))
    times = offered(link, now)
    if not times:
        return consent_page.page(title, "<p>There is no time left to choose.</p>")
    rows = "".join(_time(link, start, choose(link, now, utc(start))) for start in times)
    return consent_page.page(title, f'<form method="post"><ul>{rows}</ul></form>')


def _time(link: CronofyLink, start: datetime, chosen: list[Chosen]) -> str:
    names = ", ".join(str(each.part.event["summary"]) for each in chosen)
    words = f"{_local(link, start)} to {_local(link, chosen[-1].end)}"
    button = f'<button name="start" value="{utc(start)}">{escape(words)}</button>'
    return f"<li>{button}<br>{escape(names)}</li>"


def _done(link: CronofyLink) -> str:
    start, end = (datetime.fromisoformat(link.event[which]["time"]) for which in ("start", "end"))
    attempts = "".join(
        f"<li>{escape(str(attempt.status) if attempt.status else attempt.error)}</li>"
        for attempt in link.attempts
    )
    told = f"<p>Answers to the callback:</p><ol>{attempts}</ol>" if attempts else ""
    return f"<p>Chosen: {escape(_local(link, start))} to {escape(_local(link, end))}</p>{told}"


def _local(link: CronofyLink, at: datetime) -> str:
    zone = ZoneInfo(zone_of(link))
    return f"{zones.wall_clock(at, zone):%a %d %b %Y %H:%M} {zone.key}"
