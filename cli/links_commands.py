"""`sequence-sync links`: the options of each command. What they do is in `cli.links`."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import AsJson, ConfigFile, end, quiet, run, settings_from
from config.references import Use

links = typer.Typer(help="Cronofy's links, with our callback URL in them.", no_args_is_help=True)


@links.command("create")
def links_create(
    file: Annotated[Path, typer.Argument(help="The request for Cronofy, as JSON.")],
    config: ConfigFile = None,
    app_name: Annotated[
        str | None, typer.Option("--app", help="Whose it is; may be left out if there is one app only.")
    ] = None,
    impersonate: Annotated[
        str, typer.Option(help="The sub of who hosts a scheduler request (Cronofy-Impersonate).")
    ] = "",
    pass_targets: Annotated[
        bool, typer.Option("--pass-targets", help="Tell Cronofy of target_calendars: it writes there, too.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Have a link made at Cronofy, or a scheduler request; its callback comes to us."""
    quiet()
    from cli.links import run_create

    settings = settings_from(config, Use.RECORD, Use.CALLBACKS)
    end(
        run(
            run_create(
                settings,
                file,
                app_name=app_name,
                impersonate=impersonate,
                pass_targets=pass_targets,
                as_json=json,
            )
        )
    )


@links.command("list")
def links_list(
    config: ConfigFile = None,
    app_name: Annotated[str | None, typer.Option("--app", help="Only links of this app.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, newest first.")] = 50,
    json: AsJson = False,
) -> None:
    """List the links that we had made, the newest first."""
    from cli.links import run_list

    settings = settings_from(config, Use.RECORD)
    end(run(run_list(settings, app_name=app_name, limit=limit, as_json=json)))


@links.command("disable")
def links_disable(
    link: Annotated[str, typer.Argument(help="Cronofy's id of the link: seq_... or sch_...")],
    config: ConfigFile = None,
    app_name: Annotated[str | None, typer.Option("--app", help="Whose it is, if it is none of ours.")] = None,
    message: Annotated[
        str, typer.Option(help="What people read who open it; at most 500 characters, no HTML.")
    ] = "This link is no longer available.",
    json: AsJson = False,
) -> None:
    """Disable a link at Cronofy: nobody can pick a time any more."""
    quiet()
    from cli.links import run_disable

    settings = settings_from(config, Use.RECORD, Use.CALLBACKS)
    end(run(run_disable(settings, link, app_name=app_name, message=message, as_json=json)))
