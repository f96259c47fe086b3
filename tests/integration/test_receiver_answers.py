"""Every answer of the receiver, and what it leaves in Redis."""

import asyncio
import base64
import gzip
import hashlib
import hmac
import json

import pytest
from redis.asyncio import Redis

from bookings.dead_letters import Filter, find
from bookings.identity import booking_id, link_id
from bookings.links import LinkTarget
from bookings.store import Store
from receiver.signature import signature
from tests.callbacks import SCHEDULING, SEQUENCING, SEQUENCING_OLDER, changed, moved
from tests.conftest import FIRST_SECRET, SECOND_SECRET
from tests.integration.conftest import Receiver

EVENT_ID = "qTtZdczOccgaPncGJaCiLg"
LOST = "/callbacks/hiring/lost"


def signed(body: bytes, *secrets: str) -> dict[str, str]:
    values = [signature(body, secret=secret).decode() for secret in secrets]
    return {"Cronofy-HMAC-SHA256": ",".join(values)}


# -- accepted


@pytest.mark.parametrize("body", [SEQUENCING, SEQUENCING_OLDER], ids=["newer form", "older form"])
async def test_a_documented_callback_is_accepted_with_its_parts(receiver: Receiver, body: bytes) -> None:
    answer = await receiver.post(body)
    assert answer.status == 202
    assert answer.data["status"] == "accepted"
    assert answer.data["event_id"] == EVENT_ID
    assert answer.data["parts"] == 2


async def test_a_callback_without_sequence_is_a_booking_with_one_part(
    receiver: Receiver, store: Store
) -> None:
    answer = await receiver.post(SCHEDULING)
    assert (answer.status, answer.data["parts"]) == (202, 1)
    booking = await store.booking(booking_id("hiring", "one-part"))
    assert booking is not None
    assert [part.part.sequence_id for part in booking.parts] == [None]
    assert booking.parts[0].part.subs == ("acc_5ba21743f408617d1269ea1e",)


async def test_every_part_is_stored_and_queued(receiver: Receiver, store: Store, redis: Redis) -> None:
    await receiver.post(SEQUENCING)
    booking = await store.booking(booking_id("hiring", EVENT_ID))
    assert booking is not None
    assert [part.part.sequence_id for part in booking.parts] == ["123", "456"]
    assert [part.part.zone for part in booking.parts] == ["Europe/London"] * 2
    assert {part.state for part in booking.parts} == {"open"}
    assert (await store.counts()).items() >= {"open": 2, "dead": 0, "queue": 2}.items()
    jobs = await redis.zrange("sequence-sync:queue:app:hiring", 0, -1)
    payload = json.loads(await redis.get(b"arq:job:" + jobs[0]))
    assert payload["f"] == "sync_part"
    assert payload["a"] == [booking.id, booking.parts[0].id]


async def test_a_record_with_open_parts_never_expires(receiver: Receiver, redis: Redis) -> None:
    await receiver.post(SEQUENCING)
    assert await redis.ttl(f"sequence-sync:booking:{booking_id('hiring', EVENT_ID)}") == -1


async def test_an_integer_sequence_id_is_kept_as_sent(receiver: Receiver, store: Store) -> None:
    await receiver.post(changed(sequence__0__sequence_id=123))
    booking = await store.booking(booking_id("hiring", EVENT_ID))
    assert booking is not None
    assert [part.part.sequence_id for part in booking.parts] == [123, "456"]


