"""Which class an error answer belongs to."""

import json
from typing import Any

import pytest

from workers.calendars import google_errors, microsoft_errors
from workers.calendars.http import Answer
from workers.errors import CalendarError, ErrorClass, FormRefused, Taken

T, TH, P, A, G, C, X = (
    ErrorClass.TRANSIENT,
    ErrorClass.THROTTLED,
    ErrorClass.PARK,
    ErrorClass.AUTH,
    ErrorClass.GONE,
    ErrorClass.CONFLICT,
    ErrorClass.PERMANENT,
)
HTML = b"<html>Bad gateway</html>"


def google(status: int, reason: str, message: str = "", *, details: str = "") -> Answer:
    error: dict[str, Any] = {"code": status, "message": message}
    error["errors"] = [{"reason": reason, "message": message}]
    if details:
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": details}]
    return Answer(status, {}, json.dumps({"error": error}).encode())


def graph(status: int, code: str, *inner: str, **error: Any) -> Answer:
    nested: dict[str, Any] = {}
    for each in reversed(inner):
        nested = {"code": each, "innerError": nested}
    body = {"error": {"code": code, "message": "", "innerError": nested, **error}}
    return Answer(status, {"request-id": "r1"}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        (google(429, "rateLimitExceeded"), TH),
        (google(403, "rateLimitExceeded"), TH),
        (google(403, "userRateLimitExceeded"), TH),
        (google(403, "quotaExceeded"), P),
        (google(403, "dailyLimitExceeded"), P),
        (google(403, "forbidden"), C),
        (google(403, "insufficientPermissions"), A),
        (google(403, "accessNotConfigured"), A),
        (google(403, "forbidden", details="SERVICE_DISABLED"), A),
        (google(403, "notACalendarUser"), P),
        (google(403, "domainPolicy"), P),
        (google(403, "somethingNew"), P),
        (google(403, "forbiddenForNonOrganizer"), X),
        (google(401, "authError"), A),
        (google(404, "notFound"), G),
        (google(410, "deleted"), G),
        (google(412, "conditionNotMet"), C),
        (google(400, "timeRangeEmpty"), X),
        (google(413, "uploadTooLarge"), X),
        (google(500, "backendError"), T),
        (Answer(502, {}, HTML), T),
        (Answer(200, {}, HTML), T),
        (Answer(200, {}, b""), T),
        (Answer(404, {}, HTML), T),
        (Answer(403, {}, HTML), T),
        (Answer(410, {}, b""), T),
        (Answer(401, {}, b""), A),
        (Answer(412, {}, b""), C),
        (Answer(429, {}, HTML), TH),
    ],
)
def test_google_s_answers(answer: Answer, error_class: ErrorClass) -> None:
    with pytest.raises(CalendarError) as raised:
        google_errors.raise_for_answer(answer)
    assert raised.value.error_class is error_class


@pytest.mark.parametrize(
    "reason", ["notACalendarUser", "domainPolicy", "requiredAccessLevel", "somethingNew"]
)
def test_a_refusal_means_the_same_on_an_insert_and_on_a_patch(reason: str) -> None:
    classes = set()
    for creating in ("", "k"):
        with pytest.raises(CalendarError) as raised:
            google_errors.raise_for_answer(google(403, reason), creating=creating)
        classes.add(raised.value.error_class)
    assert classes == {P}


def test_google_s_answers_to_an_insert() -> None:
    with pytest.raises(Taken) as taken:
        google_errors.raise_for_answer(google(409, "duplicate"), creating="k")
    assert taken.value.event_id == "k"
    for status, error_class in ((404, P), (403, P)):
        with pytest.raises(CalendarError) as raised:
            google_errors.raise_for_answer(
                google(status, "notFound" if status == 404 else "forbidden"), creating="k"
            )
        assert raised.value.error_class is error_class


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Invalid conference type value.", "conference"),
        ("Invalid time zone definition for start time.", "zone"),
    ],
)
def test_google_refuses_one_form_of_a_field(message: str, field: str) -> None:
    with pytest.raises(FormRefused) as refused:
        google_errors.raise_for_answer(google(400, "invalid", message))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        (graph(429, "ApplicationThrottled"), TH),
        (graph(429, "TooManyRequests", "activityLimitReached"), TH),
        (graph(503, "serviceNotAvailable"), T),
        (graph(500, "ErrorInternalServerTransientError"), T),
        (graph(400, "ErrorServerBusy"), T),
        (graph(423, "locked"), T),
        (graph(509, "bandwidth"), T),
        (graph(507, "ErrorQuotaExceeded"), P),
        (graph(404, "MailboxNotEnabledForRESTAPI"), P),
        (graph(404, "ErrorInvalidUser"), P),
        (graph(401, "InvalidAuthenticationToken"), A),
        (graph(403, "ErrorAccessDenied"), P),
        (graph(403, "DelegatedCalendarAccessDenied"), P),
        (graph(403, "ErrorSendAsDenied"), P),
        (graph(403, "ErrorCannotDeleteObject"), P),
        (graph(403, "SomethingNew"), P),
        (graph(403, "Authorization_RequestDenied"), A),
        (graph(403, "AccessDenied", "insufficient_claims"), A),
        (graph(404, "ErrorItemNotFound"), G),
        (graph(410, "Gone"), G),
        (graph(412, "ErrorIrresolvableConflict"), C),
        (graph(409, "ErrorIrresolvableConflict"), C),
        (graph(409, "Conflict", "ConcurrentItemSave"), C),
        (graph(400, "ErrorInvalidRequest"), X),
        (graph(415, "UnsupportedMediaType"), X),
        (Answer(502, {}, HTML), T),
        (Answer(200, {}, HTML), T),
        (Answer(201, {}, b""), T),
        (Answer(404, {}, HTML), T),
        (Answer(403, {}, b""), T),
        (Answer(401, {}, b""), A),
        (Answer(412, {}, b""), C),
        (Answer(429, {}, HTML), TH),
    ],
)
def test_graph_s_answers(answer: Answer, error_class: ErrorClass) -> None:
    with pytest.raises(CalendarError) as raised:
        microsoft_errors.raise_for_answer(answer)
    assert raised.value.error_class is error_class


