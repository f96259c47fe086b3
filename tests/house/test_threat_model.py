"""docs/threat-model.md names tests that there are."""

import re

from tests.house.project import ROOT

ROWS = re.findall(
    r"^\| ([STRIDE, ]+) \| .*\| ([^|]*) \|$", (ROOT / "docs/threat-model.md").read_text(), re.MULTILINE
)


def test_every_threat_names_the_tests_that_try_it() -> None:
    assert len(ROWS) >= 30
    for _, tried in ROWS:
        named = re.findall(r"`([^`]+)`", tried)
        assert named
        assert [name for name in named if not (ROOT / "tests" / name).exists()] == []


def test_every_kind_of_threat_was_thought_of() -> None:
    assert {kind for kinds, _ in ROWS for kind in kinds.split(", ")} == set("STRIDE")
