"""`sequence-sync login` as a process, and the person at the browser."""

import asyncio
import contextlib
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path

from tests.acceptance.commands import Result
from tests.browser import Browser, WayBack
from tests.waiting import comes, unless_it_hangs


class Login:
    """One run of the command, and the person at the browser."""

    def __init__(self, process: Process, browser: Browser) -> None:
        self.process = process
        self.browser = browser
        self.said = ""

    async def says(self, pattern: str) -> str:
        """Waits until the command has said something."""
        assert self.process.stderr is not None
        async with unless_it_hangs():
            while not (found := re.search(pattern, self.said)):
                line = await self.process.stderr.readline()
                assert line, self.said
                self.said += line.decode()
        return found[0]

    async def address(self) -> str:
        return await self.says(r"(?m)^http\S+$")

    async def decide(self, decision: str, *, user: str, **chosen: tuple[str, ...]) -> WayBack:
        return await self.browser.decide(await self.address(), decision, user=user, **chosen)

    async def ended(self) -> Result:
        data, rest = await comes(self.process.communicate())
        assert self.process.returncode is not None
        return Result(self.process.returncode, data.decode(), self.said + rest.decode())


@contextlib.asynccontextmanager
async def logging_in(config: Path, browser: Browser, *arguments: str) -> AsyncIterator[Login]:
    """Runs the command; ends it with the block, if it has not ended."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", "login", *arguments, "--config", str(config)),
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield Login(process, browser)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
