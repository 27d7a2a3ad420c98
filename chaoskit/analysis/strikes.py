"""Which declared fault struck what, second by second: a link, what stands at its far end, a whole region."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from chaoskit.analysis.result import FaultResult
from chaoskit.analysis.windows import Mask
from chaoskit.plan.model import Plan, PlannedFault, PlannedLink


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault in force as a root: `subject` and `kind` as in `Bottleneck`, `fault` its id."""

    subject: str
    kind: str
    fault: str


class Strikes:
    """The faults of one run, while they were in force; those that proved to have no effect struck nothing."""

    def __init__(self, plan: Plan, faults: Iterable[FaultResult], active: Mapping[str, Mask]) -> None:
        effective = {fault.id for fault in faults if fault.effective is not False}
        self._faults = [fault for fault in plan.faults if fault.id in effective]
        self._active = active

    def on_links(self, links: Iterable[PlannedLink], region: str | None, second: int) -> Strike | None:
        """Return what struck one of `links`, or the component at its far end, for load that entered in `region`."""
        near = [link for link in links if not link.regions or region in {None, *link.regions}]
        for fault in self._in_force(second):
            for link in near:
                if link.name in fault.links:
                    return _on_region(fault) or Strike(f"link:{link.kind}", "link", fault.id)
            if any(link.destination in fault.instances for link in near):
                return _on_component(fault)
        return None

    def on_instances(self, instances: Collection[str], second: int) -> Strike | None:
        """Return which component fault struck one of `instances`."""
        struck = (fault for fault in self._in_force(second) if not set(fault.instances).isdisjoint(instances))
        return next((_on_component(fault) for fault in struck), None)

    def on_entry(self, entry: PlannedLink, second: int) -> Strike | None:
        """Return what keeps all load from entering by `entry`: its region is lost, or its component has no life."""
        for fault in self._in_force(second):
            if fault.region is not None and fault.region in entry.regions[:1]:
                return _on_region(fault)
            if entry.destination in fault.instances and fault.kind not in {"cpu_limit", "memory_limit"}:
                return _on_component(fault)
        return None

    def _in_force(self, second: int) -> Iterator[PlannedFault]:
        return (fault for fault in self._faults if self._active[fault.id][second])


def _on_region(fault: PlannedFault) -> Strike | None:
    return Strike(f"region:{fault.region}", "region", fault.id) if fault.region is not None else None


def _on_component(fault: PlannedFault) -> Strike:
    return Strike(f"component:{fault.component}", "component", fault.id)
