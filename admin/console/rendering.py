"""Pages from templates. Whatever comes from outside is escaped by the templates' engine, always."""

import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from admin.console.sessions import Session
from admin.printable import printable
from bookings.clock import moment, now_ms
from bookings.showing import HIDDEN

SESSION = web.RequestKey("session", Session)
FORM_TOKEN = web.RequestKey("form_token", str)

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"


def page(request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
    """Gives the page that a template makes."""
    session = request.get(SESSION)
    text = _environment.get_template(template).render(
        context,
        here=request.rel_url.path,
        who=session.who if session else "",
        form_token=request.get(FORM_TOKEN, ""),
        now=now_ms(),
        version=_VERSION,
    )
    return web.Response(text=text, status=status, content_type="text/html", charset="utf-8")


def _time(at: int | str) -> Markup:
    """A time for people and programs; Unix milliseconds, or what `moment` made of them."""
    text = moment(at) if isinstance(at, int) else at
    return Markup('<time datetime="{}">{}</time>').format(text.replace(" ", "T"), text)


def _span(ms: int) -> str:
    """A length of time in its two largest units."""
    left = max(0, ms) // 1000
    words: list[str] = []
    for unit, seconds in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        if left >= seconds or (unit == "s" and not words):
            words.append(f"{left // seconds} {unit}")
            left %= seconds
    return " ".join(words[:2])


def _number(value: int) -> str:
    return f"{value:,}"


def _day(text: str) -> str:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).strftime("%A, %-d %B %Y")


def _web_link(url: str) -> str:
    """A link's address where it leads to a web page; what a provider calls one may be anything."""
    try:
        return url if urlsplit(url).scheme in ("https", "http") else ""
    except ValueError:
        return ""


def _json(value: Any) -> str:
    """JSON, which the templates' engine escapes as any text."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "(nested too deeply to be shown)"


def _shown(value: Any) -> Any:
    """Whatever stands in a page, but for what is markup already: values of forms say so by `|e`."""
    is_text = isinstance(value, str) and not isinstance(value, Markup)
    return printable(value, keep="\n\r\t") if is_text else value


def _query(given: dict[str, Any], **changes: Any) -> str:
    """A query with what is set of the given and changed parameters."""
    return "?" + urlencode({name: value for name, value in {**given, **changes}.items() if value})


_VERSION = version("sequence-sync")
_environment = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    finalize=_shown,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {
    "time": _time,
    "span": _span,
    "number": _number,
    "day": _day,
    "web_link": _web_link,
    "json": _json,
}
_environment.globals |= {"query": _query, "hidden": HIDDEN}
