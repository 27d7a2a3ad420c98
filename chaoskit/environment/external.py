"""The external driver: the target runs already, somewhere; only its links are ours."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from chaoskit.address import Address
from chaoskit.environment.contract import Death, Layout, LinkAddresses, RunningInstance
from chaoskit.environment.ports import PortHolder
from chaoskit.environment.ready import wait_until_ready
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import Plan

REACH_TIMEOUT_S: Final = 5.0


class ExternalDriver:
    """Chooses ports for the proxies of `plan.links` and checks that every upstream can be reached; starts nothing."""

    def __init__(self, plan: Plan) -> None:
        self._links = plan.links
        self._ports = PortHolder()
        self._upstreams: dict[str, Address] = {}

    async def prepare(self) -> Layout:
        """Choose a port for each link's proxy; the upstreams are the plan's."""
        self._upstreams = {link.name: Address.parse(link.upstream) for link in self._links if link.upstream}
        links = {name: LinkAddresses(self._ports.hold(), upstream) for name, upstream in self._upstreams.items()}
        return Layout({}, links)

    async def start(self) -> None:
        """Wait until each upstream accepts a connection.

        Raises:
            SetupFailed: one does not.
        """
        for name, upstream in self._upstreams.items():
            try:
                await wait_until_ready(upstream, None, REACH_TIMEOUT_S)
            except TimeoutError as error:
                message = f"link {name}: {error}; start the system under test first, or correct its address"
                raise SetupFailed(message) from error

    @property
    def instances(self) -> Mapping[str, RunningInstance]:
        """Nothing: no instance is ours."""
        return {}

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Nothing: the plan says it all."""
        return {}

    async def watch(self) -> Death:
        """Wait for ever: a process that is not ours cannot be seen to die."""
        await asyncio.Event().wait()
        raise AssertionError

    async def stop(self) -> None:
        """Let go of the ports."""
        self._ports.release_all()
