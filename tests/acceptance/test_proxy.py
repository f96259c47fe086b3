"""Inside a company: the only way out is a proxy with a login, and a private authority signs what is behind it."""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest

from bookings.embedded import EmbeddedRedis
from cli.demo_world import CA_FILE, DemoPorts, SandboxControl, write_configuration
from cli.processes import free_ports
from sandbox.server import Sandbox
from tests.acceptance.commands import command
from tests.acceptance.conftest import Service
from tests.callbacks import SEQUENCING
from tests.forward_proxy import ForwardProxy
from tests.integration.calendars import GOOGLE, MICROSOFT
from tests.waiting import until

GOOGLE_HOST, GRAPH_HOST, LOGIN_HOST = HOSTS = (
    "google.sandbox.example",
    "graph.sandbox.example",
    "login.sandbox.example",
)
"""Nobody but the proxy knows these names."""
LOGIN = ("sync", "pröxy:planted")


class Company(NamedTuple):
    """A service, and the proxy that is its only way out."""

    service: Service
    proxy: ForwardProxy

    def configure(self, before: str, after: str) -> None:
        text = self.service.config.read_text()
        assert before in text
        self.service.config.write_text(text.replace(before, after))

    async def wrong(self, variables: Mapping[str, str]) -> set[str]:
        """What `check` finds wrong with these variables set."""
        found = await self.check(variables)
        return {subject for subject, each in found.items() if each["level"] == "wrong"}

    async def check(self, variables: Mapping[str, str] = MappingProxyType({})) -> dict[str, dict[str, str]]:
        typed = ("check", "--config", str(self.service.config), "--within", "20s", "--json")
        result = await command(*typed, env=variables)
        assert "planted" not in result.data + result.words
        return {each["subject"]: each for each in result.json}


@pytest.fixture
async def company() -> AsyncIterator[Company]:
    folder = Path(tempfile.mkdtemp(prefix="sync-"))
    async with (
        Sandbox(ca_file=folder / CA_FILE, names=HOSTS) as sandbox,
        EmbeddedRedis(folder / "data") as redis,
    ):
        sandbox.state.google.put_calendar(GOOGLE, shared_with={"*": "writer"})
        sandbox.state.microsoft.put_calendar(MICROSOFT, None)
        http, https = (int(url.rpartition(":")[2]) for url in (sandbox.url, sandbox.tls_url))
        ports = DemoPorts(http, https, *free_ports(3))
        config = await write_configuration(folder, ports, SandboxControl(sandbox.url))
        async with ForwardProxy({f"{host}:443": https for host in HOSTS}, LOGIN) as proxy:
            _behind(proxy, folder, config, sandbox)
            service = Service(folder, config, sandbox, redis, ports)
            async with service.processes:
                yield Company(service, proxy)
    shutil.rmtree(folder)


def _behind(proxy: ForwardProxy, folder: Path, config: Path, sandbox: Sandbox) -> None:
    """Has a configuration reach everything through the proxy."""
    text = config.read_text()
    changes = {
        f"{sandbox.url}/calendar": f"https://{GOOGLE_HOST}/calendar",
        f"{sandbox.url}/graph": f"https://{GRAPH_HOST}/graph",
        sandbox.tls_url: f"https://{LOGIN_HOST}",
        'ca_file = "sandbox-ca.pem"\n': "",
    }
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    (folder / "proxy_username").write_text(LOGIN[0])
    (folder / "proxy_password").write_text(LOGIN[1])
    config.write_text(
        f'[network]\nproxy = "{proxy.url}"\nproxy_username = "file:proxy_username"\n'
        f'proxy_password = "file:proxy_password"\nca_file = "{CA_FILE}"\n{text}'
    )
    key = json.loads((folder / "google.json").read_text())
    key["token_uri"] = f"https://{GOOGLE_HOST}{key['token_uri'].removeprefix(sandbox.url)}"
    (folder / "google.json").write_text(json.dumps(key))


