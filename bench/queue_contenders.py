"""The job queues that are compared, and how each is started: quiet, a hundred jobs at once if it can."""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from bench import references_ready
from bench.tools import tool

OURS, ARQ = "sequence-sync", "arq, defaults"
_PACKAGE = "bench.references.queues"


class Contender(NamedTuple):
    """A job queue: its commands, and backlogs that keep its worker busy for some seconds."""

    worker: Sequence[str]
    enqueuer: Sequence[str]
    no_ops: int
    waits: int


def contenders() -> dict[str, Contender]:
    """Ours and all references. Raises `MissingTool`."""
    here = (sys.executable, "-m")
    theirs = (references_ready.python(), "-m")
    node = (tool("node"), str(references_ready.node_modules().with_name("queues") / "with_bullmq.mjs"))

    def python(module: str, worker: str, no_ops: int, waits: int, venv: Sequence[str] = theirs) -> Contender:
        command = worker.replace("MODULE", f"{_PACKAGE}.{module}").split()
        return Contender((*venv, *command), (*venv, f"{_PACKAGE}.enqueue", module), no_ops, waits)

    tuned = "arq MODULE.Tuned --custom-log-dict MODULE.QUIET"
    celery = "celery --app MODULE worker --pool threads --concurrency 100"
    return {
        OURS: Contender(
            (*here, "bench.our_queue", "work"), (*here, "bench.our_queue", "enqueue"), 1500, 1500
        ),
        ARQ: python("with_arq", "arq MODULE.Defaults", 400, 60, here),
        "arq, tuned": python("with_arq", tuned, 2000, 1500, here),
        "SAQ": python("with_saq", "saq MODULE.settings", 3000, 2000),
        "taskiq": python(
            "with_taskiq", "taskiq worker MODULE:broker --workers 1 --max-async-tasks 100", 3000, 2000
        ),
        "RQ": python("with_rq", "MODULE work", 100, 30),
        "RQ, SimpleWorker": python("with_rq", "MODULE simple", 200, 30),
        "Celery": python("with_celery", celery, 600, 600),
        "dramatiq": python("with_dramatiq", "dramatiq MODULE --processes 1 --threads 100", 3000, 2000),
        "huey": python("with_huey", "huey.bin.huey_consumer MODULE.huey --workers 100 --quiet", 3000, 2000),
        "BullMQ": Contender((*node, "work"), (*node, "enqueue"), 5000, 3000),
    }
