"""Commands that are ended in the middle of their work, or cannot print what they found."""

import asyncio
import os
import signal
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.commands import Result, begun, command, ended, in_shell
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING
from tests.waiting import comes, unless_it_hangs, until

SIGNALS = pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
LETTERS = 3


@pytest.fixture
async def filled(service: Service) -> Service:
    """Three dead letters, of bodies that nobody can read, and a booking that nobody works on. Nobody else is there."""
    receiver = await service.start("receiver")
    for number in range(LETTERS):
        assert (await service.post(b"{" * (number + 1)))[0] == 202
    assert (await service.post(SEQUENCING))[0] == 202
    receiver.terminate()
    await receiver.wait()
    return service


async def typed(service: Service, *arguments: str, **how: Any) -> Process:
    """Begins to run a command."""
    return await begun(
        *(sys.executable, "-m", "cli.main", *arguments, "--config", str(service.config)), **how
    )


async def letters(service: Service) -> int:
    async with service.store() as store:
        return (await store.counts())["dead"]


async def audit(service: Service) -> list[dict[str, Any]]:
    async with service.store() as store:
        return await store.audit(limit=10)


@asynccontextmanager
async def redis_holding_back(service: Service) -> AsyncIterator[Callable[[], Any]]:
    """A Redis that carries out no change until the block ends; gives what waits for one to be asked for."""
    async with service.client() as client:
        await client.execute_command("CLIENT", "PAUSE", 60_000, "WRITE")

        async def asked_for() -> None:
            async with unless_it_hangs():
                while not (await client.info("clients"))["blocked_clients"]:
                    await asyncio.sleep(0.01)

        try:
            yield asked_for
        finally:
            await client.execute_command("CLIENT", "UNPAUSE")


# -- told to stop


@SIGNALS
async def test_a_discard_that_is_ended_says_how_far_it_came_and_is_on_record(
    filled: Service, signum: signal.Signals
) -> None:
    child = await typed(filled, "dead-letters", "discard", "--all", "--yes", "--rate", "0.01", "--json")
    async with unless_it_hangs():
        while await letters(filled) == LETTERS:
            await asyncio.sleep(0.02)
    child.send_signal(signum)
    result = await ended(child)
    assert result.status == 4, result
    assert f"discard: ended by {signum.name} after 1 of {LETTERS}" in result.words
    assert [each["result"] for each in result.json] == ["discarded"]
    [entry] = await audit(filled)
    assert (entry["command"], entry["count"], entry["refused"], entry["left"]) == ("discard", 1, 0, 2)


@SIGNALS
async def test_a_replay_that_is_ended_is_on_record_though_nothing_could_be_replayed(
    filled: Service, signum: signal.Signals
) -> None:
    child = await typed(filled, "dead-letters", "replay", "--all", "--yes")
    async with redis_holding_back(filled) as asked_for:  # its note of what it did is held back
        await asked_for()
        child.send_signal(signum)
    result = await ended(child)
    assert (result.status, f"replay: 0 of {LETTERS}" in result.words) == (1, True), result
    [entry] = await audit(filled)
    assert (entry["command"], entry["count"], entry["refused"], entry["left"]) == ("replay", 0, LETTERS, 0)


@SIGNALS
async def test_an_import_that_is_ended_ends_after_the_letter_that_is_under_way(
    filled: Service, tmp_path: Path, signum: signal.Signals
) -> None:
    exported = tmp_path / "letters.jsonl"
    config = ("--config", str(filled.config))
    exported.write_text((await command("dead-letters", "export", *config)).data)
    await command("dead-letters", "discard", "--all", "--yes", *config)
    async with redis_holding_back(filled) as asked_for:
        child = await typed(filled, "dead-letters", "import", str(exported))
        await asked_for()
        child.send_signal(signum)
    result = await ended(child)
    assert result.status == 4, result
    assert f"import: ended by {signum.name} after 1 of {LETTERS}" in result.words
    assert "1 restored" in result.words
    assert await letters(filled) == 1
    entry, *_ = await audit(filled)
    assert (entry["command"], entry["count"], entry["left"]) == ("import", 1, 2)


@SIGNALS
@pytest.mark.parametrize("words", ["bookings cancel {} --yes", "bookings resync {}"])
async def test_what_has_one_step_only_comes_to_its_end(
    filled: Service, words: str, signum: signal.Signals
) -> None:
    async with redis_holding_back(filled) as asked_for:
        child = await typed(filled, *words.format("qTtZdczOccgaPncGJaCiLg").split())
        await asked_for()
        child.send_signal(signum)
        child.send_signal(signal.SIGHUP)  # a terminal that is closed sends more than one
    result = await ended(child)
    assert (result.status, "ended by" in result.words) == (0, False), result
    assert [entry["command"] for entry in await audit(filled)] == [words.split()[1]]


async def test_what_nohup_has_ignored_is_ignored(filled: Service) -> None:
    line = 'trap "" HUP; exec "$@"'
    command = ("dead-letters", "discard", "--all", "--yes", "--rate", "0.01", "--config", str(filled.config))
    child = await begun("bash", "-c", line, "bash", sys.executable, "-m", "cli.main", *command)
    async with unless_it_hangs():
        while await letters(filled) == LETTERS:
            await asyncio.sleep(0.02)
    child.send_signal(signal.SIGHUP)
    child.send_signal(signal.SIGTERM)
    assert "ended by SIGTERM" in (await ended(child)).words


