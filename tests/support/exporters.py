"""A simulated day as exporters of third parties would have shown it: less than our own resource metrics say."""

from dataclasses import replace

from chaoskit.plan.model import Plan, PlannedMapping, PlannedResource
from chaoskit.records import History, ResourceSample


def mapped(
    run: tuple[Plan, History],
    *,
    resource: str,
    waits_for: tuple[str, ...] = (),
    uncounted: bool = False,
    level: bool = False,
    times: float = 1.0,
) -> tuple[Plan, History]:
    """Return the run with `resource` (`db_pool`) mapped from metrics that tell nothing of its waits.

    `uncounted`: nobody counts what comes and goes. `level`: busy time was made of readings. `times` is what a wrong
    scale makes of busy time.
    """
    plan, history = run

    def described(one: PlannedResource) -> PlannedResource:
        return replace(one, mapping=PlannedMapping({}, level=level), waits_for=waits_for)

    def seen(sample: ResourceSample) -> ResourceSample:
        known = replace(sample, blocked_s={}, busy_s=times * sample.busy_s)
        return replace(known, arrivals=0.0, completions=0.0, wait_s=0.0) if uncounted else known

    resources = tuple(described(one) if one.name == resource else one for one in plan.resources)
    ids = {one.id for one in resources if one.name == resource}
    samples = [seen(sample) if sample.resource in ids else sample for sample in history.resources]
    return replace(plan, resources=resources), _with(history, resources=samples)


def undeclared(run: tuple[Plan, History]) -> tuple[Plan, History]:
    """Return the run as if its faults had been nobody's doing: what they did is there, and no word of them."""
    plan, history = run
    return replace(plan, faults=()), _with(history, faults=[], receipts=[])


def without(run: tuple[Plan, History], component: str) -> tuple[Plan, History]:
    """Return the run with nothing measured of `component` (`gateway`), and the rest as it was."""
    plan, history = run
    resources = tuple(one for one in plan.resources if f"/{component}." not in one.kind_id)
    samples = [one for one in history.resources if one.resource.partition("/")[2].split("@")[0] != component]
    return replace(plan, resources=resources), _with(history, resources=samples)


def _with(history: History, **lists: object) -> History:
    parts = {name: getattr(history, name) for name in History.__slots__}
    return History(**{**parts, **lists})