async def test_ten_equal_callbacks_at_once_are_one_booking(receiver: Receiver) -> None:
    answers = await asyncio.gather(*(receiver.post(SEQUENCING) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] * 9 + [202]
    assert len({answer.data["revision"] for answer in answers}) == 1
    assert [answer.data["status"] for answer in answers].count("duplicate") == 9


async def test_a_reschedule_is_a_newer_revision(receiver: Receiver) -> None:
    first = await receiver.post(SEQUENCING)
    second = await receiver.post(moved(2))
    assert second.status == 202
    assert int(str(second.data["revision"])) > int(str(first.data["revision"]))


async def test_an_older_delivery_within_the_window_is_still_a_duplicate(receiver: Receiver) -> None:
    first = await receiver.post(SEQUENCING)
    await receiver.post(moved(2))
    again = await receiver.post(SEQUENCING)
    assert (again.status, again.data["revision"]) == (200, first.data["revision"])


async def test_what_is_kept_of_a_booking_s_deliveries_is_bounded_whatever_is_sent(
    receiver: Receiver, store: Store
) -> None:
    bodies = [moved(hours) for hours in range(300)]
    accepted = [await receiver.post(body) for body in bodies]
    assert {each.status for each in accepted} == {202}
    booking = store.keys.booking(booking_id("hiring", EVENT_ID))
    assert await store.redis.hstrlen(booking, "deliveries") < 8192
    for known in (299, 298, 172):
        again = await receiver.post(bodies[known])
        assert (again.status, again.data["revision"]) == (200, accepted[known].data["revision"])
    assert (await receiver.post(bodies[0])).status == 202  # A, B … A: somebody moved back


@pytest.mark.settings(receiver={"redelivery_window": "1ms"})
async def test_an_older_delivery_after_the_window_is_a_new_revision(receiver: Receiver) -> None:
    await receiver.post(SEQUENCING)
    await receiver.post(moved(2))
    await asyncio.sleep(0.01)
    assert (await receiver.post(SEQUENCING)).status == 202


@pytest.mark.settings(receiver={"redelivery_window": "1ms"})
async def test_the_newest_delivery_is_a_duplicate_whenever_it_comes(receiver: Receiver) -> None:
    await receiver.post(SEQUENCING)
    await asyncio.sleep(0.01)
    assert (await receiver.post(SEQUENCING)).status == 200


# -- signatures


@pytest.mark.parametrize(
    "headers",
    [
        signed(SEQUENCING, FIRST_SECRET),
        signed(SEQUENCING, SECOND_SECRET),
        signed(SEQUENCING, "unknown", SECOND_SECRET),
        {"Cronofy-HMAC-SHA256": "  " + signed(SEQUENCING, FIRST_SECRET)["Cronofy-HMAC-SHA256"] + " \t, x"},
        {"cronofy-hmac-sha256": signed(SEQUENCING, *["other"] * 15, FIRST_SECRET)["Cronofy-HMAC-SHA256"]},
    ],
    ids=["first secret", "second secret", "one of two", "spaces", "sixteen values"],
)
async def test_a_signature_of_any_of_our_secrets_is_accepted(
    receiver: Receiver, headers: dict[str, str]
) -> None:
    assert (await receiver.post(SEQUENCING, headers=headers)).status == 202


_HEX = hmac.new(FIRST_SECRET.encode(), SEQUENCING, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cronofy-HMAC-SHA256": ""},
        {"Cronofy-HMAC-SHA256": " , ,"},
        {"Cronofy-HMAC-SHA256": "x" * 44},
        signed(SEQUENCING, "another secret"),
        {"Cronofy-HMAC-SHA256": _HEX},
        {"Cronofy-HMAC-SHA256": base64.b64encode(_HEX.encode()).decode()},
        signed(json.dumps(json.loads(SEQUENCING)).encode(), FIRST_SECRET),
        signed(SEQUENCING, *["other"] * 16, FIRST_SECRET),
        {"Cronofy-HMAC-SHA256": signed(SEQUENCING, FIRST_SECRET)["Cronofy-HMAC-SHA256"].lower()},
    ],
    ids=[
        "no header",
        "empty header",
        "only commas",
        "wrong",
        "wrong secret",
        "hex digest",
        "base64 of the hex digest",
        "re-serialised JSON",
        "seventeen values",
        "lower case",
    ],
)
async def test_any_other_signature_is_refused_and_leaves_nothing(
    receiver: Receiver, redis: Redis, headers: dict[str, str]
) -> None:
    answer = await receiver.post(SEQUENCING, headers=headers)
    assert (answer.status, answer.data) == (401, {"error": "invalid_signature"})
    assert await redis.keys() == []


async def test_repeated_headers_count_together(receiver: Receiver) -> None:
    value = signature(SEQUENCING, secret=FIRST_SECRET)
    answer = await receiver.exchange(
        b"POST /callbacks/hiring HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n"
        b"Cronofy-HMAC-SHA256: other\r\ncronofy-hmac-sha256: %s\r\n\r\n%s"
        % (len(SEQUENCING), value, SEQUENCING)
    )
    assert answer.startswith(b"HTTP/1.1 202")


