"""What commands are told of apps and files."""

from pathlib import Path

import msgspec

from cli.options import CommandError, Exit
from config.apps import App
from config.settings import Settings


def app_called(settings: Settings, name: str | None) -> App:
    """The app of this name, or the only one. Raises `CommandError`."""
    if name is None and len(settings.apps) == 1:
        return settings.apps[0]
    found = settings.app(name) if name else None
    if found is None:
        known = ", ".join(each.name for each in settings.apps) or "none"
        raise CommandError(f"say --app; the configuration has: {known}", Exit.USAGE)
    return found


def json_file(file: Path) -> object:
    """What a file of JSON holds. Raises `CommandError`."""
    try:
        return msgspec.json.decode(file.read_bytes())
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}", Exit.USAGE) from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise CommandError(f"{file} is not JSON: {error}", Exit.USAGE) from None
