"""What the tests of deploy/ share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.deploy.guarded import GuardedRedis, guarded_redis


@pytest.fixture
async def guard(tmp_path: Path) -> AsyncIterator[GuardedRedis]:
    """A redis-server with our access list."""
    async with guarded_redis(tmp_path) as redis:
        yield redis
