"""The service with people and with links instead of routes."""

import asyncio
from typing import NamedTuple

import pytest

from cli.processes import free_ports
from tests.acceptance.conftest import Service
from tests.integration.scheduling import MANAGER, MANAGER_CALENDAR, RECRUITER, RECRUITER_CALENDAR


class Linked(NamedTuple):
    """The service, and where its API is reached once that is started."""

    service: Service
    api: str

    async def start_api(self) -> asyncio.subprocess.Process:
        """Starts the API and waits until it is ready."""
        service = self.service
        child = await service.processes.start("api", "--config", str(service.config))
        await service.processes.ready(f"http://127.0.0.1:{service.settings.api.admin_port}/readyz", child)
        return child


@pytest.fixture
async def linked(service: Service) -> Linked:
    """Without routes, with people, and with Cronofy's stand-in."""
    port, admin_port = free_ports(2)
    text = service.config.read_text()
    text = text[: text.index("[[routes]]")].replace(
        "[[apps]]", f'[[apps]]\ncronofy_endpoint = "{service.sandbox.cronofy_endpoint}"'
    )
    for name, cronofy_id in (("interviews", RECRUITER_CALENDAR), ("panel", MANAGER_CALENDAR)):
        text = text.replace(f'name = "{name}"', f'name = "{name}"\ncronofy_id = "{cronofy_id}"')
    people = "".join(
        f'[[people]]\nsub = "{sub}"\ncalendars = ["{name}"]\n'
        for sub, name in ((RECRUITER, "interviews"), (MANAGER, "panel"))
    )
    public = f'public_url = "http://127.0.0.1:{service.ports.receiver}"\n'
    text = text.replace("[receiver]\n", f"[receiver]\n{public}")
    service.config.write_text(f"[api]\nport = {port}\nadmin_port = {admin_port}\n{text}{people}")
    service.sandbox.cronofy_app(client_id="hiring", secret=tuple(service.secrets[:2]), pauses=(0.01,))
    return Linked(service, f"http://127.0.0.1:{port}")
