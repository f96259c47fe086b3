"""Draws `bench/results/` into docs/performance/ with matplotlib: `.venv-bench/bin/python -m bench.charts`."""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt

_HERE = Path(__file__).parent
_RESULTS, _PICTURES = _HERE / "results", _HERE.parent / "docs" / "performance"
_OURS = "sequence-sync"
_COLOURS = {True: "#0b6e4f", False: "#9aa5b1"}

_CHARTS = {
    "receiver": (
        "callbacks/s",
        "Callbacks a second; only ours and arq's are stored, on disk before the answer",
    ),
    "queues": ("start p50 ms", "From enqueuing to the start of a lone job, median in ms"),
    "writes": ("writes/s", "Writes a second of one worker, a provider that answers after 50 ms"),
    "idle": ("p50 ms", "From 2xx to the event in the calendar, median in ms"),
    "end_to_end": ("p50 ms", "From the callback's first byte to the event in the calendar, median in ms"),
}
_LOGARITHMIC = {"queues", "idle", "writes"}


def main() -> None:
    """Draws every chart whose results are there."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9})
    _PICTURES.mkdir(exist_ok=True)
    for name, (figure, title) in _CHARTS.items():
        path = _RESULTS / f"{name}.json"
        if path.exists():
            rows = json.loads(path.read_text())["rows"]
            _draw(name, figure, title, [row for row in rows if figure in row["medians"]])
            sys.stdout.write(f"docs/performance/{name}.svg\n")


def _draw(name: str, figure: str, title: str, rows: list[dict[str, Any]]) -> None:
    labels = [f"{row['case']} · {row['contender']}" for row in rows]
    values = [row["medians"][figure] for row in rows]
    picture, axes = plt.subplots(figsize=(8, 0.6 + 0.27 * len(rows)))
    drawn = axes.barh(labels, values, color=[_COLOURS[row["contender"] == _OURS] for row in rows])
    axes.bar_label(drawn, labels=[f" {value:,.0f}" if value >= 100 else f" {value:.3g}" for value in values])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, loc="left", fontsize=10)
    if name in _LOGARITHMIC:
        axes.set_xscale("log")
    picture.savefig(_PICTURES / f"{name}.svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(picture)


if __name__ == "__main__":
    main()
