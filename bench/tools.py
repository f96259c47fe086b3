"""Programs of the system that a benchmark needs."""

import shutil


class MissingTool(Exception):
    """A program is not on the PATH; the text says how it gets there."""


_PACKAGES = {
    "true": "coreutils",
    "wrk": "wrk",
    "webhook": "webhook",
    "redis-benchmark": "redis-tools",
    "npm": "npm",
    "node": "nodejs",
}


def tool(name: str) -> str:
    """Where a program is. Raises `MissingTool`."""
    found = shutil.which(name)
    if found is None:
        raise MissingTool(f"{name} is not on the PATH: apt-get install {_PACKAGES[name]}")
    return found
