"""The embedded Toxiproxy-compatible server as a child process."""

import sys
from pathlib import Path

from chaoskit.faults.server.child import ChildServer
from chaoskit.faults.server.contract import LOOPBACK


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
