"""The patches that take a fault's defence away."""

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
NUMBERS = range(1, 43)
_WITHOUT = Path(__file__).parent / "without"


class Patch(NamedTuple):
    """A unified diff; what stands before its first `diff` or `---` is for the reader."""

    number: int
    words: str
    path: Path

    def apply(self, tree: Path, *, check: bool = False) -> str:
        """Applies it to a tree, or only looks whether that could be done; gives git's complaint, or nothing."""
        command = ["git", "apply", *(["--check"] if check else []), str(self.path)]
        applied = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        return applied.stderr if applied.returncode else ""


def patches() -> list[Patch]:
    """All of them, in order."""
    found = []
    for path in sorted(_WITHOUT.glob("*.patch")):
        named = re.fullmatch(r"(\d\d)-([a-z0-9-]+)", path.stem)
        assert named, f"{path.name} is not named NN-words.patch"
        found.append(Patch(int(named[1]), named[2].replace("-", " "), path))
    return found
