import json
import os
import pickle
from pathlib import Path

import pytest

from config.errors import SecretError
from config.secrets import Secret

PLANTED = "pl4nted-s3cret"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_env_reference_gives_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_SECRET", PLANTED)
    assert Secret("env:SOME_SECRET").value() == PLANTED


def test_a_relative_file_reference_is_relative_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(PLANTED)
    secret = Secret("file:secret", folder=tmp_path)
    assert secret.value() == PLANTED
    assert secret.reference == f"file:{tmp_path / 'secret'}"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"abc\n", "abc"),
        (b"abc\r\n", "abc"),
        (b"abc\n\n", "abc\n"),
        (b" abc ", " abc "),
        (b"\xef\xbb\xbfabc", "abc"),
        ("pässwört".encode(), "pässwört"),
    ],
)
def test_one_line_end_and_a_byte_order_mark_are_not_part_of_a_text(
    tmp_path: Path, raw: bytes, text: str
) -> None:
    (tmp_path / "secret").write_bytes(raw)
    secret = Secret("file:secret", folder=tmp_path)
    assert secret.value() == text
    assert secret.read_bytes() == raw


def test_a_rotated_file_is_seen_after_a_second_but_not_looked_at_before(tmp_path: Path) -> None:
    clock = Clock()
    file = tmp_path / "secret"
    file.write_text("old")
    secret = Secret(f"file:{file}", clock=clock)
    assert secret.value() == "old"
    file.write_text("new")
    clock.now += 0.9
    assert secret.value() == "old"
    clock.now += 0.2
    assert secret.value() == "new"


def test_a_file_replaced_by_rename_with_the_same_size_and_time_is_seen(tmp_path: Path) -> None:
    clock = Clock()
    file, other = tmp_path / "secret", tmp_path / "other"
    file.write_text("old")
    other.write_text("new")
    os.utime(other, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    secret = Secret(f"file:{file}", clock=clock)
    assert secret.value() == "old"
    other.rename(file)
    clock.now += 1
    assert secret.value() == "new"


def test_a_fresh_look_does_not_wait_for_the_second(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    secret = Secret(f"file:{file}", clock=Clock())
    assert secret.value() == "old"
    file.write_text("new")
    assert secret.value(fresh=True) == "new"
    assert secret.value() == "new"


@pytest.mark.parametrize("left", [None, ""])
def test_the_last_value_stays_in_use_while_a_file_is_being_replaced(tmp_path: Path, left: str | None) -> None:
    clock = Clock()
    file = tmp_path / "secret"
    file.write_text("old")
    secret = Secret(f"file:{file}", clock=clock)
    assert secret.value() == "old"
    file.unlink()
    if left is not None:
        file.write_text(left)
    clock.now += 5
    assert secret.value() == "old"
    with pytest.raises(SecretError):
        secret.value(fresh=True)
    file.write_text("new")
    clock.now += 1
    assert secret.value() == "new"


@pytest.mark.parametrize(
    "text",
    [
        PLANTED,
        f"env:{PLANTED}",
        f"ENV:{PLANTED}",
        f"vault:{PLANTED}",
        "env:",
        "file:",
        "",
        f"file:{PLANTED}\0",
    ],
)
def test_what_is_no_reference_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(SecretError) as caught:
        Secret(text)
    assert str(caught.value) == (
        'not a reference to a secret; write "env:NAME" or "file:PATH" '
        "(what stands there is not repeated here)"
    )
    assert PLANTED not in repr(caught.value)


def test_a_missing_variable_says_so() -> None:
    with pytest.raises(SecretError, match="the environment variable NOPE is not set; set it"):
        Secret("env:NOPE", environ={}).value()


def test_an_empty_variable_says_so() -> None:
    with pytest.raises(SecretError, match="the environment variable BLANK is empty; put the secret in it"):
        Secret("env:BLANK", environ={"BLANK": "\n"}).value()


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=f"there is no file {tmp_path}/nope; put the secret there"):
        Secret(f"file:{tmp_path}/nope").value()


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "blank").write_text(" \n")
    with pytest.raises(SecretError, match=f"the file {tmp_path}/blank is empty"):
        Secret(f"file:{tmp_path}/blank").value()


def test_a_folder_in_place_of_a_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"cannot be read \(Is a directory\)"):
        Secret(f"file:{tmp_path}").value()


def test_bytes_that_are_not_text_are_readable_as_bytes_only(tmp_path: Path) -> None:
    (tmp_path / "pfx").write_bytes(b"\xff\xfe" + PLANTED.encode())
    secret = Secret("file:pfx", folder=tmp_path)
    assert secret.read_bytes() == b"\xff\xfe" + PLANTED.encode()
    with pytest.raises(SecretError, match="is not UTF-8 text") as caught:
        secret.value()
    assert caught.value.__context__ is None  # a UnicodeDecodeError would carry the bytes


def test_nothing_that_describes_a_secret_shows_its_value() -> None:
    secret = Secret("env:SOME_SECRET", environ={"SOME_SECRET": PLANTED})
    assert secret.value() == PLANTED
    shown = [repr(secret), str(secret), f"{secret}", json.dumps([secret], default=str)]
    assert all("env:SOME_SECRET" in each and PLANTED not in each for each in shown)
    assert PLANTED.encode() not in pickle.dumps(secret)


def test_an_unpickled_secret_is_read_anew(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(PLANTED)
    secret = Secret("file:secret", folder=tmp_path)
    assert secret.value() == PLANTED
    copy: Secret = pickle.loads(pickle.dumps(secret))  # noqa: S301 - our own bytes
    assert copy == secret
    assert copy.value() == PLANTED


def test_secrets_are_equal_when_their_references_are() -> None:
    assert Secret("env:A") == Secret("env:A")
    assert len({Secret("env:A"), Secret("env:A"), Secret("env:B")}) == 2
