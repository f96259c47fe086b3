"""The processes that run, beside the configuration file as this process finds it now."""

from typing import NamedTuple

from admin.console.world import World
from bookings.fleet import Difference, Fleet, Process, headcount


class Standing(NamedTuple):
    """How the processes stand to the file and to one another."""

    counted: str
    """How many there are of each kind."""
    different: tuple[tuple[Process, list[Difference]], ...]
    """Those that differ, each with how."""
    unusable: bool
    """Whether something is wrong in the file: no process would start with it."""


async def standing(world: World) -> Standing:
    """Asks Redis for the processes, and reads the file."""
    processes = await Fleet(world.store).processes()
    digest = await world.configuration.digest_of_file()
    told = [(each, each.differences(digest or world.configuration.digest)) for each in processes]
    return Standing(headcount(processes), tuple(each for each in told if each[1]), digest is None)
