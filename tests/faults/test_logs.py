"""Fault 24: a secret, an address or a meeting's text in the logs.

python-o365's connection.py logs whole answers when a request fails. Providers repeat in their error messages whom a token
was refused for; parsers repeat what they could not read; HTTP servers repeat what is no HTTP.
"""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import aiohttp
import pytest
import structlog

from admin.logs import configure_logs
from receiver.signature import signature
from tests.acceptance.conftest import Service
from tests.callbacks import changed
from tests.integration.calendars import GOOGLE, MICROSOFT
from tests.waiting import until

pytestmark = pytest.mark.fault(number=24)

PLANTED = "planted"
BODY = changed(
    sequence__0__event__summary="planted summary",
    sequence__0__event__description="planted description",
    sequence__1__event__location={"description": "planted location"},
)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What this process logs, configured as ours are."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level, was = root.handlers, root.level, structlog.get_config()
    configure_logs("test", stream=stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.configure(**was)
    structlog.contextvars.clear_contextvars()


def seen(service: Service, process: str) -> set[str]:
    """What stands in a process's log that must never be there."""
    state = service.sandbox.state
    tokens = [*state.google_tokens.grants, *state.microsoft_tokens.grants]
    assert tokens
    log = service.log(process)
    assert log
    return {each for each in [PLANTED, GOOGLE, MICROSOFT, *service.secrets, *tokens] if each in log}


async def test_a_worker_whose_every_request_fails_first_tells_nothing_of_what_it_sent_and_got(
    service: Service,
) -> None:
    await service.start("receiver")
    await service.start("worker")
    for provider in ("google", "microsoft"):
        for fault in (
            "error;status=500",
            "html;status=404",
            "conflict",
            "error;status=400;code=invalid",
            "drop",
        ):
            service.sandbox.state.faults.add(fault=fault, provider=provider, method="POST")
    status, _, _ = await service.post(BODY)
    assert status == 202
    await until(lambda: service.log("worker").count("write_failed") >= 2)
    assert seen(service, "receiver") | seen(service, "worker") == set()


async def test_an_account_that_is_refused_is_told_by_codes_not_in_the_provider_s_words(
    service: Service,
) -> None:
    await service.start("receiver")
    await service.start("worker")
    service.sandbox.state.microsoft_tokens.register("globex", "sequence-sync", secret="another")
    await service.post(BODY)
    await until(lambda: "AADSTS" in service.log("worker"))
    assert "Trace ID" not in service.log("worker")


async def test_what_is_refused_at_the_door_is_not_repeated(service: Service) -> None:
    await service.start("receiver")
    unreadable = b'{"event": {"planted": '
    headers = {"Cronofy-HMAC-SHA256": signature(unreadable, secret=service.secrets[0]).decode()}
    async with aiohttp.ClientSession() as session:
        for url in (service.url, f"{service.url}/planted", service.url.replace("hiring", "planted")):
            for signed in (headers, {"Cronofy-HMAC-SHA256": "planted"}):
                async with session.post(url, data=unreadable, headers=signed) as answer:
                    assert answer.status in (202, 401, 404)
    for nonsense in (
        b"planted\r\n\r\n",
        b"POST /planted HTTP/9\r\nplanted\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\0: planted\r\n\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", service.ports.receiver)
        writer.write(nonsense)
        assert b" 400 " in await reader.readline()
        writer.close()
    assert "callback_quarantined" in service.log("receiver")
    assert PLANTED not in service.log("receiver")


def test_a_crash_is_told_without_what_could_not_be_read(lines: io.StringIO) -> None:
    try:
        int(f"{PLANTED} text")
    except ValueError:
        structlog.get_logger().exception("write_crashed")
    line = json.loads(lines.getvalue())
    assert line["exception"].endswith("\nValueError")
    assert "in test_a_crash_is_told" in line["exception"]


def test_libraries_tell_nothing_of_the_jobs_and_requests_that_pass_through_them(lines: io.StringIO) -> None:
    for name in (
        "arq.worker",
        "aiohttp.access",
        "googleapiclient.discovery",
        "msal.token_cache",
        "urllib3.connectionpool",
    ):
        logging.getLogger(name).info("%s", PLANTED)
        logging.getLogger(name).warning("a warning of %s", name)
    assert PLANTED not in lines.getvalue()
    assert lines.getvalue().count("a warning of") == 5
