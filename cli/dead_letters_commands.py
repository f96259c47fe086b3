"""The command group `dead-letters`: its options."""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from bookings.clock import now_ms
from bookings.dead_letters import Filter
from cli.moments import moment_option
from cli.options import AsJson, ConfigFile, end, run, settings_from, typed
from config.references import Use

dead_letters = typer.Typer(
    help="Look at what could not be written, and have it written again.", no_args_is_help=True
)

Ids = Annotated[list[str] | None, typer.Argument(help="Dead letters, by their ids.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All there are.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Most = Annotated[int | None, typer.Option("--max", min=1, help="How many at most, newest first.")]
Rate = Annotated[float | None, typer.Option(min=0.01, help="How many a second at most.")]


def _filter(
    app: Annotated[str | None, typer.Option(help="Only of this app.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only for this reason: permanent, unrouted ...")] = None,
    provider: Annotated[str | None, typer.Option(help="Only google, microsoft or forward.")] = None,
    account: Annotated[str | None, typer.Option(help="Only of calendars of this account.")] = None,
    event_id: Annotated[str | None, typer.Option(help="Only of this booking.")] = None,
    sequence_id: Annotated[str | None, typer.Option(help="Only of this part.")] = None,
    since: Annotated[str | None, typer.Option(help='Only since then: "2h" ago, or a time.')] = None,
    until: Annotated[str | None, typer.Option(help="Only until then; by default until now.")] = None,
) -> Filter:
    """What the filter options mean; times are reckoned once, when the command starts."""
    now = now_ms()
    last = moment_option("until", until, now)
    return Filter(
        app=app,
        reason=reason,
        provider=provider,
        account=account,
        event_id=None if event_id is None else typed(event_id),
        sequence_id=None if sequence_id is None else typed(sequence_id),
        since=moment_option("since", since, now),
        until=now if last is None else last,
    )


def _filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the filter options in the place of its parameter `wanted`."""
    filters = inspect.signature(_filter).parameters
    own = [each for each in inspect.signature(command).parameters.values() if each.name != "wanted"]

    @wraps(command)
    def with_filters(**given: Any) -> None:
        command(wanted=_filter(**{name: given.pop(name) for name in filters}), **given)

    parameters = [*own, *filters.values()]
    keyword_only = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    with_filters.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]  # typer reads it
    with_filters.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_filters


@dead_letters.command("list")
@_filtered
def list_(
    wanted: Filter,
    config: ConfigFile = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, newest first.")] = 50,
    json: AsJson = False,
) -> None:
    """List dead letters, the newest first."""
    from bookings.operating import Selection
    from cli.dead_letters import run_list

    end(run(run_list(settings_from(config, Use.RECORD), Selection((), wanted, limit=limit), as_json=json)))


@dead_letters.command()
def show(
    dead_letter: Annotated[str, typer.Argument(help="Its id.")],
    config: ConfigFile = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show what the meeting says, too.")] = False,
    json: AsJson = False,
) -> None:
    """Show one dead letter with its whole attempt history."""
    from cli.dead_letters import run_show

    end(run(run_show(settings_from(config, Use.RECORD), dead_letter, reveal=reveal, as_json=json)))


@dead_letters.command()
@_filtered
def stats(wanted: Filter, config: ConfigFile = None, json: AsJson = False) -> None:
    """Count dead letters by app, account, calendar and reason."""
    from bookings.operating import Selection
    from cli.dead_letters import run_stats

    end(run(run_stats(settings_from(config, Use.RECORD), Selection((), wanted), as_json=json)))


@dead_letters.command()
@_filtered
def replay(
    wanted: Filter,
    ids: Ids = None,
    config: ConfigFile = None,
    everything: All = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    most: Most = None,
    rate: Rate = None,
    json: AsJson = False,
) -> None:
    """Have dead letters written once more. Safe to repeat."""
    from bookings.operating import Act, Selection
    from cli.dead_letters import Doing, run_change

    chosen = Selection(tuple(map(typed, ids or ())), wanted, everything, most)
    end(
        run(
            run_change(
                settings_from(config, Use.RECORD), Act.REPLAY, chosen, Doing(dry_run, yes, rate), as_json=json
            )
        )
    )


@dead_letters.command()
@_filtered
def discard(
    wanted: Filter,
    ids: Ids = None,
    config: ConfigFile = None,
    everything: All = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    most: Most = None,
    rate: Rate = None,
    json: AsJson = False,
) -> None:
    """Let go of dead letters for good; export them first if they may be wanted."""
    from bookings.operating import Act, Selection
    from cli.dead_letters import Doing, run_change

    chosen = Selection(tuple(map(typed, ids or ())), wanted, everything, most)
    end(
        run(
            run_change(
                settings_from(config, Use.RECORD),
                Act.DISCARD,
                chosen,
                Doing(dry_run, yes, rate),
                as_json=json,
            )
        )
    )


@dead_letters.command()
@_filtered
def export(wanted: Filter, config: ConfigFile = None) -> None:
    """Print dead letters whole, a JSON object a line. What meetings say is in it: keep it safe."""
    from bookings.operating import Selection
    from cli.dead_letter_files import run_export

    end(run(run_export(settings_from(config, Use.RECORD), Selection((), wanted))))


@dead_letters.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="What `dead-letters export` printed.")],
    config: ConfigFile = None,
) -> None:
    """Put exported dead letters back. Safe to repeat."""
    from cli.dead_letter_files import run_import

    end(run(run_import(settings_from(config, Use.RECORD), file)))
