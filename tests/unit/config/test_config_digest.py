"""Configurations that mean the same to bookings have one digest, any others have not."""

import re
from pathlib import Path

import pytest

from config.changes import needs_restart, taken_up
from config.digest import OF_ONE_PROCESS, is_of_one_process
from config.load import load
from config.settings import Settings

TEXT = """
[worker]
retry_for = "24h"

[[apps]]
name = "hiring"
client_secrets = ["env:SECRET", "file:previous"]

[[apps]]
name = "sales"
client_secrets = ["env:SECRET"]

[[accounts]]
name = "google-hr"
provider = "google"
service_account = "env:GOOGLE"

[[calendars]]
name = "interviews"
account = "google-hr"
calendar_id = "primary"

[[calendars]]
name = "panel"
account = "google-hr"
calendar_id = "panel@globex.example"

[[routes]]
app = "hiring"
sequence_id = "123"
calendars = ["interviews", "panel"]

[[people]]
sub = "acc_1"
calendars = ["interviews", "panel"]
"""
ENVIRON = {
    "SECRET": "a secret",
    "GOOGLE": '{"client_email": "sync@globex.example", "private_key": "k", "token_uri": "https://t"}',
}
KEYS = Path(__file__).parents[3] / "docs" / "configuration.md"


def settings_of(folder: Path, text: str = TEXT, **environ: str) -> Settings:
    folder.mkdir(exist_ok=True)
    (folder / "previous").write_text("an older secret")
    (folder / "sequence-sync.toml").write_text(text)
    return load(folder / "sequence-sync.toml", {**ENVIRON, **environ})


def without(text: str, table: str, *, again: bool = False) -> str:
    """The text without the first table of a kind, which may stand at the end instead."""
    found = re.search(rf"\[\[{table}\]\]\n(?:.+\n)+\n?", text)
    assert found is not None
    return text.replace(found[0], "", 1) + (f"\n{found[0]}" if again else "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('retry_for = "24h"', 'retry_for = "1440m"'),
        ('retry_for = "24h"', "retry_for = 86400  # a day"),
        ('[worker]\nretry_for = "24h"', ""),  # as it is by default
        ('sequence_id = "123"', "sequence_id = 123"),
        ('sequence_id = "123"\ncalendars', 'calendars = ["panel", "interviews"]\nsequence_id = "123"\n#'),
        ('"file:previous"', '"file:./previous"'),
        ('calendar_id = "primary"', ""),
        ('name = "sales"', 'name = "sales"\ndefault_zone = "Etc/UTC"\ncronofy_endpoint = ""'),
    ],
)
def test_it_does_not_matter_how_a_value_is_written(tmp_path: Path, before: str, after: str) -> None:
    assert before in TEXT
    changed = settings_of(tmp_path, TEXT.replace(before, after, 1))
    assert changed.digest == settings_of(tmp_path).digest


@pytest.mark.parametrize("table", ["apps", "calendars"])
def test_it_does_not_matter_in_which_order_tables_stand(tmp_path: Path, table: str) -> None:
    moved = without(TEXT, table, again=True)
    assert settings_of(tmp_path, moved).digest == settings_of(tmp_path).digest


def test_it_does_not_matter_where_the_file_lies_or_what_its_secrets_are(tmp_path: Path) -> None:
    here = settings_of(tmp_path)
    there = settings_of(tmp_path / "elsewhere", TEXT, SECRET="another secret")
    assert here.digest == there.digest
    assert re.fullmatch(r"[0-9a-f]{12}", here.digest)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('sequence_id = "123"', 'sequence_id = "124"'),
        ('calendars = ["interviews", "panel"]', 'calendars = ["panel"]'),
        (
            'sub = "acc_1"\ncalendars = ["interviews", "panel"]',
            'sub = "acc_1"\ncalendars = ["panel", "interviews"]',
        ),
        ('"env:SECRET", "file:previous"', '"file:previous", "env:SECRET"'),  # the first signs
        ('"file:previous"', '"file:sequence-sync.toml"'),
        ('name = "sales"', 'name = "sales"\navailability = false'),
        ('retry_for = "24h"', 'retry_for = "25h"'),
        ('retry_for = "24h"', "concurrency = 7"),
        ("[worker]", "[receiver]\nmax_body_bytes = 1000\n[worker]"),
        ("[worker]", '[encryption]\nkeys = ["file:key"]\n[worker]'),
    ],
)
def test_whatever_decides_about_bookings_makes_another(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "key").write_text("A" * 43 + "=")
    assert before in TEXT
    assert settings_of(tmp_path, TEXT.replace(before, after, 1)).digest != settings_of(tmp_path).digest


