"""A relay for a link whose port is taken on all addresses of this machine, by the user's own project for one.

A container on the link's network forwards the far end's port number to the link's proxy, which then may listen
anywhere. It is a Toxiproxy without a toxic.
"""

import io
import json
import tarfile
from dataclasses import dataclass
from typing import Final

from chaoskit import containers
from chaoskit.address import Address
from chaoskit.environment.docker.engine import Engine
from chaoskit.environment.docker.networks import Network

_FOLDER: Final = "/relay"
_CONFIG: Final = "relay.json"


@dataclass(frozen=True, slots=True)
class Relay:
    """Forwards `number` of the container `name` on `network` to `proxy`, an address on the network's gateway."""

    name: str
    network: Network
    number: int
    proxy: Address
    labels: dict[str, str]

    async def start(self, engine: Engine) -> str:
        """Start the container, whose image is in the engine, and return its address on the network.

        Raises:
            SetupFailed: the engine does not.
        """
        return await engine.call(f"the relay {self.name} cannot be started", lambda: self._start(engine))

    def _start(self, engine: Engine) -> str:
        container = engine.client.containers.create(
            containers.TOXIPROXY_IMAGE,
            ["-host", "127.0.0.1", "-config", f"{_FOLDER}/{_CONFIG}"],
            name=self.name,
            labels=self.labels,
            environment={"LOG_LEVEL": "warn"},
            network=self.network.name,
            volumes=[_FOLDER],  # the one place where something can be put
            **containers.confined(containers.NOBODY),
        )
        container.put_archive(_FOLDER, self._archive())
        container.start()
        container.reload()
        return str(container.attrs["NetworkSettings"]["Networks"][self.network.name]["IPAddress"])

    def _archive(self) -> bytes:
        relay = {"name": "relay", "listen": f"0.0.0.0:{self.number}", "upstream": str(self.proxy), "enabled": True}
        content = json.dumps([relay]).encode()
        archive = io.BytesIO()
        with tarfile.open(mode="w", fileobj=archive) as tar:
            entry = tarfile.TarInfo(_CONFIG)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
        return archive.getvalue()
