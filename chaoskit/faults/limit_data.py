"""`limit_data`: a connection is closed once so many bytes have passed."""

from statistics import median

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations
from chaoskit.faults.judgement import judge_share
from chaoskit.faults.parameters import DOWNSTREAM, TOXICITY, Parameter, number
from chaoskit.faults.toxics import connections, single_toxic, unseen_upstream
from chaoskit.plan.model import PlannedFault
from chaoskit.units import format_size

LIMIT = Parameter("limit_bytes", minimum=1, maximum=2**40)


class LimitData:
    """Closes a connection after `limit_bytes`, counted per connection.

    Receipt: the share of long answers cut off at the limit. An answer no longer than the limit proves nothing.
    """

    parameters = (LIMIT, TOXICITY, DOWNSTREAM)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        return f"closes {connections(fault)} after {format_size(number(fault, LIMIT))}"

    def action(self, fault: PlannedFault) -> LinkAction:
        """Return one `limit_data` toxic."""
        return single_toxic(fault, "limit_data", {"bytes": round(number(fault, LIMIT))})

    def inquiry(self, _fault: PlannedFault) -> Inquiry:
        """Return a question with a long answer."""
        return Inquiry("volume", interval_s=0.5)

    def judge(self, fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the share cut off."""
        measure, limit = "share cut off", number(fault, LIMIT)
        if unseen := unseen_upstream(fault, measure, "ratio"):
            return unseen
        whole = median([pair.direct.answer_bytes for pair in seen.during] or [0])
        if seen.during and whole <= limit:
            words = f"not measured: an answer of {format_size(whole)} is below the limit"
            return Judgement(words, None, measure, "ratio")
        return judge_share(
            "cut off",
            lambda sample: sample.outcome == "closed" and sample.answer_bytes <= limit,
            number(fault, TOXICITY),
            seen,
        )
