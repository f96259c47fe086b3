"""Token endpoints that hang: they take no thread that another account, or anybody else, needs."""

import asyncio
import subprocess
import sys
import threading

import pytest

from sandbox.server import Sandbox
from tests.integration.test_tokens import Google, Microsoft, google, microsoft
from tests.waiting import comes, until
from workers.calendars.own_thread import OwnThread
from workers.errors import CalendarError, ErrorClass

__all__ = ["google", "microsoft"]


@pytest.mark.parametrize("hanging", [8, 30])
async def test_accounts_whose_endpoints_hang_take_no_thread_of_the_others(
    google: Google, microsoft: Microsoft, sandbox: Sandbox, hanging: int
) -> None:
    sandbox.state.microsoft_tokens.register("globex", "sync", secret="right")
    async with Sandbox() as elsewhere:
        elsewhere.state.faults.add(fault="hold", provider="google-token", count=None)
        stuck = [
            asyncio.ensure_future(
                google(elsewhere.service_account_key(f"sync{number}@globex.example")).token()
            )
            for number in range(hanging)
        ]
        await until(lambda: len(elsewhere.state.faults.held) == hanging)
        assert await comes(google(sandbox.service_account_key()).token())
        assert await comes(microsoft(client_secret="env:KEY").token())
        assert await comes(asyncio.to_thread(threading.get_ident))  # the pool that is everybody's
        assert not any(each.done() for each in stuck)
        elsewhere.state.faults.clear()
        elsewhere.state.faults.release()
        assert all(await comes(asyncio.gather(*stuck)))


async def test_a_call_that_never_ends_is_given_up_and_no_other_is_begun_beside_it() -> None:
    thread, hung, calls = OwnThread(0.05), threading.Event(), []

    def hang() -> str:
        calls.append("begun")
        hung.wait()
        return "late"

    for _ in range(3):
        with pytest.raises(CalendarError) as raised:
            await comes(thread.run(hang))
        assert raised.value.error_class is ErrorClass.TRANSIENT
    assert calls == ["begun"]
    hung.set()
    assert await comes(thread.run(lambda: "next")) == "next"


async def test_who_is_cancelled_leaves_the_call_to_its_thread() -> None:
    thread, hung = OwnThread(30), threading.Event()
    waiting = asyncio.ensure_future(thread.run(hung.wait))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    hung.set()
    assert await comes(thread.run(lambda: "next")) == "next"


def test_a_call_that_hangs_does_not_delay_the_end_of_the_process() -> None:
    script = """
import asyncio, threading
from workers.calendars.own_thread import OwnThread
from workers.errors import CalendarError

async def main():
    try:
        await OwnThread(0.01).run(threading.Event().wait)
    except CalendarError as error:
        print(error)

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "transient: timed_out\n"
