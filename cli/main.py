"""`sequence-sync`: what each command does stands in a module of its own, imported when it is asked for."""

import sys
from enum import StrEnum
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from admin.printable import printable
from admin.signals import Hangups
from bookings.errors import EmbeddedRedisError
from cli.bookings_commands import bookings
from cli.dead_letters_commands import dead_letters
from cli.links_commands import links
from cli.moments import duration_option
from cli.options import AsJson, CommandError, ConfigFile, Exit, end, quiet, run, settings_from
from cli.strays_command import strays
from cli.streams import OutputError, give_up_output, has_unicode, prepare
from config.errors import ConfigError
from config.references import EVERYTHING, USES_OF, Use

if TYPE_CHECKING:
    from admin.configuration import Configuration


class Process(StrEnum):
    """What a service may be."""

    RECEIVER = "receiver"
    WORKER = "worker"
    API = "api"


class Provider(StrEnum):
    """Who keeps calendars."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"


app = typer.Typer(
    name="sequence-sync",
    help="The service behind a Cronofy callback_url: every part of a booked sequence, in the right calendar.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(bookings, name="bookings")
app.add_typer(links, name="links")
app.add_typer(dead_letters, name="dead-letters")
app.command()(strays)


def main() -> None:
    """The entry point: ends with a status of `Exit`; users' errors are printed without a traceback."""
    prepare()
    if not has_unicode(sys.stdout):
        app.rich_markup_mode = None  # help without frames
    try:
        try:
            app()
        finally:
            sys.stdout.flush()
    except OutputError as error:
        give_up_output()
        _end("" if error.is_unread else str(error), Exit.FAILED)
    except ConfigError as error:
        _end(str(error), Exit.USAGE)
    except EmbeddedRedisError as error:
        _end(str(error), Exit.FAILED)
    except CommandError as error:
        _end(str(error), error.status)


def _end(said: str, status: Exit) -> NoReturn:
    if said:
        sys.stderr.write(printable(said, keep="\n") + "\n")
    sys.exit(status)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"sequence-sync {version('sequence-sync')}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Nothing is common to all commands but this."""


def _configuration(kind: str, config: Path | None) -> "Configuration":
    """What a service works by, read for what it does; and its log, which tells of it."""
    from cli.lean import import_lean

    import_lean()
    from admin.configuration import Configuration
    from admin.logs import configure_logs

    configure_logs(kind)
    return Configuration(partial(settings_from, config, *USES_OF[kind]), kind=kind)


@app.command()
def receiver(config: ConfigFile = None) -> None:
    """Run the receiver: the HTTP edge that Cronofy calls."""
    hangups = Hangups()
    configuration = _configuration("receiver", config)
    from cli.console import console_of
    from receiver.server import run_receiver

    run(run_receiver(configuration, hangups, console=console_of(configuration)))


@app.command()
def worker(config: ConfigFile = None) -> None:
    """Run a worker: it writes the parts into their calendars."""
    hangups = Hangups()
    configuration = _configuration("worker", config)
    from cli.console import console_of
    from workers.worker import run_worker

    run(run_worker(configuration, hangups, console=console_of(configuration)))


@app.command()
def api(config: ConfigFile = None) -> None:
    """Run the Cronofy-compatible API: links and availability."""
    hangups = Hangups()
    configuration = _configuration("api", config)
    from cli.console import console_of
    from scheduler.api.server import run_api

    run(run_api(configuration, hangups, console=console_of(configuration)))


@app.command()
def availability(
    file: Annotated[Path, typer.Argument(help="A sequenced availability query, as JSON.")],
    config: ConfigFile = None,
    json: AsJson = False,
) -> None:
    """Find times for a sequence of meetings over the calendars of the people in it."""
    quiet()
    from cli.availability import run_availability

    settings = settings_from(config, Use.RECORD, Use.CALENDARS)
    end(run(run_availability(settings, file, as_json=json)))


