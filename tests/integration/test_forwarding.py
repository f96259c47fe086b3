"""Callbacks are passed on to the company's own addresses: byte for byte, retried, dead-lettered, replayed."""

import asyncio
import gc
from collections.abc import AsyncIterator
from types import TracebackType
from typing import NamedTuple

import aiohttp
import pytest
from aiohttp import web
from pydantic import TypeAdapter

from bookings import dead_letters
from bookings.accounts import Accounts
from bookings.consents import Consents
from bookings.dead_letters import DeadLetter, Filter
from bookings.identity import forward_id
from bookings.links import LinkTarget
from bookings.record import Forward
from bookings.store import Store
from config.fields import WebTarget
from config.network import NetworkSettings
from config.settings import Settings
from network.outgoing import Outgoing
from network.public import is_public
from receiver.public_port import PublicPort
from receiver.replay import replay_delivery
from receiver.server import receiver_runner
from receiver.signature import signature
from sandbox.server import Sandbox
from tests.callbacks import SEQUENCING, changed, moved
from tests.conftest import FIRST_SECRET, SECOND_SECRET, Settle
from tests.integration.calendars import Clock, World, calendar_secrets, calendar_tables
from tests.integration.conftest import Receiver
from tests.waiting import until
from workers.calendars.directory import Directory
from workers.endpoints import Endpoints
from workers.errors import CalendarError, ErrorClass
from workers.sync import Sync


class Got(NamedTuple):
    body: bytes
    signature: str
    delivery: str
    path: str


