"""Results as JSON, and as a table on the terminal."""

import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from bench.figures import Findings
from bookings.embedded import redis_server

FOLDER = Path(__file__).with_name("results")


def write(name: str, title: str, findings: Findings, *, rounds: int, machine: Mapping[str, Any]) -> None:
    """Writes `results/NAME.json`."""
    FOLDER.mkdir(exist_ok=True)
    data: dict[str, Any] = {
        "benchmark": name,
        "title": title,
        "command": f"make bench ONLY={name} ROUNDS={rounds}",
        "on": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine,
        "rounds": rounds,
        "rows": [
            {**msgspec.to_builtins(row), "medians": {figure: row.median(figure) for figure in row.figures}}
            for row in findings.rows
        ],
        "bars": [{**msgspec.to_builtins(bar), "holds": bar.holds} for bar in findings.bars],
        "notes": list(findings.notes),
    }
    text = msgspec.json.format(msgspec.json.encode(_rounded(data)), indent=1)
    (FOLDER / f"{name}.json").write_bytes(text + b"\n")


def show(findings: Findings) -> None:
    """Prints the medians and the bars."""
    console = Console(file=sys.stdout, width=150)
    figures = list(dict.fromkeys(figure for row in findings.rows for figure in row.figures))
    table = Table("case", "contender", *figures)
    for row in findings.rows:
        cells = (f"{row.median(figure):,.2f}" if figure in row.figures else "" for figure in figures)
        table.add_row(row.case, row.contender, *cells)
    console.print(table)
    for bar in findings.bars:
        sign = "≥" if bar.at_least else "≤"
        said = "holds " if bar.holds else "MISSED"
        console.print(f"{said} {bar.what}: {bar.value:.3g} {bar.unit} (bar {sign} {bar.bar:g})")
    for note in findings.notes:
        console.print(note)


def machine() -> dict[str, Any]:
    """What is measured on, and how busy it is already."""
    return {
        "cores": os.cpu_count(),
        "memory GiB": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "redis": redis_server().name,
        "load before": os.getloadavg()[0],
    }


def _rounded(value: Any) -> Any:
    """Four digits say all that such a measurement knows."""
    match value:
        case float():
            return float(f"{value:.4g}")
        case dict():
            return {key: _rounded(each) for key, each in value.items()}
        case list():
            return [_rounded(each) for each in value]
    return value
