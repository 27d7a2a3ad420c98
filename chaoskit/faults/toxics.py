"""What the kinds that are one toxic share: `toxicity` and `stream`."""

from collections.abc import Mapping

from chaoskit.faults.contract import LinkAction, Toxic
from chaoskit.faults.parameters import DOWNSTREAM, TOXICITY, choice, number
from chaoskit.plan.model import PlannedFault


def single_toxic(fault: PlannedFault, type_: str, attributes: Mapping[str, int]) -> LinkAction:
    """Return the action of one toxic with the fault's `toxicity` and `stream`."""
    upstream = choice(fault, DOWNSTREAM) == "upstream"
    return LinkAction((Toxic(type_, attributes, "upstream" if upstream else "downstream", number(fault, TOXICITY)),))


def connections(fault: PlannedFault) -> str:
    """Return the share of connections that are hit, as the end of a sentence; nothing where it is all."""
    share_ratio = number(fault, TOXICITY)
    return "" if share_ratio == 1 else f" on {share_ratio:.0%} of connections"
