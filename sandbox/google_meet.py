"""Google Meet links: what becomes of an event's conferenceData.

A createRequest is answered later: first "pending", then "success" or "failure", seen by reading again. The
same requestId again changes nothing. A calendar that may not use Meet refuses the whole write.

A conference of a third party is written by that party's add-on only. From any other client Google refuses it
where `key.type` says "addOn", and drops it without a word where no type is said (openclaw/gogcli pull request
590, a matrix tried against the live service in May 2026).
"""

import hashlib
from typing import Any

from sandbox.google_errors import invalid, required

MEET = "hangoutsMeet"
ADD_ON = "addOn"


def asked_for(
    old: dict[str, Any] | None, body: dict[str, Any], allowed: tuple[str, ...], *, add_on: bool = False
) -> dict[str, Any] | None:
    """The conferenceData after a write that carries some.

    `allowed` are the calendar's solution types; `add_on` says whether an add-on writes, which a person calls
    from the calendar's own pages.
    """
    request = body.get("createRequest")
    if request is None:
        return {**(old or {}), **body} if add_on else _of_a_third_party(old, body)
    request_id = request.get("requestId")
    if not request_id:
        raise required("Missing conference request id.")
    if old is not None and old.get("createRequest", {}).get("requestId") == request_id:
        return old
    kind = (request.get("conferenceSolutionKey") or {}).get("type", MEET)
    if kind not in allowed:
        raise invalid("Invalid conference type value.")
    return {"createRequest": _request(request_id, kind, "pending")}


def _of_a_third_party(old: dict[str, Any] | None, body: dict[str, Any]) -> dict[str, Any] | None:
    kind = ((body.get("conferenceSolution") or {}).get("key") or {}).get("type")
    if kind == ADD_ON:
        raise invalid("Invalid conference data")
    return old if kind is None else {**(old or {}), **body}


def is_pending(conference: dict[str, Any]) -> bool:
    """Whether the vendor still owes an answer to the createRequest."""
    status = (conference.get("createRequest") or {}).get("status") or {}
    return bool(status.get("statusCode") == "pending")


def settled(conference: dict[str, Any], event_id: str, *, success: bool) -> tuple[dict[str, Any], str | None]:
    """The conferenceData once the vendor has answered, and the event's hangoutLink."""
    request_id = conference["createRequest"]["requestId"]
    kind = conference["createRequest"]["conferenceSolutionKey"]["type"]
    if not success:
        return {"createRequest": _request(request_id, kind, "failure")}, None
    code = _code(f"{event_id}/{request_id}")
    link = f"https://meet.google.com/{code}"
    return {
        "createRequest": _request(request_id, kind, "success"),
        "conferenceId": code,
        "conferenceSolution": {"key": {"type": kind}, "name": "Google Meet"},
        "entryPoints": [{"entryPointType": "video", "uri": link, "label": link.removeprefix("https://")}],
    }, link


def _request(request_id: str, kind: str, status: str) -> dict[str, Any]:
    return {
        "requestId": request_id,
        "conferenceSolutionKey": {"type": kind},
        "status": {"statusCode": status},
    }


def _code(seed: str) -> str:
    letters = "".join(chr(ord("a") + byte % 26) for byte in hashlib.sha256(seed.encode()).digest()[:10])
    return f"{letters[:3]}-{letters[3:7]}-{letters[7:]}"
