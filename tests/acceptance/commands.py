"""Commands, as they are typed."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.waiting import comes


class Result(NamedTuple):
    status: int
    data: str
    words: str

    @property
    def json(self) -> Any:
        return json.loads(self.data)


async def command(
    *arguments: str, cwd: Path | None = None, env: Mapping[str, str] = MappingProxyType({})
) -> Result:
    """Runs `sequence-sync` to its end."""
    return await ended(await begun(sys.executable, "-m", "cli.main", *arguments, cwd=cwd, env=env))


async def in_shell(line: str, *arguments: str, env: Mapping[str, str] = MappingProxyType({})) -> Result:
    """Runs a line of shell in which `"$@"` is the command: it may be led elsewhere, or to nobody."""
    typed = (sys.executable, "-m", "cli.main", *arguments)
    return await ended(await begun("bash", "-c", line, "bash", *typed, env=env))


async def begun(
    *program: str, cwd: Path | None = None, env: Mapping[str, str] = MappingProxyType({})
) -> Process:
    """Begins to run a program."""
    return await asyncio.create_subprocess_exec(
        *program, stdout=PIPE, stderr=PIPE, cwd=cwd, env={**os.environ, **env}
    )


async def ended(child: Process) -> Result:
    """What a program came to."""
    data, words = await comes(child.communicate())
    assert child.returncode is not None
    return Result(child.returncode, data.decode(), words.decode())
