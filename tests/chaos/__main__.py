"""`python -m tests.chaos`: the long run."""

import logging
import random
import sys
from typing import Annotated

import typer

from cli.options import run as run_to_its_end
from tests.chaos.run import run


def main(
    callbacks: Annotated[int, typer.Option(help="Callbacks to send at the least.")] = 2000,
    minutes: Annotated[float, typer.Option(help="Minutes to go on for at the least.")] = 0,
    seed: Annotated[int | None, typer.Option(help="Repeats what was sent and struck.")] = None,
    rate: Annotated[float, typer.Option(help="Callbacks a second.")] = 25,
) -> None:
    """Sends callbacks while everything fails, then looks whether every promise was kept."""
    seed = random.SystemRandom().randrange(2**32) if seed is None else seed
    typer.echo(f"seed {seed}")
    logging.getLogger("aiohttp").setLevel(
        logging.CRITICAL
    )  # the sandbox's clients die in the middle of requests
    result = run_to_its_end(run(seed, callbacks=callbacks, rate=rate, minutes=minutes))
    typer.echo(str(result))
    sys.exit(1 if result.problems else 0)


app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
app.command()(main)
app()
