from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from workers.calendars.windows_zones import windows_name, zone_of

SUMMER = datetime(2026, 7, 1, 12)  # noqa: DTZ001 - wall times have no zone
WINTER = datetime(2026, 12, 1, 12)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("Europe/London", "GMT Standard Time"),
        ("America/New_York", "Eastern Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Australia/Lord_Howe", "Lord Howe Standard Time"),
        ("Etc/UTC", "UTC"),
    ],
)
def test_a_zone_has_its_windows_name(zone: str, name: str) -> None:
    assert windows_name(zone, [SUMMER, WINTER]) == name


def test_a_zone_unknown_to_windows_has_none() -> None:
    assert windows_name("Antarctica/Troll", [SUMMER]) is None


@pytest.mark.parametrize("zone", ["Antarctica/Casey", "Antarctica/Vostok"])
def test_a_windows_zone_with_other_rules_is_refused(zone: str) -> None:
    assert windows_name(zone, [SUMMER]) is None


def test_one_time_under_other_rules_is_enough_to_refuse() -> None:
    # Scoresbysund went with the Azores, its Windows zone, until 2024
    before = datetime(2023, 1, 1, 12)  # noqa: DTZ001 - wall times have no zone

    assert windows_name("America/Scoresbysund", [before]) == "Azores Standard Time"
    assert windows_name("America/Scoresbysund", [before, SUMMER]) is None


@pytest.mark.parametrize("fold", [0, 1])
def test_a_repeated_local_time_is_refused(fold: int) -> None:
    assert windows_name("Europe/London", [datetime(2026, 10, 25, 1, 30, fold=fold)]) is None  # noqa: DTZ001


def test_a_skipped_local_time_is_refused() -> None:
    assert windows_name("Africa/Cairo", [datetime(2026, 4, 24)]) is None  # noqa: DTZ001 - no such midnight


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("UTC", ZoneInfo("Etc/UTC")),
        ("GMT Standard Time", ZoneInfo("Europe/London")),
        ("Europe/Paris", ZoneInfo("Europe/Paris")),
        ("Mars Standard Time", None),
    ],
)
def test_a_zone_name_of_a_reply_is_understood(name: str, zone: ZoneInfo | None) -> None:
    assert zone_of(name) == zone
