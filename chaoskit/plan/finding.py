"""What a run says of the target's own trade."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannedFinding:
    """A figure by which the target's own trade is judged: `value` is an expression of `chaoskit.expression`.

    `component` None: over the metrics of all. `unit` is `s`, `ratio`, `x` or any word.
    """

    name: str
    title: str
    value: str
    component: str | None = None
    unit: str = ""
    help: str = ""