HANGS_UP = """
import asyncio, os, signal
from admin.signals import Hangups
from cli.options import run

async def serve():
    os.kill(os.getpid(), signal.SIGHUP)  # before anybody listens
    await asyncio.sleep(0.1)
    await asyncio.wait_for(hangups.told_to_reread(), 60)

hangups = Hangups()
run(serve())
"""


async def test_a_service_that_is_hung_up_on_at_its_very_start_reads_its_configuration_again() -> None:
    result = await ended(await begun(sys.executable, "-c", HANGS_UP))
    assert result.status == 0, result.words


@SIGNALS
async def test_a_question_can_be_left(filled: Service, signum: signal.Signals) -> None:
    async with asking(filled) as (child, _):
        child.send_signal(signum)
        result = await ended(child)
    assert (result.status, f"ended by {signum.name}" in result.words) == (1, True), result
    assert await letters(filled) == LETTERS


@pytest.mark.parametrize(
    ("answer", "left"), [(b"y\n", 0), (b"Yes\n", 0), (b"n\n", LETTERS), (b"\n", LETTERS)]
)
async def test_a_question_is_answered(filled: Service, answer: bytes, left: int) -> None:
    async with asking(filled) as (child, terminal):
        os.write(terminal, answer)
        result = await ended(child)
    assert (result.status, await letters(filled)) == (1 if left else 0, left), result


@asynccontextmanager
async def asking(service: Service) -> AsyncIterator[tuple[Process, int]]:
    """A discard that asks first, and the terminal that it reads from."""
    ours, theirs = os.openpty()
    child = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "cli.main",
            "dead-letters",
            "discard",
            "--all",
            "--config",
            str(service.config),
        ),
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(theirs)
    assert child.stderr is not None
    asked = await comes(child.stderr.readuntil(b"[y/N]"))
    assert b"discard 3 dead letters (3 unreadable)?" in asked
    yield child, ours
    os.close(ours)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder that has room for the path of a socket in it."""
    with tempfile.TemporaryDirectory(prefix="sync-") as name:
        yield Path(name)


def in_folder(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@SIGNALS
async def test_a_demo_that_is_ended_leaves_nothing_behind(short: Path, signum: signal.Signals) -> None:
    program = (sys.executable, "-m", "cli.main", "demo")
    child = await begun(*program, env={"TMPDIR": str(short)})
    await until(lambda: list(short.glob("*/sandbox.log")))
    child.send_signal(signum)
    result = await ended(child)
    assert (result.status, result.words.strip()) == (1, f"ended by {signum.name}")
    assert in_folder(short) == []


# -- nowhere to print


PRINTING = pytest.mark.parametrize(
    "words",
    ["dead-letters export", "dead-letters list", "bookings list --json", "bookings list", "check", "--help"],
)


async def into(service: Service, words: str, end: int) -> Result:
    """Runs a command whose output goes there."""
    config = () if words == "--help" else ("--config", str(service.config))
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", *words.split(), *config),
        stdout=end,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await comes(child.communicate())
    assert child.returncode is not None
    return Result(child.returncode, "", said.decode())


@PRINTING
async def test_a_full_disk_is_told_from_trouble_with_redis(filled: Service, words: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    result = await into(filled, words, full)
    os.close(full)
    assert result.status == 1, result
    assert result.words.splitlines()[-1] == "cannot write the output: No space left on device"
    assert not [word for word in ("Redis", "Traceback", "Exception ignored") if word in result.words]


@PRINTING
async def test_a_pipe_that_nobody_reads_ends_a_command_without_a_word(filled: Service, words: str) -> None:
    read, write = os.pipe()
    os.close(read)
    result = await into(filled, words, write)
    os.close(write)
    assert result.status == 1, result
    assert not [word for word in ("Redis", "Traceback", "Exception ignored", "pipe") if word in result.words]


async def test_a_replay_says_what_it_did_though_its_results_cannot_be_printed(filled: Service) -> None:
    result = await in_shell(
        '"$@" > /dev/full', "dead-letters", "discard", "--all", "--yes", "--config", str(filled.config)
    )
    assert (result.status, await letters(filled)) == (1, 0)
    assert f"discard: {LETTERS} of {LETTERS}" in result.words
    [entry] = await audit(filled)
    assert (entry["command"], entry["count"]) == ("discard", LETTERS)


@pytest.mark.parametrize("nowhere", ["/dev/full", ">(exit)"])
async def test_that_nobody_hears_its_words_is_no_reason_for_a_command_to_stop(
    filled: Service, nowhere: str
) -> None:
    config = ("--config", str(filled.config))
    line = f'exec "$@" 2> {nowhere}'
    done = await in_shell(line, "dead-letters", "discard", "--all", "--yes", "--json", *config)
    assert (done.status, len(done.json), await letters(filled)) == (0, LETTERS, 0)
    assert (await in_shell(line, "bookings", "show", "nobody", *config)).status == 3
    assert (await in_shell(line, "bookings", "list", "--state", "lost", *config)).status == 2
