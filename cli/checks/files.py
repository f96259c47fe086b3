"""Who may read a file."""

import os
import stat
from pathlib import Path


def others_read(path: Path) -> bool:
    """Whether users other than its owner can read a file, as far as its mode and its folders say.

    What is mounted read-only is not looked at: secrets of Kubernetes and Compose are a container's own, with
    modes that let its user read them by the group or as anybody.
    """
    try:
        found, mounted = path.stat(), os.statvfs(path)
        folders = [each.stat().st_mode for each in path.resolve().parents]
    except OSError:
        return False  # which its reader tells of
    if mounted.f_flag & os.ST_RDONLY:
        return False
    by_anybody = found.st_mode & stat.S_IROTH and all(mode & stat.S_IXOTH for mode in folders)
    shared = found.st_uid == os.geteuid() and found.st_gid != os.getegid()  # the group is not how we read it
    by_group = (
        shared
        and found.st_mode & stat.S_IRGRP
        and all(mode & (stat.S_IXGRP | stat.S_IXOTH) for mode in folders)
    )
    return bool(by_anybody or by_group)
