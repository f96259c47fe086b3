"""`sequence-sync strays`: its options. What it does is in `cli.strays`."""

from typing import Annotated

import typer

from bookings.clock import now_ms
from cli.moments import moment_option
from cli.options import AsJson, CommandError, ConfigFile, Exit, end, quiet, run, settings_from
from config.references import Use


def strays(
    keys: Annotated[
        list[str] | None, typer.Argument(help="Only these, by their keys.", show_default=False)
    ] = None,
    config: ConfigFile = None,
    calendar: Annotated[
        list[str] | None,
        typer.Option(help="Only in this calendar; may be repeated.", show_default=False),
    ] = None,
    account: Annotated[str | None, typer.Option(help="Only in calendars of this account.")] = None,
    since: Annotated[str, typer.Option(help='Events that end after then: "2h" ago, or a time.')] = "1d",
    until: Annotated[str, typer.Option(help='Events that begin before then: "+90d", or a time.')] = "+90d",
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Have the record take over those whose booking it knows.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Permanently delete those whose booking it does not know.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="Adopt, or remove, all that can be.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: AsJson = False,
) -> None:
    """List events of ours that no record knows, as after a restore of Redis; adopt or remove them."""
    quiet()
    from cli.strays import Doing, Wanted, run_strays
    from workers.strays.remedies import Act

    if adopt and remove:
        raise CommandError("say --adopt or --remove, not both", Exit.USAGE)
    now = now_ms()
    wanted = Wanted(
        keys=tuple(keys or ()),
        calendars=tuple(calendar or ()),
        account=account,
        since_ms=moment_option("since", since, now) or now,
        until_ms=moment_option("until", until, now) or now,
        everything=everything,
    )
    act = Act.ADOPT if adopt else Act.REMOVE if remove else None
    doing = None if act is None else Doing(act, dry_run, yes)
    settings = settings_from(config, Use.RECORD, Use.CALENDARS)
    end(run(run_strays(settings, wanted, doing, as_json=json)))
