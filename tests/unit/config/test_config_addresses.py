"""What identifies a calendar at its provider, whatever it is called here."""

import json
from pathlib import Path
from typing import Any

import pytest

from config.errors import ConfigError
from config.load import parse
from config.settings import CalendarAddress, Settings

ENVIRON = {
    "SECRET": "s",
    "KEY": json.dumps({"client_email": "Sync@p.example.com", "private_key": "k", "token_uri": "u"}),
    "USER": json.dumps({"client_id": "i", "client_secret": "s", "refresh_token": "r"}),
}
ACCOUNTS: dict[str, dict[str, str]] = {
    "for-hr": {"provider": "google", "service_account": "env:KEY", "subject": "HR@example.com"},
    "robot": {"provider": "google", "service_account": "env:KEY"},
    "user": {"provider": "google", "authorized_user": "env:USER"},
    "ms": {"provider": "microsoft", "tenant_id": "t", "client_id": "c", "client_secret": "env:SECRET"},
}


def configured(*calendars: dict[str, Any]) -> Settings:
    accounts = [{"name": name, **account} for name, account in ACCOUNTS.items()]
    named = [{"name": f"c{at}", **each} for at, each in enumerate(calendars)]
    return parse({"accounts": accounts, "calendars": named}, folder=Path("/nowhere"), environ=ENVIRON)


@pytest.mark.parametrize(
    ("calendar", "address"),
    [
        ({"account": "for-hr"}, ("google", "hr@example.com", "primary")),
        ({"account": "for-hr", "calendar_id": ""}, ("google", "hr@example.com", "primary")),
        ({"account": "for-hr", "calendar_id": "hr@EXAMPLE.com"}, ("google", "hr@example.com", "primary")),
        (
            {"account": "for-hr", "calendar_id": "team@group.calendar.google.com"},
            ("google", "hr@example.com", "team@group.calendar.google.com"),
        ),
        ({"account": "robot"}, ("google", "sync@p.example.com", "primary")),
        ({"account": "robot", "calendar_id": "Room@example.com"}, ("google", "", "room@example.com")),
        ({"account": "user"}, ("google", "account:user", "primary")),
        ({"account": "user", "calendar_id": "anna@example.com"}, ("google", "", "anna@example.com")),
        ({"account": "ms", "mailbox": "Panel@Example.com"}, ("microsoft", "panel@example.com", "")),
        (
            {"account": "ms", "mailbox": "panel@example.com", "calendar_id": "AQMkADAw="},
            ("microsoft", "panel@example.com", "AQMkADAw="),
        ),
    ],
)
def test_an_address_is_provider_owner_and_calendar_id(
    calendar: dict[str, str], address: tuple[str, str, str]
) -> None:
    settings = configured(calendar)
    assert settings.address(settings.calendars[0]) == address


def test_the_calendar_id_that_is_sent_is_not_changed_but_for_the_default() -> None:
    settings = configured({"account": "robot", "calendar_id": "Room@example.com"}, {"account": "robot"})
    assert [each.calendar_id for each in settings.calendars] == ["Room@example.com", "primary"]


def test_a_renamed_calendar_keeps_its_address_and_is_found_by_it() -> None:
    address = CalendarAddress("google", "hr@example.com", "primary")
    settings = configured({"account": "for-hr", "name": "renamed"})
    found = settings.calendar_at(address)
    assert found is not None
    assert found.name == "renamed"
    assert settings.calendar_at(CalendarAddress("google", "", "x")) is None


def test_one_calendar_under_two_spellings_is_refused() -> None:
    with pytest.raises(ConfigError, match='"c1" is the same calendar as "c0"'):
        configured({"account": "for-hr"}, {"account": "for-hr", "calendar_id": "HR@example.com"})


def test_calendar_ids_of_microsoft_that_differ_in_capitals_are_two_calendars() -> None:
    mailbox = {"account": "ms", "mailbox": "panel@example.com"}
    settings = configured(mailbox | {"calendar_id": "AQMkAD"}, mailbox | {"calendar_id": "AQMkAd"})
    assert len({settings.address(each) for each in settings.calendars}) == 2
