"""The page that shows what is in the calendars: plain HTML, made anew at each load, no script."""

from html import escape

from aiohttp import web

from sandbox.clock import stamp
from sandbox.cronofy_link import CronofyLink, Status
from sandbox.inspection import SeenCalendar, SeenEvent, calendars
from sandbox.journal import DROPPED, RequestRecord
from sandbox.state import STATE, State

REFRESH_SECONDS = 5
NEWEST_REQUESTS = 30
NEWEST_EVENTS = 100
NEWEST_LINKS = 30
VENDORS = {"google": "Google Calendar", "microsoft": "Microsoft 365"}
STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
h3 { font-size: 1rem; margin-bottom: .3rem; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; vertical-align: top; }
th, td { border-bottom: 1px solid var(--line); }
code { font-size: .85em; overflow-wrap: anywhere; }
.gone td { text-decoration: line-through; opacity: .6; } .gone td.status { text-decoration: none; }
.none { opacity: .7; }
"""


def add_routes(router: web.UrlDispatcher) -> None:
    """Serve the page at the root."""
    router.add_get("/", show)


async def show(request: web.Request) -> web.Response:
    """The page."""
    state = request.app[STATE]
    found = calendars(state)
    sections = "".join(
        _vendor(name, [each for each in found if each.provider == provider])
        for provider, name in VENDORS.items()
    )
    newest = list(state.journal.requests)[-NEWEST_REQUESTS:]
    body = f"<h1>Sandbox calendars</h1>{sections}{_links(state)}{_requests(newest[::-1])}"
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
        f"<title>Sandbox calendars</title><style>{STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>"
    )
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


def _vendor(name: str, found: list[SeenCalendar]) -> str:
    inner = "".join(_calendar(calendar) for calendar in found) or '<p class="none">No calendar yet.</p>'
    return f"<section><h2>{escape(name)}</h2>{inner}</section>"


def _calendar(calendar: SeenCalendar) -> str:
    title = f"<h3>{escape(calendar.id)}</h3>"
    if not calendar.events:
        return f'{title}<p class="none">No events.</p>'
    newest = calendar.events[-NEWEST_EVENTS:]
    more = len(calendar.events) - len(newest)
    note = f'<p class="none">{more} older events are not shown.</p>' if more else ""
    rows = "".join(_event(event) for event in newest)
    return f"{title}{note}{_table(['Event', 'From', 'To', 'Status', 'Private properties', 'Id'], rows)}"


def _event(event: SeenEvent) -> str:
    private = "<br>".join(
        f"{escape(name)} <code>{escape(value)}</code>" for name, value in event.private.items()
    )
    row_class = "" if event.live else ' class="gone"'
    return (
        f"<tr{row_class}><td>{escape(event.summary)}</td><td>{escape(event.local_start)}</td>"
        f'<td>{escape(event.local_end)}</td><td class="status">{escape(event.status)}</td>'
        f"<td>{private}</td><td><code>{escape(event.id)}</code></td></tr>"
    )


def _links(state: State) -> str:
    newest = list(state.cronofy.links.values())[-NEWEST_LINKS:]
    rows = "".join(_link(link) for link in newest[::-1])
    found = _table(["Link", "Kind", "Status", "Start", "Answers to the callback"], rows)
    return f"<section><h2>Cronofy links</h2>{found}</section>" if newest else ""


def _link(link: CronofyLink) -> str:
    start = link.event["start"]["time"] if link.status is Status.COMPLETED else ""
    answers = ", ".join(str(attempt.status or attempt.error) for attempt in link.attempts)
    return (
        f'<tr><td><a href="{escape(link.url)}">{escape(link.request["event"]["summary"])}</a></td>'
        f"<td>{link.kind}</td><td>{link.status}</td><td>{escape(start)}</td><td>{escape(answers)}</td></tr>"
    )


def _requests(newest: list[RequestRecord]) -> str:
    if not newest:
        return '<section><h2>Newest requests</h2><p class="none">No request yet.</p></section>'
    rows = "".join(
        f"<tr><td>{stamp(record.time)}</td><td>{escape(record.provider)}</td><td>{escape(record.method)}</td>"
        f"<td><code>{escape(record.path)}</code></td>"
        f"<td>{'no answer' if record.status == DROPPED else record.status}</td>"
        f"<td>{escape(', '.join(record.faults))}</td></tr>"
        for record in newest
    )
    table = _table(["Time", "To", "Method", "Path", "Status", "Faults"], rows)
    return f"<section><h2>Newest requests</h2>{table}</section>"


def _table(heads: list[str], rows: str) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    return f'<div class="table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
