"""How a command ends that is told to."""

import asyncio
import signal
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from cli.options import CommandError, Exit

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_UNHEARD = (signal.SIG_DFL, signal.default_int_handler)


class Interrupted(asyncio.CancelledError):
    """A command is cancelled between two steps; this says how far it came."""

    def __init__(self, what: str, after: str, status: Exit) -> None:
        super().__init__(f"{what}: after {after}")
        self.what = what
        self.after = after
        self.status = status


def unheard() -> list[signal.Signals]:
    """The signals that would end the process. Asked before its event loop is there, which hears SIGINT.

    What is ignored from the start, as with `nohup`, is left so, and what a service hears in its own way
    (`admin.signals.Hangups`).
    """
    return [each for each in _SIGNALS if signal.getsignal(each) in _UNHEARD]


async def stoppable(work: Coroutine[Any, Any, T], signals: Iterable[signal.Signals]) -> T:
    """Gives what a command gives. Each of these signals cancels it; raises `CommandError` then.

    Only the first of them does: a terminal that is closed sends several, and none is to disturb what the
    command still writes down.
    """
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    told: list[str] = []

    def stop(name: str) -> None:
        if not told and task is not None:
            told.append(name)
            task.cancel()

    for each in signals:
        loop.add_signal_handler(each, stop, each.name)
    try:
        return await work
    except Interrupted as far:
        if not told:
            raise
        raise CommandError(f"{far.what}: ended by {told[0]} after {far.after}", far.status) from None
    except asyncio.CancelledError:
        if not told:
            raise
        raise CommandError(f"ended by {told[0]}") from None
