"""docs/network.md says of each refusal what `check` says."""

import re

from network.advice import advice
from network.refusals import Refusal
from tests.house.project import ROOT

ROWS = re.findall(
    r"^\| `([a-z_]+)` \| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs/network.md").read_text(), re.MULTILINE
)


def test_the_page_has_the_words_and_the_remedy_of_each_refusal() -> None:
    assert [(str(each), *advice(each)) for each in Refusal] == ROWS
