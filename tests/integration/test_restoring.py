"""Dead letters that were exported are put back, into whatever has become of their booking meanwhile."""

import pytest
from msgspec.structs import replace

from bookings import dead_letters
from bookings.dead_letters import DeadLetter
from bookings.errors import Overtaken
from bookings.identity import part_id
from bookings.record import WriteState
from bookings.store import Store
from tests.callbacks import moved
from tests.integration.test_record import BID, PID, accept, claim, finish, settle, write

OTHER = part_id("456")


async def dead_letter(store: Store, pid: str = PID) -> DeadLetter:
    """A part of an accepted booking dies, and is exported."""
    held = await store.claim(BID, pid, holder="a", lease_s=10)
    assert held is not None
    dead = replace(write(WriteState.DEAD), reason="permanent", detail="invalid", revision=held.revision)
    await settle(store, held, dead)
    letter = await dead_letters.get(store, f"{BID}:{pid}:w")
    assert letter is not None
    return letter


async def test_into_an_empty_redis_it_comes_back_as_it_was(store: Store) -> None:
    await accept(store)
    letter = await dead_letter(store)
    await store.redis.flushall()
    assert await store.restore(letter) == "restored"
    assert await dead_letters.get(store, letter.id) == letter
    assert await store.redis.pttl(store.keys.booking(BID)) == -1
    booking = await store.booking(BID)
    assert booking is not None
    assert (booking.state, booking.revision, [part.id for part in booking.parts]) == (
        "dead",
        letter.revision,
        [PID],
    )
    assert await store.restore(letter) == "there"


async def test_what_is_open_is_its_workers_to_change(store: Store) -> None:
    await accept(store)
    letter = await dead_letter(store)
    assert letter.write is not None
    await store.ask(BID, PID, "resync")
    other = replace(letter, id=f"{BID}:{PID}:x", write=replace(letter.write, id="x"))
    assert await store.restore(other) == "busy"
    assert await dead_letters.get(store, other.id) is None


async def test_what_a_newer_revision_has_overtaken_stays_out(store: Store) -> None:
    await accept(store)
    letter = await dead_letter(store)
    newest = await accept(store, moved(1))
    with pytest.raises(Overtaken) as overtaken:
        await store.restore(letter)
    assert overtaken.value.revision == newest


@pytest.mark.parametrize("order", [1, -1])
async def test_the_booking_has_its_newest_revision(store: Store, order: int) -> None:
    await accept(store)
    older, newer = await dead_letter(store), await dead_letter(store, OTHER)
    newer = replace(newer, revision=newer.revision + 5)
    await store.redis.flushall()
    for letter in (older, newer)[::order]:
        assert await store.restore(letter) == "restored"
    booking = await store.booking(BID)
    assert booking is not None
    assert booking.revision == newer.revision


async def test_a_withdrawn_part_comes_back_withdrawn_until_a_newer_letter_says_otherwise(
    store: Store,
) -> None:
    await accept(store)
    letter = await dead_letter(store)
    assert letter.write is not None
    await store.redis.flushall()
    await store.restore(replace(letter, gone=True))
    await store.ask(BID, PID, "replay w", dead_letter=letter.id)
    held = await claim(store)
    assert held.gone
    await settle(store, held, replace(letter.write, state=WriteState.CANCELLED))

    other = replace(letter.write, id="x")
    later = replace(letter, id=f"{BID}:{PID}:x", write=other, revision=letter.revision + 1)
    assert await store.restore(later) == "restored"
    await store.ask(BID, PID, "replay x", dead_letter=later.id)
    assert not (await claim(store)).gone


async def test_a_record_with_a_dead_letter_put_back_expires_no_more(store: Store) -> None:
    await accept(store)
    letter = await dead_letter(store)
    assert letter.write is not None
    await store.redis.flushall()
    await accept(store)
    await finish(store)
    booking = await store.booking(BID)
    assert booking is not None
    other = replace(
        letter, id=f"{BID}:{PID}:x", write=replace(letter.write, id="x"), revision=booking.revision
    )
    assert await store.restore(other) == "restored"
    assert await store.redis.pttl(store.keys.booking(BID)) == -1
