"""The order in which instances start: those that others link to come first."""

from collections.abc import Mapping, Set

from chaoskit.plan.model import Plan, PlannedInstance


def start_waves(plan: Plan) -> list[list[PlannedInstance]]:
    """Cut the instances of `plan` into waves: each links only to earlier ones, so a wave can start in parallel.

    Instances that link to each other in a ring cannot wait for one another and share a wave.
    """
    waves: list[list[PlannedInstance]] = []
    waiting = {instance.name: instance for instance in plan.instances}
    needs = _needs(plan)
    while waiting:
        wave = [instance for instance in waiting.values() if needs[instance.name].isdisjoint(waiting)]
        wave = wave or list(waiting.values())
        waves.append(wave)
        for instance in wave:
            del waiting[instance.name]
    return waves


def _needs(plan: Plan) -> Mapping[str, Set[str]]:
    """Return the names of the instances that each instance links to."""
    destinations = {link.name: link.destination for link in plan.links}
    return {
        instance.name: {destinations[link] for links in instance.links.values() for link in links} - {instance.name}
        for instance in plan.instances
    }
