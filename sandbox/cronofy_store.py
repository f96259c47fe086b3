"""Cronofy's applications and links, in memory."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from sandbox import cronofy_errors
from sandbox.clock import Clock, stamp
from sandbox.cronofy_callback import booked_event, callback
from sandbox.cronofy_choice import ChoiceError, Subs, choose
from sandbox.cronofy_link import Attempt, CronofyApp, CronofyLink, Kind, Status, TargetCalendar

PAGES = "/cronofy/links"


class NotOpenError(ChoiceError):
    """The link is completed or disabled."""


@dataclass(slots=True)
class CronofyStore:
    """What one sandbox's Cronofy knows."""

    clock: Clock
    apps: dict[str, CronofyApp] = field(default_factory=dict)
    links: dict[str, CronofyLink] = field(default_factory=dict)

    def register(self, app: CronofyApp) -> None:
        """Make an application known, or change it: a rotation of its secrets, for one."""
        self.apps[app.client_id] = app

    def app(self, secret: str, client_id: str | None = None) -> CronofyApp:
        """The application that a client secret belongs to. Raises Refused."""
        for app in self.apps.values():
            if secret in app.secrets and client_id in (None, app.client_id):
                return app
        raise cronofy_errors.unauthorized()

    def add(
        self, app: CronofyApp, kind: Kind, request: dict[str, Any], origin: str, host: str = ""
    ) -> CronofyLink:
        """Make a link from a request that has been checked; its page is below `origin`."""
        token = secrets.token_urlsafe(9)
        link = CronofyLink(
            kind=kind,
            id=f"{kind.prefix}_{secrets.token_hex(12)}",
            url=f"{origin}{PAGES}/{token}",
            status=Status.OPEN,
            request=request,
            callback_url=_callback_url(app, kind, request),
            client_id=app.client_id,
            token=token,
            event=request["event"],
            target_calendars=tuple(
                TargetCalendar(each["sub"], each["calendar_id"])
                for each in request.get("target_calendars") or ()
            ),
            host=host,
        )
        self.links[link.id] = link
        return link

    def find(self, app: CronofyApp, kind: Kind, link_id: str) -> CronofyLink:
        """An application's own link. Raises Refused."""
        link = self.links.get(link_id)
        if link is None or (link.client_id, link.kind) != (app.client_id, kind):
            raise cronofy_errors.not_found()
        return link

    def by_token(self, token: str) -> CronofyLink | None:
        """The link with such a last part of its address."""
        return next((link for link in self.links.values() if link.token == token), None)

    def disable(self, link: CronofyLink, message: str) -> CronofyLink:
        """Take a link back. Raises Refused if a time was chosen already."""
        if link.status is Status.COMPLETED:
            raise cronofy_errors.wrong("status", "is completed")
        return self._put(replace(link, status=Status.DISABLED, display_message=message))

    def complete(self, link_id: str, start: str | None = None, subs: Subs | None = None) -> CronofyLink:
        """Somebody chooses a time. Raises KeyError for an unknown link, and ChoiceError."""
        link = self.links[link_id]
        if link.status is not Status.OPEN:
            raise NotOpenError(f"the link is {link.status}")
        now = self.clock()
        chosen = choose(link, now, start, subs)
        body = callback(self.apps[link.client_id], link, chosen, stamp(now, digits=0))
        event = booked_event(link, chosen)
        return self._put(replace(link, status=Status.COMPLETED, event=event, callback=body))

    def note(self, link_id: str, attempt: Attempt) -> None:
        """Note how an attempt at a callback went, unless the link has been forgotten meanwhile."""
        if link := self.links.get(link_id):
            self._put(replace(link, attempts=(*link.attempts, attempt)))

    def clear(self) -> None:
        """Forget the links. Applications stay."""
        self.links.clear()

    def _put(self, link: CronofyLink) -> CronofyLink:
        self.links[link.id] = link
        return link


def _callback_url(app: CronofyApp, kind: Kind, request: dict[str, Any]) -> str:
    if kind is Kind.REQUEST:
        return app.callback_url
    newer = (request.get("callback_urls") or {}).get("completed_url")
    return newer or request.get("callback_url") or ""
