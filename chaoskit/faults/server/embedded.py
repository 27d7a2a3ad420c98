"""The embedded Toxiproxy-compatible server as a child process."""

import sys

from chaoskit.faults.server.child import ChildServer
from chaoskit.faults.server.contract import LOOPBACK


class EmbeddedServer(ChildServer):
    """`python -m chaoskit.proxy`."""

    kind = "embedded"
    name = "the embedded Toxiproxy server"
    lifts_in_place = True

    def _command(self, port: int) -> list[str]:
        place = ["--host", LOOPBACK, "--port", str(port)]
        return [sys.executable, "-m", "chaoskit.proxy", *place, "--seed", str(self._launch.seed)]
