"""Faults: which ones there are, and which of them hits a request. No I/O."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import count
from typing import Any

import msgspec

PROVIDERS = (
    *("google", "microsoft", "cronofy", "google-token", "microsoft-token"),
    *("google-metadata", "azure-metadata"),
)
BEFORE = frozenset({"throttle", "error", "drop", "expired_token", "html", "empty", "conflict", "forbidden"})
"""Kinds that answer instead of the look-alike: nothing is stored."""
AFTER = frozenset({"error_after", "drop_after", "hold", "html_after", "empty_after", "stripped"})
"""Kinds that spoil the answer of a request that was carried out; `stripped`: without the client's
properties.
"""
KINDS = BEFORE | AFTER | {"delay", "late"}
KEYS = {"code", "number", "reason", "retry_after", "seconds", "status", "subtype", "text", "when"}


class FaultError(ValueError):
    """A fault nobody knows; the text says which there are."""


class Fault(msgspec.Struct, frozen=True):
    """One fault: its kind and parameters, all text, as they stand in the X-Sandbox-Fault header."""

    kind: str
    params: dict[str, str] = {}

    @property
    def answers(self) -> bool:
        """Whether it decides the answer; a delay does not."""
        return self.kind != "delay"

    def number(self, name: str, default: float) -> float:
        """A parameter as a number."""
        try:
            return float(self.params.get(name, default))
        except ValueError:
            raise FaultError(f"fault {self.kind}: {name} must be a number") from None

    def __str__(self) -> str:
        return ";".join([self.kind, *(f"{name}={value}" for name, value in self.params.items())])


def parse(text: str) -> Fault:
    """A fault from "name;key=value;…". Raises FaultError for a name or shape nobody knows."""
    kind, *pairs = (piece.strip() for piece in text.split(";"))
    if kind not in KINDS:
        raise FaultError(f"no fault named {kind!r}; there are {', '.join(sorted(KINDS))}")
    params = dict(pair.partition("=")[::2] for pair in pairs if pair)
    if unknown := params.keys() - KEYS:
        raise FaultError(f"no key {unknown.pop()!r} of a fault; there are {', '.join(sorted(KEYS))}")
    fault = Fault(kind, params)
    for name in ("status", "seconds"):
        fault.number(name, 0)
    return fault


@dataclass(slots=True)
class Rule:
    """A fault that waits for its requests. `left` counts down at each hit; None stays until removed."""

    id: int
    fault: Fault
    provider: str = "*"
    method: str = "*"
    path: str = "*"
    left: int | None = 1
    probability: float = 1.0

    def matches(self, provider: str, method: str, path: str) -> bool:
        """Whether the rule is about such a request; the path is a glob over the decoded path."""
        return (
            self.provider in ("*", provider)
            and self.method in ("*", method)
            and (self.path == "*" or fnmatchcase(path, self.path))
        )

    def shown(self) -> dict[str, Any]:
        """The rule as GET /_sandbox/faults gives it."""
        return {
            "id": self.id,
            "provider": self.provider,
            "method": self.method,
            "path": self.path,
            "count": self.left,
            "probability": self.probability,
            "fault": str(self.fault),
        }


@dataclass(slots=True)
class FaultBoard:
    """The queued faults, in order, and what a `hold` or a `late` keeps back."""

    seed: int = 0
    rules: list[Rule] = field(default_factory=list)
    held: set[asyncio.Event] = field(default_factory=set)
    _ids: Iterator[int] = field(default_factory=lambda: count(1))
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable chance, not a secret

    def add(
        self,
        fault: str,
        *,
        provider: str = "*",
        method: str = "*",
        path: str = "*",
        count: int | None = 1,
        probability: float = 1.0,
    ) -> Rule:
        """Queue a fault for the next `count` matching requests (None: until removed)."""
        if provider not in ("*", *PROVIDERS):
            raise FaultError(f"no provider named {provider!r}; there are {', '.join(PROVIDERS)}")
        rule = Rule(next(self._ids), parse(fault), provider, method.upper(), path, count, probability)
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Remove every rule. What is held stays held until released."""
        self.rules.clear()

    def take(self, provider: str, method: str, path: str) -> list[Fault]:
        """The faults that hit this request: every delay that matches, up to the first that answers."""
        taken: list[Fault] = []
        for rule in list(self.rules):
            if not rule.matches(provider, method, path):
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            if rule.left is not None:
                rule.left -= 1
                if rule.left <= 0:
                    self.rules.remove(rule)
            taken.append(rule.fault)
            if rule.fault.answers:
                break
        return taken

    def release(self) -> int:
        """Let everything held go; how many there were."""
        held = list(self.held)
        for event in held:
            event.set()
        return len(held)
