"""What the kinds that are one toxic share: `toxicity` and `stream`.

Toxiproxy draws for each connection whether a toxic hits it, and draws again when another toxic is added to the link.
"""

from collections.abc import Mapping

from chaoskit.faults.contract import Judgement, LinkAction, Toxic
from chaoskit.faults.parameters import DOWNSTREAM, TOXICITY, choice, number
from chaoskit.plan.model import PlannedFault


def single_toxic(fault: PlannedFault, type_: str, attributes: Mapping[str, int]) -> LinkAction:
    """Return the action of one toxic with the fault's `toxicity` and `stream`."""
    upstream = choice(fault, DOWNSTREAM) == "upstream"
    return LinkAction((Toxic(type_, attributes, "upstream" if upstream else "downstream", number(fault, TOXICITY)),))


def connections(fault: PlannedFault) -> str:
    """Return which connections are hit, as an object: `connections` or `50% of connections`."""
    share_ratio = number(fault, TOXICITY)
    return "connections" if share_ratio == 1 else f"{share_ratio:.0%} of connections"


def on_connections(fault: PlannedFault) -> str:
    """Return which connections are hit, as the end of a sentence; nothing where it is all."""
    return "" if number(fault, TOXICITY) == 1 else f" on {connections(fault)}"


def unseen_upstream(fault: PlannedFault, measure: str, unit: str) -> Judgement | None:
    """Return that nothing can be told of a fault on requests by a probe that measures answers; None downstream."""
    if choice(fault, DOWNSTREAM) == "downstream":
        return None
    return Judgement("not measured: probes measure answers, and this hits requests", None, measure, unit)
