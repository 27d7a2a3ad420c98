"""`bandwidth`: data flows at a bounded rate."""

from statistics import median

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations
from chaoskit.faults.judgement import AddedTime, judge_added
from chaoskit.faults.parameters import DOWNSTREAM, TOXICITY, Parameter, number
from chaoskit.faults.toxics import on_connections, single_toxic, unseen_upstream
from chaoskit.plan.model import PlannedFault
from chaoskit.units import format_size

KILOBYTE = 1000
"""Toxiproxy counts in KB/s of 1000 bytes (`toxics/bandwidth.go`: bytes per millisecond)."""
RATE = Parameter("rate_bytes_per_s", minimum=KILOBYTE, maximum=1e10)
MEASURE = "time added to an answer"


class Bandwidth:
    """Lets `rate_bytes_per_s` bytes per second through, to the next whole KB/s, in one direction.

    Receipt: the time added to a long answer, against its size over the rate. An answer that takes 2 ms or less at
    that rate proves nothing.
    """

    parameters = (RATE, TOXICITY, DOWNSTREAM)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        return f"limits data to {format_size(number(fault, RATE))}/s{on_connections(fault)}"

    def action(self, fault: PlannedFault) -> LinkAction:
        """Return one `bandwidth` toxic."""
        return single_toxic(fault, "bandwidth", {"rate": round(number(fault, RATE) / KILOBYTE)})

    def inquiry(self, fault: PlannedFault) -> Inquiry:
        """Return a question with a long answer, with patience for some 16 KB of it."""
        return Inquiry("volume", bound_s=2.0 + 16 * KILOBYTE / number(fault, RATE), interval_s=0.5)

    def judge(self, fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the time added to whole answers."""
        if unseen := unseen_upstream(fault, MEASURE, "ms"):
            return unseen
        sizes = [pair.through.answer_bytes for pair in seen.during if pair.through.outcome == "ok"]
        size = median(sizes) if sizes else 0
        wanted = AddedTime(
            requested_ms=size / number(fault, RATE) * 1000,
            reading=lambda sample: sample.total_ms if sample.outcome == "ok" else None,
            what=MEASURE,
            verb=f"held {format_size(size)} up by",
            share_ratio=number(fault, TOXICITY),
        )
        return judge_added(wanted, seen)
