"""How much the peers of one port may use together, and which of them give way."""

from typing import NamedTuple, Protocol

ALWAYS_ROOM = 16_384
"""Bytes that each connection may have kept for it; what takes more shares what there is for all."""
MOST_SHARED = 8 << 20
"""Bytes that those requests of a port may take up together that take more."""
LARGEST_BODIES = 4
"""So many of the largest bodies have room at least, whatever that comes to."""
HEAD_COUNTS = 4
"""A byte of a head counts as so many of a body: the parser keeps it as it came, and as names and values."""


class Limits(NamedTuple):
    """The limits of one port."""

    connections: int
    body: int
    """Bytes of one body."""
    head_s: float = 10.0
    """How long a head may take, from connecting or from its first byte."""
    body_s: float = 10.0
    """How long a body may take, from the end of its head."""
    write_s: float = 10.0
    """How long an answer may wait for its peer to read."""

    @property
    def shared(self) -> int:
        """Bytes that all requests that take more than `ALWAYS_ROOM` may take up together until answered."""
        return max(MOST_SHARED, LARGEST_BODIES * self.body)


class Peer(Protocol):
    """A connection, as far as it competes with others."""

    held: int
    """Bytes of it that were not answered yet."""

    def give_way(self) -> None:
        """Ends at once."""


class Room:
    """The room of one port: connections, and bytes that are kept until they are answered.

    Where there is no room for one more connection, the one gives way that has rested longest between two
    requests; otherwise the one that has kept us waiting longest: for the rest of its request, for its reading
    our answers, or with requests that it sent before it had the answer to the last. One that is being
    answered does not.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.taken = 0
        """Connections."""
        self.shared = 0
        """Bytes of connections that have more kept for them than each always may."""
        self._resting: dict[Peer, None] = {}
        self._keeping_us: dict[Peer, None] = {}  # waiting, each since it was put there

    def enter(self, peer: Peer) -> bool:
        """Takes a connection in, if there is room or one gives way."""
        if self.taken >= self.limits.connections:
            first = next(iter(self._resting or self._keeping_us), None)
            if first is not None:
                first.give_way()
        if self.taken >= self.limits.connections:
            return False
        self.taken += 1
        self._keeping_us[peer] = None
        return True

    def leave(self, peer: Peer) -> None:
        """Counts a connection no more."""
        self.works(peer)
        self.taken -= 1
        self.free(peer)

    def rests(self, peer: Peer) -> None:
        """It was answered, and has sent nothing since; or it is over."""
        self._keeping_us.pop(peer, None)
        self._resting[peer] = None

    def keeps_us(self, peer: Peer) -> None:
        """It has us wait from now on, unless it has already."""
        self._resting.pop(peer, None)
        self._keeping_us.setdefault(peer)

    def works(self, peer: Peer) -> None:
        """Its request is being answered."""
        self._resting.pop(peer, None)
        self._keeping_us.pop(peer, None)

    def hold(self, peer: Peer, size: int) -> bool:
        """Keeps so many more bytes for a connection, if there is room for them."""
        return self._set(peer, peer.held + size)

    def free(self, peer: Peer, *, but: int = 0) -> None:
        """Keeps no more for a connection, but for so many bytes."""
        self._set(peer, but)

    def _set(self, peer: Peer, held: int) -> bool:
        shared = held if held > ALWAYS_ROOM else 0
        self.shared += shared - (peer.held if peer.held > ALWAYS_ROOM else 0)
        peer.held = held
        return not shared or self.shared <= self.limits.shared
