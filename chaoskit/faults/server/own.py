"""A Toxiproxy server of the run's own: launched, awaited until it answers, restarted at the same address."""

import asyncio
import contextlib
from abc import abstractmethod
from typing import ClassVar, Final

from chaoskit.errors import FaultFailed, SetupFailed
from chaoskit.faults.server.contract import Launch, ProxyServer
from chaoskit.faults.toxiproxy import ToxiproxyClient
from chaoskit.ports import PortHolder

READY_BOUND_S: Final = 10.0
STOP_BOUND_S: Final = 3.0
POLL_INTERVAL_S: Final = 0.02


class OwnServer(ProxyServer):
    """What the kinds of servers have in common that a run starts itself.

    The API's port is held from the first start to the stop, so that a restart finds it free.
    """

    name: ClassVar[str]
    """What sentences about it call it."""
    lifts_in_place: ClassVar[bool] = False
    """Whether it answers when a toxic is removed, whatever its clients do."""

    def __init__(self, why: str, launch: Launch) -> None:
        super().__init__(why, launch)
        self._ports = PortHolder()

    async def start(self) -> None:
        """Launch the server and wait until it answers; what fails is quoted with the end of its log."""
        try:
            self._client = self._client or ToxiproxyClient(self._ports.hold(), lifts_in_place=self.lifts_in_place)
            await self._begin(self._client.address.port)
            async with asyncio.timeout(READY_BOUND_S):
                await self._await_ready()
        except BaseException as error:  # a cancelled bring-up too: nobody else knows of the server yet
            await self.stop()
            if not isinstance(error, TimeoutError):
                raise
            message = f"{self.name} did not answer within {READY_BOUND_S:g}s; {self._last_words()}"
            raise SetupFailed(message) from error

    async def restart(self) -> None:
        """Kill the server, whatever it does, and start it at the same address."""
        await self._kill()
        await self.start()

    @abstractmethod
    async def _begin(self, port: int) -> None:
        """Launch the server; its API is to be on `port` of loopback."""

    @abstractmethod
    async def _ended(self) -> int | None:
        """Return the status that the server has ended with, None while it runs."""

    @abstractmethod
    async def _kill(self) -> None:
        """End the server by force, and return when it is gone."""

    async def _await_ready(self) -> None:
        while True:
            status = await self._ended()
            if status is not None:
                message = f"{self.name} ended at once with status {status}; {self._last_words()}"
                raise SetupFailed(message)
            with contextlib.suppress(FaultFailed):  # not yet
                self.version = await self.client.version()
                return
            await asyncio.sleep(POLL_INTERVAL_S)

    def _last_words(self) -> str:
        log = self._launch.log
        lines = log.read_text(errors="replace").strip().splitlines()[-3:] if log.exists() else []
        return f"the end of {log}: {' / '.join(lines)}" if lines else f"{log} is empty"
