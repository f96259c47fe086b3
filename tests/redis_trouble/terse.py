"""A Redis that says less of itself than others: a proxy that rewrites what INFO gives."""

import asyncio
from collections.abc import Callable

from tests.redis_trouble.proxy import Proxy


class TerseProxy(Proxy):
    """`says` makes of INFO's text what is said instead."""

    def __init__(self, upstream_port: int) -> None:
        super().__init__(upstream_port)
        self.says: Callable[[str], str] = str

    def leave_out(self, *fields: str) -> None:
        """Says nothing of these fields."""
        names = tuple(f"{each}:" for each in fields)
        self.says = lambda text: "\r\n".join(
            line for line in text.split("\r\n") if not line.startswith(names)
        )

    async def _replies(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        del silent
        while data := await reader.read(65536):
            if data.startswith(b"$") and b"# Server" in data[:40]:
                head, _, rest = data.partition(b"\r\n")
                while len(rest) < int(head[1:]) + 2:
                    rest += await reader.read(65536)
                told = self.says(rest[: int(head[1:])].decode()).encode()
                data = b"$%d\r\n%s\r\n" % (len(told), told)
            writer.write(data)
            await writer.drain()
