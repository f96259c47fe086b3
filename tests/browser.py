"""A browser, as far as consent needs one: it shows a form, posts what a person chose, and is sent on."""

import re
from html import unescape
from typing import NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

import aiohttp
from yarl import URL

_INPUT = re.compile(r'<input (?!type="checkbox" disabled)[^>]*?name="(\w+)" value="([^"]*)"')


class Refused(Exception):
    """The page says that something is wrong, and asks nothing."""


class WayBack(NamedTuple):
    """Where the provider sends the browser with its answer, and how."""

    url: str
    posted: dict[str, str] | None

    @property
    def brought(self) -> dict[str, str]:
        """What the application gets."""
        return dict(parse_qsl(urlsplit(self.url).query)) if self.posted is None else self.posted


class Page(NamedTuple):
    """What is shown at last."""

    status: int
    text: str


class Browser:
    """One person's browser."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def decide(self, url: str, decision: str, *, user: str, leave_out: tuple[str, ...] = ()) -> WayBack:
        """Fills in the form at an address. Raises `Refused` where there is none."""
        where = URL(url, encoded=True)
        async with self.session.get(where, ssl=False) as shown:
            page = await shown.text()
        if "<form" not in page:
            raise Refused(page)
        fields = [(name, unescape(value)) for name, value in _INPUT.findall(page)]
        form = [
            (name, user if name == "user" else value)
            for name, value in fields
            if name != "scope" or value not in leave_out
        ]
        post = self.session.post(
            where, data=[*form, ("decision", decision)], allow_redirects=False, ssl=False
        )
        async with post as answer:
            if answer.status == 302:
                return WayBack(answer.headers["Location"], None)
            text = await answer.text()
        [action] = re.findall(r'action="([^"]*)"', text)
        return WayBack(
            urljoin(url, unescape(action)), {name: unescape(value) for name, value in _INPUT.findall(text)}
        )

    async def follow(self, way: WayBack) -> Page:
        """Goes where the provider sends it."""
        method = "GET" if way.posted is None else "POST"
        target = URL(way.url, encoded=True)
        async with self.session.request(method, target, data=way.posted) as answer:
            return Page(answer.status, await answer.text())