async def test_bytes_that_are_no_ascii_in_the_header_are_a_wrong_signature(
    receiver: Receiver, redis: Redis
) -> None:
    answer = await receiver.exchange(
        b"POST /callbacks/hiring HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n"
        b"Cronofy-HMAC-SHA256: \xff\xc3\xa4\r\n\r\n{}"
    )
    assert answer.startswith(b"HTTP/1.1 401")
    assert await redis.keys() == []


# -- bodies that are not read


async def test_a_body_one_byte_over_the_limit_is_refused(receiver: Receiver, redis: Redis) -> None:
    fitting = b" " * (4096 - len(SEQUENCING)) + SEQUENCING
    assert (await receiver.post(b" " + fitting)).status == 413
    assert await redis.keys() == []
    assert (await receiver.post(fitting)).status == 202


async def test_a_chunked_body_over_the_limit_is_refused(receiver: Receiver, redis: Redis) -> None:
    chunk = b"400\r\n" + b" " * 0x400 + b"\r\n"
    answer = await receiver.exchange(
        b"POST /callbacks/hiring HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 5
    )
    assert answer.startswith(b"HTTP/1.1 413")
    assert await redis.keys() == []


@pytest.mark.settings(receiver={"body_timeout": "300ms"})
async def test_a_body_that_stalls_is_given_up(receiver: Receiver, redis: Redis) -> None:
    answer = await receiver.exchange(
        b"POST /callbacks/hiring HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    )
    assert answer.startswith(b"HTTP/1.1 408")
    assert await redis.keys() == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity", "x"])
async def test_a_content_encoding_is_refused(receiver: Receiver, redis: Redis, encoding: str) -> None:
    packed = gzip.compress(SEQUENCING)
    headers = {**signed(packed, FIRST_SECRET), "Content-Encoding": encoding}
    answer = await receiver.post(packed, headers=headers)
    assert (answer.status, answer.data) == (415, {"error": "content_encoding_not_accepted"})
    assert await redis.keys() == []


# -- bodies that nobody can read


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\xff" + SEQUENCING, "not UTF-8"),
        (b"{", "not JSON"),
        (b"", "not JSON"),
        (b"[]", "Expected `object`"),
        (b"{}", "neither an `event` nor a `notification`"),
        (changed(sequence={"a": 1}), "$.sequence"),
        (changed(sequence=[]), "0 parts"),
        (changed(sequence=[], notification={"type": "change"}), "0 parts"),
        (changed(sequence="x", notification={"type": "change"}), "$.sequence"),
        (b'{"notification":{}}', "`notification` has no `type`"),
        (b'{"notification":{"type":""},"channel":{}}', "`notification` has no `type`"),
        (b'{"notification":"verification"}', "`notification` has no `type`"),
        (changed(sequence=["x"]), "$.sequence[0]"),
        (changed(sequence__1__sequence_id="123"), "same as that of an earlier part"),
        (
            changed(sequence__0__sequence_id=123, sequence__1__sequence_id="123"),
            "same as that of an earlier part",
        ),
        (changed(sequence__0__sequence_id=None), "`sequence[0].sequence_id` is missing"),
        (changed(event__event_id=None), "`event.event_id` is missing"),
        (changed(SCHEDULING, event__start=None), "`event.start` is missing"),
        (b'{"event":' + b"[" * 2000 + b"]" * 2000 + b"}", "nested too deeply"),
        (b'{"event":{"event_id":"1","x":' + b"[" * 199 + b"]" * 199 + b"}}", "nested too deeply"),
        (b'{"event":{"event_id":"1","x":"' + b"[" * 500 + b'"}}', "no `sequence`"),
    ],
)
async def test_a_signed_body_that_is_no_callback_is_kept_as_a_dead_letter(
    receiver: Receiver, store: Store, redis: Redis, body: bytes, reason: str
) -> None:
    answer = await receiver.post(body)
    assert (answer.status, answer.data["status"]) == (202, "quarantined")
    assert reason in str(answer.data["reason"])
    [(member, _)] = await store.dead_letters(limit=10)
    kept = await store.quarantined(member.removeprefix("delivery:"))
    assert kept is not None
    assert kept.body == body
    assert len(await redis.keys()) == 3
    assert (await receiver.post(body)).status == 202
    assert len(await store.dead_letters(limit=10)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"sequence__0__event__start": None},
        {"sequence__0__event__end": "2026-04-30T10:00:00Z"},
        {"event__start__tzid": "Mars/Base"},
    ],
    ids=["missing start", "end before start", "unknown zone"],
)
async def test_what_is_wrong_in_one_part_is_left_to_that_part(
    receiver: Receiver, store: Store, change: dict[str, object]
) -> None:
    answer = await receiver.post(changed(**change))
    assert (answer.status, answer.data["status"], answer.data["parts"]) == (202, "accepted", 2)
    assert (await store.counts())["dead"] == 0


