"""How far a command has come when it is told to stop."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from cli.options import Exit
from cli.output import words
from cli.stopping import Interrupted
from cli.streams import OutputError

T = TypeVar("T")


@contextmanager
def steps(what: str, passed: Callable[[], int], *, of: int | None = None) -> Iterator[None]:
    """Says how far a command came that is told to stop, or fails, between its first step and its last."""
    try:
        yield
    except asyncio.CancelledError:
        if passed() == of:
            return  # there was nothing left to stop
        raise Interrupted(what, _far(passed(), of), Exit.PARTLY if passed() else Exit.FAILED) from None
    except OutputError:
        raise
    except Exception:
        words.print(f"{what}: failed after {_far(passed(), of)}")
        raise


async def whole(step: Coroutine[Any, Any, T]) -> T:
    """Gives what a command's only step gives: told to stop in the middle of it, it comes to its end."""
    task = asyncio.create_task(step)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait((task,))
    return task.result()


def _far(passed: int, of: int | None) -> str:
    return str(passed) if of is None else f"{passed} of {of}"
