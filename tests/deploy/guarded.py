"""A real redis-server with the configuration and the access list of deploy/redis, and the product in front of it."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import trustme
from redis.asyncio import ConnectionPool, Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from bookings.connection import TcpConnection
from bookings.embedded import EmbeddedRedis, end_with_parent, redis_server
from cli.demo_world import CA_FILE, DemoPorts, SandboxControl, write_configuration
from cli.processes import free_ports
from sandbox.server import Sandbox
from tests.acceptance.conftest import Service
from tests.deploy.front import Front
from tests.house.project import ROOT
from tests.integration.calendars import GOOGLE, MICROSOFT
from tests.integration.scheduling import MANAGER_CALENDAR, RECRUITER_CALENDAR
from tests.waiting import until

REDIS_FOLDER = ROOT / "deploy" / "redis"
ACCESS_LIST = (REDIS_FOLDER / "users.acl").read_text()
PASSWORDS = {"admin": "admin-password", "sequence-sync": "our-password", "health": "any"}

_REDIS = """
url = "rediss://127.0.0.1:{port}"
username = "file:redis_username"
password = "file:redis_password"
ca_file = "redis-ca.pem"
"""


class GuardedRedis(NamedTuple):
    """A redis-server whose users are those of the access list."""

    port: int

    def as_user(self, name: str) -> Redis:
        """A client that is this user."""
        user: dict[str, Any] = {"username": name, "password": PASSWORDS[name]}
        return Redis.from_pool(ConnectionPool(TcpConnection, port=self.port, **user))

    async def ask(self, *command: Any, user: str = "admin") -> Any:
        """What one command is answered."""
        async with self.as_user(user) as client:
            return await client.execute_command(*command)

    async def refused(self) -> set[str]:
        """What the access list refused, as Redis keeps account of it: commands and keys.

        redis-py introduces itself (CLIENT SETINFO), `check` asks for appendfsync (CONFIG GET); both do without.
        Redis below 7 does not name subcommands.
        """
        entries = await self.ask("ACL", "LOG")
        what = {dict(zip(each[::2], each[1::2], strict=True))[b"object"].decode() for each in entries}
        return what - {"client", "client|setinfo", "config", "config|get"}


@asynccontextmanager
async def guarded_redis(folder: Path, access_list: str = ACCESS_LIST) -> AsyncIterator[GuardedRedis]:
    """A redis-server of deploy/redis/redis.conf; its folders and its port are the test's."""
    users = access_list
    for mark, name in (("@ADMIN_PASSWORD_SHA256@", "admin"), ("@PASSWORD_SHA256@", "sequence-sync")):
        users = users.replace(mark, hashlib.sha256(PASSWORDS[name].encode()).hexdigest())
    (folder / "redis_users").write_text(users)
    config = (REDIS_FOLDER / "redis.conf").read_text()
    (folder / "redis.conf").write_text(
        config.replace("/run/secrets", str(folder)).replace("dir /data", f"dir {folder}")
    )
    redis = GuardedRedis(*free_ports(1))
    process = await asyncio.create_subprocess_exec(
        *(str(redis_server()), str(folder / "redis.conf"), "--port", str(redis.port)),
        *("--bind", "127.0.0.1", "--logfile", str(folder / "redis.log")),
        preexec_fn=end_with_parent,
    )
    try:

        async def answers() -> bool:
            assert process.returncode is None, (folder / "redis.log").read_text()
            return await _answers(redis)

        await until(answers)
        yield redis
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _answers(redis: GuardedRedis) -> bool:
    try:
        return bool(await redis.ask("PING", user="health"))
    except RedisConnectionError:
        return False


@asynccontextmanager
async def guarded_service(folder: Path, redis: GuardedRedis) -> AsyncIterator[Service]:
    """The product, which reaches the Redis over TLS as the user of the access list, with `prune` and with Cronofy."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "redis-ca.pem")
    (folder / "redis_username").write_text("sequence-sync")
    (folder / "redis_password").write_text(PASSWORDS["sequence-sync"])
    async with Front(redis.port, authority) as tls, Sandbox(ca_file=folder / CA_FILE) as sandbox:
        sandbox.state.google.put_calendar(GOOGLE, shared_with={"*": "writer"})
        sandbox.state.microsoft.put_calendar(MICROSOFT, None)
        own = [int(url.rpartition(":")[2]) for url in (sandbox.url, sandbox.tls_url)]
        ports = DemoPorts(*own, *free_ports(3))
        config = await write_configuration(folder, ports, SandboxControl(sandbox.url))
        api = "[api]\nport = {}\nadmin_port = {}\n".format(*free_ports(2))
        text = api + config.read_text().replace('url = "embedded"', _REDIS.format(port=tls.port))
        for table, more in (
            ("[worker]", "prune_missing_parts = true"),
            ("[receiver]", f'public_url = "http://127.0.0.1:{ports.receiver}"'),
            ("[[apps]]", f'cronofy_endpoint = "{sandbox.cronofy_endpoint}"'),
            ('name = "interviews"', f'cronofy_id = "{RECRUITER_CALENDAR}"'),
            ('name = "panel"', f'cronofy_id = "{MANAGER_CALENDAR}"'),
        ):
            text = text.replace(table, f"{table}\n{more}")
        config.write_text(text)
        service = Service(folder, config, sandbox, EmbeddedRedis(folder / "unused"), ports)
        async with service.processes:
            yield service
