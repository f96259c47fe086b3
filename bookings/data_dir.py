"""The data directory is the service's own: it holds what meetings say, and nobody else reads it."""

import os
import stat
from pathlib import Path

from bookings.errors import EmbeddedRedisError

_OURS = ("redis.", "appendonly", "temp-", "dump", "lost+found")
"""How the names of all that a redis-server keeps begin."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(path: Path) -> None:
    """Makes the directory where it is missing, and closes one that is there to others.

    Raises `EmbeddedRedisError` where that cannot be, or where more is in it than a server's data: a folder of
    the system is not ours to close.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
    except OSError as error:
        raise EmbeddedRedisError(
            f"the data directory {path} cannot be made ({error.strerror}); choose another one"
        ) from None
    if found.st_uid != os.geteuid():
        raise EmbeddedRedisError(
            f"the data directory {path} belongs to another user, who can read what is in it; "
            "give it to this one (chown), or choose another"
        )
    if not found.st_mode & _OTHERS:
        return
    if strange := next((each.name for each in path.iterdir() if not each.name.startswith(_OURS)), None):
        raise EmbeddedRedisError(
            f"the data directory {path} is open to others, and holds more than data of Redis ({strange}); "
            "choose one of its own, or close it (chmod 700)"
        )
    path.chmod(0o700)
