"""Tells a process that hangs from one that takes its time."""

import time
from pathlib import Path


class Hanging:
    """Asked again and again, says whether a process has done nothing for so long. Only Linux shows that."""

    def __init__(self, pid: int, lasts_s: float) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._lasts_s = lasts_s
        self._seen = ""
        self.renew()

    def renew(self) -> None:
        """It was seen to work just now."""
        self._since = time.monotonic()

    def is_certain(self) -> bool:
        """Whether it is."""
        work = self._work()
        if work != self._seen:
            self._seen = work
            self.renew()
        return time.monotonic() - self._since > self._lasts_s

    def _work(self) -> str:
        """What changes while it works: its time on the processor, and its wait for a disk."""
        try:
            state, *figures = self._stat.read_text().rpartition(") ")[2].split()
        except (OSError, ValueError):
            return ""
        return str(time.monotonic()) if state == "D" else " ".join(figures[10:12])
