"""deploy/compose.yaml: what it promises. That it runs is a matter for an engine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.durations import seconds
from config.load import load
from config.settings import Settings
from tests.deploy.needed import needed
from tests.house.project import PYPROJECT, ROOT

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ("receiver", "worker", "api")

_KEY_FILE = '{"client_email": "sync@example.com", "private_key": "a key", "token_uri": "https://example.com"}'

EACH = pytest.mark.parametrize("name", SERVICES)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """What the sample configuration says, with secrets in another folder."""
    for name in COMPOSE["secrets"]:
        (tmp_path / name).write_text(_KEY_FILE if name == "google.json" else "a secret")
    config = tmp_path / "sequence-sync.toml"
    config.write_text((DEPLOY / "sequence-sync.toml").read_text().replace("/run/secrets", str(tmp_path)))
    return load(config, {})


@EACH
def test_it_can_write_nowhere_but_in_its_volumes_and_has_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"])


@EACH
def test_it_has_limits_and_an_image_of_one_version(name: str) -> None:
    assert set(SERVICES[name]["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert re.search(r":\D*\d+\.\d+", SERVICES[name]["image"])


@EACH
def test_its_files_and_secrets_are_there(name: str) -> None:
    mounted = [volume.split(":") for volume in SERVICES[name].get("volumes", [])]
    files = [source for source, *_ in mounted if source.startswith("./")]
    assert [source for source in files if not (DEPLOY / source).exists()] == []
    assert {source for source, *_ in mounted} - set(files) <= set(COMPOSE["volumes"])
    assert [mode for source, _, *mode in mounted if source in files if mode != ["ro"]] == []
    assert set(SERVICES[name].get("secrets", [])) <= set(COMPOSE["secrets"])


@EACH
def test_it_publishes_nothing_beyond_this_machine(name: str) -> None:
    assert [port for port in SERVICES[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", OURS)
def test_a_stop_leaves_time_to_drain(name: str, settings: Settings) -> None:
    grace = seconds(SERVICES[name]["stop_grace_period"])
    assert grace >= getattr(settings, name).drain_timeout + 5


@pytest.mark.parametrize("name", OURS)
def test_the_health_check_asks_the_port_that_the_process_serves(name: str, settings: Settings) -> None:
    asked = int(SERVICES[name]["environment"]["SEQUENCE_SYNC_HEALTH_PORT"])
    assert asked == getattr(settings, name).admin_port


def test_only_redis_and_who_needs_it_share_its_network_which_leads_nowhere_else() -> None:
    assert COMPOSE["networks"]["store"]["internal"] is True
    assert {name for name, service in SERVICES.items() if "store" in service["networks"]} == {"redis", *OURS}


def test_there_are_two_workers() -> None:
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


def test_the_api_is_there_for_who_asks_for_it_and_is_reached_by_its_published_port(tmp_path: Path) -> None:
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == {
        "api": ["api"]
    }
    environment = SERVICES["api"]["environment"]
    (tmp_path / "empty.toml").write_text("")
    api = load(tmp_path / "empty.toml", environment).api
    assert api.host == "::"  # its own loopback would be out of reach
    assert SERVICES["api"]["ports"] == [f"127.0.0.1:{api.port}:{api.port}"]


@pytest.mark.parametrize("name", OURS)
def test_it_has_the_secrets_that_its_process_uses_and_no_others(name: str, tmp_path: Path) -> None:
    assert set(SERVICES[name]["secrets"]) == needed(
        (DEPLOY / "sequence-sync.toml").read_text(), name, tmp_path
    )


def test_redis_has_its_memory_limit_below_half_of_the_container_s() -> None:
    [limit] = re.findall(r"^maxmemory (\d+)mb$", (DEPLOY / "redis/redis.conf").read_text(), re.MULTILINE)
    assert 2 * int(limit) < int(
        SERVICES["redis"]["deploy"]["resources"]["limits"]["memory"].removesuffix("M")
    )


def test_prometheus_asks_every_process_of_ours_on_its_admin_port(settings: Settings) -> None:
    prometheus = yaml.safe_load((DEPLOY / "prometheus/prometheus.yaml").read_text())
    asked = {
        job["job_name"]: (discovery["names"], discovery["port"])
        for job in prometheus["scrape_configs"]
        for discovery in job["dns_sd_configs"]
    }
    names = {"receiver": "receiver", "worker": "worker", "api": "api."}
    assert asked == {
        f"sequence-sync-{name}": ([names[name]], getattr(settings, name).admin_port) for name in OURS
    }
    assert prometheus["rule_files"] == ["alerts.yaml"]


def test_the_image_is_of_this_version() -> None:
    assert (
        SERVICES["receiver"]["image"]
        == f"sequence-sync:${{SEQUENCE_SYNC_VERSION:-{PYPROJECT['project']['version']}}}"
    )


def test_no_secret_lies_in_the_repository() -> None:
    assert (DEPLOY / "secrets" / ".gitignore").read_text().split() == ["*", "!.gitignore"]
