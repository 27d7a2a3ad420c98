"""The networks of a run: one bridge for each region and one for what has none, so that regions meet in proxies only."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, Final

from chaoskit.address import Address
from chaoskit.environment.docker.engine import Engine
from chaoskit.environment.ports import PortHolder
from chaoskit.errors import SetupFailed

HOST_NAME: Final = "host.docker.internal"
"""What the host is called in a container where the engine runs in a virtual machine of its own."""


@dataclass(frozen=True, slots=True)
class Network:
    """A bridge. `gateway` is this machine as the containers on it see it; None where the engine has its own machine."""

    name: str
    gateway: str | None

    @classmethod
    async def create(cls, engine: Engine, name: str, labels: dict[str, str], *, internal: bool = False) -> "Network":
        """Make the bridge in a range of addresses that the engine chooses; an `internal` one leads nowhere else.

        Raises:
            SetupFailed: the engine cannot.
        """

        def make() -> dict[str, Any]:
            network = engine.client.networks.create(name, driver="bridge", internal=internal, labels=labels)
            network.reload()
            attributes: dict[str, Any] = network.attrs
            return attributes

        found = await engine.call(f"the network {name} cannot be made", make)
        gateways = [str(pool.get("Gateway", "")).partition("/")[0] for pool in found["IPAM"]["Config"] or ()]
        gateway = next((one for one in gateways if _is_ipv4(one)), None)
        if gateway is None:
            message = f"the network {name} has no IPv4 gateway; let the engine's address pools have IPv4 ranges"
            raise SetupFailed(message)
        return cls(name, gateway if _is_ours(gateway) else None)

    def hold(self, ports: PortHolder) -> tuple[Address, Address]:
        """Choose a port for a proxy that containers on this network can reach: where it listens, and as they see it."""
        if self.gateway is not None:
            listen = ports.hold(self.gateway)
            return listen, listen
        listen = ports.hold()
        return listen, Address(HOST_NAME, listen.port)


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def _is_ours(host: str) -> bool:
    """Return whether `host` is an address of this machine."""
    ports = PortHolder()
    try:
        ports.hold(host)
    except OSError:
        return False
    finally:
        ports.release_all()
    return True
