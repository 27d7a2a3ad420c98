"""Which Toxiproxy server a run uses, and its life as a child process: start, restart, stop.

In this order: the scenario's URL, `toxiproxy-server` on PATH, the embedded server (`python -m chaoskit.proxy`).
"""

import asyncio
import contextlib
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

from chaoskit.address import Address
from chaoskit.errors import FaultFailed, SetupFailed
from chaoskit.faults.toxiproxy import ToxiproxyClient
from chaoskit.plan.model import Plan

Kind = Literal["url", "real", "embedded"]
PROGRAM: Final = "toxiproxy-server"
CHOICE_VARIABLE: Final = "CHAOSKIT_TOXIPROXY"
READY_BOUND_S: Final = 10.0
STOP_BOUND_S: Final = 3.0
LOOPBACK: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8474
"""Where Toxiproxy listens if not told otherwise."""


class ProxyServer:
    """A running Toxiproxy server. One of `kind` `url` is somebody else's: it is neither stopped nor restarted."""

    def __init__(self, kind: Kind, log: Path, environment: Mapping[str, str], seed: int) -> None:
        self.kind = kind
        self.version = ""
        self._log = log
        self._environment = dict(environment)
        self._seed = seed
        self._process: asyncio.subprocess.Process | None = None
        self._client: ToxiproxyClient | None = None

    @property
    def client(self) -> ToxiproxyClient:
        """The control of the server; it stays the same one over restarts."""
        if self._client is None:
            message = "the Toxiproxy server has not been started; call start_server first"
            raise SetupFailed(message)
        return self._client

    @property
    def url(self) -> str:
        """The base URL of the server's API."""
        return f"http://{self.client.address}"

    @property
    def process_id(self) -> int | None:
        """The process of a server that is ours, None for a URL."""
        return self._process.pid if self._process is not None else None

    @property
    def label(self) -> str:
        """The run's id, which starts the name of each of its proxies; empty outside a run."""
        return self._environment.get("CHAOSKIT_RUN", "")

    async def connect(self, address: Address) -> None:
        """Use the server that already runs at `address`.

        Raises:
            SetupFailed: nothing answers there as Toxiproxy does.
        """
        self._client = ToxiproxyClient(address)
        try:
            self.version = await self._client.version()
        except FaultFailed as error:
            message = f"no Toxiproxy server: {error}. Start it, or leave the URL out to have one started"
            raise SetupFailed(message) from error

    async def start(self) -> None:
        """Start the server's process and wait until it answers.

        Raises:
            SetupFailed: it ended or did not answer in time; the sentence quotes its log.
        """
        environment = dict(self._environment)
        port = self._client.address.port if self._client is not None else self._first_port()
        with tempfile.TemporaryDirectory(prefix="chaoskit-") as folder:
            port_file = Path(folder) / "port"
            command = [PROGRAM, "-host", LOOPBACK, "-port", str(port)]
            if self.kind == "embedded":
                command = [sys.executable, "-m", "chaoskit.proxy", "--host", LOOPBACK, "--port", str(port)]
                command += ["--port-file", str(port_file), "--seed", str(self._seed)]
            else:
                environment.setdefault("LOG_LEVEL", "warn")  # its default tells of every chunk that passes
            with self._log.open("ab") as log:
                # a session of its own: Ctrl-C reaches the runner alone, which heals the links before the server goes
                self._process = await asyncio.create_subprocess_exec(
                    *command, stdout=log, stderr=log, env=environment, start_new_session=True
                )
            try:
                async with asyncio.timeout(READY_BOUND_S):
                    await self._await_ready(self._process, port, port_file)
            except BaseException as error:  # a cancelled bring-up too: nobody else knows of the process yet
                await self.stop()
                if not isinstance(error, TimeoutError):
                    raise
                message = f"{command[0]} did not answer within {READY_BOUND_S:g}s; {self._last_words()}"
                raise SetupFailed(message) from error

    async def restart(self) -> None:
        """Kill a server that hangs and start it anew at the same address, without proxies.

        Raises:
            FaultFailed: the server is not ours to restart.
            SetupFailed: it did not come back.
        """
        if self._process is None:
            message = f"the Toxiproxy server at {self.url} hangs and is not ours to restart; restart it by hand"
            raise FaultFailed(message)
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self.start()

    async def stop(self) -> None:
        """Stop a server that is ours; a second call changes nothing."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_BOUND_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _first_port(self) -> int:
        """Return a port to ask for; the embedded server finds its own, which nobody can take in between."""
        return 0 if self.kind == "embedded" else _free_port()

    async def _await_ready(self, process: asyncio.subprocess.Process, port: int, port_file: Path) -> None:
        while True:
            if process.returncode is not None:
                message = f"the Toxiproxy server ended at once with status {process.returncode}; {self._last_words()}"
                raise SetupFailed(message)
            port = port or _announced(port_file)
            if port:
                self._client = self._client or ToxiproxyClient(Address(LOOPBACK, port))
                with contextlib.suppress(FaultFailed):  # not yet
                    self.version = await self._client.version()
                    return
            await asyncio.sleep(0.02)

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()[-3:]
        return f"the end of {self._log}: {' / '.join(lines)}" if lines else f"{self._log} is empty"


async def start_server(
    plan: Plan, *, prefer: str = "auto", log: Path, environment: Mapping[str, str] | None = None
) -> ProxyServer:
    """Start, or connect to, the Toxiproxy server of a run.

    `prefer` is `auto`, `real`, `embedded` or a URL; the environment variable CHAOSKIT_TOXIPROXY overrides it. With
    `auto` the scenario's URL comes first, then `toxiproxy-server` on PATH, then the embedded server. What the server
    prints goes to the file `log`.

    Raises:
        SetupFailed: there is no such server, or it does not come up.
    """
    variables = dict(os.environ if environment is None else environment)
    wanted = variables.get(CHOICE_VARIABLE) or prefer
    url = wanted if "://" in wanted else plan.toxiproxy_url if wanted == "auto" else None
    if url:
        server = ProxyServer("url", log, variables, plan.seed)
        await server.connect(_address_of(url))
        return server
    found = shutil.which(PROGRAM, path=variables.get("PATH")) is not None
    if wanted not in {"auto", "real", "embedded"}:
        message = f"{wanted!r} is no Toxiproxy server to use; say auto, real, embedded or a URL"
        raise SetupFailed(message)
    if wanted == "real" and not found:
        message = f"{PROGRAM} is not on PATH; install it, or use the embedded server"
        raise SetupFailed(message)
    real = found and wanted != "embedded"
    server = ProxyServer("real" if real else "embedded", log, variables, plan.seed)
    await server.start()
    return server


def _address_of(url: str) -> Address:
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        message = f"{url!r} is not the URL of a Toxiproxy server; write it like http://127.0.0.1:{DEFAULT_PORT}"
        raise SetupFailed(message)
    return Address(parts.hostname, parts.port or DEFAULT_PORT)


def _announced(port_file: Path) -> int:
    """Return the port that a server wrote once it listened, 0 before."""
    return int(port_file.read_text()) if port_file.exists() else 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
