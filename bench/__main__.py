"""`python -m bench [NAME…]` runs benchmarks, all by default, and writes `bench/results/`."""

import argparse
import asyncio
import importlib
import sys

from bench import results
from bench.queue_desk import Lost
from bench.tools import MissingTool

_SERVICE = (
    "receiver",
    "hostile",
    "queues",
    "idle",
    "writes",
    "end_to_end",
    "growth",
    "scale",
    "sizes",
    "profiles",
)
BENCHMARKS = (*_SERVICE, "restart", "neighbours", "availability", "endpoint")


def main() -> int:
    """Runs them one after the other. 1 where a bar is not reached, 2 where something is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=5, help="how often the contenders take turns (5)")
    given = parser.parse_args()
    if unknown := [name for name in given.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark named {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    missed = 0
    for name in given.names or BENCHMARKS:
        benchmark = importlib.import_module(f"bench.{name}")
        sys.stderr.write(f"{name}: {benchmark.TITLE}\n")
        before = results.machine()
        try:
            findings = asyncio.run(benchmark.run(given.rounds))
        except (MissingTool, Lost) as problem:
            sys.stderr.write(f"{problem}\n")
            return 2
        results.write(name, benchmark.TITLE, findings, rounds=given.rounds, machine=before)
        results.show(findings)
        missed += sum(not bar.holds for bar in findings.bars)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
