"""What commands print: data as it is, on whatever there is to print on."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from admin.printable import printable
from bookings.delayed import counted
from bookings.links import LinkTarget
from cli.main import app
from tests.acceptance.commands import Result, begun, command, ended, in_shell
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING, changed
from tests.integration.calendars import one_part
from tests.waiting import comes, unless_it_hangs, until

MARKUP = r"[/x] [bold]x \[v] :b: %s"
STEER = "\x1b]0;x\x07 \x1b[31m \x9b31m\x7f\nend"
TURNED = "gpj.\u202etxe \u2066\u200f"
HOSTILE = (MARKUP, STEER, TURNED)
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")

WHEN = {"start": "2026-04-30T11:00:00Z", "end": "2026-04-30T12:00:00Z"}

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}
LOCALES = pytest.mark.parametrize("locale", [{}, ASCII], ids=["UTF-8", "ASCII"])


@pytest.fixture
async def filled(service: Service) -> Service:
    """Bookings under hostile ids, of each of which one part is written and one has no times; links; a broken body."""
    route = '[[routes]]\napp = "hiring"\nsequence_id = "*"\ncalendars = ["interviews"]\n'
    service.config.write_text(service.config.read_text() + route)
    await service.start("receiver")
    await service.start("worker")
    for name in HOSTILE:
        parts = [
            {"sequence_id": "123", "event": {**WHEN, "summary": name}},
            {"sequence_id": name, "event": {"summary": name}},
        ]
        assert (await service.post(changed(event__event_id=name, sequence=parts)))[0] == 202
    assert (await service.post(b'{"\x1b[31m": '))[0] == 202
    async with service.store() as store:
        for name in HOSTILE:
            lid = await store.register_link(
                "hiring", name, {name: (LinkTarget("panel", name),)}, keep_s=86_400
            )
            await store.link_made(lid, cronofy_id=name, url=name)
    await service.written()
    return service


class Typing:
    """Types commands, and looks at what they print."""

    def __init__(self, service: Service, env: Mapping[str, str]) -> None:
        self._service = service
        self._env = env

    async def __call__(self, *arguments: str, status: int = 0, settled: bool = True) -> Result:
        config = ("--config", str(self._service.config))
        result = await command(*arguments, *config, env=self._env)
        if settled:
            await self._service.written()
        assert result.status == status, (arguments, result)
        assert "Traceback" not in result.words
        assert not STEERING.search(result.data + result.words), (arguments, result)
        assert (result.data + result.words).isascii() or not self._env
        return result


@LOCALES
async def test_looking_shows_every_id_as_it_is_and_does_nothing_else(
    filled: Service, locale: dict[str, str]
) -> None:
    types = Typing(filled, locale)
    listed = await types("bookings", "list")
    linked = await types("links", "list")
    dead = await types("dead-letters", "list")
    for name in HOSTILE:
        assert printable(name) in listed.data
        for shown in (linked, dead):
            assert printable(name)[:6] in shown.data  # the rest may be on the next line
    bookings, letters = [
        (await types(group, "list", "--json")).json for group in ("bookings", "dead-letters")
    ]
    assert {each["event_id"] for each in bookings} == set(HOSTILE)
    assert {each["event_id"] for each in letters} == {*HOSTILE, None}
    for each in bookings:
        await types("bookings", "show", each["booking"])
        revealed = await types("bookings", "show", each["booking"], "--reveal", "--json")
        assert revealed.json["parts"][0]["event"]["summary"] == each["event_id"]
    for each in letters:
        await types("dead-letters", "show", each["dead_letter"], "--reveal")
    await types("bookings", "show", STEER, "--reveal")
    await types("dead-letters", "stats")
    await types("links", "list", "--json")
    await types("check")
    await types("check", "--json")


@LOCALES
async def test_changing_does_what_it_is_asked_whatever_the_ids(
    filled: Service, tmp_path: Path, locale: dict[str, str]
) -> None:
    types = Typing(filled, locale)
    callback = tmp_path / "callback.json"
    callback.write_bytes(one_part("123", event_id="".join(HOSTILE)))
    assert "202" in (await types("send", str(callback))).data
    assert '"duplicate"' in (await types("send", str(callback), "--json")).json["answer"]
    await types("dead-letters", "replay", "--all", "--dry-run")
    assert "replay: 3 of 4" in (await types("dead-letters", "replay", "--all", "--yes", status=4)).words
    for name in HOSTILE:
        await types("bookings", "resync", name)
    exported = tmp_path / "exported.jsonl"
    exported.write_text((await types("dead-letters", "export")).data)
    await types("dead-letters", "discard", "--all", status=2)
    await types("bookings", "cancel", MARKUP, status=2)
    await types("bookings", "cancel", MARKUP, "--yes")
    assert "discard: 3 of 3" in (await types("dead-letters", "discard", "--all", "--yes")).words
    async with filled.client() as client:
        await client.flushall()
    await types("dead-letters", "import", str(exported))
    again = await types("dead-letters", "list", "--json")
    assert {each["event_id"] for each in again.json} == {*HOSTILE, None}


@LOCALES
async def test_what_waits_is_shown_and_hurried_whatever_the_ids(
    service: Service, locale: dict[str, str]
) -> None:
    types = Typing(service, locale)
    service.sandbox.state.faults.add(
        fault="error;status=500;retry_after=600", provider="google", method="POST", count=None
    )
    await service.start("receiver")
    await service.start("worker")
    for name in HOSTILE:
        await service.post(one_part("123", event_id=name))
    async with unless_it_hangs(), service.store() as store:
        while sum(each.count for each in await counted(store)) < len(HOSTILE):
            await asyncio.sleep(0.02)
    for words in (("list", "--state", "retrying"), ("retry", "--all", "--dry-run"), ("retry", "--all")):
        shown = await types("bookings", *words, settled=False)
        for name in HOSTILE:
            assert printable(name)[:6] in shown.data
    for name in HOSTILE:
        await types("bookings", "resync", name, settled=False)


@LOCALES
async def test_what_is_typed_is_said_again_as_it_is(service: Service, locale: dict[str, str]) -> None:
    types = Typing(service, locale)
    name = "".join(HOSTILE)
    await types("bookings", "show", name, status=3)
    await types("bookings", "retry", name, status=3)
    await types("bookings", "list", "--state", name, status=2)
    await types("dead-letters", "replay", name, "--yes", status=3)
    await types("dead-letters", "list", "--since", name, status=2)
    await types("links", "disable", name, status=3)
    await types("login", "google", name, status=2)
    await types("send", name, status=2)


async def test_a_terminal_is_not_steered_either(filled: Service) -> None:
    shown = await on_terminal("bookings", "list", "--config", str(filled.config))
    for name in HOSTILE:
        assert printable(name) in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n")
    assert not STEERING.search(plain)
    assert plain != shown  # it has colours


async def on_terminal(*arguments: str) -> str:
    """What a command shows on a terminal."""
    ours, theirs = os.openpty()
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli.main", *arguments),
        stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "COLUMNS": "300", "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)

    def read() -> bytes:
        text = b""
        try:
            while piece := os.read(ours, 65536):
                text += piece
        except OSError:  # so ends what was written to a terminal
            pass
        return text

    text = await comes(asyncio.to_thread(read))
    os.close(ours)
    assert await child.wait() == 0, text
    return text.decode()


# -- in ASCII


HELP = """
import sys
from cli.main import main

