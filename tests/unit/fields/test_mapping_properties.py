import json
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

import sandbox
from sandbox.google_schema import problems
from workers.calendars import google_fields, microsoft_fields
from workers.calendars.body_text import as_html
from workers.calendars.google_fields import to_google
from workers.calendars.mapped import Mapped
from workers.calendars.microsoft_fields import splice_body, to_microsoft
from workers.calendars.outlook_body import marked
from workers.event import InvalidPart, read_event
from workers.times import AllDay, Timed

GRAPH_EVENT = jsonschema.Draft202012Validator(
    json.loads((Path(sandbox.__file__).parent / "graph_event.schema.json").read_text(encoding="utf-8"))
)
ZONES = sorted(set((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split()) - {"Factory"})
BREAK = "\n"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

zones = st.sampled_from(ZONES)
minutes_around_clock_changes = st.builds(
    # European and American zones change within these days; other zones get ordinary instants from them
    lambda day, minutes: day + timedelta(minutes=minutes),
    st.sampled_from(
        [
            datetime(2026, 3, 8, tzinfo=UTC),
            datetime(2026, 3, 28, tzinfo=UTC),
            datetime(2026, 4, 23, tzinfo=UTC),
            datetime(2026, 10, 24, tzinfo=UTC),
            datetime(2026, 11, 1, tzinfo=UTC),
        ]
    ),
    st.integers(0, 3 * 24 * 60),
)
instants = minutes_around_clock_changes | st.integers(0, 4 * 10**9).map(
    lambda seconds: EPOCH + timedelta(seconds=seconds)
)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
texts = st.text(max_size=80) | st.text("&<>\n é😀", max_size=2000)
good_fields = st.fixed_dictionaries(
    {},
    optional={
        "summary": texts,
        "description": texts,
        "url": st.sampled_from(
            ["https://globex.example/x?a&b", "http://[broken", "mailto:hr@globex.example", ""]
        ),
        "location": st.fixed_dictionaries(
            {},
            optional={
                "description": texts,
                "address": texts,
                "lat": st.just("51.5"),
                "long": st.just("-0.1"),
            },
        ),
        "reminders": st.lists(st.fixed_dictionaries({"minutes": st.integers(-9, 10**10)}), max_size=8),
        "reminders_create_only": st.booleans(),
        "transparency": st.sampled_from(["opaque", "transparent", "unknown"]),
        "extended_transparency": st.sampled_from(["tentative", "out_of_office", "working_elsewhere"]),
        "event_private": st.booleans(),
        "color": st.sampled_from(["#c6040f", "#FFFFFF", "red"]),
        "conferencing": st.fixed_dictionaries(
            {"profile_id": st.sampled_from(["none", "default", "explicit", "pro_1"])},
            optional={
                "join_url": st.sampled_from(["https://meet.globex.example/1", "zoommtg:1"]),
                "provider_description": texts,
            },
        ),
        "tags": st.fixed_dictionaries(
            {"private": st.lists(st.fixed_dictionaries({"value": texts}), max_size=5)}
        ),
    },
)
any_fields = st.dictionaries(
    st.sampled_from(
        [
            *("summary", "description", "url", "location", "reminders", "reminders_create_only", "tzid"),
            *("transparency", "extended_transparency", "event_private", "color", "conferencing", "tags"),
        ]
    ),
    json_values,
    max_size=13,
)
quick = settings(max_examples=150, deadline=None, derandomize=True)


def check_bodies(event_json: bytes) -> None:
    """Every form of both bodies is one that the provider's schema takes, and it says when the event is."""
    event = read_event(event_json)
    for on in (True, False):
        google = to_google(event, request_id="r", conference=on, named_zone=on)
        body = google.owned | google.create
        assert not google.owned.keys() & google.create.keys()
        assert problems("Event", body) == []
        assert google_fields.instants(body) == event.when
        graph = to_microsoft(event, conference=on, named_zone=on, category_for_color={"#c6040f": "Red"})
        body = graph.owned | graph.create
        assert not graph.owned.keys() & graph.create.keys()
        GRAPH_EVENT.validate(body)
        assert microsoft_fields.instants(body) == event.when
        json.dumps([google.owned, graph.owned], allow_nan=False).encode()


@quick
@given(start=instants, minutes=st.integers(0, 60 * 24 * 40), zone=zones, offset=offsets)
def test_the_instant_survives_whatever_the_zone_and_the_offset_are(
    start: datetime, minutes: int, zone: str, offset: timezone
) -> None:
    end = start + timedelta(minutes=minutes)
    sent = {
        "start": {"time": start.astimezone(offset).isoformat(), "tzid": zone},
        "end": end.isoformat().replace("+00:00", "Z"),
    }

    event = read_event(json.dumps(sent).encode())

    assert (event.when, event.zone, event.degraded) == (Timed(start, end), zone, ())
    for on in (True, False):
        assert google_fields.instants(to_google(event, request_id="r", named_zone=on).owned) == event.when
        assert microsoft_fields.instants(to_microsoft(event, named_zone=on).owned) == event.when


@quick
@given(start=instants, zone=zones)
def test_a_local_time_without_offset_means_what_the_clock_of_its_zone_shows(
    start: datetime, zone: str
) -> None:
    wall = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    sent = {"start": {"time": wall.isoformat(), "tzid": zone}, "end": "2200-01-01T00:00:00Z"}

    read = read_event(json.dumps(sent).encode()).start

    assert isinstance(read, datetime)
    assert read <= start
    assert read.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == wall


@quick
@given(
    first=st.dates(date(1971, 1, 1), date(2090, 1, 1)), days=st.integers(1, 400), zone=zones, on=st.booleans()
)
def test_whole_days_survive_in_every_zone(first: date, days: int, zone: str, on: bool) -> None:
    last = first + timedelta(days=days)
    sent = {"start": {"time": first.isoformat(), "tzid": zone}, "end": last.isoformat()}

    event = read_event(json.dumps(sent).encode())

    assert event.when == AllDay(first, last)
    assert google_fields.instants(to_google(event, request_id="r", named_zone=on).owned) == event.when
    graph = to_microsoft(event, named_zone=on).owned
    assert graph["start"]["dateTime"].endswith("T00:00:00")
    assert graph["start"]["timeZone"] == graph["end"]["timeZone"]
    assert microsoft_fields.instants(graph) == event.when


@quick
@given(fields=good_fields, start=instants, zone=zones)
def test_every_part_becomes_a_body_the_providers_take(
    fields: dict[str, Any], start: datetime, zone: str
) -> None:
    end = start + timedelta(hours=1)
    check_bodies(
        json.dumps({"start": start.isoformat(), "end": end.isoformat(), "tzid": zone, **fields}).encode()
    )


@quick
@given(fields=any_fields)
def test_whatever_stands_in_optional_fields_costs_no_part(fields: dict[str, Any]) -> None:
    times = {"start": "2026-04-30T11:00:00Z", "end": "2026-04-30T12:00:00Z"}
    check_bodies(json.dumps({**times, **fields}).encode())


@quick
@given(start=json_values, end=json_values)
def test_whatever_stands_for_the_times_is_read_or_refused_in_words(start: Any, end: Any) -> None:
    try:
        read_event(json.dumps({"start": start, "end": end}).encode())
    except InvalidPart as error:
        assert error.reason.startswith(("start", "end"))  # noqa: PT017 - not every example is refused


@quick
@given(raw=st.binary(max_size=200))
def test_whatever_bytes_come_are_refused_in_words(raw: bytes) -> None:
    try:
        read_event(raw)
    except InvalidPart as error:
        assert error.reason.startswith(("event", "start", "end"))  # noqa: PT017 - not every example is refused


@quick
@given(fields=good_fields, order=st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_the_order_of_keys(fields: dict[str, Any], order: Any) -> None:
    times = {"start": "2026-04-30T11:00:00Z", "end": "2026-04-30T12:00:00Z"}
    mapped = to_google(read_event(json.dumps({**times, **fields}).encode()), request_id="r")
    keys = list(mapped.owned)
    order.shuffle(keys)

    shuffled = Mapped(owned={key: mapped.owned[key] for key in keys}, create={"colorId": "1"})

    assert shuffled.digest == mapped.digest
    assert len(mapped.digest) == 16


@quick
@given(start=instants, minutes=st.integers(1, 600))
def test_the_digest_moves_with_the_time(start: datetime, minutes: int) -> None:
    def mapped(moved: timedelta) -> tuple[str, str]:
        sent = {"start": (start + moved).isoformat(), "end": (start + moved + timedelta(hours=1)).isoformat()}
        event = read_event(json.dumps(sent).encode())
        return to_google(event, request_id="r").digest, to_microsoft(event).digest

    before, after = mapped(timedelta()), mapped(timedelta(minutes=minutes))

    assert before[0] != after[0]
    assert before[1] != after[1]


@quick
@given(old=texts, new=texts, before=texts, after=texts, keep_marker=st.booleans())
def test_splicing_keeps_what_is_not_ours_and_never_grows(
    old: str,
    new: str,
    before: str,
    after: str,
    keep_marker: bool,
) -> None:
    ours = marked(old) if keep_marker else marked(old).replace(' class="sequence-sync-text"', "")
    others = [f"<p>Somebody wrote {as_html(text.replace(BREAK, ' '))}</p><hr>" for text in (before, after)]
    page = f"<body>{others[0]}{ours}{others[1]}<div class='me-email-text'>Join</div></body>"

    once = splice_body(page, old, new)

    if once is not None:
        assert others[0] in once
        assert others[1] in once
        assert once.endswith("<div class='me-email-text'>Join</div></body>")
        assert splice_body(once, old, new) is None
