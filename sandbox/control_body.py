"""How the control API reads a body and says what is wrong with a request."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from aiohttp import web

from sandbox.answers import Refused, json_answer
from sandbox.faults import FaultError
from sandbox.person import NoSuchEventError

Spec = TypeVar("Spec")


def explained(
    handle: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[..., Awaitable[web.Response]]:
    """The handler, with what is wrong with a request said in words."""

    async def answered(request: web.Request) -> web.Response:
        try:
            return await handle(request)
        except (msgspec.DecodeError, FaultError) as error:
            return json_answer({"error": str(error)}, 400)
        except (NoSuchEventError, KeyError) as error:
            return json_answer({"error": f"not found: {error}"}, 404)
        except Refused as refused:
            return refused.answer()

    return answered


async def body(request: web.Request, shape: type[Spec]) -> Spec:
    """The body as one of the control_specs; an empty body is one without fields."""
    return msgspec.json.decode(await request.read() or b"{}", type=shape)
