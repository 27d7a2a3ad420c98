"""What every driver does: bring the instances of a plan up, watch them, and take them down again."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from chaoskit.address import Address
from chaoskit.environment.log import quoted


@dataclass(frozen=True, slots=True)
class LinkAddresses:
    """The two sides of a link's proxy: where it must listen, and what it must forward to, as seen from this machine.

    `reached` is where the component at the link's near end finds the proxy, if that differs from `listen` (a container
    sees other addresses than its host). `caveat` says why probes of the link do not meet all that the component meets;
    empty where they do.
    """

    listen: Address
    upstream: Address
    reached: Address | None = None
    caveat: str = ""

    @property
    def near(self) -> Address:
        """Where the near end connects to."""
        return self.reached or self.listen


@dataclass(frozen=True, slots=True)
class Layout:
    """Every address of a run. `ports` maps instance and port name, `links` link names."""

    ports: Mapping[str, Mapping[str, Address]]
    links: Mapping[str, LinkAddresses]


@dataclass(frozen=True, slots=True)
class RunningInstance:
    """An instance that is up and ready. `process_id` and `log` are None where the driver did not start it itself.

    `process_id` is None, too, where a container's processes cannot be seen from here; `container_id` is None for a
    process.
    """

    name: str
    ports: Mapping[str, Address]
    process_id: int | None
    log: Path | None
    container_id: str | None = None


@dataclass(frozen=True, slots=True)
class Death:
    """An instance ended though nobody asked it to.

    `exit_code` is negative where a signal ended it (-9: SIGKILL). `log_tail` holds its last log lines, newest last.
    `out_of_memory` says that its memory limit did it.
    """

    instance: str
    exit_code: int
    log_tail: tuple[str, ...]
    out_of_memory: bool = False

    def __str__(self) -> str:
        ended = f"exited with {self.exit_code}"
        if self.exit_code < 0:
            ended = f"was killed by {_signal_name(-self.exit_code)}"
        if self.out_of_memory:
            ended = "was killed because it used more memory than its limit"
        lines = f"; {quoted(self.log_tail)}"
        return f"{self.instance} {ended}{lines}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


class Driver(Protocol):
    """A way to bring targets up and down. The calls come in this order: prepare, start, (watch), stop.

    `stop` may come at any point, any number of times, and leaves nothing behind.
    """

    async def prepare(self) -> Layout:
        """Choose the addresses and hold them; nothing is started yet, so that proxies can be put in between."""
        ...

    async def start(self) -> None:
        """Start all instances in the order of their links and wait until each is ready.

        Raises:
            SetupFailed: one did not come up; those that had are stopped again.
        """
        ...

    @property
    def instances(self) -> Mapping[str, RunningInstance]:
        """What is up, by name."""
        ...

    async def watch(self) -> Death:
        """Return as soon as an instance has died that should be alive.

        Raises:
            SetupFailed: what the instances live in is gone, so that nothing can be said of them any more.
        """
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What the report says of where the instances ran, once they have started; empty where that is all said."""
        ...

    async def stop(self) -> None:
        """Take everything down, in reverse order.

        Raises:
            RestoreFailed: a process outlived SIGKILL.
        """
        ...