async def test_half_a_surrogate_pair_does_not_make_a_callback_unreadable(
    receiver: Receiver, store: Store
) -> None:
    body = SEQUENCING.replace(b"Pre screen", b"Pre \\ud83d screen")
    assert (await receiver.post(body)).status == 202
    booking = await store.booking(booking_id("hiring", EVENT_ID))
    assert booking is not None
    assert "Pre \ufffd screen".encode() in bytes(booking.parts[0].part.event)


@pytest.mark.parametrize("kind", ["verification", "change", "smart_invite", "scheduling_request_time_chosen"])
async def test_other_signed_notifications_are_ignored(receiver: Receiver, redis: Redis, kind: str) -> None:
    answer = await receiver.post(json.dumps({"notification": {"type": kind}, "channel": {}}).encode())
    assert (answer.status, answer.data) == (200, {"status": "ignored", "type": kind})
    assert await redis.keys() == []


@pytest.mark.parametrize("documented", [SEQUENCING, SCHEDULING], ids=["sequencing", "scheduling"])
@pytest.mark.parametrize("notification", [{"type": "change"}, {"type": "unheard_of"}, {}, "x"])
async def test_a_booking_that_also_has_a_notification_is_accepted(
    receiver: Receiver, documented: bytes, notification: object
) -> None:
    answer = await receiver.post(changed(documented, notification=notification))
    assert (answer.status, answer.data["status"]) == (202, "accepted")
    assert answer.data["event_id"] == json.loads(documented)["event"]["event_id"]


# -- elsewhere


async def test_an_unknown_app_is_not_found(receiver: Receiver, redis: Redis) -> None:
    assert (await receiver.post(SEQUENCING, path="/callbacks/nobody")).status == 404
    assert await redis.keys() == []


# -- on a link that the record does not know


async def test_a_signed_booking_on_an_unknown_link_is_kept_once_as_a_dead_letter(
    receiver: Receiver, store: Store
) -> None:
    for _ in range(2):
        answer = await receiver.post(SEQUENCING, path=LOST)
        assert (answer.status, answer.data["status"]) == (202, "quarantined")
    [letter] = [letter async for letter in find(store, Filter(reason="unknown_link"))]
    assert (letter.app, letter.event_id, letter.body) == ("hiring", EVENT_ID, SEQUENCING)
    assert letter.link == link_id("hiring", "lost")
    assert letter.signature == signature(SEQUENCING, secret=FIRST_SECRET).decode()
    assert await store.booking(booking_id("hiring", EVENT_ID)) is None


async def test_what_cannot_be_read_on_an_unknown_link_is_kept_for_that(
    receiver: Receiver, store: Store
) -> None:
    assert (await receiver.post(b"{", path=LOST)).status == 202
    [letter] = [letter async for letter in find(store, Filter())]
    assert (letter.reason, letter.event_id) == ("unreadable", "")


async def test_a_notification_on_an_unknown_link_is_ignored(receiver: Receiver, redis: Redis) -> None:
    answer = await receiver.post(b'{"notification":{"type":"verification"}}', path=LOST)
    assert (answer.status, answer.data["status"]) == (200, "ignored")
    assert await redis.keys() == []


async def test_what_is_not_signed_is_refused_on_any_link(receiver: Receiver, redis: Redis) -> None:
    for path in (LOST, LOST + "/"):
        for headers in ({}, signed(SEQUENCING, "another secret")):
            assert (await receiver.post(SEQUENCING, path=path, headers=headers)).status == 401
    assert (await receiver.post(SEQUENCING, path="/callbacks/nobody/lost")).status == 404
    assert await redis.keys() == []


@pytest.mark.settings(receiver={"dead_letters_limit": 1})
async def test_no_dead_letter_is_dropped_for_what_comes_on_unknown_links(
    receiver: Receiver, store: Store
) -> None:
    assert (await receiver.post(SEQUENCING, path=LOST)).status == 202
    answer = await receiver.post(SCHEDULING, path=LOST)
    assert (answer.status, answer.data) == (503, {"error": "dead_letters_full"})
    assert answer.headers["Retry-After"] == "5"
    assert len(await store.dead_letters(limit=10)) == 1


