"""The state machine of a write."""

import pytest
from msgspec.structs import replace

from bookings import part_writes, state
from bookings.part_writes import PartState
from bookings.record import UNROUTED, Attempt, Intent, Write, WriteState
from config.settings import CalendarAddress

ONE = part_writes.Target("w1", "interviews", CalendarAddress("google", "a", "primary"))
TWO = part_writes.Target("w2", "panel", CalendarAddress("microsoft", "b", ""))
FAILURE = Attempt(at=5, error_class="transient", code="backendError")


def test_each_target_gets_a_pending_write() -> None:
    writes = part_writes.revised((), [ONE, TWO], revision=7, now=1)
    assert [(write.id, write.calendar, write.state, write.revision) for write in writes] == [
        ("w1", "interviews", WriteState.PENDING, 7),
        ("w2", "panel", WriteState.PENDING, 7),
    ]


def test_a_newer_revision_opens_a_finished_write_and_keeps_what_is_known_of_its_event() -> None:
    for finished in (WriteState.WRITTEN, WriteState.DEAD, WriteState.SUPERSEDED, WriteState.CANCELLED):
        write = Write(
            id="w1", calendar="interviews", address=ONE.address, state=finished, revision=7, event_id="e", etag="t",
            written_revision=7, attempts=(FAILURE,), failing_since=3, reason="transient",
        )  # fmt: skip
        [revised] = part_writes.revised((write,), [ONE], revision=8, now=9)
        assert (revised.state, revised.revision, revised.event_id, revised.etag) == (
            WriteState.PENDING,
            8,
            "e",
            "t",
        )
        assert (revised.attempts, revised.failing_since, revised.reason) == ((), 0, "")


def test_the_same_revision_changes_nothing() -> None:
    writes = part_writes.revised((), [ONE], revision=7, now=1)
    failed = (state.failed(writes[0], FAILURE, due_at=50, parked=False, detail="", now=9),)
    assert part_writes.revised(failed, [ONE], revision=7, now=10) == failed


def test_an_intent_in_doubt_survives_a_newer_revision() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    intent = Intent(operation="create", revision=7, generation=0, at=2)
    [revised] = part_writes.revised((state.intended(write, intent, now=2),), [ONE], revision=8, now=3)
    assert revised.intent == intent


def unrouted(*writes: Write, revision: int = 7, now: int = 1) -> tuple[Write, ...]:
    """The writes of a part after nobody found a route for it, in all the time that one is waited for."""
    waiting = part_writes.revised(writes, [], revision=revision, now=now)
    return part_writes.revised(waiting, [], revision=revision, now=now + 1000 * state.UNROUTED_FOR_S)


def test_a_part_without_targets_waits_for_a_route_and_is_then_one_dead_write() -> None:
    writes = part_writes.revised((), [], revision=7, now=1)
    looks = []
    while writes[0].state is WriteState.RETRYING:
        assert (writes[0].id, writes[0].reason) == (UNROUTED, UNROUTED)
        assert part_writes.part_state(writes) == (PartState.OPEN, writes[0].due_at)
        assert part_writes.due(writes, writes[0].due_at) == []
        looks.append(writes[0].due_at)
        writes = part_writes.revised(writes, [], revision=7, now=looks[-1])
    assert looks == [1 + 60_000 * minute for minute in (1, 2, 3, 4, 5)]
    assert (writes[0].id, writes[0].state, writes[0].reason) == (UNROUTED, WriteState.DEAD, UNROUTED)
    assert part_writes.part_state(writes) == (PartState.DEAD, 0)


def test_looking_before_its_time_changes_nothing_of_an_unrouted_part() -> None:
    writes = part_writes.revised((), [], revision=7, now=1)
    assert part_writes.revised(writes, [], revision=7, now=2) == writes


def test_each_revision_waits_for_a_route_of_its_own() -> None:
    [write] = part_writes.revised(unrouted(), [], revision=8, now=400_000)
    assert (write.state, write.revision, write.failing_since) == (WriteState.RETRYING, 8, 400_000)


def test_a_replay_has_an_unrouted_part_wait_once_more() -> None:
    dead = unrouted()
    [asked] = part_writes.asked(dead, f"replay {UNROUTED}\n", now=400_000, routed=False)
    assert (asked.state, asked.failing_since, asked.due_at) == (WriteState.RETRYING, 400_000, 460_000)
    assert part_writes.asked((asked,), f"replay {UNROUTED}\n", now=400_001, routed=False) == (asked,)


