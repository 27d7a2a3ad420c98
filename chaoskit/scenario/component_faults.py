"""The faults of components that a scenario can declare. They last until their window ends; then all is undone."""

from typing import Annotated

from pydantic import Field

from chaoskit.scenario.fault import Fault
from chaoskit.scenario.quantities import Duration, Size
from chaoskit.units import format_duration, format_size

Cores = Annotated[float, Field(ge=0.01, le=1024)]


class ComponentFault(Fault):
    """A fault on all processes of a component, in every region or in one."""

    component: str = Field(examples=["positions"])
    """A component, `positions` (that is all regions), or one instance of it, `positions@us-east-1`."""


class Kill(ComponentFault):
    """It is killed (SIGKILL), as by a crash, and started again when the window ends."""

    kind = "kill"


class Stop(ComponentFault):
    """It is asked to end (SIGTERM), as by a deployment, and started again when the window ends."""

    kind = "stop"


class Pause(ComponentFault):
    """It stands still: connections stay open and nothing answers."""

    kind = "pause"


class Restart(ComponentFault):
    """It is asked to end, and started again after a while; that is the end of its window, and there is no `for`."""

    kind = "restart"
    delay: Duration = 0.0
    """How long it stays down before it is started again."""

    def own_length_s(self) -> float:
        """Return the delay."""
        return self.delay

    def _amount(self) -> str:
        return f" after {format_duration(self.delay)}" if self.delay else ""


class CpuLimit(ComponentFault):
    """It may use no more CPU than this."""

    kind = "cpu_limit"
    cores: Cores = Field(examples=[0.5])
    """Cores for all its processes together."""

    def _amount(self) -> str:
        return f" {self.cores:g} cores"


class MemoryLimit(ComponentFault):
    """It may use no more memory than this, and is killed where it needs more."""

    kind = "memory_limit"
    limit: Size = Field(examples=["128MB"])
    """Memory for all its processes together."""

    def _amount(self) -> str:
        return f" {format_size(self.limit)}"
