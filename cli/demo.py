"""`sequence-sync demo`: the main job, end to end, with real processes and no account."""

import os
import sys
import tempfile
from functools import partial
from pathlib import Path

from admin.signals import told_to_stop
from bookings.connection import connect
from bookings.embedded import EmbeddedRedis
from bookings.store import Store
from cli.demo_steps import APP, NEW_PART, Demo
from cli.demo_world import CA_FILE, DemoPorts, SandboxControl, write_configuration
from cli.output import words
from cli.processes import Processes, free_ports
from config.environment import PREFIX
from config.load import load


async def run_demo(*, keep: bool) -> bool:
    """Runs the demo; True where everything read back from the sandbox is as it should be."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]  # what is set for a deployment is not meant for the demo
    with tempfile.TemporaryDirectory(prefix="sequence-sync-demo-") as name:
        folder = Path(name)
        ports = DemoPorts(*free_ports(5))
        async with EmbeddedRedis(folder / "data"), Processes(folder) as processes:
            with words.status("starting the sandbox, the receiver and a worker ..."):
                config, sandbox = await _start(processes, folder, ports)
            settings = load(config)
            client = connect(settings.redis)
            try:
                store, add_route = Store.of(settings, client), partial(_add_route, config, processes)
                done = await Demo(settings, store, sandbox, ports, add_route).run()
            finally:
                await client.aclose()
            if keep:
                _print_addresses(config, ports)
                await told_to_stop()
            return done


async def _start(processes: Processes, folder: Path, ports: DemoPorts) -> tuple[Path, SandboxControl]:
    sandbox = await processes.start(
        "sandbox",
        *("--port", str(ports.sandbox), "--tls-port", str(ports.authority)),
        *("--ca-file", str(folder / CA_FILE)),
        *("--google-calendar", "interviews@globex.example", "--mailbox", "panel@globex.example"),
    )
    await processes.ready(f"http://127.0.0.1:{ports.sandbox}/", sandbox)
    control = SandboxControl(f"http://127.0.0.1:{ports.sandbox}")
    config = await write_configuration(folder, ports, control)
    worker = await processes.start("worker", "--config", str(config))
    receiver = await processes.start("receiver", "--config", str(config))
    await processes.ready(f"http://127.0.0.1:{ports.worker_admin}/readyz", worker)
    await processes.ready(f"http://127.0.0.1:{ports.receiver_admin}/readyz", receiver)
    return config, control


def _add_route(config: Path, processes: Processes) -> None:
    with config.open("a") as file:
        file.write(f'\n[[routes]]\napp = "{APP}"\nsequence_id = "{NEW_PART}"\ncalendars = ["interviews"]\n')
    processes.have_configuration_reread()


def _print_addresses(config: Path, ports: DemoPorts) -> None:
    words.print()
    words.print(lead="Everything is still running; Ctrl-C ends it.")
    for what, where in {
        "calendars (a page)": f"http://127.0.0.1:{ports.sandbox}/",
        "callbacks": f"http://127.0.0.1:{ports.receiver}/callbacks/hiring",
        "receiver's metrics": f"http://127.0.0.1:{ports.receiver_admin}/metrics",
        "worker's metrics": f"http://127.0.0.1:{ports.worker_admin}/metrics",
        "configuration": str(config),
        "for example": f"{sys.argv[0]} bookings list --config {config}",
    }.items():
        words.print(f"  {what:20} {where}")
