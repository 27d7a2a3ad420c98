"""The real Toxiproxy as a child process: `toxiproxy-server` of PATH."""

from chaoskit.faults.server.child import ChildServer
from chaoskit.faults.server.contract import LOOPBACK, PROGRAM


class InstalledServer(ChildServer):
    """The real Toxiproxy, `toxiproxy-server` on PATH."""

    kind = "real"
    name = PROGRAM

    def _command(self, port: int) -> list[str]:
        return [PROGRAM, "-host", LOOPBACK, "-port", str(port)]
