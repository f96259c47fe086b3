"""Puts the tables of `bench/results/` into docs/performance.md: `python -m bench.report`."""

import re
import sys
from collections.abc import Iterable
from typing import Any

import msgspec

from bench import results

PAGE = results.FOLDER.parent.parent / "docs" / "performance.md"
_PLACE = re.compile(r"(<!-- bench (\w+) -->\n).*?(<!-- /bench -->)", re.DOTALL)


def main() -> None:
    """Rewrites what stands between `<!-- bench NAME -->` and `<!-- /bench -->`."""
    text = PAGE.read_text()
    PAGE.write_text(
        _PLACE.sub(lambda place: place[1] + "\n".join(_section(place[2])) + "\n" + place[3], text)
    )
    sys.stdout.write(f"{PAGE.name}: {', '.join(place[1] for place in _PLACE.findall(text))}\n")


def _section(name: str) -> Iterable[str]:
    found = msgspec.json.decode((results.FOLDER / f"{name}.json").read_bytes())
    machine = ", ".join(f"{key} {value}" for key, value in found["machine"].items())
    yield f"`{found['command']}`, {found['on']}; {machine}. Medians of {found['rounds']} rounds.\n".replace(
        "Medians of 1 rounds", "One round"
    )
    yield from _rows(found["rows"])
    if found["bars"]:
        yield ""
        yield from _bars(found["bars"])
    if found["notes"]:
        yield ""
        yield from (f"- {note}" for note in found["notes"])


def _rows(rows: list[dict[str, Any]]) -> Iterable[str]:
    figures = list(dict.fromkeys(figure for row in rows for figure in row["medians"]))
    yield f"| case | contender | {' | '.join(figures)} |"
    yield "|---|---|" + "---:|" * len(figures)
    for row in rows:
        cells = (_number(row["medians"][figure]) if figure in row["medians"] else "" for figure in figures)
        yield f"| {row['case']} | {row['contender']} | {' | '.join(cells)} |"


def _bars(bars: list[dict[str, Any]]) -> Iterable[str]:
    yield "| what must hold | measured | bar | |"
    yield "|---|---:|---:|---|"
    for bar in bars:
        sign = "≥" if bar["at_least"] else "≤"
        said = "holds" if bar["holds"] else "**not reached**"
        yield f"| {bar['what']} | {_number(bar['value'])} {bar['unit']} | {sign} {bar['bar']:g} | {said} |"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
