"""One chaos run from the first callback to the verdict."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.drain import drained
from tests.chaos.monkey import Monkey
from tests.chaos.people import People
from tests.chaos.traffic import Traffic
from tests.chaos.verdict import Verdict
from tests.chaos.witness import Witness
from tests.chaos.world import World

_DRAIN_S = 120.0
_MOST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended: `problems` is empty where every promise was kept."""

    seed: int
    seconds: float
    drained_s: float
    counts: Mapping[str, Counter[str]]
    problems: list[str]
    folder: Path | None

    def __str__(self) -> str:
        """Seed, counts and everything that is wrong, for a person to read."""
        lines = [f"seed {self.seed}: {self.seconds:.0f} s, the last {self.drained_s:.0f} s in peace"]
        for title, counts in self.counts.items():
            told = ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))
            lines.append(f"  {title}: {told or 'none'}")
        lines += [f"WRONG: {problem}" for problem in self.problems[:_MOST_SHOWN]]
        if len(self.problems) > _MOST_SHOWN:
            lines.append(f"WRONG: and {len(self.problems) - _MOST_SHOWN} more")
        if self.problems:
            lines.append(
                f"logs and data are in {self.folder}; --seed {self.seed} repeats what was sent and struck"
            )
        else:
            lines.append("every acknowledged booking is where it belongs, once, in its newest revision")
        return "\n".join(lines)


async def run(seed: int, *, callbacks: int, rate: float, minutes: float = 0) -> Result:
    """Sends at least `callbacks` callbacks for at least `minutes`, `rate` a second, while everything fails."""
    started = time.monotonic()
    async with World(seed) as world:
        traffic = Traffic(world, seed, rate=rate)
        witness, monkey, people = Witness(world, traffic.nonce), Monkey(world, seed), People(world, seed)

        def more(sent: int) -> bool:
            return sent < callbacks or time.monotonic() - started < 60 * minutes

        def half(sent: int) -> bool:
            return sent >= callbacks / 2 and time.monotonic() - started >= 30 * minutes

        async with meanwhile(world.watch()), meanwhile(witness.run()), world.store() as store:
            world.weather.worsen()
            async with (
                meanwhile(monkey.run()),
                meanwhile(people.run()),
                meanwhile(_in_the_middle(traffic, half, monkey)),
            ):
                await traffic.run(more)
            peace = time.monotonic()
            world.weather.clear_up()
            problems = await drained(world, store, people, within_s=_DRAIN_S)
            drained_s = time.monotonic() - peace
            verdict = Verdict(traffic, world.sandbox.events(), people.copies)
            await verdict.reach(store)
        problems += await world.stop()
        witness.read_logs()
        problems += [*traffic.problems, *verdict.problems]
        problems += [f"seen in {leak} ({count} times)" for leak, count in witness.leaks.items()]
        problems += [f"alarm in the logs: {alarm} ({count} times)" for alarm, count in witness.alarms.items()]
        if count := traffic.answers["repeated after 500"]:
            problems.append(f"the receiver answered 500 ({count} times)")
        if not monkey.struck["deleted arq keys"]:
            problems.append("arq's keys were not deleted: the run was too short")
        if not people.copies or not witness.effects["parked (park)"]:
            problems.append("no event was copied, or no write parked: the run was too short")
        world.keep = bool(problems)
        ended = Counter(
            {
                f"{child.name} with status {status}": count
                for child in world.children.values()
                for status, count in child.ended.items()
                if status != -9
            }
        )
        counts = {
            "callbacks": Counter({"sent": traffic.sent}),
            "answers": traffic.answers,
            "blows": monkey.struck,
            "people": people.done,
            "ended by themselves": ended,
            "faults": world.weather.struck,
            "writes": witness.effects,
            "outcome": verdict.counts,
            "looked at": witness.sampled,
        }
        seconds = time.monotonic() - started
        return Result(seed, seconds, drained_s, counts, problems, world.folder if world.keep else None)


@asynccontextmanager
async def meanwhile(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Runs something beside the block, and ends it with the block; what it raises ends the block at once."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        yield
        task.cancel()


async def _in_the_middle(traffic: Traffic, half: Callable[[int], bool], monkey: Monkey) -> None:
    while not half(traffic.sent):
        await asyncio.sleep(0.05)
    await monkey.delete_arq()