class Company:
    """A company's own address: keeps what it is sent, and answers as the test says."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answers: list[web.Response] = []
        self.cookies: list[str | None] = []
        self.url = ""
        self.slow: asyncio.Event | None = None

    async def take(self, request: web.Request) -> web.Response:
        headers = request.headers
        got = (headers["Cronofy-HMAC-SHA256"], headers["Sequence-Sync-Delivery"], request.path_qs)
        self.got.append(Got(await request.read(), *got))
        self.cookies.append(headers.get("Cookie"))
        if self.slow is not None:
            await self.slow.wait()
        return self.answers.pop(0) if self.answers else web.Response(status=204)


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    company = Company()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", company.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    company.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield company
    if company.slow is not None:
        company.slow.set()
    await runner.cleanup()


class Forwarding(NamedTuple):
    """A receiver and a worker of one app that passes callbacks on."""

    world: World
    receiver: Receiver

    async def letters(self) -> list[DeadLetter]:
        return [letter async for letter in dead_letters.find(self.world.store, Filter())]


@pytest.fixture
async def forwarding(
    settle: Settle, store: Store, sandbox: Sandbox, company: Company, request: pytest.FixtureRequest
) -> AsyncIterator[Forwarding]:
    mark, laid_over = (request.node.get_closest_marker(name) for name in ("app", "settings"))
    app = {
        "name": "hiring",
        "client_secrets": ["env:FIRST", "env:SECOND"],
        "forward_to": [f"{company.url}/cronofy?token=planted"],
        "forward_to_private": True,
        **(mark.kwargs if mark else {}),
    }
    tables = {
        **calendar_tables(sandbox),
        "apps": [app],
        "worker": {"concurrency": 10},
        **(laid_over.kwargs if laid_over else {}),
    }
    settings: Settings = settle(secrets=calendar_secrets(sandbox), **tables)
    clock = Clock()
    runner = receiver_runner(PublicPort(settings, store), settings)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as session, Outgoing(settings.network) as outgoing:
        directory = Directory(settings, outgoing, Accounts(store), Consents(store))
        sync = Sync(store, settings, directory, worker="test", clock=clock)
        world = World(settings, store, sandbox, sync, clock)
        yield Forwarding(world, Receiver(runner.addresses[0][1], session))
        await sync.endpoints.aclose()
        directory.close()
    await runner.cleanup()


async def test_it_arrives_as_it_came_once_for_each_delivery(forwarding: Forwarding, company: Company) -> None:
    both = b", ".join(signature(SEQUENCING, secret=each) for each in (FIRST_SECRET, SECOND_SECRET)).decode()
    first = await forwarding.receiver.post(SEQUENCING, headers={"Cronofy-HMAC-SHA256": both})
    again = await forwarding.receiver.post(SEQUENCING, headers={"Cronofy-HMAC-SHA256": both})
    assert (first.status, again.status) == (202, 200)
    await forwarding.receiver.post(moved(2))
    await forwarding.world.work_until_done()
    got = {each.body: each for each in company.got}
    assert len(company.got) == 2
    assert got.keys() == {SEQUENCING, moved(2)}
    assert got[SEQUENCING].signature == both
    assert got[SEQUENCING].path == "/cronofy?token=planted"
    assert len({each.delivery for each in company.got}) == 2
    assert len(forwarding.world.events()) == 2
    assert (await forwarding.world.store.counts())["open"] == 0


async def test_what_is_kept_of_it_goes_after_a_day_and_is_no_booking(
    forwarding: Forwarding, company: Company
) -> None:
    await forwarding.receiver.post(SEQUENCING)
    await forwarding.world.work()
    store = forwarding.world.store
    [booking] = [each async for each in store.bookings()]
    assert len(booking.parts) == 2
    record = await store.booking(forward_id(company.got[0].delivery))
    assert record is not None
    assert record.expires_at is not None
    assert booking.expires_at is not None
    assert record.expires_at < booking.expires_at
    assert "planted" not in str(record)


async def test_what_fails_is_tried_again_and_calendars_do_not_wait_for_it(
    forwarding: Forwarding, company: Company
) -> None:
    company.answers = [web.Response(status=503, headers={"Retry-After": "7"}), web.Response(status=429)]
    await forwarding.receiver.post(SEQUENCING)
    await forwarding.world.work()
    assert len(forwarding.world.events()) == 2
    assert (await forwarding.world.store.counts())["open"] == 1
    passed_on = await forwarding.world.store.booking(forward_id(company.got[0].delivery))
    assert passed_on is not None
    assert passed_on.parts[0].writes[0].due_at - forwarding.world.clock() > 5000
    await forwarding.world.work_until_done()
    assert [each.body for each in company.got] == [SEQUENCING] * 3
    assert await forwarding.letters() == []


@pytest.mark.parametrize(
    ("status", "code"), [(401, "status 401"), (404, "status 404"), (302, "redirect_not_followed")]
)
async def test_what_is_refused_is_a_dead_letter_and_is_replayed(
    forwarding: Forwarding, company: Company, status: int, code: str
) -> None:
    company.answers = [web.Response(status=status, headers={"Location": f"{company.url}/elsewhere"})]
    await forwarding.receiver.post(SEQUENCING)
    await forwarding.world.work()
    [letter] = await forwarding.letters()
    assert (letter.app, letter.provider, letter.reason, letter.detail) == (
        "hiring",
        "forward",
        "permanent",
        code,
    )
    assert letter.calendar == company.url.removeprefix("http://")
    assert "planted" not in str(letter)
    bid, pid, wid = letter.place
    assert await forwarding.world.store.ask(bid, pid, f"replay {wid}", dead_letter=letter.id)
    await forwarding.world.work()
    assert [each.path for each in company.got] == ["/cronofy?token=planted"] * 2
    assert await forwarding.letters() == []


async def test_a_cookie_is_not_brought_back(company: Company) -> None:
    company.answers = [web.Response(headers={"Set-Cookie": "planted=1; Path=/"})]
    endpoints = Endpoints(Outgoing(NetworkSettings()), timeout_s=60, at_a_time=1)
    for _ in range(2):
        url = company.url.replace("127.0.0.1", "localhost")
        await endpoints.post(url, Forward(b"{}", "signature"), delivery="d", private=True)
    await endpoints.aclose()
    assert company.cookies == [None, None]


async def test_one_that_nobody_answers_ends_as_a_dead_letter(
    forwarding: Forwarding, company: Company
) -> None:
    company.answers = [web.Response(status=500) for _ in range(100)]
    await forwarding.receiver.post(SEQUENCING)
    await forwarding.world.work_until_done(rounds=40)
    [letter] = await forwarding.letters()
    assert (letter.reason, letter.detail) == ("transient", "status 500")


@pytest.mark.settings(worker={"concurrency": 10, "request_timeout": "3s"})
async def test_an_address_that_hangs_takes_few_places(forwarding: Forwarding, company: Company) -> None:
    company.slow = asyncio.Event()
    for number in range(5):
        await forwarding.receiver.post(moved(number))
    working = asyncio.create_task(forwarding.world.work())
    await until(lambda: len(forwarding.world.events()) == 2 and company.got)
    await working  # the time limit of its one request ends it
    assert len(company.got) == 1  # one place in ten
    company.slow.set()
    await forwarding.world.work_until_done(rounds=30)
    assert {each.body for each in company.got} == {moved(number) for number in range(5)}


@pytest.mark.app(forward_to_private=False)
async def test_a_private_address_needs_leave(forwarding: Forwarding, company: Company) -> None:
    await forwarding.receiver.post(SEQUENCING)
    await forwarding.world.work()
    [letter] = await forwarding.letters()
    assert (letter.reason, letter.detail) == ("permanent", "private_address")
    assert company.got == []


@pytest.mark.app(forward_to=["http://localhost:1/cronofy"], forward_to_private=False)
async def test_so_does_a_name_that_leads_to_one(forwarding: Forwarding) -> None:
    await forwarding.receiver.post(SEQUENCING)
    await forwarding.world.work()
    [letter] = await forwarding.letters()
    assert (letter.reason, letter.detail) == ("permanent", "private_address")


@pytest.mark.app(forward_to_private=False)
async def test_a_refused_address_leaves_nothing_of_what_it_was_refused(forwarding: Forwarding) -> None:
    left = []
    for number in range(5):
        for hours in range(2):
            await forwarding.receiver.post(changed(moved(hours), event__event_id=f"booking {number}"))
        await forwarding.world.work_until_done()
        gc.collect()
        left.append(sum(isinstance(each, TracebackType) for each in gc.get_objects()))
    assert len(await forwarding.letters()) == 10
    assert left == [left[0]] * 5


async def test_what_was_withdrawn_is_not_passed_on(forwarding: Forwarding, company: Company) -> None:
    company.answers = [web.Response(status=503)]
    await forwarding.receiver.post(SEQUENCING)
    await forwarding.world.work()
    await forwarding.world.store.cancel(forward_id(company.got[0].delivery))
    await forwarding.world.work_until_done()
    assert len(company.got) == 1
    assert await forwarding.letters() == []


async def test_what_nobody_could_read_is_passed_on_once_a_replay_can(
    forwarding: Forwarding, company: Company
) -> None:
    store = forwarding.world.store
    unreadable = await forwarding.receiver.post(b'{"event": 1}')
    kept = await store.quarantined(str(unreadable.data["delivery"]))
    assert kept is not None
    assert kept.signature == signature(b'{"event": 1}', secret=FIRST_SECRET).decode()
    assert await store.drop_delivery(kept.id)

    header = signature(SEQUENCING, secret=SECOND_SECRET).decode()
    await store.quarantine(
        delivery="d", app="hiring", link=None, reason="new", body=SEQUENCING, signature=header,
        dead_letters_limit=10,
    )  # fmt: skip
    [letter] = await forwarding.letters()
    await replay_delivery(store, forwarding.world.settings, letter)
    await forwarding.world.work_until_done()
    [got] = company.got
    assert (got.body, got.signature, got.delivery) == (SEQUENCING, header, "d")
    assert len(forwarding.world.events()) == 2
    assert await forwarding.letters() == []


@pytest.mark.app(forward_to=[])
async def test_a_link_may_have_an_address_of_its_own(forwarding: Forwarding, company: Company) -> None:
    targets = {"123": (LinkTarget("interviews"),), "456": (LinkTarget("panel"),)}
    store = forwarding.world.store
    await store.register_link("hiring", "plain", targets, keep_s=60)
    await store.register_link("hiring", "own", targets, keep_s=60, forward_to=(f"{company.url}/own",))
    for path in ("/callbacks/hiring", "/callbacks/hiring/plain", "/callbacks/hiring/own"):
        assert (await forwarding.receiver.post(SEQUENCING, path=path)).status == 202
    await forwarding.world.work()
    assert [each.path for each in company.got] == ["/own"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),  # noqa: S104 - looked at
        ("224.0.0.1", False),
        ("::1", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::5db8:d70e", True),
        ("2002:7f00:1::", False),
        ("fec0::1", False),
        ("feff:ffff::1", False),
        ("::ffff:0:7f00:1", False),
        ("::ffff:0:5db8:d70e", False),
        ("::7f00:1", False),
        ("::5db8:d70e", False),
        ("64:ff9b:1::7f00:1", False),
        ("64:ff9b:1:abcd::5db8:d70e", False),
    ],
)
def test_an_address_is_public_or_not_whatever_it_is_wrapped_in(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "127.0.0.01",
        "1.2.3.4.",
        "1.2.3.4.5",
        "256.1.1.1",
        "a.1",
    ],
)
@pytest.mark.parametrize("private", [True, False])
async def test_a_host_of_numbers_that_is_no_address_is_refused_for_good_and_nobody_asked(
    host: str, private: bool
) -> None:
    endpoints = Endpoints(Outgoing(NetworkSettings()), timeout_s=60, at_a_time=1)
    with pytest.raises(CalendarError) as refused:
        await endpoints.post(f"http://{host}:9/", Forward(b"{}", "signature"), delivery="d", private=private)
    assert (refused.value.error_class, refused.value.code) == (ErrorClass.PERMANENT, "no_address")
    await endpoints.aclose()
    with pytest.raises(ValueError, match="must be an address such as"):
        TypeAdapter(WebTarget).validate_python(f"https://{host}/hook")


@pytest.mark.parametrize(
    "host", ["93.184.215.14", "10.0.0.1", "1.example", "a1", "0x7f.example", "[2001:db8::1]"]
)
def test_hosts_that_only_look_like_it_are_none_of_those(host: str) -> None:
    assert TypeAdapter(WebTarget).validate_python(f"https://{host}/hook") == f"https://{host}/hook"
