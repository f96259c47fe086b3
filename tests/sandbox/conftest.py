from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import PANEL, RECRUITER, Client


class Time:
    """A clock that tests move by hand."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def box(time: Time) -> AsyncIterator[Sandbox]:
    async with Sandbox(clock=time) as started:
        yield started


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def google(box: Sandbox, http: aiohttp.ClientSession) -> Client:
    """A user's calls to Google's events in their own calendar."""
    return Client(http, f"{box.google_endpoint}calendars/primary/events", box.google_token(RECRUITER))


@pytest.fixture
def graph(box: Sandbox, http: aiohttp.ClientSession) -> Client:
    """An application's calls to the panel's mailbox, as our worker makes them."""
    box.state.microsoft.put_mailbox(PANEL)
    prefer = 'IdType="ImmutableId", outlook.timezone="UTC"'
    return Client(http, f"{box.graph_endpoint}/users/{PANEL}", box.graph_token(), prefer)


@pytest.fixture
def control(box: Sandbox, http: aiohttp.ClientSession) -> Client:
    """The control API."""
    return Client(http, f"{box.url}/_sandbox")
