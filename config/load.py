"""Reads the configuration: one TOML file, with the environment laid over it."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.environment import SECTIONS, overlaid, overrides, variable
from config.errors import ConfigError
from config.problems import dotted, value_problems
from config.references import EVERYTHING, Place, Use
from config.relations import relation_problems, shared_addresses
from config.settings import Settings

FILE_VARIABLE = "SEQUENCE_SYNC_CONFIG"
USUAL_FILE = Path("sequence-sync.toml")
_AT = re.compile(r"(.*) \(at line (\d+), column (\d+)\)", re.DOTALL)


def load(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    uses: frozenset[Use] = EVERYTHING,
) -> Settings:
    """The settings of a file: `path`, else the one SEQUENCE_SYNC_CONFIG names, else ./sequence-sync.toml.

    Args:
        path: the file.
        environ: where `env:` references are looked up, and what overrides scalar sections.
        uses: what they are for; secrets of other uses may be missing.

    Raises:
        ConfigError: with every problem that was found.
    """
    file = path or _file_from(environ)
    try:
        return parse(_tables(file), folder=file.absolute().parent, environ=environ, uses=uses)
    except ConfigError as error:
        problems = error.problems
    raise ConfigError(problems, str(file))


def parse(
    tables: Mapping[str, Any],
    *,
    folder: Path,
    environ: Mapping[str, str] = os.environ,
    uses: frozenset[Use] = EVERYTHING,
) -> Settings:
    """The settings that tables as TOML gives them stand for.

    Args:
        tables: what the file holds.
        folder: what relative paths are relative to.
        environ: where `env:` references are looked up, and what overrides scalar sections.
        uses: what they are for; secrets of other uses may be missing.

    Raises:
        ConfigError: with every problem that was found.
    """
    found, problems = overrides(environ)
    whole = _with_default_calendars(overlaid({**{section: {} for section in SECTIONS}, **tables}, found))
    settings = None
    try:
        settings = Settings.model_validate(whole, context=Place(folder.absolute(), environ, uses))
    except ValidationError as error:
        set_by = {dotted(place): f" (set by {variable(*place)})" for place in found}
        problems += [f"{where}{set_by.get(where, '')}: {what}" for where, what in value_problems(error)]
    problems += relation_problems(whole)
    if settings is not None and not problems and Use.CALENDARS in uses:  # a key file may tell whose they are
        problems = shared_addresses(settings)
    if settings is None or problems:
        raise ConfigError(problems)
    return settings


def _file_from(environ: Mapping[str, str]) -> Path:
    named = environ.get(FILE_VARIABLE)
    if named:
        return Path(named)
    if USUAL_FILE.is_file():
        return USUAL_FILE
    raise ConfigError(
        [f"no configuration; give --config FILE, set {FILE_VARIABLE}, or work in a folder with {USUAL_FILE}"]
    )


def _tables(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        problem = "there is no such file; create it, or give the right one by --config FILE"
    except OSError as error:
        problem = f"cannot be read ({error.strerror}); make it a file that this user may read"
    except UnicodeDecodeError:
        problem = "not UTF-8 text; save it as UTF-8"
    except ValueError as error:  # TOMLDecodeError, and what int() says of a number with thousands of digits
        at = _AT.fullmatch(str(error))
        where = f"line {at[2]}, column {at[3]}: {at[1]}" if at else str(error)
        problem = f"{where}; this is not TOML"
    raise ConfigError([problem])


def _with_default_calendars(tables: dict[str, Any]) -> dict[str, Any]:
    """Google's default calendar has a name, "primary"; Microsoft's has none."""
    accounts, calendars = (tables.get(key) for key in ("accounts", "calendars"))
    if not isinstance(accounts, list) or not isinstance(calendars, list):
        return tables
    google = [
        each.get("name") for each in accounts if isinstance(each, dict) and each.get("provider") == "google"
    ]
    return tables | {
        "calendars": [
            each | {"calendar_id": "primary"}
            if isinstance(each, dict) and each.get("account") in google and not each.get("calendar_id")
            else each
            for each in calendars
        ]
    }
