"""Which calendars a part goes to. Pure."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from bookings.links import LinkTargets
from bookings.record import Part
from config.settings import Route


def route(
    app: str, part: Part, routes: Sequence[Route], *, link: LinkTargets | None = None
) -> tuple[str, ...]:
    """Gives the names of the calendars of one part, none where nothing says where it goes.

    The link it came in on decides if it names the part's `sequence_id`, and somebody who takes part where
    it names people, too. Otherwise it is the union of the most specific routes that match: by `sequence_id`
    and `sub`, then `sequence_id`, then `sub`, then app alone. An exact `sequence_id` is more specific than
    a glob.
    """
    targets = (link or {}).get(part.sequence_text or "", ())
    named = [each.calendar for each in targets if each.sub is None or each.sub in part.subs]
    if named:
        return tuple(dict.fromkeys(named))
    matching = [each for each in routes if each.app == app and _matches(each, part)]
    best = max((_rank(each) for each in matching), default=None)
    names = (name for each in matching if _rank(each) == best for name in each.calendars)
    return tuple(dict.fromkeys(names))


def _matches(route: Route, part: Part) -> bool:
    if route.sub is not None and route.sub not in part.subs:
        return False
    if route.sequence_id is None:
        return True
    text = part.sequence_text
    if text is None:
        return False
    return fnmatchcase(text, route.sequence_id) if route.is_glob else text == route.sequence_id


def _rank(route: Route) -> tuple[bool, bool, bool]:
    """Orders routes by how specific they are; the greater, the more."""
    return (route.sequence_id is not None, route.sub is not None, not route.is_glob)