def test_a_replay_of_a_write_whose_part_leads_nowhere_waits_with_the_part() -> None:
    dead = unrouted(*part_writes.revised((), [ONE], revision=7, now=1))
    assert [write.state for write in dead] == [WriteState.DEAD, WriteState.DEAD]
    write, part = part_writes.asked(dead, "replay w1\n", now=400_000, routed=False)
    assert (write.state, part.state, write.due_at) == (WriteState.RETRYING, WriteState.RETRYING, part.due_at)
    [back] = part_writes.revised((write, part), [ONE], revision=7, now=400_001)
    assert part_writes.due([back], part.due_at) == [back]


def test_what_only_a_link_knows_is_waited_for_while_the_rest_is_written() -> None:
    write, lacking = part_writes.revised((), [ONE], missing="no calendar", revision=7, now=1)
    assert part_writes.due((write, lacking), 1) == [write]
    assert (lacking.id, lacking.state, lacking.detail[:11]) == (UNROUTED, WriteState.RETRYING, "no calendar")
    written = replace(write, state=WriteState.WRITTEN, event_id="e")
    assert part_writes.part_state((written, lacking)) == (PartState.OPEN, lacking.due_at)
    later = part_writes.revised((written, lacking), [ONE], missing="no calendar", revision=7, now=301_000)
    assert [each.state for each in later] == [WriteState.WRITTEN, WriteState.DEAD]
    assert part_writes.revised(later, [ONE], revision=7, now=301_001) == (written,)


def test_a_part_that_is_routed_now_has_no_unrouted_write_any_more() -> None:
    waiting = part_writes.revised((), [], revision=7, now=1)
    for revision in (7, 8):
        for writes in (waiting, unrouted()):
            assert [write.id for write in part_writes.revised(writes, [ONE], revision=revision, now=2)] == [
                "w1"
            ]


def test_a_written_event_in_a_calendar_that_is_no_target_any_more_waits_to_be_removed() -> None:
    [written] = part_writes.revised((), [ONE], revision=7, now=1)
    written = replace(written, state=WriteState.WRITTEN, event_id="e")
    old, new = part_writes.revised((written,), [TWO], revision=8, now=2)
    assert (old.wanted, old.event_id, new.state) == (False, "e", WriteState.PENDING)
    assert not part_writes.is_everywhere((old, new))
    there = replace(new, state=WriteState.WRITTEN)
    assert part_writes.is_everywhere((old, there))
    assert part_writes.removable((old, there), 3) == [old]
    gone = state.removed(old, gone=False, now=4)
    assert (gone.state, gone.event_id, gone.generation) == (WriteState.SUPERSEDED, "", 1)
    assert part_writes.removable((gone, there), 5) == []


def test_what_was_never_written_need_not_be_removed() -> None:
    [pending] = part_writes.revised((), [ONE], revision=7, now=1)
    old, _ = part_writes.revised((pending,), [TWO], revision=8, now=2)
    assert (old.wanted, old.state) == (False, WriteState.SUPERSEDED)


def test_a_create_in_doubt_must_be_removed() -> None:
    [pending] = part_writes.revised((), [ONE], revision=7, now=1)
    doubtful = state.intended(pending, Intent(operation="create", revision=7, generation=0, at=2), now=2)
    old, _ = part_writes.revised((doubtful,), [TWO], revision=8, now=3)
    assert part_writes.removable((old,), 3) == [old]


def test_a_calendar_that_is_a_target_again_is_written_again() -> None:
    [written] = part_writes.revised((), [ONE], revision=7, now=1)
    written = replace(written, state=WriteState.WRITTEN, event_id="e")
    gone = state.removed(part_writes.revised((written,), [TWO], revision=8, now=2)[0], gone=False, now=3)
    back = part_writes.revised((gone,), [ONE], revision=8, now=4)[0]
    assert (back.wanted, back.state, back.generation) == (True, WriteState.PENDING, 1)


def test_a_part_that_is_routed_nowhere_keeps_its_events_and_stops_what_is_under_way() -> None:
    first, second = part_writes.revised((), [ONE, TWO], revision=7, now=1)
    first = replace(first, state=WriteState.WRITTEN, event_id="e")
    kept, waiting, part = part_writes.revised((first, second), [], revision=8, now=2)
    assert kept == first
    assert (waiting.state, waiting.reason, waiting.due_at) == (WriteState.RETRYING, UNROUTED, part.due_at)
    kept, stopped, part = unrouted(first, second, revision=8)
    assert kept == first
    assert (stopped.state, stopped.reason) == (WriteState.DEAD, UNROUTED)
    assert (part.id, part.state) == (UNROUTED, WriteState.DEAD)


