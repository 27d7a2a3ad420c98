"""The gate: nothing is disturbed before the baseline has proven steady."""

from typing import Final

from chaoskit.analysis.steadiness import steadiness
from chaoskit.plan.model import Plan
from chaoskit.runner.window import Seconds

SETTLE_S: Final = 1
"""How long after its end a second's answers are in, unless the target is unwell; the gate should see that."""


def unsteady(plan: Plan, seconds: Seconds) -> str | None:
    """Return why the baseline, but for its last second, is not steady; None when it is, or when there is none."""
    if plan.baseline_phase is None:
        return None
    until_s = plan.phase(plan.baseline_phase).end_s - SETTLE_S
    failed = [check.statement for check in steadiness(plan, seconds.batches(), until_s) if not check.ok]
    return " ".join(failed) or None
