"""How load is made, where the command line knows it better than the scenario."""

from dataclasses import replace

from chaoskit.plan.model import Plan


def with_workers(plan: Plan, workers: int | None) -> Plan:
    """Return `plan` played by so many load processes, the same arrivals; None leaves it as it is."""
    return plan if workers is None else replace(plan, generator=replace(plan.generator, workers=workers))
