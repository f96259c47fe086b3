"""The places of a worker: which parts of which lanes have them, so that no lane's trouble takes them all."""

import asyncio
from collections import defaultdict

_LEAST = 4
"""So many places a lane may always have, however few are free."""
_STARTING = 8
"""How many parts may be on their way to their first request at a time.

Each is our own work, not a provider's: of a flood, only so much stands before what comes in meanwhile.
"""

Place = tuple[str, str]
"""A booking's id and a part's."""


class Places:
    """Says whether a part may go on in a lane now, or stands in its line.

    A lane has as many places as it needs to be written at its full pace, and never more than are left free:
    beside one lane whose provider hangs, half of the places are for others, beside two a third. (Dynamic
    thresholds, as switches share their buffers: Choudhury and Hahne, IEEE/ACM Transactions on Networking 6,
    1998.)

    Args:
        concurrency: how many places there are.
    """

    def __init__(self, concurrency: int) -> None:
        self.freed = asyncio.Event()
        """Set whenever a part has ended, or has come to its first request."""
        self._concurrency = concurrency
        self._taken = 0
        self._starting: dict[Place, int] = defaultdict(int)
        self._of_lane: dict[str, set[Place]] = defaultdict(set)
        self._crowded: set[str] = set()

    @property
    def room(self) -> int:
        """How many more parts may be taken up now."""
        return min(self._concurrency - self._taken, _STARTING - len(self._starting))

    @property
    def crowded(self) -> dict[str, int]:
        """How many parts are under way of each lane that has, or had, a line."""
        return {lane: len(self._of_lane[lane]) for lane in self._crowded}

    def take(self, place: Place, lane: str) -> None:
        """A part is taken up, out of a lane's line where that is named."""
        self._taken += 1
        self._starting[place] += 1
        if lane:
            self._crowded.add(lane)
            self._of_lane[lane].add(place)

    def enter(self, place: Place, lane: str, most: int) -> bool:
        """Whether a part may go on in a lane, of which `most` may be under way at a time."""
        inside = self._of_lane[lane]
        if place not in inside:
            free = self._concurrency - self._taken
            if len(inside) >= min(most, max(_LEAST, free)):
                self._crowded.add(lane)
                return False
            inside.add(place)
        return True

    def begun(self, place: Place) -> None:
        """A part is about to make its first request."""
        if self._starting.pop(place, 0) and len(self._starting) == _STARTING - 1:
            self.freed.set()  # it was for want of that that no more were taken up

    def leave(self, place: Place) -> None:
        """A part is under way no more."""
        for lane in [lane for lane, inside in self._of_lane.items() if place in inside]:
            self._of_lane[lane].discard(place)
            if not self._of_lane[lane]:
                del self._of_lane[lane]
                self._crowded.discard(lane)

    def give_back(self, place: Place) -> None:
        """A part that was taken up is at its end."""
        self._taken -= 1
        self._starting.pop(place, None)
        self.leave(place)
        self.freed.set()
