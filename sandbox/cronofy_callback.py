"""What Cronofy sends when a time has been chosen, and how it signs it. No I/O.

Sources: docs.cronofy.com/developers/, in there api/scheduling/real-time-sequencing/,
workflow-triggers/scheduling-triggers/ and embedded-scheduler/receiving-updates/
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

from sandbox.cronofy_choice import Chosen, utc, zone_of
from sandbox.cronofy_link import CronofyApp, CronofyLink, Kind

HEADER = "Cronofy-HMAC-SHA256"
_PLACED = ("event_id", "start", "end", "tzid")


def signature(body: bytes, secrets: Iterable[str]) -> str:
    """The header's value: one signature for each active secret, with a comma between."""
    digests = (hmac.digest(secret.encode(), body, hashlib.sha256) for secret in secrets)
    return ",".join(base64.b64encode(digest).decode() for digest in digests)


def booked_event(link: CronofyLink, chosen: list[Chosen]) -> dict[str, Any]:
    """The link's event from the start of its first part to the end of its last."""
    zone = zone_of(link)
    return _timed(
        link.request["event"],
        {"time": utc(chosen[0].start), "tzid": zone},
        {"time": utc(chosen[-1].end), "tzid": zone},
    )


def callback(app: CronofyApp, link: CronofyLink, chosen: list[Chosen], at: str) -> dict[str, Any]:
    """The body. `at` is the present time, which only a notification holds."""
    if link.kind is Kind.REQUEST:
        return _notification(app, link, chosen, at)
    event = booked_event(link, chosen)
    participants = _participants(sub for each in chosen for sub in each.subs)
    if link.kind is Kind.SCHEDULING:
        return {"event": event, "participants": participants, "user": {"tzid": zone_of(link)}}
    return {"event": event, "participants": participants, "sequence": [_part(each) for each in chosen]}


def _part(chosen: Chosen) -> dict[str, Any]:
    return {
        "sequence_id": chosen.part.sequence_id,
        "event": _timed(chosen.part.event, utc(chosen.start), utc(chosen.end)),
        "participants": _participants(chosen.subs),
    }


def _participants(subs: Iterable[str]) -> list[dict[str, str]]:
    return [{"sub": sub} for sub in dict.fromkeys(subs)]


def _timed(event: dict[str, Any], start: object, end: object) -> dict[str, Any]:
    """An event with its times where the documented callbacks have them: after its id."""
    rest = {name: value for name, value in event.items() if name not in _PLACED}
    named = {"event_id": event["event_id"]} if "event_id" in event else {}
    return {**named, "start": start, "end": end, **rest}


def _notification(app: CronofyApp, link: CronofyLink, chosen: list[Chosen], at: str) -> dict[str, Any]:
    event = link.request["event"]
    lasts = chosen[-1].end - chosen[0].start
    recipients = [
        {**recipient, "select_url": link.url, "slot_selector": True}
        for recipient in link.request["recipients"]
    ]
    return {
        "notification": {"type": "scheduling_request_time_chosen", "triggered_at": at},
        "scheduling_request": {
            "scheduling_request_id": link.id,
            "slot_selection": "complete",
            "primary_select_url": link.url,
            "dashboard_url": link.url,
            "recipient_operations": {
                "view_url": link.url,
                "reschedule_url": f"{link.url}?reschedule=true",
                "decline_url": f"{link.url}?decline=true",
            },
            "summary": event["summary"],
            "duration": {"minutes": int(lasts.total_seconds()) // 60},
            "recipients": recipients,
            # The documented example shows no times; that they stand here is a guess.
            "event": booked_event(link, chosen) if app.notified_times else event,
        },
    }
