"""Asks a Redis on a Unix socket about itself, at any time of its life: also while it loads its data."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

_ANSWERS_WITHIN_S = 1.0


async def info(path: Path) -> Mapping[str, str] | None:
    """What it says of itself (INFO); None where none answers."""
    text = await ask(path, b"INFO")
    if text is None:
        return None
    lines = text.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


async def ask(path: Path, command: bytes) -> bytes | None:
    """The answer to one command, over a connection of its own; None where there is none within a second."""
    try:
        async with asyncio.timeout(_ANSWERS_WITHIN_S):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                writer.write(command + b"\r\n")
                head = await reader.readline()
                return await reader.readexactly(int(head[1:])) if head.startswith(b"$") else head
            finally:
                writer.close()
    except (OSError, EOFError, ValueError):
        return None
