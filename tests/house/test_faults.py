"""Every fault has its tests, and patches that still fit the code. That the tests fail with them: `make defences`."""

import importlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import faults
from tests.faults.defences import NUMBERS, ROOT, Patch, patches


def marked() -> Iterator[int]:
    """The faults that tests say they are about, once for each test."""
    for path in Path(*faults.__path__).glob("test_*.py"):
        module = importlib.import_module(f"{faults.__name__}.{path.stem}")
        own = getattr(module, "pytestmark", [])
        for name, test in vars(module).items():
            if name.startswith("test_"):
                marks = [*getattr(test, "pytestmark", []), *(own if isinstance(own, list) else [own])]
                yield from (mark.kwargs["number"] for mark in marks if mark.name == "fault")


def test_every_fault_has_a_test_and_a_patch_that_takes_its_defence_away() -> None:
    tests, proofs = Counter(marked()), Counter(patch.number for patch in patches())
    assert {
        number: (tests[number], proofs[number])
        for number in NUMBERS
        if not tests[number] or not proofs[number]
    } == {}
    assert set(tests) | set(proofs) <= set(NUMBERS)


@pytest.mark.parametrize("patch", patches(), ids=lambda patch: patch.path.stem)
def test_the_patch_still_applies(patch: Patch) -> None:
    assert patch.apply(ROOT, check=True) == ""


def test_every_fault_is_listed_in_the_documentation() -> None:
    page = (ROOT / "docs" / "faults.md").read_text()
    assert [number for number in NUMBERS if f"\n| {number} |" not in page] == []
