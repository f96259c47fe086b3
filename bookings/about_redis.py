"""What a Redis says of itself. Managed ones and forks leave much of it out: what is not said is unknown."""

import re
from collections.abc import Mapping
from typing import Any, Self

import msgspec

_VERSION = re.compile(r"(\w+)_version")
_NOT_OF_SERVERS = {"redis", "gcc"}
_MIB = 2**20
_PATCHED: Mapping[str, Mapping[tuple[int, int], int]] = {
    "redis": {(6, 2): 20, (7, 2): 11, (7, 4): 6, (8, 0): 4, (8, 2): 2},
    "valkey": {(7, 2): 11, (8, 0): 6, (8, 1): 4, (9, 0): 0},
}
"""The first patch without the hole of each version that gets patches; others before the newest have it."""


def mib(size: int | None) -> str:
    """A size in bytes, as it is shown."""
    return "an unknown size" if size is None else f"{size / _MIB:,.0f} MiB"


class Loading(msgspec.Struct, frozen=True):
    """How far it has come with loading its data; sizes in bytes."""

    loaded: int | None
    total: int | None
    left_s: int | None

    def __str__(self) -> str:
        """As somebody who waits for it wants to read it."""
        if not self.total or self.loaded is None:
            return "loading its data"
        left = "" if self.left_s is None or self.left_s < 0 else f", about {self.left_s} s left"
        return f"loading {self.loaded / _MIB:,.0f} of {mib(self.total)}{left}"


class AboutRedis(msgspec.Struct, frozen=True, kw_only=True):
    """One INFO. None is what it does not say."""

    name: str
    """The product, by its own word: Redis, Valkey, …"""
    version: str | None
    redis_version: str | None
    """The version of Redis that it is, or that it is compatible with."""
    loading: Loading | None
    """None also where it has its data."""
    role: str | None
    primary: str
    """Where the primary of a replica is."""
    policy: str | None
    """What it drops when it is full: `maxmemory-policy`."""
    used: int | None
    limit: int | None
    """Memory in bytes; a limit of 0 is none."""
    machine_memory: int | None
    keeps_file: bool | None
    """Whether it has an append-only file, and whether that can be written."""
    file_is_written: bool | None
    snapshot_is_written: bool | None
    good_replicas: int | None
    """How many replicas keep up, where it asks for some."""
    is_cluster: bool | None
    clock_ms: int | None
    """Its time, Unix milliseconds."""

    @property
    def has_known_holes(self) -> bool:
        """Whether its scripts can be made to run foreign code: CVE-2025-49844 (redis.io, valkey.io).

        Forks with versions of their own are not known, and a distribution's patches are not to be seen.
        """
        patched = _PATCHED.get(self.name.lower())
        number = re.match(r"(\d+)\.(\d+)\.(\d+)", self.version or "")
        if patched is None or number is None:
            return False
        major, minor, patch = map(int, number.groups())
        if (major, minor) in patched:
            return patch < patched[major, minor]
        return (major, minor) < max(patched)

    @classmethod
    def read(cls, info: Mapping[str, Any]) -> Self:
        """Reads what INFO gave."""
        own = _own_version(info)
        return cls(
            name=_text(info, "server_name") or (own or "redis"),
            version=_text(info, f"{own}_version") if own else _text(info, "redis_version"),
            redis_version=_text(info, "redis_version"),
            loading=_loading(info),
            role=_text(info, "role"),
            primary=f"{info.get('master_host', 'an unknown host')}:{info.get('master_port', '?')}",
            policy=_text(info, "maxmemory_policy"),
            used=_used(info),
            limit=_number(info, "maxmemory"),
            machine_memory=_number(info, "total_system_memory"),
            keeps_file=_flag(info, "aof_enabled"),
            file_is_written=_ok(info, "aof_last_write_status"),
            snapshot_is_written=_ok(info, "rdb_last_bgsave_status"),
            good_replicas=_number(info, "min_slaves_good_slaves"),
            is_cluster=_flag(info, "cluster_enabled"),
            clock_ms=None if (clock := _number(info, "server_time_usec")) is None else clock // 1000,
        )

    @property
    def title(self) -> str:
        """Its name as it is written."""
        return self.name if any(map(str.isupper, self.name)) else self.name.capitalize()

    @property
    def is_replica(self) -> bool:
        """Whether it says that it is one."""
        return self.role is not None and self.role != "master"

    @property
    def is_full(self) -> bool:
        """Whether it says that its memory is used up."""
        return bool(self.limit) and self.used is not None and self.used > (self.limit or 0)

    def explains(self, word: str) -> bool:
        """Whether it says itself why it would refuse to write with this word."""
        why = {
            "READONLY": self.is_replica,
            "OOM": self.is_full,
            "MISCONF": self.file_is_written is False,
            "NOREPLICAS": self.good_replicas == 0,
        }
        return why.get(word, False)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What it does not say of that on which it depends whether it keeps everything."""
        asked = {"maxmemory-policy": self.policy, "whether it keeps an append-only file": self.keeps_file}
        return tuple(name for name, value in asked.items() if value is None)


def _own_version(info: Mapping[str, Any]) -> str:
    """What a fork calls itself in front of its version; nothing where it is Redis."""
    named = [found[1] for field in info if (found := _VERSION.fullmatch(field))]
    return next((name for name in named if name not in _NOT_OF_SERVERS), "")


def _loading(info: Mapping[str, Any]) -> Loading | None:
    if not _flag(info, "loading"):
        return None
    return Loading(
        loaded=_number(info, "loading_loaded_bytes"),
        total=_number(info, "loading_total_bytes"),
        left_s=_number(info, "loading_eta_seconds"),
    )


def _used(info: Mapping[str, Any]) -> int | None:
    used = _number(info, "used_memory")
    return None if used is None else used - (_number(info, "mem_not_counted_for_evict") or 0)


def _text(info: Mapping[str, Any], name: str) -> str | None:
    value = info.get(name)
    return None if value is None or value == "" else str(value)


def _number(info: Mapping[str, Any], name: str) -> int | None:
    try:
        return int(info[name])
    except (KeyError, OverflowError, TypeError, ValueError):
        return None


def _flag(info: Mapping[str, Any], name: str) -> bool | None:
    number = _number(info, name)
    return None if number is None else bool(number)


def _ok(info: Mapping[str, Any], name: str) -> bool | None:
    value = _text(info, name)
    return None if value is None else value == "ok"
