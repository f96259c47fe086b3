"""Where a part or a delivery goes by a configuration, and what the configuration lacks for that."""

from collections.abc import Iterable
from typing import NamedTuple

from bookings.dead_letters import DeadLetter
from bookings.links import Link
from bookings.record import NOT_ALLOWED, UNROUTED, Part
from bookings.routing import route
from bookings.state import NO_ROUTE, UNROUTED_FOR_S
from bookings.store import Store
from config.settings import Calendar, Settings


class Destination(NamedTuple):
    """Where a part goes."""

    calendars: tuple[Calendar, ...]
    missing: str
    """What the configuration lacks for it, in words; empty where that is nothing."""
    reason: str = UNROUTED
    """The reason of a dead letter, should it go on to be missing."""


def destination(settings: Settings, app: str, part: Part, link: Link | None) -> Destination:
    """Gives the calendars of one part, and what is missing: a newer configuration may have it."""
    if settings.app(app) is None:
        return Destination((), f'no [[apps]] is called "{app}"')
    names = route(app, part, settings.routes, link=link.targets if link else None)
    if not names:
        return Destination((), NO_ROUTE)
    allowed = settings.leave(app).calendars
    found = [calendar for name in names if (calendar := settings.calendar(name)) is not None]
    calendars = tuple(calendar for calendar in found if calendar.name in allowed)
    if unknown := _quoted(name for name in names if settings.calendar(name) is None):
        return Destination(calendars, f"no [[calendars]] is called {unknown}, as its link has it")
    if barred := _quoted(calendar.name for calendar in found if calendar.name not in allowed):
        return Destination(
            calendars, f"the app may not write to {barred}: no calendar of its own", NOT_ALLOWED
        )
    return Destination(calendars, "")


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


class Addresses(NamedTuple):
    """Where a delivery is passed on to."""

    urls: tuple[str, ...]
    missing: str
    """As of a `Destination`."""


def addresses(settings: Settings, app_name: str, link: Link | None) -> Addresses:
    """Gives the addresses that a delivery is passed on to, and what is missing."""
    app = settings.app(app_name)
    if app is None:
        return Addresses((), f'no [[apps]] is called "{app_name}"')
    urls = tuple(dict.fromkeys((*app.forward_to, *(link.forward_to if link else ()))))
    return Addresses(urls, "" if urls else "no forward_to says where this delivery is passed on to")


class Foreseen(NamedTuple):
    """What a replay will come to, by the configuration of whoever asks for it."""

    said: str
    """What there is to say of it, after `replayed`."""
    in_vain: bool


async def foreseen(store: Store, settings: Settings, letter: DeadLetter) -> Foreseen:
    """What a replay of a dead letter will come to by a configuration. Raises what `store` raises."""
    if letter.part is None or letter.gone:  # nothing is to be routed
        return Foreseen("", in_vain=False)
    link = await store.link(letter.link) if letter.link else None
    if letter.part.forward is not None:
        names, missing = addresses(settings, letter.app, link)
        where = "its addresses"
    else:
        calendars, missing, _ = destination(settings, letter.app, letter.part, link)
        names = tuple(calendar.name for calendar in calendars)
        where = ", ".join(names)
    unrouted = letter.reason in (UNROUTED, NOT_ALLOWED)
    if missing and (unrouted or not names):
        minutes = UNROUTED_FOR_S // 60
        return Foreseen(f", but {missing}: open for {minutes} minutes, then dead again", in_vain=True)
    return Foreseen(f", to {where}" if unrouted else "", in_vain=False)
