"""docs/deploy.md: what it says of values, secrets and grace periods is so."""

import asyncio
import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.chart import CHART
from tests.house.project import ROOT

PAGE = (ROOT / "docs/deploy.md").read_text()
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())


def value(path: str) -> Any:
    found = VALUES
    for step in path.split("."):
        found = found[step]
    return found


def test_the_values_have_the_defaults_that_the_page_says() -> None:
    [table] = re.findall(r"^\| value \| default \|.*\n\|---.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    rows = re.findall(r"^\| `([\w.]+)` \| `(.+?)` \|", table, re.MULTILINE)
    assert len(rows) == len(table.splitlines()) > 10
    assert [name for name, default in rows if value(name) != yaml.safe_load(default)] == []


def test_the_grace_periods_are_those_of_the_chart() -> None:
    drain = VALUES["drainSeconds"]
    delays = [VALUES[name].get("drainDelaySeconds", 0) for name in ("receiver", "worker", "api")]
    [row] = re.findall(r"^\| the pod's grace period (\|.*)", PAGE, re.MULTILINE)
    assert [int(found) for found in re.findall(r"\| (\d+) s", row)] == [
        delay + drain + 10 for delay in delays
    ]


async def test_the_secrets_are_made_as_the_page_says(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", ignore=shutil.ignore_patterns("helm"))
    [block] = re.findall(r"^ *```bash\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)
    child = await asyncio.create_subprocess_exec("sh", "-euc", block, cwd=tmp_path)
    assert await child.wait() == 0
    secrets = tmp_path / "deploy/secrets"
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    theirs = {"cronofy_secret", "google.json", "microsoft_secret"}
    assert {path.name for path in secrets.glob("[!.]*")} == {
        *(set(compose["secrets"]) - theirs),
        "redis_admin_password",
    }
    users = (secrets / "redis_users").read_text()
    for name, user in (("redis_password", "sequence-sync"), ("redis_admin_password", "admin")):
        password = (secrets / name).read_text().rstrip("\n")
        assert len(password) >= 32
        assert f"user {user} on #{hashlib.sha256(password.encode()).hexdigest()} " in users
    assert "@" not in users.replace("+@", "").replace("-@", "")
    assert (secrets / "redis_username").read_text() == "sequence-sync"
