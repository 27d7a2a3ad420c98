"""The external driver: the target runs already, somewhere; only its links are ours."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from chaoskit.address import Address
from chaoskit.environment.contract import Death, Layout, LinkAddresses, RunningInstance
from chaoskit.environment.ready import wait_until_ready
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import Plan, PlannedLink
from chaoskit.ports import PortHolder, is_listening

REACH_TIMEOUT_S: Final = 5.0
START_TIMEOUT_S: Final = 60.0
"""How long a system may take that has to be started once the proxies of its upstreams are there."""


class ExternalDriver:
    """Chooses ports for the proxies of `plan.links` and checks that every upstream can be reached; starts nothing.

    `say` is told what is waited for, where that may be the user's to start.
    """

    def __init__(self, plan: Plan, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._links = plan.links
        self._say = say
        self._ports = PortHolder()
        self._layout = Layout({}, {})

    async def prepare(self) -> Layout:
        """Choose a port for each link's proxy, or take the one that the plan wants it at; the upstreams are the plan's.

        Raises:
            SetupFailed: a port that the plan wants is taken.
        """
        links = {}
        for link in self._links:
            if link.upstream:
                links[link.name] = LinkAddresses(self._hold(link), Address.parse(link.upstream))
        self._layout = Layout({}, links)
        return self._layout

    async def start(self) -> None:
        """Wait until each upstream accepts a connection; those of the system first, which may need them to start.

        Raises:
            SetupFailed: one does not.
        """
        inner = {link.name for link in self._links if link.listen}
        timeout_s = REACH_TIMEOUT_S
        for name, addresses in sorted(self._layout.links.items(), key=lambda item: item[0] not in inner):
            if inner and name not in inner:
                timeout_s = START_TIMEOUT_S
                if not is_listening(addresses.upstream):
                    places = ", ".join(f"{one} at {self._layout.links[one].listen}" for one in sorted(inner))
                    self._say(f"waiting up to {timeout_s:g} s for {addresses.upstream}: start it; there is {places}")
            try:
                await wait_until_ready(addresses.upstream, None, timeout_s)
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

    def _hold(self, link: PlannedLink) -> Address:
        if link.listen is None:
            return self._ports.hold(self._plan.listen_host(link.name))
        wanted = Address.parse(link.listen)
        try:
            held = self._ports.hold(wanted.host, wanted.port)
            if not is_listening(wanted):
                return held
            why = "another program listens there"  # and shares the port with whoever asks
        except OSError as error:
            why = error.strerror or str(error)
        message = f"link {link.name}: its proxy cannot listen at {wanted} ({why})"
        raise SetupFailed(f"{message}; choose another `listen`, here and in the system's own configuration")
