"""Every command line in the documentation, run as a reader would run it."""

import asyncio
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING, changed
from tests.house.project import ROOT
from tests.waiting import comes

DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")), ROOT / "sandbox" / "README.md"]
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"\s+#\s.*")

CALLED_BY_CI = re.compile(r"make( [a-z]+)?( [A-Z]+=\S+)*")
NEEDS_WHAT_IS_NOT_HERE = ("docker ", "helm ", "kubectl ", "gcloud ")
"""Engines, clusters and clouds: what can be said of these without one is said by tests/deploy and tests/house."""
RUNS_FOR_EVER = ("up", "receiver", "worker", "sandbox", "login")
"""Started by other tests; here only their options are looked at."""
SETS_UP = ("python3 -m venv", ".venv/bin/", "pip install", "git clone", "cd ")


def lines(document: Path) -> list[str]:
    """The command lines of a document, without comments, continued lines put together."""
    blocks = "".join(_BLOCK.findall(document.read_text())).replace("\\\n", " ")
    return [line for raw in blocks.splitlines() if (line := _COMMENT.sub("", raw).strip())]


def run_lines(document: Path) -> list[str]:
    """Those of them that can be run here; of what runs for ever, whether its options are there."""
    not_run = (*NEEDS_WHAT_IS_NOT_HERE, *SETS_UP)
    found = [
        line for line in lines(document) if not CALLED_BY_CI.fullmatch(line) and not line.startswith(not_run)
    ]
    for_ever = tuple(f"sequence-sync {name}" for name in RUNS_FOR_EVER)
    there = [line for line in found if shutil.which(line.split()[0]) or line.startswith("sequence-sync")]
    return [f"{line} --help" if line.startswith(for_ever) else line for line in there]


async def shell(line: str, folder: Path) -> tuple[int, str]:
    """Runs a line in a folder; gives its status and what it said."""
    bin_folder = Path(sys.executable).parent
    child = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        line,
        cwd=folder,
        env={**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "COLUMNS": "200"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await comes(child.communicate())
    assert child.returncode is not None
    return child.returncode, said.decode()


@pytest.fixture
async def night(service: Service) -> Service:
    """A service with a written booking, a dead letter of a write, and the files that the documents speak of."""
    await service.start("receiver")
    await service.start("worker")
    await service.post(SEQUENCING)
    await service.written()
    service.sandbox.state.faults.add(fault="error;status=400;code=invalid", provider="google", method="POST")
    await service.post(changed(event__event_id="refused"))
    await service.written()
    (service.folder / "callback.json").write_bytes(SEQUENCING)
    shutil.copytree(ROOT / "cli" / "callbacks", service.folder / "cli" / "callbacks")
    return service


async def dead_letter(service: Service) -> str:
    async with service.store() as store:
        [(name, _), *_] = await store.dead_letters(limit=1)
    return name


async def test_every_command_in_the_documents_is_understood_and_does_what_it_says(night: Service) -> None:
    names = {"ID": await dead_letter(night), "EVENT_ID": "refused", "BOOKING": "refused", "APP": "hiring"}
    for document in DOCUMENTS:
        for line in run_lines(document):
            typed = re.sub(r"\b(ID|EVENT_ID|BOOKING|APP)\b", lambda found: names[found[0]], line)
            status, said = await shell(typed, night.folder)
            told = f"{document.name}: {line}: status {status}\n{said}"
            assert "Traceback" not in said, told
            assert status in ((0, 1, 3) if line.startswith("sequence-sync check") else (0, 3)), told


def test_every_document_s_blocks_are_read() -> None:
    assert "sequence-sync dead-letters stats" in lines(ROOT / "README.md")
    assert sum(len(run_lines(document)) for document in DOCUMENTS) >= 10
