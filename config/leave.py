"""What one app may use of a configuration: where its links lead, and whose availability it may ask for.

What it may not use is answered as if it did not exist: an app learns nothing of the others.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from config.apps import ALL, App


class Leave(NamedTuple):
    """The calendars, by our names, and the people, by their subs."""

    calendars: frozenset[str]
    people: frozenset[str]


class Routed(NamedTuple):
    """Where a route of the app leads, and the participant whom it names."""

    sub: str | None
    calendars: tuple[str, ...]


def leave_of(
    app: App,
    routes: Sequence[Routed],
    *,
    calendars: frozenset[str],
    people: Mapping[str, tuple[str, ...]],
    alone: bool,
) -> Leave:
    """Gives what an app may use.

    Args:
        app: the app. Without lists, it has the calendars of its routes and of the people it lists, and those
            people whom its routes name or all of whose calendars it has.
        routes: those of the app.
        calendars: all that there are.
        people: everybody, with their calendars.
        alone: whether there is no other app: then it has all that it does not list.
    """
    own = _calendars(app, routes, calendars=calendars, people=people, alone=alone)
    if app.people is not None:
        return Leave(own, frozenset(people if ALL in app.people else app.people))
    named = {route.sub for route in routes}
    known = (sub for sub, names in people.items() if alone or sub in named or own.issuperset(names))
    return Leave(own, frozenset(known))


def _calendars(
    app: App,
    routes: Sequence[Routed],
    *,
    calendars: frozenset[str],
    people: Mapping[str, tuple[str, ...]],
    alone: bool,
) -> frozenset[str]:
    if app.calendars is not None:
        return calendars if ALL in app.calendars else frozenset(app.calendars)
    if alone:
        return calendars
    listed = app.people or ()
    of_people = (names for sub, names in people.items() if sub in listed or ALL in listed)
    return frozenset(chain(*(route.calendars for route in routes), *of_people))
