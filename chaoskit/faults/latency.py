"""`latency`: each chunk of data arrives later. The TCP connect is not delayed, for the proxy answers that itself."""

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations
from chaoskit.faults.judgement import AddedTime, judge_added
from chaoskit.faults.parameters import DOWNSTREAM, LONGEST_S, TOXICITY, Parameter, number
from chaoskit.faults.toxics import on_connections, single_toxic
from chaoskit.plan.model import PlannedFault
from chaoskit.units import format_duration

DELAY = Parameter("delay_s", minimum=0.001, maximum=LONGEST_S)
JITTER = Parameter("jitter_s", default=0.0, maximum=LONGEST_S)


class Latency:
    """Adds `delay_s`, uniformly ± `jitter_s`, to one direction. Receipt: the delay added to the first byte."""

    parameters = (DELAY, JITTER, TOXICITY, DOWNSTREAM)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        jitter_s = number(fault, JITTER)
        jitter = f" ± {format_duration(jitter_s)}" if jitter_s else ""
        return f"adds {format_duration(number(fault, DELAY))}{jitter}{on_connections(fault)}"

    def action(self, fault: PlannedFault) -> LinkAction:
        """Return one `latency` toxic; Toxiproxy counts in whole milliseconds."""
        attributes = {
            "latency": round(number(fault, DELAY) * 1000),
            "jitter": round(number(fault, JITTER) * 1000),
        }
        return single_toxic(fault, "latency", attributes)

    def inquiry(self, fault: PlannedFault) -> Inquiry:
        """Return a short question, with patience for the delay itself."""
        return Inquiry(bound_s=2.0 + 2 * (number(fault, DELAY) + number(fault, JITTER)))

    def judge(self, fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the time added to the first byte of an answer."""
        jitter_ms = number(fault, JITTER) * 1000
        wanted = AddedTime(
            requested_ms=number(fault, DELAY) * 1000,
            reading=lambda sample: sample.first_byte_ms if sample.outcome == "ok" else None,
            what="added delay",
            verb="added",
            spread_ms=jitter_ms / 2,
            share_ratio=number(fault, TOXICITY),
        )
        return judge_added(wanted, seen)
