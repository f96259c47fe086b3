"""Keeps receiver and workers small: leaves out what libraries import for features that we do not use."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


def import_lean() -> None:
    """Imports redis-py and structlog without what they would bring along. Called before anything else is.

    redis-py 5 imports PyJWT, and with it cryptography (9 MiB resident), for Entra ID tokens as passwords.
    structlog imports rich (3 MiB) for pretty tracebacks, and greenlet (1 MiB) where it is installed.
    """
    with _empty("jwt"):
        import_module("redis.asyncio")
    with _empty("rich"), _empty("greenlet"):
        import_module("structlog.stdlib")


@contextmanager
def _empty(name: str) -> Iterator[None]:
    """Lets imports inside find an empty module of this name; what imports it later gets the real one."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        del sys.modules[name]
