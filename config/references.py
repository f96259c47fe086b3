"""Values that say where something is: secrets, and files that go with them.

They are read when the configuration is loaded, but only by a process that uses them: a receiver starts
without the accounts' secrets, a worker without those of the apps. That they are references at all is
checked by everybody.
"""

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer, PlainValidator, ValidationInfo

from config.certificate import client_certificate
from config.errors import SecretError
from config.google_files import GoogleFile, google_file, json_members, with_line_ends
from config.rsa_keys import KeyTrouble, rsa_key
from config.secrets import Secret


class Use(StrEnum):
    """What a process does, and so which secrets it has to have."""

    RECORD = "redis"
    """Reads or writes the record."""
    CALLBACKS = "apps"
    """Checks signatures, or makes them."""
    CALENDARS = "accounts"
    """Asks the calendar providers."""
    PROGRAMS = "programs"
    """Answers programs that bring an app's access token."""
    CONSOLE = "console"
    """Shows the console."""


EVERYTHING = frozenset(Use)
USES_OF: Mapping[str, frozenset[Use]] = {
    "receiver": frozenset({Use.RECORD, Use.CALLBACKS, Use.CONSOLE}),
    "worker": frozenset({Use.RECORD, Use.CALENDARS, Use.CONSOLE}),
    "api": EVERYTHING,
}
"""What each process does; compose.yaml and the chart give it the secrets of that, and no others."""


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


def reference(wanted: Wanted, *checks: Check, is_text: bool = True) -> PlainValidator:
    """Makes a secret of a reference; where it is wanted, sees that it passes the checks, and can be read."""

    def validate(value: object, info: ValidationInfo) -> Secret:
        place = place_of(info)
        secret = (
            value
            if isinstance(value, Secret)
            else Secret(value if isinstance(value, str) else "", folder=place.folder, environ=place.environ)
        )
        if wanted(info):
            secret.read_bytes()
            for check in checks:
                check(secret)
            if is_text:
                secret.value()
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


def _signed_token(secret: Secret) -> None:
    """What a workload is given is a JWT: three words of base64url."""
    if _JWT.fullmatch(secret.read_bytes().strip()) is None:
        raise SecretError(
            f"{secret} is not the token of a workload (a JWT); "
            "a certificate goes under certificate, a client secret under client_secret"
        )


def _no_certificate(secret: Secret) -> None:
    if secret.read_bytes().startswith((b"-----BEGIN", b"\x30\x82")):
        raise SecretError(f"{secret} is a certificate; write certificate = … in place of client_secret = …")


def _opens(secret: Secret, info: ValidationInfo) -> Secret:
    """Sees that a certificate can be used; its passphrase was read before it."""
    passphrase = info.data.get("certificate_passphrase", _MISSING)
    if _of_account(info) and passphrase is not _MISSING:
        client_certificate(secret, passphrase)
    return secret


def _rsa(secret: Secret) -> None:
    """A check that the key in a service account's file can sign; one that is no PEM at all, its use tells."""
    key = with_line_ends(str(json_members(secret)["private_key"]))
    try:
        if "-----BEGIN" in key:
            rsa_key(key)
    except KeyTrouble as trouble:
        raise SecretError(f"{secret} cannot be used: {trouble.problems[0]}") from None


def _long_enough(secret: Secret) -> None:
    if len(secret.value()) < _SHORTEST_PASSWORD:
        raise SecretError(f"{secret} has fewer than {_SHORTEST_PASSWORD} characters; use a longer password")


as_text = PlainSerializer(str, return_type=str)
_SHORTEST_PASSWORD = 12
_JWT = re.compile(rb"[\w-]+\.[\w-]+\.[\w-]*")
_MISSING = object()
_of_record, _of_app, _of_account = map(used_for, (Use.RECORD, Use.CALLBACKS, Use.CALENDARS))

RecordSecret = Annotated[Secret, reference(_of_record), as_text]
AppSecret = Annotated[Secret, reference(_of_app), as_text]
ProgramsToken = Annotated[Secret, reference(used_for(Use.PROGRAMS)), as_text]
AccountSecret = Annotated[Secret, reference(_of_account), as_text]
ConsolePassword = Annotated[Secret, reference(used_for(Use.CONSOLE), _long_enough), as_text]
SealingKeys = Annotated[Secret, reference(_seals, sealing_keys), as_text]
ClientSecret = Annotated[Secret, reference(_of_account, _no_certificate), as_text]
Certificate = Annotated[Secret, reference(_of_account, is_text=False), AfterValidator(_opens), as_text]
FederatedToken = Annotated[Secret, reference(_of_account, _signed_token), as_text]
ServiceAccountKey = Annotated[
    Secret, reference(_of_account, google_file(GoogleFile.SERVICE_ACCOUNT), _rsa), as_text
]
AuthorizedUserKey = Annotated[
    Secret, reference(_of_account, google_file(GoogleFile.AUTHORIZED_USER)), as_text
]
ExternalAccount = Annotated[Secret, reference(_of_account, google_file(GoogleFile.EXTERNAL_ACCOUNT)), as_text]
ImpersonatedAccount = Annotated[Secret, reference(_of_account, google_file(GoogleFile.IMPERSONATED)), as_text]
RecordFile = Annotated[Path, PlainValidator(existing_file(Use.RECORD)), as_text]
AccountFile = Annotated[Path, PlainValidator(existing_file(Use.CALENDARS)), as_text]
