"""The secrets without which a process does not start, found by leaving out each of them in turn."""

import re
import tomllib
from pathlib import Path

from config.errors import ConfigError
from config.load import parse
from config.references import USES_OF

_KEY_FILE = '{"client_email": "a@example.com", "private_key": "k", "token_uri": "https://example.com"}'


def needed(config: str, process: str, folder: Path) -> set[str]:
    """The names of the files that a process reads of the secrets of a configuration."""
    found = set()
    for name in set(re.findall(r"file:[\w/]*/secrets/([\w.]+)", config)):
        path = folder / name
        path.write_text(_KEY_FILE if name.endswith(".json") else "a secret")
    for path in list(folder.iterdir()):
        kept = path.read_text()
        path.unlink()
        try:
            table = tomllib.loads(re.sub(r"file:[\w/]*/secrets", f"file:{folder}", config))
            parse(table, folder=folder, environ={}, uses=USES_OF[process])
        except ConfigError:
            found.add(path.name)
        path.write_text(kept)
    return found
