"""`sequence-sync send`: a callback as Cronofy would send it."""

from pathlib import Path

import aiohttp

from cli.apps import app_called
from cli.options import CommandError, Exit
from cli.output import print_json, print_table
from cli.own_addresses import own_address
from config.settings import Settings
from receiver.signature import signature

_TIMEOUT_S = 30


async def run_send(  # every option of the command
    settings: Settings,
    file: Path,
    *,
    app_name: str | None,
    url: str | None,
    link_token: str | None,
    secret: int | None,
    as_json: bool,
) -> Exit:
    """Signs the file's bytes and posts them; done where the receiver answers 2xx."""
    try:
        body = file.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}", Exit.USAGE) from None
    app = app_called(settings, app_name)
    if secret is not None and secret > len(app.client_secrets):
        raise CommandError(f"--secret {secret}: {app.name} has {len(app.client_secrets)}", Exit.USAGE)
    chosen = app.client_secrets if secret is None else app.client_secrets[secret - 1 : secret]
    header = b",".join(signature(body, secret=each.value()) for each in chosen)
    base = url or own_address(settings.receiver.host, settings.receiver.port)
    target = "/".join([base.rstrip("/"), "callbacks", app.name, *([link_token] if link_token else [])])
    status, answer = await post(target, body, header)
    if as_json:
        print_json({"url": target, "status": status, "answer": answer})
    else:
        print_table(("url", "status", "answer"), [(target, str(status), answer)])
    return Exit.DONE if 200 <= status < 300 else Exit.FAILED


async def post(url: str, body: bytes, header: bytes) -> tuple[int, str]:
    """Posts a signed body; gives the status and the answer's text. Raises `CommandError`."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Cronofy-HMAC-SHA256": header.decode()}
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            return response.status, await response.text(errors="replace")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise CommandError(
            f"no answer from {url} ({type(error).__name__}); is the receiver running?"
        ) from None
