"""`slow_close`: a connection that the server has closed stays open for its client a while longer."""

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations
from chaoskit.faults.judgement import AddedTime, judge_added
from chaoskit.faults.parameters import DOWNSTREAM, LONGEST_S, TOXICITY, Parameter, number
from chaoskit.faults.toxics import on_connections, single_toxic, unseen_upstream
from chaoskit.plan.model import PlannedFault
from chaoskit.units import format_duration

DELAY = Parameter("delay_s", minimum=0.001, maximum=LONGEST_S)
MEASURE = "added time to the close"


class SlowClose:
    """Passes the end of a connection on `delay_s` late. Receipt: the time added from the last byte to the end."""

    parameters = (DELAY, TOXICITY, DOWNSTREAM)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        return f"holds the close for {format_duration(number(fault, DELAY))}{on_connections(fault)}"

    def action(self, fault: PlannedFault) -> LinkAction:
        """Return one `slow_close` toxic."""
        return single_toxic(fault, "slow_close", {"delay": round(number(fault, DELAY) * 1000)})

    def inquiry(self, fault: PlannedFault) -> Inquiry:
        """Return a question that waits for the close, with patience for the delay."""
        return Inquiry("close", bound_s=2.0 + 2 * number(fault, DELAY))

    def judge(self, fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the time added to the close."""
        if unseen := unseen_upstream(fault, MEASURE, "ms"):
            return unseen
        wanted = AddedTime(
            requested_ms=number(fault, DELAY) * 1000,
            reading=lambda sample: sample.close_ms,
            what=MEASURE,
            verb="held the close for",
            share_ratio=number(fault, TOXICITY),
        )
        return judge_added(wanted, seen)
