"""Values that say where something is: secrets, and files that go with them.

They are read when the configuration is loaded, but only by a process that uses them: a receiver starts
without the accounts' secrets, a worker without those of the apps. That they are references at all is
checked by everybody.
"""

import base64
import binascii
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationInfo

from config.errors import SecretError
from config.secrets import Secret


class Use(StrEnum):
    """What a process does, and so which secrets it has to have."""

    RECORD = "redis"
    """Reads or writes the record."""
    CALLBACKS = "apps"
    """Checks signatures, or makes them."""
    CALENDARS = "accounts"
    """Asks the calendar providers."""
    CONSOLE = "console"
    """Shows the console."""


EVERYTHING = frozenset(Use)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a configuration stands: what its relative paths and its `env:` references mean, and for whom."""

    folder: Path = field(default_factory=Path)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    uses: frozenset[Use] = EVERYTHING


def place_of(info: ValidationInfo) -> Place:
    """Where the value that is being checked stands."""
    return info.context if isinstance(info.context, Place) else Place()


Check = Callable[[Secret], object]
Wanted = Callable[[ValidationInfo], bool]


def reference(wanted: Wanted, *checks: Check) -> PlainValidator:
    """Makes a secret of a reference; where it is wanted, reads it and sees that it passes the checks."""

    def validate(value: object, info: ValidationInfo) -> Secret:
        place = place_of(info)
        secret = (
            value
            if isinstance(value, Secret)
            else Secret(value if isinstance(value, str) else "", folder=place.folder, environ=place.environ)
        )
        if wanted(info):
            secret.value()
            for check in checks:
                check(secret)
        return secret

    return PlainValidator(validate)


def used_for(use: Use) -> Wanted:
    """Whether the configuration is read for this use."""
    return lambda info: use in place_of(info).uses


def _seals(info: ValidationInfo) -> bool:
    """Whether something is going to be sealed or opened: consents by workers, bookings by everybody."""
    uses = place_of(info).uses
    return Use.CALENDARS in uses or (Use.RECORD in uses and bool(info.data.get("bookings")))


def path_of(value: object, info: ValidationInfo) -> Path:
    """A path, relative to where the configuration stands. Raises `ValueError`."""
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise ValueError("must be a path in quotes")
    return (place_of(info).folder / value).absolute()


def existing_file(use: Use) -> Callable[[object, ValidationInfo], Path]:
    """Gives a check of a path to a file that has to be there where it is read for this use."""

    def check(value: object, info: ValidationInfo) -> Path:
        path = path_of(value, info)
        if use in place_of(info).uses and not path.is_file():
            raise ValueError(f"there is no file {path}; put it there, or change the path")
        return path

    return check


def json_members(secret: Secret) -> dict[str, Any]:
    """What a secret that is a JSON object holds.

    Raises:
        SecretError: it cannot be read, or is not a JSON object.
    """
    try:
        members = json.loads(secret.value())
    except (json.JSONDecodeError, RecursionError):
        members = None
    if not isinstance(members, dict):  # raised out here: a JSONDecodeError carries the whole text along
        raise SecretError(f"{secret} is not a JSON object; use the whole key file as Google gave it")
    return members


def sealing_keys(secret: Secret) -> list[bytes]:
    """The keys that a secret holds, one a line: each 32 bytes in URL-safe base64.

    Raises:
        SecretError: it cannot be read, or holds something else.
    """
    keys = [line.encode() for line in secret.value().split()]
    if not keys or not all(_is_key(key) for key in keys):
        raise SecretError(f"{secret} is not a key (or several, one a line); `sequence-sync key` makes one")
    return keys


def _is_key(text: bytes) -> bool:
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == 32
    except binascii.Error:
        return False


def _key_file(*members: str) -> Check:
    """A check that a secret is a JSON object with these members."""

    def check(secret: Secret) -> None:
        found = json_members(secret)
        missing = [each for each in members if not found.get(each)]
        if missing:
            raise SecretError(
                f"{secret} has no {', '.join(missing)}; use the whole key file as Google gave it"
            )

    return check


def _pem(secret: Secret) -> None:
    text = secret.value()
    if "-----BEGIN CERTIFICATE-----" not in text or "PRIVATE KEY-----" not in text:
        raise SecretError(f"{secret} is not a PEM with a certificate and its private key; put both in it")


def _long_enough(secret: Secret) -> None:
    if len(secret.value()) < _SHORTEST_PASSWORD:
        raise SecretError(f"{secret} has fewer than {_SHORTEST_PASSWORD} characters; use a longer password")


as_text = PlainSerializer(str, return_type=str)
_SHORTEST_PASSWORD = 12
_of_record, _of_app, _of_account = map(used_for, (Use.RECORD, Use.CALLBACKS, Use.CALENDARS))

RecordSecret = Annotated[Secret, reference(_of_record), as_text]
AppSecret = Annotated[Secret, reference(_of_app), as_text]
AccountSecret = Annotated[Secret, reference(_of_account), as_text]
ConsolePassword = Annotated[Secret, reference(used_for(Use.CONSOLE), _long_enough), as_text]
SealingKeys = Annotated[Secret, reference(_seals, sealing_keys), as_text]
Certificate = Annotated[Secret, reference(_of_account, _pem), as_text]
ServiceAccountKey = Annotated[
    Secret, reference(_of_account, _key_file("client_email", "private_key", "token_uri")), as_text
]
AuthorizedUserKey = Annotated[
    Secret, reference(_of_account, _key_file("client_id", "client_secret", "refresh_token")), as_text
]
RecordFile = Annotated[Path, PlainValidator(existing_file(Use.RECORD)), as_text]
AccountFile = Annotated[Path, PlainValidator(existing_file(Use.CALENDARS)), as_text]
