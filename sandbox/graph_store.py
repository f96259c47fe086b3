"""What happens to Microsoft's events: create, change, delete, move, change keys and transaction ids.

Every change replaces the stored event, so a reply built earlier never changes under its reader.
"""

import base64
import hashlib
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import msgspec

from sandbox import graph_body
from sandbox.clock import Clock
from sandbox.graph_errors import (
    cannot_delete,
    changed_meanwhile,
    duplicate_transaction,
    invalid,
    mailbox_unavailable,
    user_not_found,
)
from sandbox.graph_fields import DEFAULTS, check_properties, merged_fields
from sandbox.graph_mailbox import TEAMS, GraphCalendar, GraphEvent, Mailbox
from sandbox.graph_times import check_span, moment


@dataclass(slots=True)
class GraphStore:
    """All mailboxes of one sandbox."""

    clock: Clock
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    _serials: Iterator[int] = field(default_factory=lambda: count(1))
    _keys: Iterator[int] = field(default_factory=lambda: count(1))

    def put_mailbox(self, address: str, **flags: Any) -> Mailbox:
        """Make a mailbox with a default calendar, or change one; the flags are Mailbox's fields."""
        address = address.lower()
        mailbox = self.mailboxes.get(address)
        if mailbox is None:
            default = GraphCalendar(_id("AAMkAG"), "Calendar")
            mailbox = Mailbox(address, str(uuid.uuid4()), default.id, {default.id: default})
            self.mailboxes[address] = self.mailboxes[mailbox.id] = mailbox
        for name, value in flags.items():
            setattr(mailbox, name, value)
        mailbox.shared_with = frozenset(user.lower() for user in mailbox.shared_with)
        return mailbox

    def put_calendar(self, address: str, calendar_id: str | None = None, **flags: Any) -> GraphCalendar:
        """Make one more calendar in a mailbox (made if need be), or change one; None is the default calendar.

        The flags are GraphCalendar's fields.
        """
        mailbox = self.put_mailbox(address)
        calendar_id = calendar_id or mailbox.default_calendar_id
        calendar = mailbox.calendars.setdefault(calendar_id, GraphCalendar(calendar_id, calendar_id))
        for name, value in flags.items():
            setattr(calendar, name, value)
        return calendar

    def mailbox(self, user: str) -> Mailbox:
        """A mailbox by address or id; 404 for an unknown user, and for one without a mailbox."""
        found = self.mailboxes.get(user.lower())
        if found is None:
            raise user_not_found(user)
        if not found.rest_enabled:
            raise mailbox_unavailable()
        return found

    def create(
        self, mailbox: Mailbox, calendar: GraphCalendar, body: Mapping[str, Any], *, immutable: bool
    ) -> tuple[GraphEvent, bool]:
        """An event, and whether it is new: the same transactionId and content give the first one again.

        `immutable` is the kind of id that a duplicate's error names.
        """
        transaction_id = body.get("transactionId")
        content = hashlib.sha256(msgspec.json.encode(body, order="sorted")).digest()
        if transaction_id in calendar.transactions:
            known_content, immutable_id = calendar.transactions[transaction_id]
            event = mailbox.events.get(immutable_id)
            if event is not None and known_content == content:
                return event, False
            event = event or mailbox.deleted[immutable_id]
            raise duplicate_transaction(
                event.immutable_id if immutable else event.mutable_id, mailbox.duplicate_status
            )
        event = mailbox.put(self._made(mailbox, calendar, body))
        if transaction_id:
            calendar.transactions[transaction_id] = content, event.immutable_id
        return event, True

    def change(
        self, mailbox: Mailbox, event: GraphEvent, body: Mapping[str, Any], if_match: str | None = None
    ) -> GraphEvent:
        """PATCH an event: only what is sent changes, and the online meeting's own fields never do."""
        check_etag(event, if_match)
        if body.get("transactionId", event.transaction_id) != event.transaction_id:
            raise invalid("The transactionId cannot be changed after the event was created.")
        fields = merged_fields(event.fields, body)
        start = moment(body["start"], mailbox.zone_rules, "start") if "start" in body else event.start
        end = moment(body["end"], mailbox.zone_rules, "end") if "end" in body else event.end
        check_span(start, end, all_day=fields["isAllDay"])
        stored, join_url = event.body_html, event.join_url
        if "body" in body:
            stored = graph_body.as_html(body["body"])
            if join_url is not None and not graph_body.keeps_meeting(body["body"], join_url):
                join_url = None
        return mailbox.put(
            replace(
                event,
                fields=fields,
                start=start,
                end=end,
                body_html=stored,
                body_text=graph_body.as_text(stored),
                join_url=join_url,
                properties={**event.properties, **check_properties(body)},
                change_key=self._change_key(),
                modified=self.clock(),
            )
        )

    def delete(self, mailbox: Mailbox, event: GraphEvent, if_match: str | None = None) -> None:
        """Remove an event; what is kept is for inspection, and for transactionIds that remember it."""
        check_etag(event, if_match)
        if event.deleted:
            raise cannot_delete()
        mailbox.put(replace(event, deleted=True, modified=self.clock()))

    def move(self, mailbox: Mailbox, event: GraphEvent, target: GraphCalendar) -> GraphEvent:
        """What a person does who drags an event to another calendar: only its immutable id survives."""
        return mailbox.put(
            replace(
                event,
                calendar_id=target.id,
                mutable_id=_id("AAMkAG"),
                change_key=self._change_key(),
                modified=self.clock(),
            )
        )

    def copy(self, mailbox: Mailbox, event: GraphEvent, target: GraphCalendar) -> GraphEvent:
        """What a person does who copies an event in Outlook: extended properties come along, transactionId
        does not.
        """
        serial, now = next(self._serials), self.clock()
        return mailbox.put(
            replace(
                event,
                immutable_id=_id("AAkALg"),
                mutable_id=_id("AAMkAG"),
                calendar_id=target.id,
                serial=serial,
                uid=_uid(serial),
                transaction_id=None,
                change_key=self._change_key(),
                created=now,
                modified=now,
            )
        )

    def repeat(self, mailbox: Mailbox, event: GraphEvent) -> None:
        """What a person does who makes a weekly series of an event; its occurrences are not shown."""
        days = {"type": "weekly", "interval": 1, "daysOfWeek": [f"{event.start.local:%A}".lower()]}
        begins = {"type": "noEnd", "startDate": f"{event.start.local:%Y-%m-%d}"}
        series = {"pattern": days, "range": begins}
        mailbox.put(replace(event, recurrence=series, change_key=self._change_key(), modified=self.clock()))

    def drag(self, mailbox: Mailbox, event: GraphEvent, target: GraphCalendar) -> GraphEvent:
        """What classic Outlook does with an event dragged to another calendar: a copy of its uid, and a
        delete.
        """
        dragged = mailbox.put(replace(self.copy(mailbox, event, target), uid=event.uid))
        mailbox.put(replace(event, deleted=True, modified=self.clock()))
        return dragged

    def clear(self) -> None:
        """Forget all events; mailboxes and calendars stay."""
        for mailbox in self.mailboxes.values():
            mailbox.events.clear()
            mailbox.deleted.clear()
            mailbox.immutable_ids.clear()
            for calendar in mailbox.calendars.values():
                calendar.event_ids.clear()
                calendar.by_property.clear()
                calendar.transactions.clear()

    def _made(self, mailbox: Mailbox, calendar: GraphCalendar, body: Mapping[str, Any]) -> GraphEvent:
        fields = merged_fields(DEFAULTS, body)
        start = moment(body.get("start"), mailbox.zone_rules, "start")
        end = moment(body.get("end"), mailbox.zone_rules, "end")
        check_span(start, end, all_day=fields["isAllDay"])
        immutable_id = _id("AAkALg")
        stored = graph_body.as_html(body.get("body"))
        join_url = None
        if (
            body.get("isOnlineMeeting")
            and (body.get("onlineMeetingProvider") or TEAMS) in calendar.online_meetings
        ):
            join_url = graph_body.join_url(immutable_id)
            stored = graph_body.with_meeting(stored, join_url)
        serial, now = next(self._serials), self.clock()
        return GraphEvent(
            immutable_id=immutable_id,
            mutable_id=_id("AAMkAG"),
            calendar_id=calendar.id,
            serial=serial,
            uid=_uid(serial),
            fields=fields,
            start=start,
            end=end,
            change_key=self._change_key(),
            created=now,
            modified=now,
            body_html=stored,
            body_text=graph_body.as_text(stored),
            join_url=join_url,
            transaction_id=body.get("transactionId"),
            properties=check_properties(body),
        )

    def _change_key(self) -> str:
        return base64.b64encode(next(self._keys).to_bytes(15, "big")).decode()


def check_etag(event: GraphEvent, if_match: str | None) -> None:
    """412 unless If-Match is absent, a star, or the present etag."""
    if if_match is not None and if_match.strip() not in ("*", event.etag):
        raise changed_meanwhile()


def _uid(serial: int) -> str:
    return f"040000008200E00074C5B7101A82E008{serial:032X}"


def _id(prefix: str) -> str:
    return f"{prefix}{secrets.token_urlsafe(60)}="