def test_a_renamed_calendar_is_the_same_write() -> None:
    writes = part_writes.revised((), [ONE], revision=7, now=1)
    [renamed] = part_writes.revised(
        writes, [part_writes.Target("w1", "talks", ONE.address)], revision=7, now=2
    )
    assert (renamed.calendar, renamed.state) == ("talks", WriteState.PENDING)


def test_only_open_writes_whose_time_has_come_are_due() -> None:
    [pending, other] = part_writes.revised((), [ONE, TWO], revision=7, now=1)
    later = state.failed(pending, FAILURE, due_at=50, parked=False, detail="", now=9)
    dead = state.failed(other, FAILURE, due_at=None, parked=False, detail="", now=9)
    assert part_writes.due((later, dead), 49) == []
    assert part_writes.due((later, dead), 50) == [later]


def test_a_failure_is_kept_with_the_time_of_the_first_one() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    write = state.failed(write, FAILURE, due_at=50, parked=False, detail="backendError", now=10)
    write = state.failed(write, FAILURE, due_at=90, parked=False, detail="backendError", now=60)
    assert (write.state, write.failing_since, write.due_at, len(write.attempts)) == (
        WriteState.RETRYING,
        10,
        90,
        2,
    )
    assert (write.reason, write.detail) == ("transient", "backendError")


def test_a_write_is_delayed_since_its_first_failure_or_wait_until_it_is_written() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    assert not write.is_delayed
    for parked in (False, True, False):
        write = state.failed(write, FAILURE, due_at=50, parked=parked, detail="", now=10)
        write = state.waiting(write, due_at=90, parked=parked, reason="invalid_grant", now=60)
        assert (write.is_delayed, write.failing_since) == (True, 10)
    intent = Intent(operation="create", revision=7, generation=0, at=2)
    assert state.intended(write, intent, now=70).failing_since == 10
    assert not state.passed_on(write, revision=7, now=80).is_delayed
    [moved] = part_writes.revised((write,), [ONE], revision=8, now=80)
    assert (moved.is_delayed, moved.failing_since) == (False, 0)


def test_a_wait_for_its_account_delays_a_write_and_a_turn_at_a_busy_one_does_not() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    busy = state.waiting(write, due_at=50, parked=False, reason="busy", now=9, busy=True)
    assert (busy.state, busy.is_delayed) == (WriteState.RETRYING, False)
    waits = state.waiting(busy, due_at=90, parked=True, reason="invalid_grant", now=10)
    assert (waits.is_delayed, waits.failing_since) == (True, 10)
    dead = state.given_up(waits, reason="auth", detail="invalid_grant", now=99)
    assert (dead.state, dead.reason, dead.due_at, dead.waiting) == (WriteState.DEAD, "auth", 0, False)
    [replayed] = part_writes.asked((dead,), "replay w1\n", now=100)
    assert (replayed.state, replayed.failing_since) == (WriteState.PENDING, 0)


def test_a_part_is_due_when_the_first_of_its_open_writes_is() -> None:
    first, second = part_writes.revised((), [ONE, TWO], revision=7, now=1)
    first = state.failed(first, FAILURE, due_at=90, parked=False, detail="", now=10)
    second = state.failed(second, FAILURE, due_at=50, parked=False, detail="", now=10)
    assert part_writes.part_state((first, second)) == ("open", 50)
    dead = replace(second, state=WriteState.DEAD)
    assert part_writes.part_state((first, dead)) == ("open", 90)
    there = replace(first, state=WriteState.WRITTEN)
    assert part_writes.part_state((there, dead)) == ("dead", 0)
    assert part_writes.part_state((there,)) == ("done", 0)