async def test_one_booking_reaches_each_provider_and_check_is_green(company: Company) -> None:
    service = company.service
    await service.start("receiver")
    await service.start("worker")
    assert (await service.post(SEQUENCING))[0] == 202
    await service.written()
    assert sorted(each.provider for each in service.events()) == ["google", "microsoft"]
    findings = await company.check()
    assert {subject for subject, each in findings.items() if each["level"] == "wrong"} == set()
    assert findings.keys() >= {
        "account google-hr",
        "account microsoft-hr",
        "calendar interviews",
        "calendar panel",
    }
    assert {each.removeprefix("CONNECT ") for each in company.proxy.asked} == {
        f"{host}:443" for host in HOSTS
    }
    assert "planted" not in service.log("worker") + service.log("receiver")


async def test_the_usual_variables_do_the_same(company: Company) -> None:
    text = company.service.config.read_text()
    company.service.config.write_text(text[text.index("[redis]") :])
    address = company.proxy.url.replace("//", "//sync:pr%C3%B6xy%3Aplanted@")
    variables = {"HTTPS_PROXY": address, "REQUESTS_CA_BUNDLE": str(company.service.folder / CA_FILE)}
    assert await company.wrong(variables) == set()
    assert {each.removeprefix("CONNECT ") for each in company.proxy.asked} == {
        f"{host}:443" for host in HOSTS
    }


async def test_a_proxy_in_the_shell_does_not_break_the_demo() -> None:
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:1")
    result = await command("demo", env=nowhere)
    assert result.status == 0, result.words


ACCOUNTS = ("account google-hr", "account microsoft-hr")


async def test_a_wrong_password_for_the_proxy_is_said_and_the_booking_waits_for_the_right_one(
    company: Company,
) -> None:
    service, password = company.service, company.service.folder / "proxy_password"
    password.write_text("another")
    findings = await company.check()
    for account in ACCOUNTS:
        assert (
            findings[account]["words"]
            == "cannot be asked: the proxy wants a login (407) (proxy_login_required)"
        )
        assert "network.proxy_username" in findings[account]["remedy"]
    await service.start("receiver")
    await service.start("worker")
    await service.post(SEQUENCING)
    await service.delayed(2)
    password.write_text(LOGIN[1])
    await until(lambda: len(service.events()) == 2)  # without a restart
    assert sorted(each.provider for each in service.events()) == ["google", "microsoft"]


async def test_without_the_authority_its_key_is_named(company: Company) -> None:
    company.configure(f'ca_file = "{CA_FILE}"\n', "")
    findings = await company.check()
    for account in ACCOUNTS:
        assert findings[account]["words"] == (
            "cannot be asked: its certificate is not signed by a known authority (certificate_unknown_authority)"
        )
        assert "set network.ca_file" in findings[account]["remedy"]


async def test_a_proxy_that_is_down_is_named(company: Company) -> None:
    await company.proxy.stop()
    findings = await company.check()
    for account in ACCOUNTS:
        assert findings[account]["words"] == "cannot be asked: the proxy does not answer (proxy_unreachable)"
        assert "network.proxy" in findings[account]["remedy"]


async def test_a_host_that_the_proxy_does_not_let_through_is_named(company: Company) -> None:
    company.proxy.names.clear()
    findings = await company.check()
    for account in ACCOUNTS:
        assert (
            findings[account]["words"] == "cannot be asked: the proxy does not let it through (proxy_refused)"
        )


async def test_where_no_proxy_is_set_its_key_is_named(company: Company) -> None:
    text = company.service.config.read_text()
    company.service.config.write_text(
        "".join(line + "\n" for line in text.splitlines() if not line.startswith("proxy"))
    )
    findings = await company.check()
    for account in ACCOUNTS:
        assert findings[account]["words"] == "cannot be asked: its name is not known (unknown_host)"
        assert "set network.proxy" in findings[account]["remedy"]
