"""An aiohttp application behind the limits of a port."""

import structlog
from aiohttp import web

from admin.metrics import PORT_REFUSALS
from admin.ports.connections import Connections
from admin.ports.limits import Limits
from admin.sampling import Sampled

_unsigned = Sampled(structlog.get_logger())


async def limited(
    app: web.Application, limits: Limits, *, port: str, shutdown_timeout: float = 60.0
) -> web.BaseRunner:
    """Gives what serves an application, set up; `cleanup()` ends it. Metrics and logs call it `port`."""

    def refused(status: int, error: str) -> None:
        PORT_REFUSALS.labels(port, error).inc()
        _unsigned.log("info", "request_refused", port=port, status=status, reason=error)

    inside = web.AppRunner(app, access_log=None)
    await inside.setup()
    served = inside.server
    assert served is not None  # it was set up
    runner = _Runner(
        Connections(
            served.request_handler,
            limits=limits,
            refused=refused,
            request_factory=served.request_factory,
            auto_decompress=False,
        ),
        inside,
        shutdown_timeout=shutdown_timeout,
    )
    await runner.setup()
    return runner


class _Runner(web.ServerRunner):
    """Serves, and ends the application after its connections."""

    def __init__(self, connections: Connections, inside: web.AppRunner, *, shutdown_timeout: float) -> None:
        super().__init__(connections, shutdown_timeout=shutdown_timeout)
        self._inside = inside

    async def cleanup(self) -> None:
        await super().cleanup()
        await self._inside.cleanup()


async def without_versions(request: web.Request, response: web.StreamResponse) -> None:
    """Takes off what serves here, for `on_response_prepare` of an application."""
    del request
    response.headers.pop("Server", None)