@pytest.mark.parametrize("table", ["apps", "routes", "people"])
def test_a_table_less_makes_another(tmp_path: Path, table: str) -> None:
    text = without(TEXT, "routes") if table == "apps" else TEXT
    assert settings_of(tmp_path, without(text, table)).digest != settings_of(tmp_path, text).digest


def test_what_the_environment_sets_counts_as_in_the_file(tmp_path: Path) -> None:
    by_variable = settings_of(tmp_path, TEXT, SEQUENCE_SYNC__WORKER__RETRY_CAP="3m")
    by_file = settings_of(tmp_path, TEXT.replace("[worker]", '[worker]\nretry_cap = "3m"'))
    assert by_variable.digest == by_file.digest != settings_of(tmp_path).digest


def test_what_each_process_may_have_of_its_own_is_left_out(tmp_path: Path) -> None:
    digest = settings_of(tmp_path).digest
    for section, keys in OF_ONE_PROCESS.items():
        model = getattr(settings_of(tmp_path), section)
        for key in type(model).model_fields:
            assert is_of_one_process(section, key) == bool(keys & {"*", key})
    own = settings_of(
        tmp_path,
        TEXT,
        SEQUENCE_SYNC__REDIS__URL="redis://127.0.0.1:16379/3",
        SEQUENCE_SYNC__REDIS__DATA_DIR="/var/lib/sync",
        SEQUENCE_SYNC__RECEIVER__PORT="9999",
        SEQUENCE_SYNC__RECEIVER__DRAIN_DELAY="5s",
        SEQUENCE_SYNC__WORKER__ADMIN_HOST="127.0.0.1",
        SEQUENCE_SYNC__WORKER__ADMIN_PORT="0",
        SEQUENCE_SYNC__API__HOST="::1",
        SEQUENCE_SYNC__TELEMETRY__OTLP_ENDPOINT="http://collector:4318",
    )
    assert own.digest == digest


def test_a_running_process_keeps_what_needs_a_restart_and_takes_up_the_rest(tmp_path: Path) -> None:
    now = settings_of(tmp_path, TEXT)
    read = settings_of(
        tmp_path,
        TEXT.replace("[worker]", "[worker]\nconcurrency = 7\nretry_cap = 60").replace('"123"', '"124"'),
        SEQUENCE_SYNC__WORKER__ADMIN_PORT="9999",
        SEQUENCE_SYNC__RECEIVER__PORT="9998",
        SEQUENCE_SYNC__REDIS__KEY_PREFIX="other",
    )
    taken, kept = taken_up(now, read, kind="worker")
    assert kept == ("redis.key_prefix", "worker.concurrency", "worker.admin_port")
    assert (taken.worker.concurrency, taken.worker.admin_port) == (100, 9091)
    assert taken.redis == now.redis
    assert (taken.worker.retry_cap, taken.routes[0].sequence_id) == (60, "124")
    assert taken_up(now, read, kind="receiver")[1] == ("redis.key_prefix", "receiver.port")
    assert taken_up(taken, now, kind="worker")[1] == ()


def test_the_documentation_says_of_each_key_what_needs_a_restart(tmp_path: Path) -> None:
    """The page lists them in one sentence: whole sections, and keys of the others."""
    [sentence] = re.findall(r"A restart is needed for (.+?)\.\n", KEYS.read_text(), re.DOTALL)
    listed = set(re.findall(r"`([^`]+)`", sentence))
    settings = settings_of(tmp_path)
    needed: set[str] = set()
    for section in ("redis", "network", "encryption", "receiver", "api", "worker", "telemetry", "console"):
        keys = set(type(getattr(settings, section)).model_fields)
        fixed = {key for key in keys if needs_restart(section, key)}
        needed |= {f"[{section}]"} if fixed == keys else fixed
    assert listed == needed
