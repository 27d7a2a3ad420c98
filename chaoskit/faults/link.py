"""One link's proxy and the faults that are active on it."""

from typing import Final

from chaoskit.address import Address
from chaoskit.errors import FaultFailed
from chaoskit.faults.contract import LinkAction, Toxic
from chaoskit.faults.place import Place
from chaoskit.faults.toxiproxy import ToxiproxyClient
from chaoskit.plan.model import PlannedLink

HOLDING: Final = frozenset({"latency", "bandwidth", "slicer", "slow_close"})
"""Toxics that let go what they hold when they are removed. What others swallowed, their connections would wait for."""


class ProxiedLink(Place[LinkAction]):
    """A link, its proxy on the server, and its active faults; `caveat` limits what its probes can say."""

    def __init__(
        self,
        link: PlannedLink,
        listen: Address,
        upstream: Address,
        client: ToxiproxyClient,
        proxy: str,
        caveat: str = "",
    ) -> None:
        super().__init__()
        self.link = link
        self.listen = listen
        self.upstream = upstream
        self.proxy = proxy
        self.caveat = caveat
        self._client = client

    @property
    def enabled(self) -> bool:
        """Whether the proxy listens: no active fault has closed the door."""
        return all(action.enabled for action in self._actions.values())

    async def create(self) -> None:
        """Create the proxy."""
        await self._client.create(self.proxy, self.listen, self.upstream)

    async def delete(self) -> None:
        """Delete the proxy."""
        await self._client.delete(self.proxy)

    async def apply(self, fault: str, action: LinkAction) -> None:
        """Add a fault to those active. Where the server balks at the running proxy, the proxy is made anew with it.

        Raises:
            FaultFailed: the server does not do it either way.
        """
        async with self._change():
            self._actions[fault] = action
            self.quiet.clear()
            try:
                await self._add_toxics(fault, action)
                if not self.enabled:
                    await self._client.set_enabled(self.proxy, False)
            except FaultFailed:
                await self._build()

    async def lift(self, fault: str) -> None:
        """Take a fault from those active: delete the proxy and make it anew with what is still active.

        That costs whoever is connected the connection. Toxics that have but held data back are removed instead, where
        the server can do that under load, and nobody notices.

        Raises:
            FaultFailed: the server does not do it; the fault counts as lifted all the same, see `rebuild`.
        """
        async with self._change():
            action = self._actions.pop(fault, None)
            if action is None or not await self._remove(fault, action):
                await self._build()

    async def rebuild(self) -> None:
        """Bring the proxy to what it should be from nothing, for instance after the server was restarted."""
        async with self._change():
            await self._build()

    async def _build(self) -> None:
        await self._client.recreate(self.proxy, self.listen, self.upstream, enabled=self.enabled)
        for fault, action in self._actions.items():
            await self._add_toxics(fault, action)
        if not self._actions:
            self.quiet.set()

    async def _remove(self, fault: str, action: LinkAction) -> bool:
        """Remove the toxics of a fault from the running proxy; return whether it is then what it should be."""
        lossless = action.enabled and all(toxic.type in HOLDING for toxic in action.toxics)
        if not (self._client.lifts_in_place and lossless):
            return False
        try:
            for toxic in action.toxics:
                await self._client.remove_toxic(self.proxy, _name(fault, toxic))
        except FaultFailed:
            return False  # the server was restarted, say
        if not self._actions:
            self.quiet.set()
        return True

    async def _add_toxics(self, fault: str, action: LinkAction) -> None:
        for toxic in action.toxics:
            await self._client.add_toxic(self.proxy, _name(fault, toxic), toxic)


def _name(fault: str, toxic: Toxic) -> str:
    return f"{fault}.{toxic.type}.{toxic.stream}"
