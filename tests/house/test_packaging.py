"""The wheel holds everything, and runs without the source tree. Built offline, by the locked hatchling."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.project import PACKAGES, PYPROJECT, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def contents(folder: Path) -> set[str]:
    """The files of our packages below `folder`, byte code left out."""
    found = (path for name in PACKAGES for path in (folder / name).rglob("*"))
    return {
        path.relative_to(folder).as_posix()
        for path in found
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_every_file_of_every_package(wheel: Path) -> None:
    assert contents(wheel) == contents(ROOT)


@pytest.mark.parametrize(
    "pattern", ["bookings/scripts/*.lua", "cli/callbacks/*.json", "config/example.toml", "sandbox/*.json"]
)
def test_the_wheel_holds_what_is_not_python(wheel: Path, pattern: str) -> None:
    assert list(wheel.glob(pattern))


def test_the_wheel_brings_its_licence(wheel: Path) -> None:
    assert [path.read_text() for path in wheel.glob("*.dist-info/licenses/LICENSE")] == [
        (ROOT / "LICENSE").read_text()
    ]


def test_the_unpacked_wheel_runs_without_the_source_tree(wheel: Path) -> None:
    code = "import cli.main, sandbox.server, sys; print(cli.main.__file__); sys.argv = ['', '--version']; cli.main.main()"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=wheel,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=True,
    )
    version = PYPROJECT["project"]["version"]
    assert ran.stdout.splitlines() == [str(wheel / "cli" / "main.py"), f"sequence-sync {version}"]
