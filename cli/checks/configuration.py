"""The configuration itself: whether it can be read, its secrets, and what leads nowhere."""

import shlex
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from cli.checks.certificates import certificates
from cli.checks.files import others_read
from cli.checks.finding import Finding, right, warning, wrong
from config.advice import warnings
from config.errors import ConfigError
from config.secrets import Secret, secrets_in
from config.settings import Settings


def unreadable(error: ConfigError) -> list[Finding]:
    """What keeps the configuration from being used, a line for each problem."""
    where = error.source or "the configuration"
    otherwise = f"mend it in {where}; nothing else can be checked before"
    return [wrong("configuration", *_parted(problem, otherwise)) for problem in error.problems]


def configuration(settings: Settings) -> list[Finding]:
    """What a configuration that can be used says."""
    secrets = [secret for secret in secrets_in(settings) if secret.is_read]
    references = list(dict.fromkeys(map(str, secrets)))
    found = [right("configuration", "can be read")]
    found += [
        warning("configuration", *_parted(each, "see docs/configuration.md")) for each in warnings(settings)
    ]
    if references:
        found.append(right("secrets", f"all {len(references)} are there: {', '.join(references)}"))
    ends = certificates(settings, datetime.now(UTC))
    return [*found, *_readable(secrets), *ends, *_apps(settings), *_unused(settings)]


def _parted(text: str, otherwise: str) -> tuple[str, str]:
    """The two halves of `where: what; what to do`."""
    what, _, remedy = text.partition("; ")
    return what, remedy or otherwise


def _apps(settings: Settings) -> Iterator[Finding]:
    """Of the apps without a route, the configuration's own warnings speak."""
    for app in settings.apps:
        routes = sum(route.app == app.name for route in settings.routes)
        if routes:
            secrets = _several(len(app.client_secrets), "secret")
            yield right(f"app {app.name}", f"{secrets}, {_several(routes, 'route')}")


def _unused(settings: Settings) -> Iterator[Finding]:
    """Calendars that no route leads to, accounts without a calendar."""
    named = {name for route in settings.routes for name in route.calendars}
    for calendar in settings.calendars:
        if calendar.name not in named:
            yield warning(
                f"calendar {calendar.name}",
                "no route names it: only a link can lead there",
                "name it in [[routes]], or take it out",
            )
    held = {calendar.account for calendar in settings.calendars}
    for account in settings.accounts:
        if account.name not in held:
            yield warning(
                f"account {account.name}", "no calendar uses it", "add [[calendars]], or take it out"
            )


def _readable(secrets: Iterable[Secret]) -> Iterator[Finding]:
    """Secrets' files that others on this machine can read, too."""
    for path in dict.fromkeys(secret.path for secret in secrets if secret.path is not None):
        if others_read(path):
            remedy = f"chmod 600 {shlex.quote(str(path))}"
            yield warning("secret files", f"{path} can be read by other users", remedy)


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
