"""What a driver can do to a running instance, so that component faults can be played on it.

The process, docker and compose drivers fulfil `Control` structurally: faults and environment do not import each other.
"""

from typing import Protocol, runtime_checkable

from chaoskit.records import Vitals


@runtime_checkable
class Control(Protocol):
    """Life, standstill and limits of instances, by the plan's name (`positions@us-east-1`).

    Calls for different instances may run at once, those for one come one after the other. Each has come into force when
    it returns, and may be made again: what is so already is no error. All raise FaultFailed where the driver or its
    engine cannot do it. What is asked for here is never reported as a death by the driver's `watch`, and neither is an
    instance that its memory limit killed; one that ends by itself meanwhile still is.
    """

    async def halt(self, instance: str, gently: bool) -> None:
        """End every process of the instance and wait until all are gone: SIGKILL, or SIGTERM first where `gently`."""
        ...

    async def start_again(self, instance: str) -> None:
        """Start the instance as it was, with the same addresses and files, and wait until it is ready."""
        ...

    async def pause(self, instance: str) -> None:
        """Stop every process of the instance where it stands."""
        ...

    async def resume(self, instance: str) -> None:
        """Let every process of a paused instance go on."""
        ...

    async def limit(self, instance: str, cores: float | None, memory_bytes: int | None) -> None:
        """Limit all processes of the instance together; None lifts that limit. A halt and a start keep the limits."""
        ...

    async def vitals(self, instance: str) -> Vitals:
        """Look at the instance once; cheap enough for a few times a second."""
        ...
