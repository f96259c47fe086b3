"""As much of PromQL as our rules use, over samples that a test scraped; whatever else stands in a rule is refused.

The grammar is Prometheus' own (promql-parser). What the functions give is Prometheus' definition, extrapolation
included; `promtool.py` has Prometheus say the same, where it is installed.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

import promql_parser as grammar

LOOKBACK_S = 300.0
"""How old a sample may be that still is a series' value."""

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]


class Sample(NamedTuple):
    """A value at a time (seconds); `stale` where the series had gone from its page by then."""

    time: float
    value: float
    stale: bool = False


class Refused(Exception):
    """Our rules do not use this, so it is not evaluated here."""


class Series:
    """Everything that was scraped, by name and labels; each series' samples in order of time."""

    def __init__(self) -> None:
        self._named: dict[str, dict[Labels, list[Sample]]] = {}

    def add(self, name: str, labels: Labels, sample: Sample) -> None:
        """Adds the next sample of a series."""
        self._named.setdefault(name, {}).setdefault(labels, []).append(sample)

    def named(self, name: str) -> Mapping[Labels, list[Sample]]:
        """The series of a metric."""
        return self._named.get(name, {})

    def names(self) -> Iterable[str]:
        """The metrics there are."""
        return self._named


def evaluate(expression: str, series: Series, now: float) -> Vector:
    """What a rule's expression gives at a time. Raises `Refused`."""
    result = _value(grammar.parse(expression), series, now)
    if not isinstance(result, dict):
        raise Refused("a number is no alert")
    return result


def _value(node: grammar.Expr, series: Series, now: float) -> Vector | float:
    match node:
        case grammar.NumberLiteral():
            return float(node.val)
        case grammar.ParenExpr():
            return _value(node.expr, series, now)
        case grammar.VectorSelector():
            return dict(_instant(node, series, now))
        case grammar.AggregateExpr():
            return _aggregated(node, series, now)
        case grammar.Call():
            return _called(node, series, now)
        case grammar.BinaryExpr():
            return _combined(node, series, now)
    raise Refused(type(node).__name__)


# -- selecting


def _selected(node: grammar.VectorSelector, series: Series) -> Iterable[tuple[Labels, list[Sample]]]:
    if node.name is None or node.offset or node.at or node.matchers.or_matchers:
        raise Refused("no name, offset, @ and or")
    matches = [_matcher(each) for each in node.matchers.matchers]
    for labels, samples in series.named(node.name).items():
        values = dict(labels)
        if all(matches_one(values) for matches_one in matches):
            yield labels, samples


def _matcher(matcher: grammar.Matcher) -> Callable[[Mapping[str, str]], bool]:
    name, value = matcher.name, matcher.value
    if matcher.op == grammar.MatchOp.Equal:
        return lambda labels: labels.get(name, "") == value
    if matcher.op == grammar.MatchOp.Re:
        return lambda labels: re.fullmatch(value, labels.get(name, "")) is not None
    raise Refused(f"matcher {matcher.op}")


def _instant(node: grammar.VectorSelector, series: Series, now: float) -> Iterable[tuple[Labels, float]]:
    for labels, samples in _selected(node, series):
        at = bisect_right(samples, now, key=lambda sample: sample.time)
        if at and not samples[at - 1].stale and samples[at - 1].time > now - LOOKBACK_S:
            yield labels, samples[at - 1].value


# -- functions over a range


def _called(node: grammar.Call, series: Series, now: float) -> Vector:
    name, [argument] = node.func.name, node.args
    if name == "absent":
        there = _value(argument, series, now)
        return {} if there else {frozenset(): 1.0}
    if name == "abs" and isinstance(argument, grammar.VectorSelector):
        return {labels: abs(value) for labels, value in _instant(argument, series, now)}
    if name not in _OVER_RANGE or not isinstance(argument, grammar.MatrixSelector):
        raise Refused(name)
    length = argument.range.total_seconds()
    found = {}
    for labels, samples in _selected(argument.vector_selector, series):
        within = [each for each in samples if now - length < each.time <= now and not each.stale]
        result = _OVER_RANGE[name](within, now - length, now)
        if result is not None:
            found[labels] = result
    return found


def _extrapolated(
    samples: list[Sample], begin: float, end: float, *, counter: bool, per_second: bool
) -> float | None:
    """How much a series changed between two times, as Prometheus reckons it from the samples between."""
    if len(samples) < 2:
        return None
    change = samples[-1].value - samples[0].value
    if counter:
        change += sum(one.value for one, two in pairwise(samples) if two.value < one.value)
    covered = samples[-1].time - samples[0].time
    apart = covered / (len(samples) - 1)
    before, after = samples[0].time - begin, end - samples[-1].time
    before = before if before < 1.1 * apart else apart / 2
    after = after if after < 1.1 * apart else apart / 2
    if counter and change > 0 and samples[0].value >= 0:
        before = min(before, covered * samples[0].value / change)  # a counter was never below 0
    change *= (covered + before + after) / covered
    return change / (end - begin) if per_second else change


def _highest(samples: list[Sample], _begin: float, _end: float) -> float | None:
    return max((sample.value for sample in samples), default=None)


_OVER_RANGE: dict[str, Callable[[list[Sample], float, float], float | None]] = {
    "rate": lambda samples, begin, end: _extrapolated(samples, begin, end, counter=True, per_second=True),
    "increase": lambda samples, begin, end: _extrapolated(
        samples, begin, end, counter=True, per_second=False
    ),
    "delta": lambda samples, begin, end: _extrapolated(samples, begin, end, counter=False, per_second=False),
    "max_over_time": _highest,
}


# -- of many one, and one against another

_AGGREGATES: dict[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min, "count": len}


def _aggregated(node: grammar.AggregateExpr, series: Series, now: float) -> Vector:
    operator, vector = str(node.op), _value(node.expr, series, now)
    if operator not in _AGGREGATES or node.param is not None or not isinstance(vector, dict):
        raise Refused(operator)
    kept: set[str] = set()
    if node.modifier is not None:
        if node.modifier.type != grammar.AggModifierType.By:
            raise Refused("without")
        kept = set(node.modifier.labels)
    groups: dict[Labels, list[float]] = {}
    for labels, value in vector.items():
        groups.setdefault(frozenset(each for each in labels if each[0] in kept), []).append(value)
    return {labels: _AGGREGATES[operator](values) for labels, values in groups.items()}


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": lambda one, other: one > other,
    "==": lambda one, other: one == other,
}


def _combined(node: grammar.BinaryExpr, series: Series, now: float) -> Vector | float:
    operator, one, other = str(node.op), _value(node.lhs, series, now), _value(node.rhs, series, now)
    if operator == "and" and isinstance(one, dict) and isinstance(other, dict):
        return {labels: value for labels, value in one.items() if labels in other}
    if node.modifier is not None:
        raise Refused("bool, on, ignoring")
    if operator == "*" and isinstance(one, float) and isinstance(other, dict):
        return {labels: one * value for labels, value in other.items()}
    if operator not in _COMPARISONS or not isinstance(one, dict):
        raise Refused(operator)
    holds = _COMPARISONS[operator]
    if isinstance(other, float):
        return {labels: value for labels, value in one.items() if holds(value, other)}
    return {labels: value for labels, value in one.items() if labels in other and holds(value, other[labels])}
