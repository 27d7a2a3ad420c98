"""One service that is a component: its container, which compose has made and started."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from docker.models.containers import Container

from chaoskit.address import Address
from chaoskit.environment.contract import Death
from chaoskit.environment.docker.container import CPU_PERIOD_US, Making
from chaoskit.environment.docker.engine import Engine
from chaoskit.environment.docker.instance import STAYS_OPEN_S, DockerInstance
from chaoskit.environment.docker.networks import Network
from chaoskit.environment.docker.output import Output
from chaoskit.environment.ready import wait_until_ready
from chaoskit.errors import SetupFailed
from chaoskit.plan.model import PlannedContainer, PlannedReady

HEALTH_TIMEOUT_S: Final = 120.0
POLL_INTERVAL_S: Final = 0.1
_RESTARTING: Final = frozenset({"always", "on-failure", "unless-stopped"})


class ServiceInstance(DockerInstance):
    """A container that is not ours to make: taken over from compose, with its own health check and restart policy."""

    def __init__(
        self,
        name: str,
        addresses: Mapping[str, Address],
        numbers: Mapping[str, int],
        ready: PlannedReady | None,
        log: Path,
        report: Callable[[Death], None],
    ) -> None:
        """See `DockerInstance`; `numbers` are the service's own port numbers by name, as its manifest has them."""
        making = Making(name, name, "", PlannedContainer(), (), {}, addresses, Network("", None), {})
        super().__init__(making, ready, log, report)
        self._numbers = numbers
        self._restarts = False
        self._returning: asyncio.Task[None] | None = None

    async def take_over(self, engine: Engine, container: Container) -> None:
        """Follow the container's log and wait until the service is ready: its own health check, else the manifest.

        Raises:
            SetupFailed: it did not come up; says why, and its last log lines.
        """
        self._container = container
        await engine.call(f"{self.name} cannot be inspected", container.reload)
        what = f"the output of {self.name} cannot be read"
        self._output = await engine.call(what, lambda: Output(container, self._log, from_start=True))
        settings = container.attrs["HostConfig"]
        self._making = replace(self._making, planned=_limits(settings))
        self._restarts = settings["RestartPolicy"]["Name"] in _RESTARTING
        if container.status in {"exited", "dead"} and not self._restarts:
            self._ended.set()
        await self._await_ready(engine)
        await self._note_running(engine)

    def heed(self, event: str, engine: Engine, code: int = 0) -> None:
        """Take note of an event, also of a start, by which a restart policy brings the container back."""
        if event == "start":
            self._ended.clear()
            if self._reporting is not None and not self._expected:
                self._returning = asyncio.create_task(self._return(engine, self._reporting))
        elif event != "die" or self.running is not None or self._expected or not self._restarts:
            super().heed(event, engine, code)  # one that ends before it is ready is given its time

    async def stop(self, engine: Engine) -> None:
        """End the container, gently first; what of it is left is the driver's to remove."""
        if self._returning is not None:
            self._returning.cancel()
        await super().stop(engine)

    async def _return(self, engine: Engine, reporting: asyncio.Task[None]) -> None:
        await reporting
        self._reporting = None
        with suppress(SetupFailed):  # it has ended again, which is on record
            container = self._made()
            self._output = await engine.call("its output cannot be read", lambda: Output(container, self._log))
            await self._note_running(engine)

    async def _await_ready(self, engine: Engine) -> None:
        container = self._made()
        await engine.call(f"{self.name} cannot be inspected", container.reload)
        if container.attrs["State"].get("Health"):
            await self._unless_ended(engine, self._until_healthy(engine, container))
        elif self._ready is not None:
            await self._unless_ended(engine, self._until_answering(self._ready))

    async def _until_answering(self, ready: PlannedReady) -> None:
        """Return once the service answers; TimeoutError where it does not, in the words of its manifest.

        That its number is wrong shows nowhere else: the engine publishes any number, and nobody listens behind it.
        """
        address, number = self._making.addresses[ready.port], self._numbers.get(ready.port)
        known_as = f"port `{ready.port}`" + (f" (number {number} in target.yaml)" if number else "")
        await wait_until_ready(address, ready.path, ready.timeout_s, stays_open_s=STAYS_OPEN_S, known_as=known_as)

    async def _until_healthy(self, engine: Engine, container: Container) -> None:
        """Return once the container's own health check passes; TimeoutError where it fails, or does not in time."""
        timeout_s = self._ready.timeout_s if self._ready else HEALTH_TIMEOUT_S
        health = ""
        try:
            async with asyncio.timeout(timeout_s):
                while health != "healthy":
                    await asyncio.sleep(POLL_INTERVAL_S)
                    await engine.call(f"{self.name} cannot be inspected", container.reload)
                    health = container.attrs["State"].get("Health", {}).get("Status", "")
                    if health == "unhealthy":
                        break
                else:
                    return
        except TimeoutError:
            message = f"its health check has not passed after {timeout_s:g}s"
            raise TimeoutError(message) from None
        message = f"its health check fails: {_last_check(container)}"
        raise TimeoutError(message)


def _last_check(container: Container) -> str:
    checks = container.attrs["State"]["Health"].get("Log") or [{}]
    return " ".join(str(checks[-1].get("Output", "")).split())[:200] or "it says nothing"


def _limits(settings: Mapping[str, int | None]) -> PlannedContainer:
    """Return the limits that the compose file gives the container, which are its own when others are lifted."""
    quota, period = settings.get("CpuQuota") or 0, settings.get("CpuPeriod") or CPU_PERIOD_US
    return PlannedContainer(cpus=quota / period if quota > 0 else None, memory_bytes=settings.get("Memory") or None)
