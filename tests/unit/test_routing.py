"""Which calendars a part goes to."""

import msgspec
import pytest

from bookings.links import LinkTarget
from bookings.record import Part
from bookings.routing import route
from config.settings import Route


def part(sequence_id: str | int | None = "123", *subs: str) -> Part:
    return Part(sequence_id=sequence_id, event=msgspec.Raw(b"{}"), subs=subs)


def to(*calendars: str, app: str = "hiring", sequence_id: str | None = None, sub: str | None = None) -> Route:
    return Route(app=app, sequence_id=sequence_id, sub=sub, calendars=calendars)


@pytest.mark.parametrize(
    ("routes", "calendars"),
    [
        ([], ()),
        ([to("a", app="other")], ()),
        ([to("a")], ("a",)),
        ([to("a"), to("b", sub="acc_1")], ("b",)),
        ([to("a"), to("b", sub="acc_1"), to("c", sequence_id="123")], ("c",)),
        ([to("c", sequence_id="123"), to("d", sequence_id="123", sub="acc_1")], ("d",)),
        ([to("a", sequence_id="456")], ()),
        ([to("a", sub="acc_2")], ()),
        ([to("a", "b"), to("b", "c")], ("a", "b", "c")),
        ([to("a", sequence_id="1*"), to("b", sequence_id="12?")], ("a", "b")),
        ([to("a", sequence_id="1*"), to("b", sequence_id="123")], ("b",)),
        ([to("a", sequence_id="[!1]*")], ()),
    ],
)
def test_the_most_specific_routes_decide_together(routes: list[Route], calendars: tuple[str, ...]) -> None:
    assert route("hiring", part("123", "acc_1"), routes) == calendars


def test_an_integer_sequence_id_is_compared_as_text() -> None:
    assert route("hiring", part(123), [to("a", sequence_id="123")]) == ("a",)


def test_a_part_without_sequence_id_matches_no_sequence_id_not_even_a_star() -> None:
    assert route("hiring", part(None), [to("a", sequence_id="*"), to("b")]) == ("b",)


def test_a_link_that_names_the_part_decides_alone() -> None:
    routes = [to("a", sequence_id="123")]
    target = LinkTarget("b")
    assert route("hiring", part("123"), routes, link={"123": (target, target)}) == ("b",)
    assert route("hiring", part("123"), routes, link={"456": (target,)}) == ("a",)
    assert route("hiring", part("123"), routes, link={"123": ()}) == ("a",)


def test_a_link_s_calendar_of_a_person_counts_where_that_person_takes_part() -> None:
    link = {"123": (LinkTarget("b", "acc_1"), LinkTarget("c", "acc_2"), LinkTarget("d"))}
    assert route("hiring", part("123", "acc_2"), [], link=link) == ("c", "d")
    assert route("hiring", part("123"), [to("a")], link={"123": link["123"][:2]}) == ("a",)
