"""`python -m tests.faults [N ...]`: without its defence, each fault's tests fail; with it, all of them pass."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from tests.faults.defences import NUMBERS, ROOT, Patch, patches

# A test that ends with another exception may have met a broken patch.
_FAILED = re.compile(r"^FAILED .*? - (?:assert |AssertionError|Failed: |TimeoutError)", re.MULTILINE)


class Run(NamedTuple):
    """How tests ended; `failed` are those that an assertion or a time limit of theirs ended."""

    status: int
    failed: int
    total: int
    said: str


def run_tests(tree: Path, *numbers: int) -> Run:
    """Runs the tests of some faults in a tree."""
    marks = " or ".join(f"fault(number={number})" for number in numbers)
    options = ["-q", "-m", marks, "-p", "no:cacheprovider", "--tb=short"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/faults", *options],
        cwd=tree,
        # The tree goes before the installed one, for child processes too; lines are to be long enough for reasons.
        env={**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "1000"},
        capture_output=True,
        text=True,
        check=False,
    )
    last = ran.stdout.rstrip().rpartition("\n")[2]
    total = sum(int(count) for count in re.findall(r"(\d+) (?:passed|failed|error)", last))
    return Run(ran.returncode, len(_FAILED.findall(ran.stdout)), total, ran.stdout + ran.stderr)


def snapshot(target: Path) -> Path:
    """Copies what is in the repository, or will be with the next commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def proven(patch: Patch, whole: Path) -> bool:
    """Whether at least one of the fault's tests fails without the defence; says so."""
    with tempfile.TemporaryDirectory(prefix="without-") as folder:
        tree = Path(folder)
        shutil.copytree(whole, tree, dirs_exist_ok=True)
        complaint = patch.apply(tree)
        run = Run(5, 0, 0, complaint) if complaint else run_tests(tree, patch.number)
    good = run.status == 1 and run.failed > 0
    told = f"{run.failed} of {run.total} tests failed without the defence"
    typer.echo(f"{patch.number:2} {patch.words}: {told}{'' if good else ' - NO PROOF'}")
    if not good:
        typer.echo(run.said, err=True)
    return good


def main(
    numbers: Annotated[
        list[int] | None, typer.Argument(help="Faults of docs/faults.md; all of them if none is named.")
    ] = None,
) -> None:
    """Runs the tests of faults as they are, then without each fault's defence, when they have to fail."""
    wanted = numbers or list(NUMBERS)
    with tempfile.TemporaryDirectory(prefix="with-") as folder:
        whole = snapshot(Path(folder))
        run = run_tests(whole, *wanted)
        if run.status != 0:
            typer.echo(run.said, err=True)
            typer.echo("there are tests that fail with all defences")
            sys.exit(1)
        typer.echo(f"with all defences: {run.total} tests passed")
        chosen = [patch for patch in patches() if patch.number in wanted]
        missing = sorted(set(wanted) - {patch.number for patch in chosen})
        if missing:
            typer.echo(f"no patch takes away the defence of {missing}")
        verdicts = [proven(patch, whole) for patch in chosen]
    sys.exit(0 if all(verdicts) and not missing else 1)


app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
app.command()(main)
app()
