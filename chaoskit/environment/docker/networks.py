"""The networks of a run: one bridge for each region and one for what has none, so that regions meet in proxies only."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from typing import Any, Final

from docker import DockerClient
from docker.errors import APIError
from docker.types import IPAMConfig, IPAMPool

from chaoskit.address import Address
from chaoskit.environment.docker.engine import Engine
from chaoskit.errors import SetupFailed
from chaoskit.ports import PortHolder

HOST_NAME: Final = "host.docker.internal"
"""What the host is called in a container where the engine runs in a virtual machine of its own."""


@dataclass(frozen=True, slots=True)
class Network:
    """A bridge. `gateway` is this machine as the containers on it see it; None where that has a name only, `HOST_NAME`.

    `hosts` are addresses that containers on it can be given, at which this machine reaches them without the engine's
    port publisher in between; there are none where the engine has its own machine.
    """

    name: str
    gateway: str | None
    hosts: tuple[str, ...] = ()

    @classmethod
    async def create(
        cls, engine: Engine, name: str, labels: dict[str, str], *, internal: bool = False, hosts: int = 0
    ) -> "Network":
        """Make the bridge in a range of addresses that the engine chooses; an `internal` one leads nowhere else.

        `hosts` is how many addresses are wanted for containers.

        Raises:
            SetupFailed: the engine cannot, or its networks and this machine do not reach each other.
        """
        if engine.place == "elsewhere":
            message = f"the network {name} would not reach the proxies: the engine is on another host, or without root"
            raise SetupFailed(f"{message}; use one that runs on this machine with root")
        options = {"name": name, "driver": "bridge", "internal": internal, "labels": labels}
        making = _make_in_a_told_range if hosts else _make
        pools = await engine.call(f"the network {name} cannot be made", making, engine.client, options)
        pool = next((one for one in pools if _is_ipv4(_gateway(one))), None)
        if pool is None:
            message = f"the network {name} has no IPv4 gateway; let the engine's address pools have IPv4 ranges"
            raise SetupFailed(message)
        gateway = _gateway(pool)
        if engine.place == "virtual machine":
            return cls(name, None)
        free = (str(host) for host in IPv4Network(pool["Subnet"]).hosts() if str(host) != gateway)
        return cls(name, gateway, tuple(islice(free, hosts)))

    def hold(self, ports: PortHolder) -> tuple[Address, Address]:
        """Choose a port for a proxy that containers on this network can reach: where it listens, and as they see it."""
        if self.gateway is not None:
            listen = ports.hold(self.gateway)
            return listen, listen
        listen = ports.hold()
        return listen, Address(HOST_NAME, listen.port)


def _make(client: DockerClient, options: dict[str, Any], ipam: IPAMConfig | None = None) -> list[dict[str, str]]:
    """Make a network; returns its ranges of addresses, in the engine's words."""
    network = client.networks.create(**options, ipam=ipam)
    network.reload()
    return network.attrs["IPAM"]["Config"] or []


def _make_in_a_told_range(client: DockerClient, options: dict[str, Any]) -> list[dict[str, str]]:
    """Make a network in the range that the engine proposes; only in a range that was told can addresses be chosen."""
    tries = 3
    while True:
        proposed = _make(client, options)
        client.networks.get(options["name"]).remove()
        pools = [IPAMPool(subnet=pool["Subnet"], gateway=_gateway(pool) or None) for pool in proposed]
        try:
            return _make(client, options, IPAMConfig(pool_configs=pools))
        except APIError as error:  # another network may have taken the range in between
            tries -= 1
            if not tries or "overlap" not in str(error):
                raise


def _gateway(pool: dict[str, str]) -> str:
    return pool.get("Gateway", "").partition("/")[0]


def _is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True
