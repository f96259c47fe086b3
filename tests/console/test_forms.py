"""Nothing is done that our own forms did not ask for, and browsers are told to do no more than show."""

import re
from io import BytesIO

import pytest

from bookings.store import Store
from tests.console.operator import Operator
from tests.console.test_signing_in import PAGES
from tests.integration.calendars import World, one_part

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OPEN = ("login", "style.css", "icon.svg")


@pytest.fixture
async def letter(world: World) -> str:
    """A dead letter; gives its id."""
    await world.accept(one_part("789"))
    await world.find_no_route()
    [(letter, _)] = await world.store.dead_letters(limit=5)
    return letter


async def test_every_answer_has_the_headers(operator: Operator, stranger: Operator) -> None:
    answers = [await operator.get(path) for path in (*PAGES, *OPEN)]
    answers += [await stranger.get("", follow=False), await stranger.post("logout", [])]
    answers += [await operator.post("bookings", []), await operator.post("logout", [], follow=False)]
    for page in answers:
        assert {name: page.headers.get(name) for name in HEADERS} == HEADERS, page.url
        policy = dict(
            each.strip().partition(" ")[::2] for each in page.headers["Content-Security-Policy"].split(";")
        )
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert set(policy) == {
            "default-src", "style-src", "img-src", "form-action", "frame-ancestors", "base-uri",
        }  # fmt: skip
        assert policy["style-src"] == policy["form-action"] == "'self'"


async def test_no_page_has_anything_that_the_policy_would_stop(operator: Operator, letter: str) -> None:
    booking = letter.split(":", maxsplit=1)[0]
    for path in (*PAGES, f"bookings/{booking}", f"dead-letters/{letter}", "bookings?find=x"):
        page = await operator.get(path)
        for tag, attributes in page.tags:
            assert tag not in ("script", "style", "iframe", "object", "base"), path
            assert not [name for name in attributes if name == "style" or name.startswith("on")], path
            for name in ("src", "href", "action"):
                assert re.match(r"/console/|#main$|$", attributes.get(name, "")), attributes


async def test_a_post_says_what_may_be_done_instead(operator: Operator) -> None:
    refused = await operator.post("bookings", [])
    assert (refused.status, set(refused.headers["Allow"].split(","))) == (405, {"GET", "HEAD"})


async def test_looking_at_an_address_changes_nothing(operator: Operator, letter: str, store: Store) -> None:
    before = await store.redis.dump(store.keys.audit)
    for path in (
        "logout",
        "dead-letters/change",
        "dead-letters/confirm",
        f"dead-letters/change?id={letter}&do=x",
    ):
        assert (await operator.get(path)).status in (404, 405), path
    assert await store.redis.dump(store.keys.audit) == before
    assert (await operator.get("accounts")).heading == "Accounts"


async def refused(operator: Operator, store: Store, letter: str, **given: object) -> str:
    """Posts a discard that is wrong in one way; gives the words of the refusal."""
    page = await operator.get("dead-letters")
    fields = [("id", letter), ("do", "discard ticked")]
    token = given.pop("token", dict(page.forms[0].fields)["token"])
    answer = await operator.post("dead-letters/change", [*fields, ("token", str(token))], **given)  # type: ignore[arg-type]
    assert answer.status in (400, 403, 413, 415)
    assert await store.dead_letters(limit=5)
    assert [each["command"] for each in await store.audit(limit=5)] == ["sign in"]
    return answer.heading


async def test_a_form_without_its_token_is_refused(operator: Operator, letter: str, store: Store) -> None:
    for token in ("", "x", "é", "\x00"):
        assert await refused(operator, store, letter, token=token) == "This form is out of date"


async def test_the_token_of_another_session_is_refused(
    operator: Operator, stranger: Operator, letter: str, store: Store
) -> None:
    token = dict((await stranger.get("login")).forms[0].fields)["token"]
    assert await refused(operator, store, letter, token=token) == "This form is out of date"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
async def test_what_another_site_sends_is_refused(
    operator: Operator, letter: str, store: Store, headers: dict[str, str]
) -> None:
    assert await refused(operator, store, letter, headers=headers) == "This did not come from the console"


