"""Prometheus' part in our tests: it scrapes real processes and evaluates our rules, in a time of its own.

One scrape follows upon another at once, and a minute of Prometheus' time passes between them. So an hour takes
seconds, and nothing of a rule is changed for it.
"""

import re
from collections.abc import Collection
from typing import Any, NamedTuple, Self

import aiohttp
import yaml
from prometheus_client.parser import text_string_to_metric_families

from config.durations import seconds
from tests.deploy.promql import Labels, Sample, Series, evaluate
from tests.house.project import ROOT
from tests.waiting import HANGS_AFTER_S, unless_it_hangs

STEP_S = 30.0
"""A scrape, and a step later an evaluation: so no sample lies on the edge of a range, which is in it in Prometheus 2
and outside in Prometheus 3."""
_OF_A_CROWDED_MACHINE = frozenset({"SequenceSyncLoopLag", "SequenceSyncRedisSlow"})
"""What fires in truth, whatever a test is about, where it gets little CPU."""
GROUPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"]


class Rule(NamedTuple):
    """An alert rule of deploy/prometheus."""

    alert: str
    expression: str
    for_s: float
    severity: str
    annotations: dict[str, str]


RULES = [
    Rule(
        rule["alert"],
        rule["expr"],
        seconds(rule["for"]) if "for" in rule else 0,
        rule["labels"]["severity"],
        rule["annotations"],
    )
    for group in GROUPS
    for rule in group["rules"]
]
_USED = tuple(sorted({name for rule in RULES for name in re.findall(r"sequence_sync_\w+", rule.expression)}))


class Prometheus:
    """Scrapes targets, given as (job, port), and keeps account of what fires; an async context manager.

    How fast the machine is counts only where a test is about that (`about`).
    """

    def __init__(self, *targets: tuple[str, int], about: Collection[str] = ()) -> None:
        self._targets = targets
        self._unheeded = _OF_A_CROWDED_MACHINE.difference(about)
        self._since: dict[tuple[str, Labels], float] = {}
        self._pages: dict[int, set[tuple[str, Labels]]] = {port: set() for _, port in targets}
        self.series = Series()
        self.now = 0.0
        self.fired: set[str] = set()
        self.said: list[tuple[float, set[tuple[str, Labels]]]] = []

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HANGS_AFTER_S))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def passes(self, minutes: float) -> set[str]:
        """Lets so much of Prometheus' time pass; gives the alerts that fire at its end."""
        end = self.now + 60 * minutes
        while self.now < end:
            self.now += STEP_S
            for job, port in self._targets:
                await self._scrape(job, port)
            self.now += STEP_S
            firing = self._evaluate()
            self.said.append((self.now, firing))
            heeded = {alert for alert, _ in firing} - self._unheeded
            self.fired |= heeded
        return heeded

    async def settles(self, minutes: float) -> None:
        """Lets so much time pass, and more until nothing fires: on a busy machine some things are slow in truth."""
        fired = set(self.fired)
        async with unless_it_hangs():
            while await self.passes(minutes):
                pass
        self.fired = fired

    async def value(self, port: int, name: str, **labels: str) -> float | None:
        """What a page shows now."""
        found = await self._page(port) or {}
        return found.get((name, frozenset(labels.items())))

    async def _page(self, port: int) -> dict[tuple[str, Labels], float] | None:
        """The samples of a page that our rules use; None where nobody answers."""
        try:
            async with self._session.get(f"http://127.0.0.1:{port}/metrics") as response:
                page = await response.text()
        except (aiohttp.ClientError, TimeoutError):
            return None
        text = "".join(line for line in page.splitlines(keepends=True) if line.startswith(_USED))
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def _scrape(self, job: str, port: int) -> None:
        page = await self._page(port)
        target = frozenset({("job", job), ("instance", f"127.0.0.1:{port}")})
        self.series.add("up", target, Sample(self.now, float(page is not None)))
        found = page or {}
        for (name, labels), value in found.items():
            self.series.add(name, labels | target, Sample(self.now, value))
        for name, labels in self._pages[port] - found.keys():
            self.series.add(name, labels | target, Sample(self.now, 0, stale=True))
        self._pages[port] = set(found)

    def _evaluate(self) -> set[tuple[str, Labels]]:
        """The alerts that fire: whatever has been true for as long as its rule says."""
        true: dict[tuple[str, Labels], float] = {}
        for rule in RULES:
            for labels in evaluate(rule.expression, self.series, self.now):
                true[rule.alert, labels] = self._since.get((rule.alert, labels), self.now)
        self._since = true
        patience = {rule.alert: rule.for_s for rule in RULES}
        return {each for each, since in true.items() if self.now - since >= patience[each[0]]}
