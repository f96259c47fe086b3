"""Log lines: JSON where nobody looks, words and colours on a terminal, and never what an error repeats of its input."""

import json
import os
import subprocess
import sys

PROGRAM = """
import json, structlog
from admin.logs import configure_logs
from config.errors import ConfigError

configure_logs("receiver")
log = structlog.get_logger().bind(delivery="d1")
log.info("callback_accepted", parts=2)
try:
    try:
        json.loads('{"summary": "planted"')
    except ValueError as error:
        raise KeyError("planted") from error
except KeyError:
    log.exception("write_crashed")
try:
    raise ConfigError(["env:CRONOFY_SECRET is not set"])
except ConfigError:
    log.exception("client_secret_unreadable")
log.info("callback_ignored", type="Z\\xfcrich\\x1b]0;planted\\x07\\x9b31m\\u202etxt\\x7f")
"""


def logged(*, stderr: int, **environment: str) -> bytes:
    """What the program writes there, where it is a pipe."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        stderr=stderr,
        check=True,
        timeout=30,
        env={**os.environ, **environment},
    )
    return ran.stderr or b""


def test_each_line_is_one_json_object_that_says_which_process_wrote_it() -> None:
    accepted, crashed, unreadable, ignored = map(json.loads, logged(stderr=subprocess.PIPE).splitlines())
    assert accepted.pop("timestamp").endswith("Z")
    assert accepted == {
        "process": "receiver",
        "level": "info",
        "event": "callback_accepted",
        "delivery": "d1",
        "parts": 2,
    }
    assert (crashed["level"], crashed["event"], crashed["delivery"]) == ("error", "write_crashed", "d1")
    assert unreadable["exception"].endswith("ConfigError: env:CRONOFY_SECRET is not set")
    assert ignored["type"] == "Zürich\x1b]0;planted\x07\x9b31m\u202etxt\x7f"


def test_a_traceback_says_where_and_what_kind_but_not_what_could_not_be_read() -> None:
    _, line, _, _ = logged(stderr=subprocess.PIPE).splitlines()
    exception = json.loads(line)["exception"]
    assert "json/decoder.py" in exception
    assert [text for text in exception.splitlines() if not text.startswith(" ")] == [
        "JSONDecodeError",
        "then:",
        "KeyError",
    ]
    assert b"planted" not in line


def test_on_a_terminal_lines_are_for_people() -> None:
    ours, theirs = os.openpty()
    logged(stderr=theirs)
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        text = terminal.read(65536).decode()
    assert "callback_accepted" in text
    assert "\x1b[" in text
    assert "{" not in text
    assert r"Zürich\x1b]0;planted\x07\x9b31m\u202etxt\x7f" in text
    assert text.count("planted") == 1


def test_a_line_is_written_whatever_the_encoding_and_steers_no_terminal() -> None:
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    for environment in ({}, locale):
        lines = logged(stderr=subprocess.PIPE, **environment)
        assert lines.isascii()
        assert b"\x1b" not in lines
        assert b"\x7f" not in lines
        assert json.loads(lines.splitlines()[-1])["type"].startswith("Zürich")