def test_a_removal_under_way_waits_for_what_is_wanted_without_being_due_all_the_time() -> None:
    [written] = part_writes.revised((), [ONE], revision=7, now=1)
    written = replace(written, state=WriteState.WRITTEN, event_id="e")
    old, new = part_writes.revised((written,), [TWO], revision=8, now=2)
    removing = state.intended(old, Intent(operation="delete", revision=8, generation=0, at=3), now=3)
    waiting = state.failed(new, FAILURE, due_at=90, parked=False, detail="", now=10)
    assert part_writes.part_state((removing, waiting)) == ("open", 90)
    there = replace(new, state=WriteState.WRITTEN)
    failed = state.failed(removing, FAILURE, due_at=70, parked=False, detail="", now=10)
    assert part_writes.part_state((failed, there)) == ("open", 70)
    assert part_writes.part_state((state.removed(failed, gone=False, now=20), there)) == ("done", 0)


def test_of_very_many_attempts_the_first_and_the_newest_are_kept() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    for number in range(100):
        write = state.failed(
            write, replace(FAILURE, at=number), due_at=1, parked=False, detail="", now=number + 1
        )
    assert len(write.attempts) == state.MOST_ATTEMPTS
    assert [write.attempts[0].at, write.attempts[1].at, write.attempts[-1].at] == [0, 71, 99]


def test_success_clears_the_intent_and_the_failure() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    write = state.intended(write, Intent(operation="create", revision=7, generation=1, at=2), now=2)
    write = state.failed(write, FAILURE, due_at=50, parked=False, detail="x", now=9)
    write = state.written(
        write,
        revision=7,
        generation=1,
        event_id="e",
        etag="t",
        uid="u",
        digest="d",
        online=False,
        url="",
        degraded=(),
        now=10,
    )
    assert (write.state, write.intent, write.reason, write.failing_since) == (WriteState.WRITTEN, None, "", 0)
    assert (write.written_revision, write.generation) == (7, 1)


# -- what operators ask for


def dead(write: Write) -> Write:
    return state.failed(write, FAILURE, due_at=None, parked=False, detail="", now=9)


def test_a_replay_opens_a_dead_write_with_its_history_and_identity() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    letter = replace(dead(write), generation=2)
    [replayed] = part_writes.asked((letter,), "replay w1\n", now=10)
    assert (replayed.state, replayed.generation, replayed.tries, replayed.failing_since) == (
        WriteState.PENDING,
        2,
        0,
        0,
    )
    assert replayed.attempts == letter.attempts


def test_a_replay_of_what_is_not_dead_changes_nothing() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    written = replace(write, state=WriteState.WRITTEN)
    assert part_writes.asked((written,), "replay w1\n", now=10) == (written,)


@pytest.mark.parametrize("ask", ["retry w1\n", "replay w1\n", "resync\n"])
@pytest.mark.parametrize("parked", [True, False])
def test_what_is_delayed_is_due_at_once_where_somebody_asks_and_no_younger_for_it(
    ask: str, parked: bool
) -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    delayed = state.failed(write, FAILURE, due_at=9000, parked=parked, detail="", now=10)
    [asked] = part_writes.asked((delayed,), ask, now=20)
    assert part_writes.due((asked,), 20) == [asked]
    assert asked == replace(delayed, due_at=0, repair=ask == "resync\n")


def test_a_retry_changes_nothing_of_what_is_not_delayed() -> None:
    [pending] = part_writes.revised((), [ONE], revision=7, now=1)
    written = replace(pending, state=WriteState.WRITTEN, event_id="e")
    [old, _] = part_writes.revised((written,), [TWO], revision=8, now=2)
    later_look = state.removed(replace(old, looks=0), gone=False, now=3)
    assert later_look.state is WriteState.RETRYING
    for write in (pending, written, dead(pending), later_look):
        assert part_writes.asked((write,), "retry w1\n", now=20) == (write,)


def test_an_ask_concerns_the_write_it_names() -> None:
    first, second = (dead(write) for write in part_writes.revised((), [ONE, TWO], revision=7, now=1))
    one, other = part_writes.asked((first, second), "discard w2\n", now=10)
    assert (one.state, other.state) == (WriteState.DEAD, WriteState.CANCELLED)


def test_a_resync_looks_at_everything_that_was_written_again() -> None:
    first, second = part_writes.revised((), [ONE, TWO], revision=7, now=1)
    written, letter = replace(first, state=WriteState.WRITTEN, written_revision=7), dead(second)
    one, other = part_writes.asked((written, letter), "resync\n", now=10)
    assert (one.state, one.written_revision, other.state) == (WriteState.PENDING, 7, WriteState.DEAD)


