"""What Prometheus itself makes of the samples of a test, where its `promtool` is installed."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

from tests.deploy.prometheus import RULES, STEP_S, Prometheus
from tests.deploy.promql import Labels, Sample
from tests.house.project import ROOT

_SEVERITY = {rule.alert: rule.severity for rule in RULES}


async def assert_promtool_agrees(prometheus: Prometheus, folder: Path) -> None:
    """Raises where, at any minute, other alerts fire in Prometheus than fired here."""
    promtool = shutil.which("promtool")
    if promtool is None:
        return
    page = {
        "rule_files": [str(ROOT / "deploy/prometheus/alerts.yaml")],
        "evaluation_interval": f"{2 * STEP_S:.0f}s",
        "tests": [
            {
                "interval": f"{STEP_S:.0f}s",
                "input_series": _series(prometheus),
                "promql_expr_test": [_expected(now, firing) for now, firing in prometheus.said],
            }
        ],
    }
    (folder / "rules_test.yaml").write_text(json.dumps(page))  # JSON is YAML
    child = await asyncio.create_subprocess_exec(
        *(promtool, "test", "rules", str(folder / "rules_test.yaml")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await child.communicate()
    assert child.returncode == 0, said.decode()


def _series(prometheus: Prometheus) -> list[dict[str, str]]:
    return [
        {"series": _named(name, labels), "values": _values(samples)}
        for name in prometheus.series.names()
        for labels, samples in prometheus.series.named(name).items()
    ]


def _named(name: str, labels: Labels) -> str:
    return name + "{" + ",".join(f"{key}={json.dumps(value)}" for key, value in sorted(labels)) + "}"


def _values(samples: list[Sample]) -> str:
    """The samples in promtool's notation, from time 0 on."""
    at = {round(sample.time / STEP_S): sample for sample in samples}
    return " ".join(
        "_" if step not in at else "stale" if at[step].stale else repr(at[step].value)
        for step in range(max(at) + 1)
    )


def _expected(now: float, firing: set[tuple[str, Labels]]) -> dict[str, Any]:
    samples = [
        _named(
            "ALERTS",
            labels | {("alertname", alert), ("alertstate", "firing"), ("severity", _SEVERITY[alert])},
        )
        for alert, labels in firing
    ]
    return {
        "expr": 'ALERTS{alertstate="firing"}',
        "eval_time": f"{now:.0f}s",
        "exp_samples": [{"labels": each, "value": 1} for each in sorted(samples)],
    }
