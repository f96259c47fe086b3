"""No module keeps an error to be raised again: it would keep every frame that it is ever raised through."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tests.house.project import PACKAGES


def modules() -> Iterator[ModuleType]:
    for package in map(importlib.import_module, PACKAGES):
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield importlib.import_module(found.name)


def kept(value: Any, deep: int = 3) -> bool:
    """Whether a value is an error, or holds one."""
    if isinstance(value, BaseException):
        return True
    if not deep:
        return False
    if isinstance(value, type) and value.__module__.partition(".")[0] in PACKAGES:
        return any(kept(each, deep - 1) for each in vars(value).values())
    if isinstance(value, dict):
        return any(kept(each, deep - 1) for each in (*value, *value.values()))
    return isinstance(value, list | tuple | set | frozenset) and any(kept(each, deep - 1) for each in value)


def test_errors_are_made_where_they_are_raised() -> None:
    found = [
        f"{module.__name__}.{name}"
        for module in modules()
        for name, value in vars(module).items()
        if not name.startswith("__") and kept(value)
    ]
    assert found == []
