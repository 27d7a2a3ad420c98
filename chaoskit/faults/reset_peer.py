"""`reset_peer`: connections end in a TCP reset as soon as data flows. Those opened before it are closed cleanly."""

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations
from chaoskit.faults.judgement import judge_share
from chaoskit.faults.parameters import DOWNSTREAM, LONGEST_S, TOXICITY, Parameter, number
from chaoskit.faults.toxics import connections, single_toxic
from chaoskit.plan.model import PlannedFault
from chaoskit.records import ProbeSample
from chaoskit.units import format_duration

AFTER = Parameter("after_s", default=0.0, maximum=LONGEST_S)


def is_reset(sample: ProbeSample) -> bool:
    """Return whether a probe's connection was reset."""
    return sample.outcome == "reset"


class ResetPeer:
    """Resets connections `after_s` after their first data. Receipt: the share reset."""

    parameters = (AFTER, TOXICITY, DOWNSTREAM)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        after_s = number(fault, AFTER)
        after = f" {format_duration(after_s)} after the first data" if after_s else ""
        return f"resets {connections(fault)}{after}"

    def action(self, fault: PlannedFault) -> LinkAction:
        """Return one `reset_peer` toxic."""
        return single_toxic(fault, "reset_peer", {"timeout": round(number(fault, AFTER) * 1000)})

    def inquiry(self, fault: PlannedFault) -> Inquiry:
        """Return a short question, with patience until the reset."""
        return Inquiry(bound_s=2.0 + number(fault, AFTER))

    def judge(self, fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the share reset."""
        return judge_share("reset", is_reset, number(fault, TOXICITY), seen)
