"""What a person does in the calendar's own user interface, behind the back of every API client."""

from dataclasses import replace
from typing import Any

from sandbox.google_calendar import GoogleCalendar
from sandbox.graph_mailbox import GraphEvent, Mailbox
from sandbox.state import State


class NoSuchEventError(LookupError):
    """There is no such calendar or event to act on."""


class Person:
    """A person with access to everything. Calendars are named as in `inspection`: a Google id,
    mailbox[/calendar].
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def edits(self, provider: str, calendar: str, event_id: str, fields: dict[str, Any]) -> None:
        """Changes fields of an event (in the vendor's names); on Google this also restores a deleted one."""
        if provider == "google":
            found = self._google(calendar)
            revived = {"status": "confirmed"} if found.events[event_id].cancelled else {}
            self._state.google.change(found, event_id, revived | fields, with_conference=True, add_on=True)
        else:
            mailbox, event = self._graph(calendar, event_id)
            self._state.microsoft.change(mailbox, event, fields)

    def deletes(self, provider: str, calendar: str, event_id: str) -> None:
        """Deletes an event."""
        if provider == "google":
            self._state.google.delete(self._google(calendar), event_id)
        else:
            mailbox, event = self._graph(calendar, event_id)
            self._state.microsoft.delete(mailbox, event)

    def moves(self, provider: str, calendar: str, event_id: str, target: str) -> None:
        """Moves an event to another calendar; at Microsoft that is another calendar of the same mailbox."""
        if provider == "google":
            self._state.google.move(self._google(calendar), event_id, self._google(target))
        else:
            mailbox, event = self._graph(calendar, event_id)
            target_id = target.partition("/")[2] or mailbox.default_calendar_id
            self._state.microsoft.move(mailbox, event, mailbox.calendars[target_id])

    def copies(self, provider: str, calendar: str, event_id: str, target: str = "") -> str:
        """Copies an event, as Ctrl+C and Ctrl+V do, into the same calendar or another one; gives the copy's
        id.
        """
        if provider == "google":
            into = self._google(target or calendar)
            return self._state.google.copy(self._google(calendar), event_id, into).id
        mailbox, event = self._graph(calendar, event_id)
        into_id = target.partition("/")[2] or (mailbox.default_calendar_id if target else event.calendar_id)
        return self._state.microsoft.copy(mailbox, event, mailbox.calendars[into_id]).immutable_id

    def drags(self, provider: str, calendar: str, event_id: str, target: str) -> str:
        """Drags an event to another calendar in classic Outlook, which changes even its immutable id; gives
        the new one.
        """
        if provider != "microsoft":
            raise NoSuchEventError("only Outlook makes a new event of one that is dragged")
        mailbox, event = self._graph(calendar, event_id)
        target_id = target.partition("/")[2] or mailbox.default_calendar_id
        return self._state.microsoft.drag(mailbox, event, mailbox.calendars[target_id]).immutable_id

    def repeats(self, provider: str, calendar: str, event_id: str) -> None:
        """Makes a weekly series of an event."""
        if provider == "google":
            self._state.google.repeat(self._google(calendar), event_id)
        else:
            mailbox, event = self._graph(calendar, event_id)
            self._state.microsoft.repeat(mailbox, event)

    def empties_trash(self, provider: str, calendar: str, event_id: str) -> None:
        """Removes what a deleted event left behind at Google, so that its id was never used."""
        if provider != "google":
            raise NoSuchEventError("only Google keeps tombstones")
        self._google(calendar).drop(event_id)

    def burns(self, provider: str, calendar: str, event_id: str) -> None:
        """Leaves a Google event in a state in which, once deleted, it cannot be restored."""
        if provider != "google":
            raise NoSuchEventError("only Google restores deleted events")
        self._state.google.refuse_revival(self._google(calendar), event_id)

    def gives_away(self, provider: str, calendar: str, event_id: str) -> None:
        """Makes somebody else the organiser of a Microsoft event."""
        if provider != "microsoft":
            raise NoSuchEventError("only Microsoft events know another organiser here")
        mailbox, event = self._graph(calendar, event_id)
        mailbox.put(replace(event, is_organizer=False))

    def answers(self, provider: str, calendar: str, event_id: str, response: str) -> None:
        """Answers an invitation, in the vendor's word: `declined`, `tentative` or `tentativelyAccepted`, …"""
        if provider == "google":
            found = self._google(calendar)
            own = {"email": found.owner or found.id, "responseStatus": response}
            self._state.google.change(found, event_id, {"attendees": [own]})
        else:
            mailbox, event = self._graph(calendar, event_id)
            mailbox.put(replace(event, is_organizer=False, response=response))

    def is_put_off(self, calendar: str, event_id: str) -> None:
        """The organiser of a Microsoft event cancels it; the copy in this calendar stays."""
        mailbox, event = self._graph(calendar, event_id)
        mailbox.put(replace(event, is_organizer=False, is_cancelled=True))

    def _google(self, calendar: str) -> GoogleCalendar:
        found = self._state.google.calendars.get(calendar)
        if found is None:
            raise NoSuchEventError(f"there is no Google calendar {calendar!r}")
        return found

    def _graph(self, calendar: str, event_id: str) -> tuple[Mailbox, GraphEvent]:
        mailbox = self._state.microsoft.mailboxes.get(calendar.partition("/")[0].lower())
        event = mailbox.events.get(event_id) if mailbox else None
        if mailbox is None or event is None:
            raise NoSuchEventError(f"there is no event {event_id!r} in {calendar!r}")
        return mailbox, event
