"""requirements*.lock keep up with pyproject.toml. Whoever changes a dependency runs `make lock`."""

import re
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.needs import needs
from tests.house.project import PYPROJECT, ROOT

DEPENDENCIES: list[str] = PYPROJECT["project"]["dependencies"]
DECLARED = {
    "requirements.lock": DEPENDENCIES,
    "requirements-dev.lock": [*DEPENDENCIES, *PYPROJECT["dependency-groups"]["dev"]],
}
LOCKS = pytest.mark.parametrize("lock", DECLARED)


def pins(lock: str) -> dict[str, Requirement]:
    """What a lock pins, by name."""
    lines = re.findall(r"^([a-z0-9].*?) *\\?$", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(pin.name): pin for pin in map(Requirement, lines)}


def pinned_version(pin: Requirement) -> str:
    [specifier] = pin.specifier
    assert specifier.operator == "=="
    return specifier.version


@LOCKS
def test_every_need_is_pinned_to_a_version_within_its_bounds(lock: str) -> None:
    pinned = pins(lock)
    for need in needs(DECLARED[lock]):
        pin = pinned.get(canonicalize_name(need.name))
        assert pin, f"{lock} does not pin {need}; run make lock"
        assert need.specifier.contains(pinned_version(pin), prereleases=True), (
            f"{lock} pins {pin}, which is not {need}; run make lock"
        )


@LOCKS
def test_nothing_is_pinned_that_nothing_needs(lock: str) -> None:
    wanted = {canonicalize_name(need.name) for need in needs(DECLARED[lock])}
    assert {name for name, pin in pins(lock).items() if not pin.marker or pin.marker.evaluate()} <= wanted


@LOCKS
def test_every_pin_has_its_hashes(lock: str) -> None:
    entries = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_both_locks_pin_the_same_versions() -> None:
    tested = pins("requirements-dev.lock")
    assert {
        name: str(pin) for name, pin in pins("requirements.lock").items() if str(tested[name]) != str(pin)
    } == {}


def test_the_tests_run_with_what_the_lock_pins() -> None:
    pinned = {
        name: pin
        for name, pin in pins("requirements-dev.lock").items()
        if not pin.marker or pin.marker.evaluate()
    }
    assert {name: version(name) for name in pinned} == {
        name: pinned_version(pin) for name, pin in pinned.items()
    }