async def test_our_own_origin_by_either_sign_will_do(operator: Operator, letter: str, store: Store) -> None:
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": operator.address}):
        token = dict((await operator.get("dead-letters")).forms[0].fields)["token"]
        fields = [("id", letter), ("do", "replay ticked"), ("token", token)]
        page = await operator.post("dead-letters/confirm", fields, headers=headers)
        assert page.heading == "Replay 1 dead letter?"


async def test_a_name_that_was_made_to_lead_here_has_no_session(operator: Operator) -> None:
    """DNS rebinding: the page is of the same origin as the console, but the cookie belongs to another host."""
    other = operator.address.replace("127.0.0.1", "localhost")
    async with operator.http.get(f"{other}/console/dead-letters", allow_redirects=False) as answer:
        assert answer.status == 303


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"token=x", 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
        ("application/json", b"{}", 415),
        ("application/x-www-form-urlencoded; charset=nothing", b"a=b", 400),
        ("application/x-www-form-urlencoded; charset=idna", b"a=\xff", 400),
        ("application/x-www-form-urlencoded", b"\xff=\xff&%=%&=&&;", 400),
        ("application/x-www-form-urlencoded", b"%=%&=&&;token=&token", 403),
        ("application/x-www-form-urlencoded", b"token=" + b"x" * 2_000_000, 413),
    ],
)
async def test_a_body_that_is_no_form_of_ours_is_refused(
    operator: Operator, kind: str, body: bytes, status: int
) -> None:
    headers = {"Origin": operator.address, "Content-Type": kind}
    url = f"{operator.address}/console/dead-letters/change"
    async with operator.http.post(url, data=BytesIO(body), headers=headers) as answer:
        assert answer.status == status


QUERIES = (
    "page=0", "page=-1", "page=x", "page=99999999999999", "page=%C2%B2", "page=", "day=2026-13-01", "day=x", "day=0001-01-01",
    "day=9999-12-31", "find=%00", "find=%ff", "find=%F0%9F%8F%B3%EF%B8%8F", "since=x", "since=-1d", "since=99999999999999999999d",
    "since=9999999999999", "until=0001-01-01T00:00%2B14:00", "until=9999-12-31T23:59-14:00", "since=1e999d", "since=nan",
    "app=%00&reason=%ff&event_id=%22%3E", "sequence_id=%3Cscript%3E", "next=%ff",
)  # fmt: skip


@pytest.mark.parametrize("path", ["bookings", "dead-letters", "audit", "login", ""])
async def test_no_query_is_a_defect_of_ours(operator: Operator, letter: str, path: str) -> None:
    for query in QUERIES:
        page = await operator.get(f"{path}?{query}", follow=False)
        assert page.status in (200, 303, 400), (query, page.words)
    for odd in ("%00", "%ff", "b:p", "delivery:", "..%2f..", "%3Cb%3E", ":::", "x" * 3000):
        for folder in ("bookings", "dead-letters"):
            assert (await operator.get(f"{folder}/{odd}")).status == 404, odd


async def test_no_field_is_a_defect_of_ours(operator: Operator, letter: str, store: Store) -> None:
    page = await operator.get("dead-letters")
    token = ("token", dict(page.forms[0].fields)["token"])
    for fields in (
        [],
        [("do", "replay")],
        [("do", "burn ticked")],
        [("do", "replay ticked")],
        [("do", "discard ticked"), ("id", "\x00")],
        [("do", "discard ticked"), ("id", "x" * 10_000)],
        [("do", "discard matching"), ("since", "soon")],
        [("do", "discard matching"), ("app", "nobody")],
        [("do", "discard matching"), ("until", "1")],
    ):
        for path in ("dead-letters/confirm", "dead-letters/change"):
            assert (await operator.post(path, [token, *fields])).status in (400, 404), fields
    assert len(await store.dead_letters(limit=5)) == 1


async def test_who_follows_a_link_from_elsewhere_is_asked_again_by_our_own_page(operator: Operator) -> None:
    operator.http.cookie_jar.clear()  # as browsers do with SameSite=Strict
    followed = await operator.get(
        "audit?page=2&x=%22%3E%3Cscript%3E", headers={"Sec-Fetch-Site": "cross-site"}
    )
    [refresh] = [given["content"] for _, given in followed.tags if "http-equiv" in given]
    assert refresh.startswith("0; url=/console/audit?page=2&x=")
    assert [tag for tag, _ in followed.tags if tag == "script"] == []
    assert "Set-Cookie" not in followed.headers  # the session is still there
