"""What the image promises. That it can be built is a matter for an engine."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import cast

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from config.sections import ApiSettings, ReceiverSettings, WorkerSettings
from tests.house.needs import needs
from tests.house.project import PACKAGES, PYPROJECT, ROOT


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in order, each with its arguments on one line."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line)]


def arguments(instruction: str) -> list[str]:
    """The arguments of each instruction of this name."""
    return [rest for name, rest in instructions() if name == instruction]


@contextmanager
def answering(status: int) -> Iterator[int]:
    """A server whose /livez answers this; gives its port."""

    class Livez(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Livez) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def health(port: int) -> int:
    """The exit status of the image's health check, were its admin port this one."""
    [check] = arguments("HEALTHCHECK")
    program, *options = cast("list[str]", json.loads(check.partition(" CMD ")[2]))
    assert program == "python"
    environment = {**os.environ, "SEQUENCE_SYNC_HEALTH_PORT": str(port)}
    return subprocess.run(
        [sys.executable, *options], env=environment, capture_output=True, check=False
    ).returncode


def test_every_stage_has_the_same_base_with_a_version_that_the_project_allows() -> None:
    [base] = {rest.split()[0] for rest in arguments("FROM")}
    pinned = re.fullmatch(r"python:(3\.\d+)(\.\d+)?-slim-[a-z]+", base)
    assert pinned
    assert SpecifierSet(PYPROJECT["project"]["requires-python"]).contains(pinned[1])


def test_the_image_runs_as_a_user_with_a_fixed_number_that_is_not_root() -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", arguments("USER")[-1])


def test_nothing_is_fetched_by_address() -> None:
    assert arguments("ADD") == []
    assert [run for run in arguments("RUN") if re.search(r"https?://|\b(curl|wget|git)\b", run)] == []


def test_packages_are_installed_by_hash_or_from_what_was_built_here() -> None:
    installs = [
        part for run in arguments("RUN") for part in run.split("&&") if re.search(r"\bpip .*install ", part)
    ]
    installs = [part for part in installs if "uninstall" not in part]
    assert installs
    assert [part for part in installs if "--require-hashes" not in part and "--no-index" not in part] == []


def test_every_file_that_is_copied_exists() -> None:
    sources = [source for rest in arguments("COPY") if "--from" not in rest for source in rest.split()[:-1]]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_only_what_the_wheel_is_made_of_gets_into_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    locks = {"requirements.lock", "requirements-dev.lock"}
    project = PYPROJECT["project"]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {
        *PACKAGES,
        *project["license-files"],
        *locks,
        project["readme"],
        "pyproject.toml",
    }


def test_the_build_takes_all_of_its_back_end_out_of_the_lock() -> None:
    [names] = re.findall(r"/\^\(([a-z|-]+)\)==/", " ".join(arguments("RUN")))
    assert set(names.split("|")) == {canonicalize_name(need.name) for need in needs(["hatchling"])}


def test_the_argument_is_the_name_of_a_command() -> None:
    [entry_point] = [json.loads(rest) for rest in arguments("ENTRYPOINT")]
    [command] = [json.loads(rest) for rest in arguments("CMD")]
    assert entry_point == list(PYPROJECT["project"]["scripts"])
    assert command == ["up"]


def test_every_port_that_a_process_serves_unless_told_otherwise_is_exposed() -> None:
    served = {
        number
        for section in (ReceiverSettings(), ApiSettings(), WorkerSettings())
        for name, number in section
        if name in ("port", "admin_port")
    }
    assert set(map(int, " ".join(arguments("EXPOSE")).split())) == served


def test_a_stop_is_asked_for_with_the_signal_that_drains() -> None:
    assert arguments("STOPSIGNAL") == ["SIGTERM"]


@pytest.mark.parametrize(("status", "exits"), [(200, 0), (503, 1)])
def test_the_health_check_says_what_livez_says(status: int, exits: int) -> None:
    with answering(status) as port:
        assert health(port) == exits


def test_the_health_check_fails_where_nothing_answers() -> None:
    with answering(200) as port:
        pass
    assert health(port) == 1


def test_time_zones_come_from_the_locked_package() -> None:
    assert 'PYTHONTZPATH=""' in arguments("ENV")[-1].split()
    code = "import sys, zoneinfo; zoneinfo.ZoneInfo('Europe/Berlin'); print(zoneinfo.TZPATH, 'tzdata' in sys.modules)"
    environment = {**os.environ, "PYTHONTZPATH": ""}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "() True\n"
