"""`sequence-sync bookings`: the options of each command. What they do is in `cli.bookings`."""

from typing import Annotated

import typer

from cli.options import AsJson, ConfigFile, end, run, settings_from
from config.references import Use

bookings = typer.Typer(help="Look at bookings, cancel them, have them looked at again.", no_args_is_help=True)


@bookings.command("list")
def bookings_list(
    config: ConfigFile = None,
    app_name: Annotated[str | None, typer.Option("--app", help="Only bookings of this app.")] = None,
    state: Annotated[
        str | None,
        typer.Option(help="Only those open, dead or done; or with a write that is parked or retrying."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, newest first.")] = 50,
    json: AsJson = False,
) -> None:
    """List bookings, the newest delivery first."""
    from cli.bookings import run_list

    end(
        run(run_list(settings_from(config, Use.RECORD), app=app_name, state=state, limit=limit, as_json=json))
    )


@bookings.command("show")
def bookings_show(
    booking: Annotated[str, typer.Argument(help="The booking's id, or its event_id.")],
    config: ConfigFile = None,
    app_name: Annotated[
        str | None,
        typer.Option("--app", help="The app, where several have such an event_id."),
    ] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show what the meetings say, too.")] = False,
    json: AsJson = False,
) -> None:
    """Show one booking: its parts, and each part's writes with their attempts."""
    from cli.bookings import run_show

    end(run(run_show(settings_from(config, Use.RECORD), booking, app=app_name, reveal=reveal, as_json=json)))


@bookings.command("cancel")
def bookings_cancel(
    booking: Annotated[str, typer.Argument(help="The booking's id, or its event_id.")],
    config: ConfigFile = None,
    app_name: Annotated[str | None, typer.Option("--app", help="The app, where several have it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Cancel a booking: remove its events from every calendar."""
    from cli.bookings import run_cancel

    end(run(run_cancel(settings_from(config, Use.RECORD), booking, app=app_name, yes=yes)))


@bookings.command("resync")
def bookings_resync(
    booking: Annotated[str, typer.Argument(help="The booking's id, or its event_id.")],
    config: ConfigFile = None,
    app_name: Annotated[str | None, typer.Option("--app", help="The app, where several have it.")] = None,
) -> None:
    """Look at every event of a booking, and write our fields once more."""
    from cli.bookings import run_resync

    end(run(run_resync(settings_from(config, Use.RECORD), booking, app=app_name)))


@bookings.command("retry")
def bookings_retry(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="[BOOKING]...", help="Bookings, by their id or event_id.", show_default=False),
    ] = None,
    config: ConfigFile = None,
    app: Annotated[str | None, typer.Option(help="Only of this app.")] = None,
    calendar: Annotated[str | None, typer.Option(help="Only to this calendar.")] = None,
    account: Annotated[str | None, typer.Option(help="Only to calendars of this account.")] = None,
    state: Annotated[str | None, typer.Option(help="Only those parked, or those retrying.")] = None,
    event_id: Annotated[str | None, typer.Option(help="Only of this booking.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All there are.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    json: AsJson = False,
) -> None:
    """Try now what waits to be written: what is parked, and what is retrying. Safe to repeat."""
    from bookings.delayed import Filter
    from bookings.retry import Chosen
    from cli.retry import run_retry, write_state

    wanted = Filter(app=app, calendar=calendar, account=account, state=write_state(state), event_id=event_id)
    chosen = Chosen(tuple(ids or ()), wanted, everything)
    end(run(run_retry(settings_from(config, Use.RECORD), chosen, dry_run=dry_run, as_json=json)))
