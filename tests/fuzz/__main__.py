"""`python -m tests.fuzz --inputs 100000 --seed 1`: attacks a receiver's process and prints the counts."""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil
from redis.asyncio import Redis

from bookings.embedded import EmbeddedRedis, socket_path
from bookings.store import Store
from cli.processes import Processes, free_ports
from tests.conftest import FIRST_SECRET
from tests.fuzz.campaign import Campaign, Failed

ROUND = 2_000
WARM_UP = 4_000
MOST_GROWTH_MIB = 8.0

_TOML = """
[receiver]
host = "127.0.0.1"
port = {port}
admin_host = "127.0.0.1"
admin_port = {admin_port}
body_timeout = "300ms"
[[apps]]
name = "hiring"
client_secrets = ["file:secret"]
"""


async def attack(folder: Path, inputs: int, seed: int) -> None:
    port, admin_port = free_ports(2)
    config = folder / "sequence-sync.toml"
    config.write_text(_TOML.format(port=port, admin_port=admin_port))
    (folder / "secret").write_text(FIRST_SECRET)
    data = folder / "data"
    async with EmbeddedRedis(data), Processes(folder) as processes:
        child = await processes.start("receiver", "--config", str(config))
        await processes.ready(f"http://127.0.0.1:{admin_port}/readyz", child)
        redis = Redis(unix_socket_path=str(socket_path(data)))
        campaign = Campaign(port, Store(redis, "sequence-sync"))
        began, warm = time.monotonic(), 0.0
        for start in range(0, inputs, ROUND):
            await campaign.attack(min(ROUND, inputs - start), number=seed * 1_000_000 + start)
            resident = psutil.Process(child.pid).memory_info().rss / 2**20
            if start < WARM_UP:
                warm = resident
            sys.stderr.write(f"{min(start + ROUND, inputs)} inputs, {resident:.1f} MiB\n")
        await campaign.still_serves()
        await redis.aclose()
        sys.stdout.write(f"{sum(campaign.inputs.values())} inputs in {time.monotonic() - began:.0f} s\n")
    for counts in (campaign.inputs, campaign.answers):
        sys.stdout.writelines(f"{count:9} {name}\n" for name, count in counts.most_common())
    sys.stdout.write(f"{warm:9.1f} MiB resident after {WARM_UP} inputs, {resident:.1f} at the end\n")
    if resident - warm > MOST_GROWTH_MIB:
        raise Failed(f"the receiver grew from {warm:.1f} to {resident:.1f} MiB")
    log = (folder / "receiver.log").read_text(errors="replace")
    sys.stdout.write(f"{len(log.splitlines()):9} log lines\n")
    if "Traceback" in log:
        raise Failed(f"a traceback in the log: {log[log.index('Traceback') :][:3000]}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        asyncio.run(attack(folder, arguments.inputs, arguments.seed))
    except Failed as failed:
        sys.exit(f"FAILED: {failed}\nthe receiver's log: {folder / 'receiver.log'}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
