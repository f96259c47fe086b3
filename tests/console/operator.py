"""An operator with a browser that knows no scripts."""

from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import aiohttp
from yarl import URL

from tests.console.reading import Field, Page

PASSWORD = "correct horse battery staple"
COOKIE = "sequence_sync_console"


class Operator:
    """Asks for pages and posts forms, as a browser does."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    async def get(
        self, path: str = "", *, headers: dict[str, str] | None = None, follow: bool = True
    ) -> Page:
        """A page of the console; `path` below `/console/`, or absolute."""
        where = URL(urljoin(f"{self.address}/console/", path), encoded=True)
        async with self.http.get(where, headers=headers, allow_redirects=follow) as answer:
            return await _read(answer)

    async def post(
        self, path: str, fields: list[Field], *, headers: dict[str, str] | None = None, follow: bool = True
    ) -> Page:
        """Posts fields from the console's own origin, unless the headers say otherwise."""
        where = urljoin(f"{self.address}/console/", path)
        own = {"Origin": self.address} if headers is None else headers
        async with self.http.post(
            where, data=aiohttp.FormData(fields, charset="utf-8"), headers=own, allow_redirects=follow
        ) as answer:
            return await _read(answer)

    async def press(self, page: Page, button: str, *more: Field, without: tuple[str, ...] = ()) -> Page:
        """Presses a button of a page, with more fields filled in or boxes ticked."""
        form = page.form(button)
        filled = {name for name, _ in more} - {"id"} | set(without)
        fields = [each for each in form.fields if each[0] not in filled]
        pressed = form.buttons[button]
        return await self.post(form.action or page.url, [*fields, *more, *([pressed] if pressed else [])])

    async def sign_in(self, name: str = "Anna", password: str = PASSWORD, *, to: str = "") -> Page:
        """Goes to a page by way of the form to sign in."""
        page = await self.get(to)
        return await self.press(page, "Sign in", ("name", name), ("password", password))

    @property
    def cookie(self) -> str:
        """The cookie as it stands in the browser."""
        return next((each.value for each in self.http.cookie_jar if each.key == COOKIE), "")

    def take_cookie(self, value: str) -> None:
        """Puts a cookie in the browser."""
        self.http.cookie_jar.clear()
        self.http.cookie_jar.update_cookies({COOKIE: value}, URL(f"{self.address}/console/"))


async def _read(answer: aiohttp.ClientResponse) -> Page:
    return Page(answer.status, await answer.text(), str(answer.url), dict(answer.headers))
