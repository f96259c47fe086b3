"""Names that must never clash and never change."""

import string

from hypothesis import given
from hypothesis import strategies as st

from bookings.identity import booking_id, delivery_id, part_id, write_id, write_key
from config.settings import CalendarAddress

ADDRESS = CalendarAddress("google", "hr@globex.example", "primary")
ALPHABET = set(string.digits + string.ascii_lowercase[:22])  # what Google accepts in an event's id

texts = st.text(max_size=20)
addresses = st.builds(CalendarAddress, st.sampled_from(["google", "microsoft"]), texts, texts)
keys = st.tuples(texts, texts, st.none() | texts, addresses, st.integers(0, 5))


def test_the_identity_of_a_write_never_changes() -> None:
    # Events at the providers carry these: another value would write everything a second time.
    assert write_key("hiring", "event-1", "123", ADDRESS, 0) == "hl2lts4ule6551c4k6pfneuunc9ngaui"
    assert write_key("hiring", "event-1", None, ADDRESS, 0) == "3m0uttd1l26jo9dbusupufj7igo45bkl"


@given(keys)
def test_an_identity_is_an_event_id_that_google_accepts(
    key: tuple[str, str, str | None, CalendarAddress, int],
) -> None:
    spelt = write_key(*key)
    assert len(spelt) == 32
    assert set(spelt) <= ALPHABET


@given(keys, keys)
def test_different_writes_have_different_identities(
    one: tuple[str, str, str | None, CalendarAddress, int],
    other: tuple[str, str, str | None, CalendarAddress, int],
) -> None:
    assert (write_key(*one) == write_key(*other)) == (one == other)


def test_fields_do_not_run_into_each_other() -> None:
    assert booking_id("a", "bc") != booking_id("ab", "c")
    assert booking_id("a|1:b", "c") != booking_id("a", "b|c")
    assert delivery_id("app", None, b"body") != delivery_id("app", "link", b"body")


def test_a_part_without_sequence_id_is_not_the_part_with_an_empty_one() -> None:
    assert part_id(None) != part_id("")
    assert write_key("a", "b", None, ADDRESS, 0) != write_key("a", "b", "", ADDRESS, 0)


def test_lone_surrogates_do_not_break_a_name() -> None:
    assert part_id("\ud800") != part_id("\udc00")


def test_a_write_is_named_by_the_provider_s_address() -> None:
    assert write_id(ADDRESS) == write_id(CalendarAddress("google", "hr@globex.example", "primary"))
    assert write_id(ADDRESS) != write_id(ADDRESS._replace(owner="it@globex.example"))
