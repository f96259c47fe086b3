"""What a command says of the processes that will do what it asks for."""

from bookings.fleet import Fleet
from bookings.store import Store
from cli.output import words
from config.settings import Settings


async def warn_of_others(store: Store, settings: Settings) -> None:
    """Says which workers work by something other than this configuration and version: theirs decides."""
    workers = [each for each in await Fleet(store).processes() if each.kind == "worker"]
    if not workers:
        words.print("no worker runs: nothing is written before one does")
    for worker in workers:
        for difference in worker.differences(settings.digest):
            words.print(f"warning: the worker {worker.name} {difference.words}, and decides by what it has")
