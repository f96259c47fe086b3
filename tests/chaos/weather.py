"""The faults at both providers and their token endpoints, and how often each of them struck."""

from collections import Counter

from sandbox.faults import Fault, FaultBoard, Rule

_CALENDARS = (
    ("throttle;retry_after=1", "*", 0.02),
    ("throttle;retry_after=none", "*", 0.01),
    ("error;status=503", "*", 0.03),
    ("error_after;status=500", "*", 0.02),
    ("drop", "*", 0.02),
    ("drop_after", "*", 0.03),
    ("html", "*", 0.01),
    ("html_after;status=200", "*", 0.01),
    ("empty;status=200", "*", 0.01),
    ("empty_after;status=200", "*", 0.01),
    ("expired_token", "*", 0.02),
    ("conflict", "PATCH", 0.03),
    ("hold", "*", 0.003),
    ("delay;seconds=0.2;when=before", "*", 0.05),
    ("delay;seconds=0.3;when=after", "*", 0.05),
    ("delay;seconds=2.7;when=before", "*", 0.007),  # stored after the worker has given it up
)
# No `expired_token` here: invalid_grant is for a person to mend, and the account waits for one.
_TOKENS = (
    ("error;status=503", "POST", 0.05),
    ("throttle", "POST", 0.03),
    ("drop", "POST", 0.05),
    ("drop_after", "POST", 0.03),
    ("html", "POST", 0.03),
    ("delay;seconds=0.5", "POST", 0.1),
)


class Weather(FaultBoard):
    """A fault board that counts; fair until `worsen`."""

    __slots__ = ("struck",)

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.struck: Counter[str] = Counter()

    def worsen(self) -> None:
        """Every kind of fault, a few times in a hundred requests each, for as long as it lasts."""
        for provider in ("google", "microsoft"):
            for fault, method, probability in _CALENDARS:
                self.add(fault, provider=provider, method=method, count=None, probability=probability)
            for fault, method, probability in _TOKENS:
                self.add(
                    fault, provider=f"{provider}-token", method=method, count=None, probability=probability
                )

    def unshare(self, provider: str, calendar: str) -> Rule:
        """One calendar is refused from now on."""
        return self.add("forbidden", provider=provider, path=f"*{calendar}*", count=None)

    def end(self, rule: Rule) -> None:
        """No more of one fault."""
        if rule in self.rules:
            self.rules.remove(rule)

    def clear_up(self) -> None:
        """No more faults; what is held back is let go."""
        self.clear()
        self.release()

    def take(self, provider: str, method: str, path: str) -> list[Fault]:
        """As the board does; counted."""
        taken = super().take(provider, method, path)
        self.struck.update(f"{provider} {fault.kind}" for fault in taken)
        return taken
