"""Which secrets' files others on a machine can read."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.checks.configuration import configuration
from cli.checks.files import others_read
from config.load import parse


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody can look into, as pytest's own is not."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def secret(folder: Path, mode: int) -> Path:
    path = folder / "secret"
    path.write_text("a secret")
    path.chmod(mode)
    return path


@pytest.mark.parametrize(("mode", "others"), [(0o600, False), (0o400, False), (0o644, True), (0o604, True)])
def test_a_file_s_mode_says_who_reads_it(folder: Path, mode: int, others: bool) -> None:
    assert others_read(secret(folder, mode)) is others


def test_a_closed_folder_keeps_others_from_what_is_in_it(folder: Path) -> None:
    inner = folder / "inner"
    inner.mkdir(mode=0o700)
    assert not others_read(secret(inner, 0o644))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_group_counts_where_it_is_not_how_the_service_reads_the_file(folder: Path) -> None:
    path = secret(folder, 0o640)
    assert not others_read(path)  # our own group
    os.chown(path, -1, 12345)
    assert others_read(path)
    os.chown(path, 12345, -1)  # root's or another's file that is shared with a service by its group
    assert not others_read(path)


def test_check_names_the_file_and_what_to_do(folder: Path) -> None:
    path = secret(folder, 0o644)
    app = {"name": "hiring", "client_secrets": ["file:secret"]}
    found = configuration(parse({"apps": [app]}, folder=folder, environ={}))
    [finding] = [each for each in found if each.subject == "secret files"]
    assert (finding.words, finding.remedy) == (f"{path} can be read by other users", f"chmod 600 {path}")
    path.chmod(0o600)
    assert "secret files" not in {
        each.subject for each in configuration(parse({"apps": [app]}, folder=folder, environ={}))
    }
