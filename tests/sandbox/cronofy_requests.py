"""What Cronofy is asked in tests."""

import json
from typing import Any

HOST = "acc_61815034636bd5c5ce4edd"
FIRST, SECOND, THIRD = "acc_5ba21743f408617d1269ea1e", "acc_64b17d868090ea21640c914c", "acc_third"

DOCUMENTED = """{
  "oauth": {
    "redirect_uri": "{REDIRECT_URI}",
  },
  "event": {
    "event_id": "qTtZdczOccgaPncGJaCiLg",
    "summary": "Product Manager Interview at Globex",
    "tzid": "Europe/London"
  },
  "availability": {
      "sequence":[
        {
          "sequence_id":"123",
          "ordinal":1,
          "participants":[
            {
              "members":[
                {
                  "sub":"acc_5ba21743f408617d1269ea1e",
                  "calendar_ids":[ "cal_n23kjnwrw2_jsdfjksn234" ]
                }
              ],
              "required":"all"
            }
          ],
          "event": {
            "event_id": "qTtZdczOccgaPncGJaCiLg",
            "summary": "Pre screen"
          },
          "required_duration":{ "minutes": 60 }
        },
        {
          "sequence_id":"456",
          "ordinal":2,
          "participants":[
            {
              "members":[
                {
                  "sub": "acc_64b17d868090ea21640c914c",
                  "available_periods": [
                    {
                      "start": "2026-04-30T09:00:00Z",
                      "end": "2026-04-30T12:00:00Z"
                    },
                    {
                      "start": "2026-05-01T10:00:00Z",
                      "end": "2026-05-01T20:00:00Z"
                    }
                  ]
                }
              ],
              "required":"all"
            }
          ],
          "event": {
            "event_id": "qTtZdczOccgaPncGJaCiLg",
            "summary": "Face to face"
          },
          "required_duration":{ "minutes": 60 }
        }
      ],
      "query_periods": [
        {
          "start": "2026-04-30T09:00:00Z",
          "end": "2026-04-30T18:00:00Z"
        },
        {
          "start": "2026-05-01T09:00:00Z",
          "end": "2026-05-01T18:00:00Z"
        }
      ]
  },
  "target_calendars": [
    {
      "sub": "acc_5ba21743f408617d1269ea1e",
      "calendar_id": "cal_n23kjnwrw2_jsdfjksn234"
    }
  ],
  "callback_url": "http://www.example.com/callback",
  "selection_mode": "no_confirm"
}"""
"""The example of docs.cronofy.com/developers/api/scheduling/real-time-sequencing/, slip included."""

REPAIRED = DOCUMENTED.replace('"{REDIRECT_URI}",', '"{REDIRECT_URI}"')
OLDER = REPAIRED.replace("2026-04-30", "2024-10-15").replace("2026-05-01", "2024-10-16")
"""The same in the page's older form."""


def sequencing(**changes: Any) -> dict[str, Any]:
    """The documented request in October 2026; see `changed`."""
    later = REPAIRED.replace("2026-04-30", "2026-10-06").replace("2026-05-01", "2026-10-07")
    return changed(json.loads(later), **changes)


def scheduling(**changes: Any) -> dict[str, Any]:
    """A request for a Real-Time Scheduling link in October 2026."""
    request = sequencing()
    part = request["availability"].pop("sequence")[0]
    for name in ("participants", "required_duration"):
        request["availability"][name] = part[name]
    return changed(request, **changes)


def scheduler_request(**changes: Any) -> dict[str, Any]:
    """The example of docs.cronofy.com/developers/api-alpha/scheduler-requests/create/."""
    request: dict[str, Any] = {
        "host": {"sub": HOST},
        "recipients": [{"email": "doc@evenitron.com", "display_name": "Dr Emmet Brown"}],
        "event": {"summary": "Driving lessons - Marty & Doc"},
    }
    return changed(request, **changes)


def changed(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """With other members, named by their path: `availability__sequence__0__event=None` takes one out."""
    for path, value in changes.items():
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("__"))
        place: Any = request
        for step in steps:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return request
