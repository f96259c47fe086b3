"""Where a process listens: at one address, or everywhere, for IPv4 and IPv6 alike."""

import errno
import socket

from aiohttp import web

EVERYWHERE = "::"
_NO_IPV6 = frozenset({errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})
_BACKLOG = 128


async def listen(runner: web.BaseRunner, host: str, port: int, *, backlog: int = _BACKLOG) -> None:
    """Has a runner answer at a port. `::` is every address of both families. Raises `OSError`."""
    if host == EVERYWHERE:
        await web.SockSite(runner, _everywhere(port, backlog), backlog=backlog).start()
    else:
        await web.TCPSite(runner, host, port, backlog=backlog).start()


def _everywhere(port: int, backlog: int) -> socket.socket:
    """One socket for both families; of IPv4 alone where the machine has no IPv6."""
    try:
        return socket.create_server(
            (EVERYWHERE, port), family=socket.AF_INET6, backlog=backlog, dualstack_ipv6=True
        )
    except OSError as error:
        if error.errno not in _NO_IPV6:
            raise
        return socket.create_server(("0.0.0.0", port), backlog=backlog)  # noqa: S104 - what `::` asks for
