"""`sequence-sync availability`: what the API would answer, as a table."""

from datetime import datetime
from pathlib import Path

from bookings.accounts import Accounts
from bookings.consents import Consents
from cli.apps import json_file
from cli.options import CommandError, Exit
from cli.output import print_json, print_table, words
from cli.stores import opened
from config.settings import Settings
from network.outgoing import Outgoing
from scheduler.api.problems import Invalid
from scheduler.asking import Asker, Availability
from scheduler.computing import Computing
from workers.calendars.directory import Directory


async def run_availability(settings: Settings, file: Path, *, as_json: bool) -> Exit:
    """Answers a query that is in a file."""
    data = json_file(file)
    async with opened(settings) as store, Outgoing(settings.network) as outgoing:
        directory = Directory(settings, outgoing, Accounts(store), Consents(store))
        try:
            answer = await Asker(settings, store, directory, Computing()).sequenced(data, None)
        except Invalid as invalid:
            raise CommandError(str(invalid), Exit.USAGE) from None
        finally:
            directory.close()
    if as_json:
        print_json(answer.body)
    elif answer.body["sequences"]:
        _print(answer)
    for name, code in answer.unreadable.items():
        words.print(
            f"calendar {name} could not be read ({code}); whoever it belongs to counts as not available"
        )
    if not answer.whole:
        words.print("there was no time to look for all of them (api.compute_timeout)")
    if not answer.body["sequences"]:
        words.print("there is no time for this sequence")
        return Exit.NOTHING_MATCHED
    return Exit.DONE


def _print(answer: Availability) -> None:
    rows = []
    for number, each in enumerate(answer.body["sequences"], 1):
        for at, part in enumerate(each["sequence"]):
            start, end = (datetime.fromisoformat(part[name]) for name in ("start", "end"))
            rows.append(
                (
                    "" if at else str(number),
                    str(part["sequence_id"]),
                    f"{start:%a %Y-%m-%d}",
                    f"{start:%H:%M}",
                    f"{end:%H:%M}",
                    ", ".join(person["sub"] for person in part["participants"]),
                )
            )
    print_table(("", "part", "day (UTC)", "from", "to", "who"), rows)