def test_a_discarded_part_without_route_is_not_reported_again_until_it_is_booked_anew() -> None:
    discarded = part_writes.asked(unrouted(), f"discard {UNROUTED}\n", now=2)
    assert discarded[0].state is WriteState.CANCELLED
    assert part_writes.revised(discarded, [], revision=7, now=3) == discarded
    assert part_writes.revised(discarded, [], revision=8, now=3)[0].state is WriteState.RETRYING


# -- withdrawing


def test_a_withdrawn_part_is_removed_where_it_was_and_done_with_where_it_never_was() -> None:
    first, second = part_writes.revised((), [ONE, TWO], revision=7, now=1)
    written = replace(first, state=WriteState.WRITTEN, event_id="e")
    there, never = part_writes.withdrawn((written, second), revision=8, now=2)
    assert part_writes.removable((there, never), 3) == [there]
    assert never.state is WriteState.CANCELLED
    assert state.removed(there, gone=True, now=4).state is WriteState.CANCELLED


def test_an_unrouted_part_that_is_withdrawn_leaves_nothing() -> None:
    assert part_writes.withdrawn(part_writes.revised((), [], revision=7, now=1), revision=8, now=2) == ()


def test_a_create_in_doubt_is_looked_for_again_after_a_minute_ten_and_an_hour() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    doubtful = state.intended(write, Intent(operation="create", revision=7, generation=0, at=2), now=2)
    [write] = part_writes.withdrawn((doubtful,), revision=8, now=3)
    waits = []
    while part_writes.removable((write,), 10**12):
        write = state.removed(write, gone=True, now=1000)
        waits.append(write.due_at - 1000)
    assert waits == [60_000, 600_000, 3_600_000, -1000]
    assert (write.state, write.looks) == (WriteState.CANCELLED, -1)


def test_what_is_booked_again_after_it_was_withdrawn_is_written_again() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    written = replace(write, state=WriteState.WRITTEN, event_id="e", written_revision=7)
    cancelled = tuple(
        state.removed(each, gone=True, now=3) for each in part_writes.withdrawn((written,), revision=8, now=2)
    )
    [again] = part_writes.revised(cancelled, [ONE], revision=9, now=4)
    assert (again.state, again.wanted, again.revision, again.written_revision) == (
        WriteState.PENDING,
        True,
        9,
        0,
    )


def test_a_later_look_waits_for_its_own_time_and_not_for_an_account() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    doubtful = state.intended(write, Intent(operation="create", revision=7, generation=0, at=2), now=2)
    [gone] = part_writes.withdrawn((doubtful,), revision=8, now=3)
    waiting = state.waiting(gone, due_at=50, parked=False, reason="rateLimitExceeded", now=4)
    looked = state.removed(waiting, gone=True, now=1000)
    assert part_writes.removable((looked,), 2000) == []
    assert part_writes.removable((looked,), 61_000) == [looked]


def test_an_adopted_event_is_the_write_s_and_is_looked_at_before_anything_is_sent() -> None:
    [pending] = part_writes.revised((), [ONE], revision=7, now=1)
    there = replace(
        pending, state=WriteState.SUPERSEDED, event_id="old", etag="t", uid="u", written_revision=5
    )
    adoption = part_writes.Adoption("w1", generation=1, revision=9, event_id="new")
    [adopted] = part_writes.asked((there,), f"resync\n{adoption.ask}\n", now=3)
    assert (adopted.state, adopted.event_id, adopted.generation) == (WriteState.PENDING, "new", 1)
    assert (adopted.etag, adopted.uid, adopted.written_revision) == ("", "", 9)
    [older] = part_writes.asked((there,), adoption._replace(revision=2).ask, now=3)
    assert older.written_revision == 7  # as new as what is booked: it is not overwritten without a look


def test_an_adopted_event_of_a_part_that_goes_elsewhere_is_to_be_removed() -> None:
    [write] = part_writes.revised((), [ONE], revision=7, now=1)
    gone = state.unwanted(write, WriteState.CANCELLED, revision=8, now=2)
    ask = part_writes.Adoption("w1", generation=0, revision=7, event_id="left").ask
    [adopted] = part_writes.asked((gone,), ask, now=3)
    assert part_writes.removable((adopted,), now=3) == [adopted]


def test_nothing_is_adopted_by_another_write() -> None:
    writes = part_writes.revised((), [ONE, TWO], revision=7, now=1)
    ask = part_writes.Adoption("w2", generation=0, revision=7, event_id="e").ask
    assert [write.event_id for write in part_writes.asked(writes, ask, now=3)] == ["", "e"]