for line in sys.stdin.read().splitlines():
    sys.argv = ["sequence-sync", *line.split(), "--help"]
    try:
        main()
    except SystemExit as end:
        assert end.code == 0, line
"""


def commands(group: Any = app, path: str = "") -> list[str]:
    """Every command there is, by its words."""
    own = [f"{path} {each.name or each.callback.__name__}" for each in group.registered_commands]
    groups = [commands(each.typer_instance, f"{path} {each.name}") for each in group.registered_groups]
    return [path, *own, *(each for some in groups for each in some)]


async def test_help_can_be_read_in_ascii() -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HELP),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **ASCII},
    )
    shown, _ = await comes(child.communicate("\n".join(commands()).encode()))
    assert child.returncode == 0
    assert shown.count(b"Usage: ") == len(commands()) > 25
    assert shown.isascii()
    assert b"\\" not in shown


async def test_the_demo_needs_no_more_than_ascii() -> None:
    result = await command("demo", env=ASCII)
    assert result.status == 0, result.words
    assert (result.data + result.words).isascii()
    assert "as it should be" in result.words


@LOCALES
async def test_an_id_is_found_as_it_was_typed(service: Service, locale: dict[str, str]) -> None:
    config = ("--config", str(service.config))
    await service.start("receiver")
    await service.start("worker")
    await service.post(changed(one_part("123", event_id="Zürich 東京"), sequence__0__event={}))
    await service.written()
    shown = await command("bookings", "show", "Zürich 東京", *config, "--json", env=locale)
    assert (shown.status, shown.json["event_id"]) == (0, "Zürich 東京")
    filtered = ("--event-id", "Zürich 東京", "--json")
    listed = await command("dead-letters", "list", *filtered, *config, env=locale)
    assert [each["event_id"] for each in listed.json] == ["Zürich 東京"]
    for words in (("bookings", "show"), ("dead-letters", "show"), ("dead-letters", "replay")):
        nobody = await in_shell("\"$@\" $'\\xff\\xfe'", *words, *config, env=locale)
        assert (nobody.status, "Traceback" in nobody.words) == (3, False), nobody


# -- where there is nothing to print on


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
async def test_commands_do_their_work_without_anything_to_print_on(service: Service, closed: str) -> None:
    await service.start("receiver")
    await service.start("worker")
    await service.post(changed(one_part("123"), sequence__0__event={}))
    await service.written()
    for words, status in {
        "bookings list": 0,
        "bookings show nobody": 3,
        "check": 0,
        "bookings resync booking-1": 0,
        "dead-letters export": 0,
        "dead-letters discard --all": 2,
        "dead-letters replay --all --yes": 0,
    }.items():
        config = ("--config", str(service.config))
        result = await in_shell(f'exec "$@" {closed}', *words.split(), *config)
        assert result.status == status, (words, result)
        await service.written()
    async with service.store() as store:
        assert [entry["command"] for entry in await store.audit(limit=9)] == ["replay", "export", "resync"]


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- >&- 2>&-"])
async def test_processes_serve_without_anything_to_print_on(service: Service, closed: str) -> None:
    await service.redis.stop()
    typed = (sys.executable, "-m", "cli.main", "up", "--config", str(service.config))
    child = await begun("bash", "-c", f'exec "$@" {closed}', "bash", *typed)
    try:
        async with unless_it_hangs():
            while child.returncode is None and not await answers(service):
                await asyncio.sleep(0.05)
        await until(lambda: len(service.events()) == 2)
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGTERM)
        result = await ended(child)
    assert result.status == 0, result


async def answers(service: Service) -> bool:
    """Whether a callback is taken by now."""
    try:
        return (await service.post(SEQUENCING))[0] in (200, 202)
    except OSError:
        return False
