"""What every Toxiproxy server of a run offers, whoever started it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, Literal

from chaoskit import containers
from chaoskit.errors import SetupFailed
from chaoskit.faults.toxiproxy import ToxiproxyClient

Kind = Literal["url", "real", "image", "embedded"]
PROGRAM: Final = "toxiproxy-server"
IMAGE: Final = containers.TOXIPROXY_IMAGE
LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Launch:
    """What a server is started with: where its words go, the environment with the run's label, and the run's seed.

    `low_ports` says that a proxy may have to listen below 1024, which takes a right where the server has none.
    """

    log: Path
    environment: Mapping[str, str]
    seed: int
    low_ports: bool = False


class ProxyServer(ABC):
    """A Toxiproxy server that answers. Its control API is on loopback, unless it is somebody else's."""

    kind: ClassVar[Kind]
    removes_toxics: ClassVar[bool] = False
    """Whether a toxic can be taken off a proxy in use: Toxiproxy 2.12 may hang for ever where a client has stopped
    reading, so its proxies are deleted and made anew, which ends their connections."""
    is_ours: ClassVar[bool] = True
    """Whether the run started it, and may restart and stop it."""

    def __init__(self, why: str, launch: Launch) -> None:
        self.why = why
        self.version = ""
        self._launch = launch
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
        """The server's process on this machine, None where it is not ours or cannot be seen from here."""
        return None

    @property
    def label(self) -> str:
        """The run's id, which starts the name of each of its proxies; empty outside a run."""
        return self._launch.environment.get("CHAOSKIT_RUN", "")

    def described(self) -> dict[str, str]:
        """Return which server it is, for the run's provenance."""
        return {"kind": self.kind, "version": self.version, "why": self.why}

    @abstractmethod
    async def start(self) -> None:
        """Start the server, or find it running, and wait until it answers.

        Raises:
            SetupFailed: it did not come up; nothing of it is left.
        """

    @abstractmethod
    async def restart(self) -> None:
        """Kill a server that hangs and start it anew at the same address, without proxies.

        Raises:
            FaultFailed: the server is not ours to restart.
            SetupFailed: it did not come back.
        """

    @abstractmethod
    async def stop(self) -> None:
        """Stop a server that is ours; a second call changes nothing.

        Raises:
            RestoreFailed: it cannot be stopped.
        """
