"""What a benchmark finds out: figures of each contender in each round, ratios, and bars."""

import statistics
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import msgspec

Figures = Mapping[str, float]
"""One round's figures by their names, which carry the unit: `callbacks/s`, `p99 ms`."""
Measure = Callable[[], Awaitable[Figures]]


class Row(msgspec.Struct, frozen=True):
    """What one contender did in one case: each figure once for every round."""

    case: str
    contender: str
    figures: dict[str, list[float]]

    def median(self, figure: str) -> float:
        """The median over the rounds."""
        return statistics.median(self.figures[figure])


class Bar(msgspec.Struct, frozen=True):
    """Something that must hold: `value` is at least, or at most, `bar`."""

    what: str
    value: float
    bar: float
    at_least: bool
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bar is reached."""
        return self.value >= self.bar if self.at_least else self.value <= self.bar


class Findings(msgspec.Struct, frozen=True):
    """What one benchmark found; `notes` say what a reader has to know, measured in the same run."""

    rows: Sequence[Row]
    bars: Sequence[Bar] = ()
    notes: Sequence[str] = ()

    def row(self, case: str, contender: str) -> Row:
        """The row of a contender in a case."""
        return next(row for row in self.rows if (row.case, row.contender) == (case, contender))


async def take_turns(case: str, contenders: Mapping[str, Measure], rounds: int) -> list[Row]:
    """Lets the contenders take turns, and another one begin each round."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in contenders}
    names = list(contenders)
    for turn in range(rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            for figure, value in (await contenders[name]()).items():
                found[name].setdefault(figure, []).append(value)
    return [Row(case, name, figures) for name, figures in found.items()]


def ratio(ours: Row, reference: Row, figure: str) -> float:
    """The median, over the rounds, of ours divided by the reference's of the same round."""
    return statistics.median(
        mine / theirs for mine, theirs in zip(ours.figures[figure], reference.figures[figure], strict=True)
    )


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest of the values that at least `share` of them (0 to 1) do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1))]
