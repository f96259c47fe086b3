"""What the demo runs in: a configuration for the sandbox, and the sandbox's control API."""

import json
import secrets
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp


class DemoPorts(NamedTuple):
    """Free ports of this machine."""

    sandbox: int
    authority: int
    receiver: int
    receiver_admin: int
    worker_admin: int


class SandboxControl:
    """Speaks to the sandbox's control API."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Arranges something."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(f"{self.url}/_sandbox{path}", json=body) as response,
        ):
            return await response.json()

    async def events(self) -> list[dict[str, Any]]:
        """Every event that stands in one of the sandbox's calendars."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(f"{self.url}/_sandbox/events") as response,
        ):
            events: list[dict[str, Any]] = await response.json()
        return [event for event in events if event["status"] in ("confirmed", "tentative")]


CA_FILE = "sandbox-ca.pem"

_TOML = """
[redis]
url = "embedded"
data_dir = "data"

[receiver]
host = "127.0.0.1"
port = {ports.receiver}
admin_host = "127.0.0.1"
admin_port = {ports.receiver_admin}

[worker]
admin_host = "127.0.0.1"
admin_port = {ports.worker_admin}

[[apps]]
name = "hiring"
client_secrets = ["file:cronofy_previous", "file:cronofy_current"]

[[accounts]]
name = "google-hr"
provider = "google"
service_account = "file:google.json"
api_endpoint = "{sandbox}/calendar/v3/"

[[accounts]]
name = "microsoft-hr"
provider = "microsoft"
tenant_id = "globex"
client_id = "sequence-sync"
client_secret = "file:microsoft_secret"
authority = "https://localhost:{ports.authority}"
graph_endpoint = "{sandbox}/graph/v1.0"
ca_file = "sandbox-ca.pem"

[[calendars]]
name = "interviews"
account = "google-hr"
calendar_id = "interviews@globex.example"

[[calendars]]
name = "panel"
account = "microsoft-hr"
mailbox = "panel@globex.example"

[[routes]]
app = "hiring"
sequence_id = "123"
calendars = ["interviews"]

[[routes]]
app = "hiring"
sequence_id = "456"
calendars = ["panel"]
"""


async def write_configuration(folder: Path, ports: DemoPorts, sandbox: SandboxControl) -> Path:
    """Writes a configuration and its secrets into `folder`, and makes them known to the sandbox."""
    key = await sandbox.post("/google/service-accounts", {})
    microsoft_secret = secrets.token_urlsafe(24)
    await sandbox.post(
        "/microsoft/applications",
        {"tenant": "globex", "client_id": "sequence-sync", "secret": microsoft_secret},
    )
    for name, secret in {
        "google.json": json.dumps(key),
        "microsoft_secret": microsoft_secret,
        "cronofy_previous": secrets.token_urlsafe(24),
        "cronofy_current": secrets.token_urlsafe(24),
    }.items():
        path = folder / name
        path.write_text(secret)
        path.chmod(0o600)
    config = folder / "sequence-sync.toml"
    config.write_text(_TOML.format(ports=ports, sandbox=sandbox.url))
    return config
