"""What installed packages need, as their own metadata says. No network."""

from collections.abc import Iterable, Iterator
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needs(roots: Iterable[str]) -> Iterator[Requirement]:
    """Every requirement that holds on this machine, beginning with `roots` and going all the way down."""
    waiting = [Requirement(root) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate():
            continue
        yield requirement
        name, extras = canonicalize_name(requirement.name), frozenset(requirement.extras)
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for text in requires(name) or ():
            below = Requirement(text)
            if below.marker is None or any(below.marker.evaluate({"extra": each}) for each in (*extras, "")):
                below.marker = None
                waiting.append(below)
