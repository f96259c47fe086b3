"""`python -m bench.references.queues.enqueue with_rq` enqueues in RQ as ordered; the others likewise."""

import asyncio
import sys
from importlib import import_module

if __name__ == "__main__":
    asyncio.run(import_module(f"bench.references.queues.{sys.argv[1]}").enqueue())
