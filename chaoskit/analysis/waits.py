"""How long one wait for a supplier took, next to an undisturbed one and to what a fault adds by its own receipt."""

from dataclasses import dataclass
from typing import Final

from chaoskit.analysis.observations import Observations
from chaoskit.analysis.windows import ResourceSeries

SLOWER: Final = 1.5
"""A supplier is slower when one wait for it takes half as long again as undisturbed."""

BEYOND: Final = 3.0
"""A delay does not explain a wait that is longer than undisturbed by this many times what it adds."""

LEAST_COMPLETIONS: Final = 10


@dataclass(frozen=True, slots=True)
class Wait:
    """The mean of one wait in a second, and undisturbed, in seconds."""

    now_s: float
    usual_s: float

    @property
    def slower(self) -> bool:
        """Whether it took longer than undisturbed waits explain."""
        return self.usual_s > 0 and self.now_s > SLOWER * self.usual_s

    def is_beyond(self, added_s: float | None) -> bool:
        """Return whether it took far longer than a fault that adds `added_s` explains; False where nobody knows."""
        return added_s is not None and self.now_s - self.usual_s > BEYOND * added_s


def wait(seen: Observations, one: ResourceSeries, on: str, second: int) -> Wait | None:
    """Return how long `one` waited for `on` each time, by what was completed in `second`; None where nobody knows."""
    if one.waiting == "declared" and len(one.blocked_s) > 1:
        return None  # which of them took longer is not known
    completions, demand = float(one.completions[second]), seen.demands[one.id]
    visits = float(demand.visits @ seen.arrivals.offered[second])
    if completions < LEAST_COMPLETIONS or visits <= 0:
        return None
    share = float(one.blocked_s[on].sum() / max(float(one.all_blocked_s.sum()), 1e-9))
    usual_s = share * float(demand.blocked_s @ seen.arrivals.offered[second]) / visits
    return Wait(float(one.blocked_s[on][second]) / completions, usual_s)


def added_s(seen: Observations, fault: str) -> float | None:
    """Return by how much a fault delayed answers, by its receipts, in seconds; None where it did something else."""
    receipts = next(result.receipts for result in seen.faults if result.id == fault)
    told = [receipt for receipt in receipts if receipt["unit"] == "ms" and receipt["during"] is not None]
    return max(((receipt["during"] - (receipt["before"] or 0.0)) / 1e3 for receipt in told), default=None)
