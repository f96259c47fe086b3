"""Where the user's browser comes back to after consent: a port on this machine, for as long as it takes."""

import asyncio
import hmac
from collections.abc import Mapping
from html import escape
from typing import Self

from aiohttp import web

_MOST_BYTES = 65_536
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Referrer-Policy": "no-referrer",  # the address holds the code
}


class Loopback:
    """Listens on 127.0.0.1; an async context manager.

    Args:
        port: 0 takes any free one.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._state = ""
        self._answer: asyncio.Future[Mapping[str, str]] = asyncio.get_running_loop().create_future()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        """Starts listening. Raises `OSError` where the port is taken."""
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_get("/", self._come_back)
        app.router.add_post("/", self._come_back)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stops listening; the closing page has been sent."""
        if self._runner is not None:
            await self._runner.cleanup()

    def expect(self, state: str) -> None:
        """Says what the answer brings with it, before anybody is asked.

        Whatever comes without the `state` that was sent along is not the answer: anybody on this machine,
        and any page that the browser shows, can ask for this address.
        """
        self._state = state

    async def answer(self, *, within_s: float) -> Mapping[str, str]:
        """What the browser brings back. Raises `TimeoutError`."""
        return await asyncio.wait_for(self._answer, within_s)

    async def _come_back(self, request: web.Request) -> web.Response:
        brought = await request.post() if request.method == "POST" else request.query
        given = {name: value for name, value in brought.items() if isinstance(value, str)}
        if not self._state or not hmac.compare_digest(given.get("state", "").encode(), self._state.encode()):
            return _page("This is not the answer that was waited for", "Nothing has been done.", status=400)
        if not self._answer.done():
            self._answer.set_result(given)
        if "error" in given:
            return _page("Nothing was allowed", "You may close this window.")
        return _page("Thank you", "You may close this window; the command says whether all went well.")


def _page(title: str, text: str, status: int = 200) -> web.Response:
    body = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body><main><h1>{escape(title)}</h1><p>{escape(text)}</p></main></body></html>"
    )
    return web.Response(text=body, status=status, content_type="text/html", headers=_HEADERS)
