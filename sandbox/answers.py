"""How a value becomes an HTTP answer, and the exception that carries a vendor's refusal to the gate."""

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(
        body=msgspec.json.encode(value),
        status=status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )


class Refused(Exception):
    """A request the vendor would refuse: its status, JSON body and headers."""

    def __init__(self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = dict(headers or {})

    def answer(self) -> web.Response:
        """The refusal as it goes over the wire."""
        return json_answer(self.body, self.status, self.headers)
