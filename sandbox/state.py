"""Everything one sandbox remembers. Each sandbox has its own, so tests run side by side."""

import time
from dataclasses import dataclass, field

from aiohttp import web

from sandbox.clock import Clock
from sandbox.cronofy_store import CronofyStore
from sandbox.faults import FaultBoard
from sandbox.google_store import GoogleStore
from sandbox.google_tokens import GoogleTokens
from sandbox.graph_store import GraphStore
from sandbox.journal import Journal
from sandbox.microsoft_tokens import MicrosoftTokens


@dataclass(slots=True)
class State:
    """The two vendors' calendars and credentials, Cronofy's links, the queued faults, and what happened."""

    clock: Clock = time.time
    seed: int = 0
    google: GoogleStore = field(init=False)
    google_tokens: GoogleTokens = field(init=False)
    microsoft: GraphStore = field(init=False)
    microsoft_tokens: MicrosoftTokens = field(init=False)
    cronofy: CronofyStore = field(init=False)
    faults: FaultBoard = field(init=False)
    journal: Journal = field(init=False)

    def __post_init__(self) -> None:
        self.google = GoogleStore(self.clock)
        self.google_tokens = GoogleTokens(self.clock)
        self.microsoft = GraphStore(self.clock)
        self.microsoft_tokens = MicrosoftTokens(self.clock)
        self.cronofy = CronofyStore(self.clock)
        self._start_over()

    def reset(self, *, everything: bool = False) -> None:
        """Forget events, links, faults and history. Calendars, mailboxes, applications and credentials stay,
        unless `everything`.
        """
        self.faults.release()
        if everything:
            self.__post_init__()
            return
        self.google.clear()
        self.microsoft.clear()
        self.cronofy.clear()
        self._start_over()

    def _start_over(self) -> None:
        self.faults = FaultBoard(self.seed)
        self.journal = Journal()


STATE = web.AppKey("state", State)
