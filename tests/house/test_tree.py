"""What must, and what must not, be among the project's files."""

import re
import subprocess

import pytest

from tests.house.project import ROOT

# Where packages come from is a matter of each machine's own settings.
_PACKAGE_INDEX = re.compile(
    rb"\b(?:pypi|pythonhosted|npmjs|anaconda)\.(?:org|com)\b|index[-_]url|find[-_]links|trusted[-_]host",
    re.IGNORECASE,
)


def files() -> list[str]:
    """Everything that is in the repository, or will be with the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    return sorted(name for name in listed.decode().split("\0") if (ROOT / name).is_file())


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "CHANGELOG.md"])
def test_a_newcomer_finds(name: str) -> None:
    assert (ROOT / name).read_text().strip()


def test_no_file_names_the_host_of_a_package_index() -> None:
    named = {
        name: found[0] for name in files() if (found := _PACKAGE_INDEX.search((ROOT / name).read_bytes()))
    }
    assert named == {}