@pytest.mark.parametrize("status", [400, 409])
def test_graph_names_the_event_that_has_our_transaction_id(status: int) -> None:
    answer = graph(status, "ErrorDuplicateTransactionId", **{"@event.existingEventId": "AAA"})
    with pytest.raises(Taken) as taken:
        microsoft_errors.raise_for_answer(answer)
    assert (taken.value.event_id, taken.value.request_id) == ("AAA", "r1")


def test_graph_refuses_a_zone() -> None:
    with pytest.raises(FormRefused) as refused:
        microsoft_errors.raise_for_answer(graph(400, "TimeZoneNotSupportedException"))
    assert refused.value.field == "zone"


def test_nothing_found_on_a_calendar_is_not_a_deleted_event() -> None:
    with pytest.raises(CalendarError) as raised:
        microsoft_errors.raise_for_answer(graph(404, "ErrorItemNotFound"), calendar=True)
    assert raised.value.error_class is P


@pytest.mark.parametrize(
    ("value", "seconds"), [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), ("soon", None), ("", None)]
)
def test_retry_after_is_read_in_seconds(value: str, seconds: float | None) -> None:
    assert Answer(429, {"Retry-After": value}, b"").retry_after == seconds


@pytest.mark.parametrize("unknown", [Answer(503, {}, HTML), Answer(200, {}, HTML), Answer(404, {}, HTML)])
def test_an_answer_that_says_nothing_leaves_the_outcome_unknown(unknown: Answer) -> None:
    for raise_for_answer in (google_errors.raise_for_answer, microsoft_errors.raise_for_answer):
        with pytest.raises(CalendarError) as raised:
            raise_for_answer(unknown)
        assert raised.value.unknown


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (google(400, "invalid", "Invalid start time."), "start"),
        (google(400, "timeRangeEmpty", "The specified time range is empty."), "end"),
        (google(400, "invalid", "Reminder minutes must be between 0 and 40320."), "reminders"),
        (google(400, "invalid", "A provided value exceeds the allowed size limit."), ""),
        (google(400, "badRequest", "Invalid value at 'body' (object), 5"), ""),
        (google(403, "rateLimitExceeded", "Too many requests to this location"), ""),
        (graph(400, "ErrorCalendarDurationIsTooLong"), "end"),
        (graph(400, "ErrorCalendarEndDateIsEarlierThanStartDate"), "end"),
        (graph(400, "ErrorMessageSizeExceeded"), "description"),
        (graph(400, "ErrorInvalidRequest", "ErrorCalendarDurationIsTooLong"), "end"),
        (graph(400, "ErrorCalendarOutOfRange", message="The dateTime of start is out of range."), "start"),
        (graph(400, "ErrorInvalidParameter", target="reminderMinutesBeforeStart"), "reminders"),
        (graph(400, "ErrorInvalidRequest", message="The endpoint is not there. Hush, bodyguards!"), ""),
        (graph(400, "BadRequest", message="Unable to read the request body."), ""),
    ],
)
def test_a_refused_value_names_its_field_and_nothing_else(answer: Answer, field: str) -> None:
    module = microsoft_errors if "request-id" in answer.headers else google_errors
    with pytest.raises(CalendarError) as raised:
        module.raise_for_answer(answer)
    code = raised.value.code
    assert raised.value.field == field
    assert raised.value.detail == (f"{field}: refused by the provider ({code})" if field else code)
