"""What waits for what: from a resource to the resources and links that it is blocked on.

An instance of which nothing but CPU and queues is measured is blind: nobody knows what it waits for. Whoever waits for
it may therefore wait for anything behind its own links.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from chaoskit.analysis.windows import ResourceSeries
from chaoskit.plan.model import Plan, PlannedLink

CLIENT: Final = "client"
_SAY_NOTHING: Final = frozenset({"cpu", "queue"})
"""Kinds of resources that do not tell what their instance waits for."""


class Topology:
    """The edges of one run's target, resolved by instance and region."""

    def __init__(self, plan: Plan, series: Mapping[str, ResourceSeries]) -> None:
        self._plan = plan
        self._series = series
        self._by_instance: dict[str, list[str]] = {}
        self._behind: dict[str, list[ResourceSeries]] = {}
        for one in series.values():
            if one.kind != "queue":
                self._by_instance.setdefault(one.instance, []).append(one.id)
        telling = {one.instance for one in series.values() if one.kind not in _SAY_NOTHING}
        entries = {link.destination for link in plan.links if link.name in plan.entries}
        placed = {instance.name for instance in plan.instances} | {CLIENT}
        self._leaving: dict[str, list[PlannedLink]] = {}
        for link in plan.links:
            # Of a system that runs already it is not known which part calls its upstreams: any that load enters may.
            for source in [link.source] if link.source in placed else sorted(entries):
                if source not in telling:
                    self._leaving.setdefault(source, []).append(link)

    def links(self, resource: ResourceSeries, on: str) -> list[PlannedLink]:
        """Return the links that `on` (a link kind) means for `resource`; none where `on` is a local resource."""
        if "->" not in on:
            return []
        source = CLIENT if resource.kind == "generator" else resource.instance
        kin = [link for link in self._plan.links if on in {link.kind, link.name}]
        return [link for link in kin if link.source == source] or kin

    def reach(self, resource: ResourceSeries, on: str) -> list[PlannedLink]:
        """Return the links that `on` means, and those behind blind instances; each after what leads to it."""
        return self._through(self.links(resource, on))

    def _through(self, links: Iterable[PlannedLink]) -> list[PlannedLink]:
        found = dict.fromkeys(links)
        waiting = list(found)
        while waiting:
            behind = [link for link in self._leaving.get(waiting.pop(0).destination, ()) if link not in found]
            found |= dict.fromkeys(behind)
            waiting += behind
        return list(found)

    def suppliers(self, resource: ResourceSeries, on: str) -> list[ResourceSeries]:
        """Return the resources that stand behind `on`: the local one, or those of the links' destinations."""
        if "->" in on:
            ids: Iterable[str] = (
                supplier
                for link in self.reach(resource, on)
                for supplier in self._by_instance.get(link.destination, [])
            )
        else:
            ids = [f"{resource.id.rpartition('.')[0]}.{on}"]
        return [self._series[supplier] for supplier in dict.fromkeys(ids) if supplier in self._series]

    def all_suppliers(self, resource: ResourceSeries) -> list[ResourceSeries]:
        """Return everything that `resource` waits for, directly or through others, itself left out."""
        if resource.id in self._behind:
            return self._behind[resource.id]
        found: dict[str, ResourceSeries] = {}
        waiting = [resource]
        while waiting:
            holder = waiting.pop()
            for on in holder.blocked_s:
                for supplier in self.suppliers(holder, on):
                    if supplier.id not in found and supplier.id != resource.id:
                        found[supplier.id] = supplier
                        waiting.append(supplier)
        self._behind[resource.id] = list(found.values())
        return self._behind[resource.id]

    def holders(self, resource: ResourceSeries) -> list[ResourceSeries]:
        """Return what stands upstream of `resource`: whatever waits for it, and the limiters of those instances."""
        waiting = [one for one in self._series.values() if resource.id in {s.id for s in self.all_suppliers(one)}]
        places = {one.instance for one in [resource, *waiting]}
        gates = [one for one in self._series.values() if one.kind == "limiter" and one.instance in places]
        ids = dict.fromkeys(one.id for one in [*waiting, *gates] if one.id != resource.id)
        return [self._series[one] for one in ids]

    def unmeasured_links(self, entry: PlannedLink) -> list[PlannedLink]:
        """Return the links behind `entry`, nearest first, of instances that measure nothing: each may be on the way."""
        return self._through([entry])[1:]

    def path_links(self, resource: ResourceSeries) -> list[PlannedLink]:
        """Return the links on which `resource`, or anything that it waits for, is or may be blocked."""
        holders = [resource, *self.all_suppliers(resource)]
        links = [link for holder in holders for on in holder.blocked_s for link in self.reach(holder, on)]
        return list(dict.fromkeys(links))
