"""What the references run on: not our venv, since some need a newer redis-py than arq allows."""

import json
import re
from importlib.metadata import version
from pathlib import Path

from bench.tools import MissingTool

PROJECT = Path(__file__).parents[1]
_PYTHON = PROJECT / ".venv-bench" / "bin" / "python"
_MODULES = PROJECT / "bench" / "references" / "node_modules"


def python() -> str:
    """The interpreter of `.venv-bench`. Raises `MissingTool`."""
    if not _PYTHON.exists():
        raise MissingTool(
            f"{_PYTHON} is not there: `make bench` makes it from bench/references/requirements.lock"
        )
    return str(_PYTHON)


def node_modules() -> Path:
    """Where BullMQ is. Raises `MissingTool`."""
    if not (_MODULES / "bullmq").exists():
        raise MissingTool(
            f"{_MODULES} is not there: `make bench` makes it from bench/references/package-lock.json"
        )
    return _MODULES


def versions() -> str:
    """What is locked, and so compared."""
    folder = _MODULES.parent
    lock = (folder / "requirements.lock").read_text()
    names = ("celery", "dramatiq", "huey", "rq", "saq", "taskiq", "taskiq-redis", "redis")
    found = {"arq": version("arq")} | {name: re.findall(rf"(?m)^{name}==(\S+)", lock)[0] for name in names}
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    found["bullmq"] = packages["node_modules/bullmq"]["version"]
    return ", ".join(f"{name} {each}" for name, each in found.items())
