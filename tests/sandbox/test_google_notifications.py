import pytest

from sandbox.server import Sandbox
from tests.sandbox.clients import Client, google_event

GUESTS = [{"email": "manager@globex.com"}, {"email": "candidate@initech.com"}]


@pytest.mark.parametrize(
    ("send_updates", "recipients"),
    [
        ("all", [["manager@globex.com", "candidate@initech.com"]]),
        ("externalOnly", [["candidate@initech.com"]]),
        ("none", []),
    ],
)
async def test_mail_goes_to_whom_send_updates_says(
    box: Sandbox, google: Client, send_updates: str, recipients: list[list[str]]
) -> None:
    await google("POST", json=google_event(attendees=GUESTS), sendUpdates=send_updates)
    assert [mail.recipients for mail in box.state.journal.notifications] == recipients


async def test_nobody_is_mailed_unless_asked(box: Sandbox, google: Client) -> None:
    await google("POST", json=google_event(attendees=GUESTS))
    await google("DELETE", "/meeting1")
    assert not box.state.journal.notifications


async def test_without_guests_there_is_nobody_to_mail(box: Sandbox, google: Client) -> None:
    await google("POST", json=google_event(), sendUpdates="all")
    assert not box.state.journal.notifications


async def test_a_guest_who_is_removed_hears_of_it_too(box: Sandbox, google: Client) -> None:
    await google("POST", json=google_event(attendees=GUESTS))
    await google("PATCH", "/meeting1", {"attendees": GUESTS[:1]}, sendUpdates="all")
    (mail,) = box.state.journal.notifications
    assert (mail.kind, mail.recipients) == ("update", ["manager@globex.com", "candidate@initech.com"])


async def test_an_unknown_policy_is_refused(google: Client) -> None:
    answer = await google("POST", json=google_event(), sendUpdates="some")
    assert (answer.status, answer.reason) == (400, "invalid")