@pytest.mark.settings(receiver={"queue_limit": 2})
async def test_a_full_queue_does_not_keep_it_from_being_kept(receiver: Receiver) -> None:
    assert (await receiver.post(SEQUENCING)).status == 202
    assert (await receiver.post(SCHEDULING, path=LOST)).data["status"] == "quarantined"


async def test_a_repeat_is_a_duplicate_though_its_link_is_gone_by_now(
    receiver: Receiver, store: Store
) -> None:
    lid = await store.register_link("hiring", "lost", {"123": (LinkTarget("interviews"),)}, keep_s=60)
    first = await receiver.post(SEQUENCING, path=LOST)
    await store.forget_link(lid)
    again = await receiver.post(SEQUENCING, path=LOST)
    assert (again.status, again.data["revision"]) == (200, first.data["revision"])
    assert await store.dead_letters(limit=10) == []


@pytest.mark.settings(receiver={"redelivery_window": "1ms"})
async def test_a_link_completes_once_whatever_the_window(receiver: Receiver, store: Store) -> None:
    await store.register_link("hiring", "token-1", {"123": (LinkTarget("interviews"),)}, keep_s=60)
    path = "/callbacks/hiring/token-1"
    assert (await receiver.post(SEQUENCING, path=path)).status == 202
    await receiver.post(moved(2))
    await asyncio.sleep(0.01)
    assert (await receiver.post(SEQUENCING, path=path)).status == 200


@pytest.mark.parametrize("path", ["/callbacks/hiring", "/callbacks/hiring/", "/callbacks/hiring/token/"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_only_a_post_is_allowed(receiver: Receiver, method: str, path: str) -> None:
    async with receiver.session.request(method, receiver.url + path) as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        assert bool(await response.read()) is (method != "HEAD")


@pytest.mark.parametrize(
    "path",
    ["/", "/callbacks", "/callbacks//", "/callbacks//hiring", "//callbacks/hiring", "/callbacks/a/b/c"],
)
async def test_any_other_path_is_not_found(receiver: Receiver, path: str) -> None:
    assert (await receiver.post(SEQUENCING, path=path)).status == 404


@pytest.mark.parametrize("slashes", ["/", "//", "/?x=1"])
async def test_a_slash_at_the_end_means_nothing(receiver: Receiver, store: Store, slashes: str) -> None:
    await store.register_link("hiring", "token-1", {"123": (LinkTarget("interviews"),)}, keep_s=60)
    for path in ("/callbacks/hiring", "/callbacks/hiring/token-1"):
        first = await receiver.post(SEQUENCING, path=path)
        again = await receiver.post(SEQUENCING, path=path + slashes)
        assert (first.status, again.status) == (202, 200)
        assert (again.data["status"], again.data["revision"]) == ("duplicate", first.data["revision"])


# -- when it cannot be stored


@pytest.mark.settings(receiver={"queue_limit": 2})
async def test_a_full_queue_is_said_and_nothing_is_stored(receiver: Receiver, store: Store) -> None:
    assert (await receiver.post(SEQUENCING)).status == 202
    answer = await receiver.post(SCHEDULING)
    assert (answer.status, answer.data) == (503, {"error": "queue_full"})
    assert answer.headers["Retry-After"] == "5"
    assert await store.booking(booking_id("hiring", "one-part")) is None
    assert (await receiver.post(SEQUENCING)).status == 200


@pytest.mark.settings(receiver={"dead_letters_limit": 1})
async def test_no_dead_letter_is_dropped_to_make_room(receiver: Receiver, store: Store) -> None:
    assert (await receiver.post(b"{")).status == 202
    for body in (b"[", SEQUENCING):
        answer = await receiver.post(body)
        assert (answer.status, answer.data) == (503, {"error": "dead_letters_full"})
    assert (await receiver.post(b"{")).status == 202  # that one is kept already
    assert len(await store.dead_letters(limit=10)) == 1


async def test_out_of_memory_is_unavailable_and_not_lost(receiver: Receiver, redis: Redis) -> None:
    await redis.config_set("maxmemory", "1")
    try:
        answer = await receiver.post(SEQUENCING)
        assert (answer.status, answer.data) == (503, {"error": "redis_unavailable"})
    finally:
        await redis.config_set("maxmemory", "0")
    assert (await receiver.post(SEQUENCING)).status == 202