@app.command()
def up(
    config: ConfigFile = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the embedded Redis keeps its data; by default redis.data_dir.")
    ] = None,
) -> None:
    """Run everything on one machine: embedded Redis, receiver and worker."""
    hangups = Hangups()
    from cli.up import run_all

    run(run_all(config, data_dir, hangups))


@app.command()
def demo(
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running; print the addresses.")
    ] = False,
) -> None:
    """Run the main job on Cronofy's documented callback, against the sandbox. No account is needed."""
    from cli.demo import run_demo

    end(Exit.DONE if run(run_demo(keep=keep)) else Exit.FAILED)


@app.command()
def check(
    config: ConfigFile = None,
    within: Annotated[str, typer.Option(help="How long anything asked may take to answer.")] = "10s",
    process: Annotated[
        Process | None,
        typer.Option(help="Check what one process needs, where only its own secrets are there."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Check the configuration, Redis, every account and every calendar; say what to do."""
    from cli.check import run_check

    within_s = duration_option("within", within)
    uses = USES_OF[process] if process else EVERYTHING
    end(Exit.DONE if run(run_check(config, uses, within_s=within_s, as_json=json)) else Exit.FAILED)


@app.command()
def login(
    provider: Annotated[Provider, typer.Argument(help="google or microsoft.")],
    account: Annotated[str, typer.Argument(help="An account of the configuration with login = true.")],
    config: ConfigFile = None,
    device: Annotated[
        bool, typer.Option("--device", help="By a code, typed on any other device; Microsoft only.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the consent, and revoke it where that can be done.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the browser comes back; 0: any.")] = 0,
    wait: Annotated[float, typer.Option(min=1, help="How many seconds to wait for the user.")] = 300,
) -> None:
    """Ask a user for consent; keep what the provider gives for it, encrypted, for all workers."""
    from cli.login import Manner, run_forget, run_login

    settings = settings_from(config, Use.RECORD)
    if forget:
        end(run(run_forget(settings, provider, account)))
    end(run(run_login(settings, provider, account, Manner(device, port, wait))))


@app.command()
def key() -> None:
    """Print a new key for `encryption.keys`: put it in a file that only the service may read."""
    from bookings.seal import new_key

    sys.stdout.write(f"{new_key()}\n")


@app.command()
def send(
    file: Annotated[Path, typer.Argument(help="The callback's body, as it is to be sent.")],
    config: ConfigFile = None,
    app_name: Annotated[
        str | None, typer.Option("--app", help="The app that calls; may be left out if there is one only.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(help="The receiver; by default this configuration's, on this machine."),
    ] = None,
    link_token: Annotated[str | None, typer.Option(help="The token of the callback's link.")] = None,
    secret: Annotated[
        int | None,
        typer.Option(min=1, help="Sign with the app's n-th secret only; by default with all."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Sign a callback with an app's secrets and post it, as Cronofy would."""
    from cli.send import run_send

    status = run(
        run_send(
            settings_from(config, Use.CALLBACKS),
            file,
            app_name=app_name,
            url=url,
            link_token=link_token,
            secret=secret,
            as_json=json,
        )
    )
    end(status)


@app.command()
def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port for http; 0 picks a free one.")] = 8090,
    tls_port: Annotated[int, typer.Option(help="Port for https; 0 picks a free one.")] = 8091,
    ca_file: Annotated[Path | None, typer.Option(help="Where to put the certificate to trust.")] = None,
    google_calendar: Annotated[
        list[str] | None, typer.Option(help="A Google calendar to create; may be repeated.")
    ] = None,
    mailbox: Annotated[
        list[str] | None, typer.Option(help="A Microsoft mailbox (USER or USER/CALENDAR_ID) to create.")
    ] = None,
) -> None:
    """Run look-alikes of Google Calendar and Microsoft Graph, with a page that shows their calendars."""
    from sandbox.server import run as run_sandbox

    run(
        run_sandbox(
            host=host,
            port=port,
            tls_port=tls_port,
            ca_file=ca_file,
            google_calendars=google_calendar or [],
            mailboxes=mailbox or [],
        )
    )


if __name__ == "__main__":
    main()
