"""Who gets in, and for how long."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog.testing

from admin.configuration import Configuration
from admin.console.guard import Problem
from admin.console.login import Doorkeeper
from admin.console.sessions import Sessions
from admin.health import Health
from admin.server import start_admin
from bookings.store import Store
from cli.console import console_of
from config.secrets import Secret
from tests.conftest import Settle
from tests.console.conftest import Serve
from tests.console.operator import COOKIE, PASSWORD, Operator

PAGES = ("", "bookings", "bookings/b", "dead-letters", "dead-letters/b:p:w", "accounts", "audit", "nothing")
FORMS = ("logout", "bookings/b", "dead-letters/confirm", "dead-letters/change", "dead-letters/b:p:w")


@pytest.fixture
async def without(settle: Settle, store: Store) -> AsyncIterator[Operator]:
    """In front of a process whose configuration names no password."""
    runner = await start_admin(
        Health(store), "127.0.0.1", 0, console=console_of(Configuration(settle, kind="worker"))
    )
    async with Operator("http://{}:{}".format(*runner.addresses[0][:2])) as operator:
        yield operator
    await runner.cleanup()


async def test_without_a_password_there_is_no_console(without: Operator) -> None:
    for path in ("/", "/console", "/console/", "/console/login", "/console/style.css"):
        assert (await without.get(path)).status == 404, path
    assert (await without.get("/livez")).status == 200


def test_a_process_without_one_does_not_even_load_it() -> None:
    code = (
        "import pathlib, sys, cli.main, receiver.server, workers.worker, cli.console; from config.load import parse;"
        "from admin.configuration import Configuration;"
        "settings = parse({'apps': [{'name': 'a', 'client_secrets': ['env:S']}]}, folder=pathlib.Path(), environ={'S': 's'});"
        "configuration = Configuration(lambda: settings, kind='worker');"
        "print(cli.console.console_of(configuration), {'jinja2', 'admin.console'} & {*sys.modules})"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["None", "set()"]


async def test_nothing_is_shown_or_done_before_one_signs_in(stranger: Operator) -> None:
    for path in PAGES:
        page = await stranger.get(path, follow=False)
        assert (page.status, page.headers["Location"].split("?")[0]) == (303, "/console/login"), path
    for path in FORMS:
        assert (await stranger.post(path, [])).status == 403, path
    await stranger.get("login")  # now with a cookie, which is nobody's
    for path in PAGES:
        assert (await stranger.get(path, follow=False)).status == 303, path
    assert (await stranger.get("/", follow=False)).headers["Location"] == "/console/"


async def test_one_arrives_at_the_page_that_one_asked_for(stranger: Operator) -> None:
    page = await stranger.sign_in(to="dead-letters?reason=permanent&since=2h")
    assert (page.status, page.heading) == (200, "Dead letters")
    assert page.url.endswith("/console/dead-letters?reason=permanent&since=2h")
    assert (await stranger.get("login", follow=False)).headers["Location"] == "/console/"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/console/\\evil.example",
        "/\\evil.example",
        "/console/%0d%0aSet-Cookie: a=b",
        "/console/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "/metrics",
    ],
)
async def test_nobody_is_led_anywhere_else(stranger: Operator, elsewhere: str) -> None:
    form = await stranger.get("login")
    token = dict(form.forms[0].fields)["token"]
    fields = [("token", token), ("name", "Anna"), ("password", PASSWORD), ("next", elsewhere)]
    led = await stranger.post("login", fields, follow=False)
    assert led.status == 303
    assert led.headers["Location"].startswith("/console/")
    assert "Set-Cookie: a" not in str(led.headers)


async def test_the_cookie_is_for_this_host_these_pages_and_no_script(stranger: Operator) -> None:
    async with stranger.http.get(f"{stranger.address}/console/login") as plain:
        cookie = plain.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {each.strip() for each in cookie.split(";")} >= {"HttpOnly", "SameSite=Strict", "Path=/console"}
    assert "Domain" not in cookie  # a name that is made to lead here, too, is another host: no session there
    assert "Secure" not in cookie
    proxied = {"X-Forwarded-Proto": "https"}
    async with stranger.http.get(f"{stranger.address}/console/login", headers=proxied) as encrypted:
        assert "Secure" in encrypted.headers["Set-Cookie"]


async def test_a_wrong_password_is_refused_and_stands_in_no_log(stranger: Operator, store: Store) -> None:
    with structlog.testing.capture_logs() as log:
        page = await stranger.sign_in(password="wrong-and-secret")
    assert (page.status, "That is not the password." in page.words) == (403, True)
    assert [each["event"] for each in log] == ["console_wrong_password"]
    assert "wrong-and-secret" not in str(log) + page.text
    assert (await stranger.get(follow=False)).status == 303
    assert await store.audit(limit=5) == []


async def test_wrong_passwords_are_looked_at_one_after_the_other(serve: Serve) -> None:
    async with Operator(await serve(pause_s=0.2)) as operator:
        form = await operator.get("login")

        async def guess() -> int:
            return (await operator.press(form, "Sign in", ("name", "x"), ("password", "guess"))).status

        began = time.monotonic()
        assert await asyncio.gather(*(guess() for _ in range(4))) == [403] * 4
        assert time.monotonic() - began >= 0.8


async def test_who_comes_when_too_many_are_waiting_is_sent_away() -> None:
    looked_at = asyncio.Event()

    async def is_password(given: str) -> bool:
        await looked_at.wait()
        return given == "right"

    door = Doorkeeper(is_password, pause_s=0)
    waiting = [asyncio.create_task(door.lets_in("guess")) for _ in range(10)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as sent_away:
        await door.lets_in("right")
    assert (sent_away.value.status, sent_away.value.headers) == (429, {"Retry-After": "10"})
    looked_at.set()
    assert not any(await asyncio.gather(*waiting))
    assert await door.lets_in("right")


async def test_guessers_at_one_address_do_not_keep_out_those_at_others() -> None:
    looked_at = asyncio.Event()

    async def is_password(given: str) -> bool:
        if given != "right":
            await looked_at.wait()
        return given == "right"

    door = Doorkeeper(is_password, pause_s=0)
    at = ["198.51.100.7"] * 10 + [f"2001:db8::{number:x}" for number in range(10)]
    waiting = [asyncio.create_task(door.lets_in("guess", each)) for each in at]
    await asyncio.sleep(0)
    for full in ("198.51.100.7", "::ffff:198.51.100.7", "2001:db8::ffff"):
        with pytest.raises(Problem):
            await door.lets_in("right", full)
    assert await door.lets_in("right", "198.51.100.8")
    assert await door.lets_in("right", "2001:db8:0:1::1")
    looked_at.set()
    assert not any(await asyncio.gather(*waiting))
    assert await door.lets_in("right", "198.51.100.7")


async def test_guessers_at_many_addresses_are_so_many_at_a_time() -> None:
    looked_at = asyncio.Event()

    async def is_password(given: str) -> bool:
        await looked_at.wait()
        return False

    door = Doorkeeper(is_password, pause_s=0)
    waiting = [asyncio.create_task(door.lets_in("guess", f"198.51.100.{each}")) for each in range(100)]
    await asyncio.sleep(0)
    with pytest.raises(Problem) as sent_away:
        await door.lets_in("right", "203.0.113.1")
    assert sent_away.value.status == 429
    looked_at.set()
    assert not any(await asyncio.gather(*waiting))


async def test_a_right_password_does_not_wait_longer_than_those_before_it() -> None:
    async def is_password(given: str) -> bool:
        return given == "right"

    door = Doorkeeper(is_password, pause_s=0.1)
    wrong = asyncio.create_task(door.lets_in("wrong"))
    await asyncio.sleep(0)
    assert await door.lets_in("right")
    assert wrong.done()
    assert not await wrong


@pytest.fixture
async def named(settle: Settle, store: Store) -> AsyncIterator[Operator]:
    """In front of a console whose names are known."""
    settings = settle(
        secrets={"CONSOLE": PASSWORD},
        console={"password": "env:CONSOLE", "hosts": ["Console.globex.example"]},
        receiver={"public_url": "https://sync.globex.example"},
    )
    configuration = Configuration(lambda: settings, kind="worker")
    runner = await start_admin(Health(store), "127.0.0.1", 0, console=console_of(configuration))
    async with Operator("http://{}:{}".format(*runner.addresses[0][:2])) as operator:
        yield operator
    await runner.cleanup()


async def test_a_name_that_is_not_ours_shows_no_console(named: Operator) -> None:
    for host in (
        "evil.example",
        "evil.example:9090",
        "127.0.0.1.evil.example",
        "[::1",
        "sync.globex.example.evil",
    ):
        for path in ("", "login", "style.css"):
            page = await named.get(path, headers={"Host": host}, follow=False)
            assert page.status == 421, (host, path)
        for path in ("/livez", "/metrics"):
            async with named.http.get(named.address + path, headers={"Host": host}) as answer:
                assert answer.status == 200, (host, path)


@pytest.mark.parametrize(
    "host",
    [
        "sync.globex.example",
        "console.globex.example:9090",
        "CONSOLE.globex.example",
        "localhost:1",
        "10.1.2.3",
        "[::1]:90",
    ],
)
async def test_names_that_are_ours_and_addresses_do(named: Operator, host: str) -> None:
    assert (await named.get("login", headers={"Host": host})).status == 200


async def test_where_no_name_is_known_any_may_be(stranger: Operator) -> None:
    assert (await stranger.get("login", headers={"Host": "console.globex.example"})).status == 200


async def test_no_answer_says_what_serves_here(stranger: Operator) -> None:
    for path in ("/livez", "/metrics", "/nowhere", "/console/login", "/console/nothing"):
        async with stranger.http.get(stranger.address + path) as answer:
            assert "Server" not in answer.headers, path


@pytest.mark.parametrize("name", ["", "   ", "\u202eAnna", "An\x00na", "An\nna"])
async def test_a_name_that_the_audit_record_could_not_show_is_asked_for_again(
    stranger: Operator, name: str
) -> None:
    page = await stranger.sign_in(name)
    assert (page.status, "Say your name" in page.words) == (400, True)


async def test_signing_in_is_on_record_under_a_name_that_no_command_line_has(
    stranger: Operator, store: Store
) -> None:
    await stranger.sign_in("  root   of " + "x" * 100)
    [entry] = await store.audit(limit=5)
    assert (entry["command"], entry["who"]) == ("sign in", f"root of {'x' * 52} (console)")


async def test_signing_out_ends_the_session_in_every_process(operator: Operator, serve: Serve) -> None:
    async with Operator(await serve()) as elsewhere:
        stolen = operator.cookie
        elsewhere.take_cookie(stolen)
        assert (await elsewhere.get("accounts")).heading == "Accounts"  # processes know each other's sessions
        left = await operator.press(await operator.get(), "Sign out")
        assert left.heading == "Sign in"
        for each in (operator, elsewhere):
            each.take_cookie(stolen)
            assert (await each.get("accounts", follow=False)).status == 303


# -- the sessions themselves


@pytest.fixture
def sessions(store: Store, tmp_path: Path) -> Sessions:
    (tmp_path / "password").write_text(PASSWORD)
    return Sessions(Secret("file:password", folder=tmp_path), store, lasts_s=60)


async def test_a_session_is_over_after_its_time(sessions: Sessions, store: Store) -> None:
    now = time.time()
    _, cookie = await sessions.signed_in("Anna")
    password = Secret("env:P", environ={"P": PASSWORD})
    for later_s, known in ((0, True), (59, True), (61, False)):
        later = Sessions(password, store, lasts_s=60, clock=lambda at=now + later_s: at)  # type: ignore[misc]
        assert (await later.read(cookie) is not None) is known


async def test_a_new_password_ends_every_session(sessions: Sessions, store: Store) -> None:
    _, cookie = await sessions.signed_in("Anna")
    renewed = Sessions(Secret("env:P", environ={"P": "another password"}), store, lasts_s=60)
    assert await renewed.read(cookie) is None


async def test_no_password_can_be_tried_out_on_a_cookie(sessions: Sessions, store: Store) -> None:
    _, cookie = await sessions.stranger()
    elsewhere = Store(store.redis, "another-fleet")
    guess = Sessions(Secret("env:P", environ={"P": PASSWORD}), elsewhere, lasts_s=60)
    assert await guess.is_password(PASSWORD)
    assert await guess.read(cookie) is None


async def test_every_session_is_a_new_one_with_forms_of_its_own(sessions: Sessions) -> None:
    first, _ = await sessions.signed_in("Anna")
    second, _ = await sessions.signed_in("Anna")
    assert first.id != second.id
    token = await sessions.form_token(first)
    assert await sessions.is_form_token(first, token)
    for session, given in (
        (second, token),
        (first, token[:-1]),
        (first, ""),
        (first, "é"),
        (first, "\ud800"),
    ):
        assert not await sessions.is_form_token(session, given)


async def test_a_changed_cookie_is_none(sessions: Sessions) -> None:
    _, cookie = await sessions.signed_in("Anna")
    assert await sessions.read(cookie)
    body, _, signature = cookie.partition(".")
    other, _, _ = (await sessions.signed_in("Mallory"))[1].partition(".")
    for forged in (
        "",
        ".",
        body,
        f"{body}.",
        f"{other}.{signature}",
        f"{body}x.{signature}",
        "é.é",
        "\ud800",
        "a.b",
    ):
        assert await sessions.read(forged) is None, forged
