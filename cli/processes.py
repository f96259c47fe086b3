"""Our own processes, started as children: each is ready when its `/readyz` says so, and ends with us."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import Collection
from pathlib import Path
from typing import IO, Self

import aiohttp

from bookings.embedded import end_with_parent
from cli.options import CommandError

_READY_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0
_PORTS = range(10_240, 32_768)
_SERVICES = frozenset({"receiver", "worker", "api"})


class Processes:
    """Starts children of the `sequence-sync` command and ends them in reverse; an async context manager.

    Args:
        log_dir: a folder for their log lines, one file each; None: they go where ours go.
    """

    def __init__(self, log_dir: Path | None = None) -> None:
        self._log_dir = log_dir
        self._children: list[tuple[str, asyncio.subprocess.Process]] = []
        self._logs = contextlib.ExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for _name, child in reversed(self._children):
            await _stop(child)
        self._logs.close()

    async def start(
        self, name: str, *arguments: str, without: Collection[str] = ()
    ) -> asyncio.subprocess.Process:
        """Starts `sequence-sync NAME ARGUMENTS…`, in our environment `without` some variables."""
        log: IO[bytes] | None = None
        if self._log_dir is not None:
            log = self._logs.enter_context((self._log_dir / f"{name}.log").open("ab"))
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cli.main", name, *arguments),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent,
            env={each: value for each, value in os.environ.items() if each not in without},
        )
        self._children.append((name, child))
        return child

    async def ready(self, url: str, child: asyncio.subprocess.Process) -> None:
        """Waits until `url` answers 200. Raises `CommandError` where the child ends or stays unready."""
        name = next(name for name, each in self._children if each is child)
        problem = "it does not answer"
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            try:
                async with asyncio.timeout(_READY_TIMEOUT_S):
                    while child.returncode is None:
                        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                            async with session.get(url) as response:
                                if response.status == 200:
                                    return
                                problem = await response.text()
                        await asyncio.sleep(0.05)
            except TimeoutError:
                raise CommandError(f"the {name} is not ready: {problem}; {self._see(name)}") from None
        raise CommandError(f"the {name} ended with status {child.returncode}; {self._see(name)}")

    def have_configuration_reread(self) -> None:
        """Has each service among the children read its configuration again; all of them have to be ready."""
        for name, child in self._children:
            if name in _SERVICES and child.returncode is None:
                child.send_signal(signal.SIGHUP)

    async def first_to_end(self) -> str:
        """Waits until one of the children ends; gives its name."""
        tasks = {asyncio.create_task(child.wait(), name=name) for name, child in self._children}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return done.pop().get_name()
        finally:
            for task in tasks:
                task.cancel()

    def _see(self, name: str) -> str:
        return "see above" if self._log_dir is None else f"see {self._log_dir / name}.log"


def free_ports(count: int) -> list[int]:
    """Ports that are free now; held together while they are chosen, so that no two are the same.

    They are below those that Linux gives to outgoing connections, any of which might take one of them before
    it is listened on.
    """
    sockets: list[socket.socket] = []
    while len(sockets) < count:
        with contextlib.suppress(OSError):
            sockets.append(socket.create_server(("127.0.0.1", random.choice(_PORTS))))  # noqa: S311 - no secret
    ports: list[int] = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    child.terminate()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await child.wait()
    except TimeoutError:
        child.kill()
        await child.wait()
