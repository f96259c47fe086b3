"""Redis, and the scripts in `scripts/`: each is one change, atomic and one round trip."""

from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from bookings.keys import Keys

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript  # redis-py is for whoever connects to import

GRACE_MS = 10_000
"""How long a queued job may take to be picked before the reconciler looks whether it is still there."""
PAYLOAD_MS = 86_400_000
"""How long arq keeps a job's payload; a job that outlives it is queued again by the reconciler."""


class Scripted:
    """Runs the scripts on the keys under a prefix. Every method may raise `redis.RedisError` or `OSError`."""

    def __init__(self, redis: Any, prefix: str) -> None:
        self.redis = redis  # redis-py 5 annotates its commands for both of its clients at once
        self.keys = Keys(prefix)
        self._scripts: dict[str, AsyncScript] = {}

    async def run(self, name: str, *, keys: Sequence[str], args: Sequence[str | bytes | float]) -> Any:
        """Runs one of the scripts."""
        script = self._scripts.get(name)
        if script is None:
            folder = files("bookings") / "scripts"
            source = (folder / "wake.lua").read_text() + (folder / f"{name}.lua").read_text()
            script = self._scripts[name] = self.redis.register_script(source)
        return await script(keys=keys, args=args)
