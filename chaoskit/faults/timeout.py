"""`timeout`: data is dropped, and the connection closed after a while (0: never)."""

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations
from chaoskit.faults.judgement import judge_share
from chaoskit.faults.parameters import DOWNSTREAM, LONGEST_S, TOXICITY, Parameter, number
from chaoskit.faults.toxics import on_connections, single_toxic
from chaoskit.plan.model import PlannedFault
from chaoskit.records import ProbeSample
from chaoskit.units import format_duration

AFTER = Parameter("after_s", default=0.0, maximum=LONGEST_S)


def is_silent(sample: ProbeSample) -> bool:
    """Return whether a probe was connected and then met silence, or the end of the connection after it."""
    silent = sample.outcome in {"timeout", "closed"} and sample.answer_bytes == 0
    return silent and sample.connect_ms is not None


class Timeout:
    """Drops all data of one direction; closes the connection after `after_s`, or never.

    Receipt: the share of probes unanswered.
    """

    parameters = (AFTER, TOXICITY, DOWNSTREAM)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        after_s = number(fault, AFTER)
        close = f" and closes after {format_duration(after_s)}" if after_s else ""
        return f"lets no data through{close}{on_connections(fault)}"

    def action(self, fault: PlannedFault) -> LinkAction:
        """Return one `timeout` toxic; 0 means that the connection stays open."""
        return single_toxic(fault, "timeout", {"timeout": round(number(fault, AFTER) * 1000)})

    def inquiry(self, _fault: PlannedFault) -> Inquiry:
        """Return a short question."""
        return Inquiry()

    def judge(self, fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the share unanswered."""
        return judge_share("unanswered", is_silent, number(fault, TOXICITY), seen)
