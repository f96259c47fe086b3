"""What token endpoints answer when they give no token: whose trouble it is, and by which closed words."""

import pytest

from workers.calendars.oauth import read
from workers.errors import ErrorClass


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (429, {"error": "invalid_request"}, "invalid_request"),
        (400, {"error": "slow_down"}, "slow_down"),
        (403, {"error": "rate_limit_exceeded"}, "rate_limit_exceeded"),
        (403, {"error": "rateLimitExceeded"}, "rateLimitExceeded"),
        (400, {"error": "invalid_grant", "error_codes": [50196]}, "invalid_grant (AADSTS50196)"),
        (400, {"error": "invalid_request", "error_codes": [90055]}, "invalid_request (AADSTS90055)"),
        (403, {"error": {"code": 403, "status": "RESOURCE_EXHAUSTED"}}, "RESOURCE_EXHAUSTED"),
        (429, {}, "status_429"),
    ],
)
def test_an_endpoint_that_asks_for_a_rest_throttles_the_account(
    status: int, answer: dict[str, object], code: str
) -> None:
    failure = read(status, answer, {"Retry-After": "17"}).failure()
    assert (failure.error_class, failure.code) == (ErrorClass.THROTTLED, code)
    assert (failure.retry_after, failure.whole_account) == (17, True)


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (503, {"error": "server_error"}),
        (503, {}),
        (500, {"error": "invalid_grant"}),
        (400, {"error": "temporarily_unavailable", "error_codes": [90033]}),
        (400, {"error": "invalid_grant", "error_codes": [90033]}),
        (400, {"error": "internal_failure"}),
        (400, {"error": "server_error"}),
        (400, {}),
        (404, {"message": "no such page"}),
        (407, {"error": 7}),
    ],
)
def test_an_endpoint_that_fails_or_is_not_the_one_who_speaks_is_the_moment_s_trouble(
    status: int, answer: dict[str, object]
) -> None:
    assert read(status, answer, {}).failure().error_class is ErrorClass.TRANSIENT


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Invalid JWT: Token must be a short-lived token (60 minutes) and …", "invalid_grant (clock)"),
        ("Invalid JWT Signature.", "invalid_grant (key_unknown)"),
        ("Invalid grant: account not found", "invalid_grant (account_not_found)"),
        ("Invalid email or User ID", "invalid_grant (subject_unknown)"),
        ("Token has been expired or revoked.", "invalid_grant (consent_ended)"),
        ("somebody@globex.example has left the building", "invalid_grant"),
    ],
)
def test_google_s_refusals_of_one_name_are_told_apart_and_its_text_stays_out(text: str, code: str) -> None:
    failure = read(400, {"error": "invalid_grant", "error_description": text}, {}).failure()
    assert (failure.error_class, failure.code) == (ErrorClass.AUTH, code)


@pytest.mark.parametrize("subtype", ["invalid_rapt", "rapt_required"])
def test_a_session_that_is_to_be_signed_in_again_is_the_account_s_trouble(subtype: str) -> None:
    failure = read(400, {"error": "invalid_grant", "error_subtype": subtype}, {}).failure()
    assert (failure.error_class, failure.code) == (ErrorClass.AUTH, f"invalid_grant ({subtype})")


def test_a_number_stands_in_the_text_where_it_is_not_listed() -> None:
    answer = {
        "error": "invalid_client",
        "error_description": "AADSTS7000222: The secret of Globex is expired.",
    }
    assert read(401, answer, {}).code == "invalid_client (AADSTS7000222)"


@pytest.mark.parametrize("word", ["a whole sentence about Globex", "x" * 80, "<b>", 17, None])
def test_what_is_no_word_is_not_repeated(word: object) -> None:
    assert read(400, {"error": word}, {}).code == "status_400"
