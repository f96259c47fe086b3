"""Rules, dashboard and runbook: they speak of metrics that there are, of each other, and of commands that there are."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import promql_parser
import pytest
import yaml

from tests.deploy.cli_lines import commands_of, parses
from tests.deploy.prometheus import RULES, Rule
from tests.house.project import ROOT

RUNBOOK = (ROOT / "docs/runbook.md").read_text()
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/dashboard.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EACH_RULE = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.alert)
EACH_PANEL = pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])

_LISTED = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)
_OF_A_HISTOGRAM = ("_bucket", "_sum", "_count")
_OF_PROMETHEUS = {"job", "instance", "le"}
_SEVERITIES = {"critical", "warning", "info"}


def there_are() -> dict[str, set[str]]:
    """Each series that docs/metrics.md lists, with its labels."""
    series = {"up": {"job", "instance"}}
    for name, kind, labels in _LISTED.findall((ROOT / "docs/metrics.md").read_text()):
        for suffix in _OF_A_HISTOGRAM if kind == "histogram" else ("",):
            series[name + suffix] = {*re.findall(r"`(\w+)`", labels), *_OF_PROMETHEUS}
    return series


def nodes(expression: Any) -> Iterator[Any]:
    """Everything an expression is made of."""
    yield expression
    for name in ("expr", "lhs", "rhs", "vector_selector"):
        if (below := getattr(expression, name, None)) is not None:
            yield from nodes(below)
    for below in getattr(expression, "args", None) or ():
        yield from nodes(below)


def unknown(expression: str) -> set[str]:
    """What an expression names and no page shows: metrics, and labels of them."""
    known, found = there_are(), set()
    parsed = promql_parser.parse(expression.replace("$__rate_interval", "5m"))
    selectors = [node for node in nodes(parsed) if isinstance(node, promql_parser.VectorSelector)]
    assert selectors
    for selector in selectors:
        labels = {matcher.name for matcher in selector.matchers.matchers}
        if selector.name not in known:
            found.add(str(selector.name))
        else:
            found |= {f"{selector.name}{{{label}}}" for label in labels - known[selector.name]}
    return found


def section(alert: str) -> str:
    """The alert's section of the runbook."""
    [found] = re.findall(rf"^## {alert}\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
    return str(found)


def test_a_metric_or_a_label_that_there_is_not_is_noticed() -> None:
    assert unknown('sum(rate(sequence_sync_writes{kind="a"}[5m]))') == {"sequence_sync_writes"}
    assert unknown('max(sequence_sync_open_parts{kind="a"})') == {"sequence_sync_open_parts{kind}"}
    assert unknown("up > 0 * max(sequence_sync_open)") == {"sequence_sync_open"}


# -- rules and their runbook


@EACH_RULE
def test_a_rule_speaks_of_metrics_that_there_are(rule: Rule) -> None:
    assert unknown(rule.expression) == set()


@EACH_RULE
def test_an_alert_says_what_it_is_and_leads_to_its_own_section(rule: Rule) -> None:
    assert rule.severity in _SEVERITIES
    assert rule.annotations["runbook_url"] == f"docs/runbook.md#{rule.alert.lower()}"
    assert set(rule.annotations) == {"summary", "description", "runbook_url"}


@EACH_RULE
def test_its_section_says_what_to_do_with_commands_that_there_are(rule: Rule) -> None:
    text = section(rule.alert)
    for word in ("**Means**", "**Stake**", "**Look**"):
        assert text.count(word) == 1
    assert len(re.findall(r"\*\*[Mm]ends\*\*", text)) == 1
    commands = [line for span in re.findall(r"`([^`]+)`", text) for line in commands_of(span)]
    assert commands
    assert [line for line in commands if not parses(line)] == []


def test_the_runbook_has_a_section_for_each_alert_and_leads_only_where_there_is_something() -> None:
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE) == [rule.alert for rule in RULES]
    for alert in re.findall(r"\]\(#(\w+)\)", RUNBOOK):
        assert alert in {rule.alert.lower() for rule in RULES}


def test_the_runbook_s_commands_are_spelt_as_they_are() -> None:
    typed = re.findall(r"(?:^|`|-- )sequence-sync ([a-z-]+)", RUNBOOK, re.MULTILINE)
    assert [name for name in typed if not commands_of(f"sequence-sync {name}")] == []


def test_a_command_that_there_is_not_is_noticed() -> None:
    assert parses("dead-letters replay --all --dry-run")
    assert not parses("dead-letters replay --everything")
    assert not parses("dead-letters repaly --all")
    assert not parses("bookings show")


# -- the dashboard


@EACH_PANEL
def test_a_panel_shows_metrics_that_there_are(panel: dict[str, Any]) -> None:
    expressions = [target["expr"] for target in panel["targets"]]
    assert expressions
    assert {name for expression in expressions for name in unknown(expression)} == set()


@EACH_PANEL
def test_a_panel_takes_its_data_from_where_the_reader_says(panel: dict[str, Any]) -> None:
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert [each["datasource"] for each in (panel, *panel["targets"])] == [source] * (
        1 + len(panel["targets"])
    )
    assert panel["description"]
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_the_reader_says_where_the_data_are() -> None:
    [variable] = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )


def test_no_panel_hides_another_and_no_id_is_there_twice() -> None:
    every = DASHBOARD["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    places = [
        {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        for at in (panel["gridPos"] for panel in every)
    ]
    assert not [one for one, other in combinations(places, 2) if one & other]
    assert max(x for place in places for x, _ in place) < 24


def test_whatever_an_alert_is_about_can_be_seen_on_the_dashboard() -> None:
    shown = " ".join(target["expr"] for panel in PANELS for target in panel["targets"])
    alerted = {name for rule in RULES for name in re.findall(r"sequence_sync_\w+", rule.expression)}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in alerted}
    left_out = {name for name in families if name not in shown}
    # The state of the last PING, and who signs wrongly, are rows of others: of readiness and of results.
    assert left_out == {"sequence_sync_redis_up", "sequence_sync_signature_failures_total"}


def test_compose_gives_grafana_the_dashboard_and_the_data() -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    provisioning = ROOT / "deploy/grafana/provisioning"
    [provider] = yaml.safe_load((provisioning / "dashboards/sequence-sync.yaml").read_text())["providers"]
    folder = provider["options"]["path"]
    assert (
        f"./grafana/dashboard.json:{folder}/sequence-sync.json:ro"
        in compose["services"]["grafana"]["volumes"]
    )
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())["datasources"]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    host, port = re.fullmatch(r"http://(\w+):(\d+)", source["url"]).groups()  # type: ignore[union-attr]
    assert host in compose["services"]
    assert [each for each in compose["services"][host]["ports"] if each.endswith(f":{port}")]
