"""Toxiproxy servers that are child processes of the run: `toxiproxy-server` of PATH, and the embedded one."""

import asyncio
import sys
from abc import abstractmethod
from pathlib import Path

from chaoskit.faults.server.contract import LOOPBACK, PROGRAM
from chaoskit.faults.server.own import STOP_BOUND_S, OwnServer


class ChildServer(OwnServer):
    """A server that is a process; what it prints goes to the launch's log."""

    _process: asyncio.subprocess.Process | None = None

    @property
    def process_id(self) -> int | None:
        """The server's process."""
        return self._process.pid if self._process is not None else None

    async def stop(self) -> None:
        """Ask the process to end, and end it by force where it does not."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_BOUND_S)
        except TimeoutError:
            await self._kill()

    @abstractmethod
    def _command(self, port: int) -> list[str]:
        """Return the command of a server with its API on `port`."""

    async def _begin(self, port: int) -> None:
        environment = {"LOG_LEVEL": "warn", **self._launch.environment}  # its default tells of every chunk that passes
        with self._launch.log.open("ab") as log:
            # a session of its own: Ctrl-C reaches the runner alone, which heals the links before the server goes
            self._process = await asyncio.create_subprocess_exec(
                *self._command(port), stdout=log, stderr=log, env=environment, start_new_session=True
            )

    async def _ended(self) -> int | None:
        return self._process.returncode if self._process is not None else None

    async def _kill(self) -> None:
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


class InstalledServer(ChildServer):
    """The real Toxiproxy, `toxiproxy-server` on PATH."""

    kind = "real"
    name = PROGRAM

    def _command(self, port: int) -> list[str]:
        return [PROGRAM, "-host", LOOPBACK, "-port", str(port)]


class EmbeddedServer(ChildServer):
    """`python -m chaoskit.proxy`. It finds a port itself, which nobody can take in between, and writes it down."""

    kind = "embedded"
    name = "the embedded Toxiproxy server"

    @property
    def _port_file(self) -> Path:
        return self._launch.log.with_suffix(".port")

    async def stop(self) -> None:
        """Stop the process; its note goes too."""
        await super().stop()
        self._port_file.unlink(missing_ok=True)

    def _command(self, port: int) -> list[str]:
        self._port_file.unlink(missing_ok=True)
        place = ["--host", LOOPBACK, "--port", str(port), "--port-file", str(self._port_file)]
        return [sys.executable, "-m", "chaoskit.proxy", *place, "--seed", str(self._launch.seed)]

    def _first_port(self) -> int:
        return 0

    def _port(self) -> int:
        return int(self._port_file.read_text()) if self._port_file.exists() else 0
