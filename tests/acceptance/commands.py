"""Commands, as they are typed."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple


class Result(NamedTuple):
    status: int
    data: str
    words: str

    @property
    def json(self) -> Any:
        return json.loads(self.data)


async def command(*arguments: str, cwd: Path | None = None) -> Result:
    """Runs `sequence-sync` to its end."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
    )
    data, words = await asyncio.wait_for(child.communicate(), 60)
    assert child.returncode is not None
    return Result(child.returncode, data.decode(), words.decode())
