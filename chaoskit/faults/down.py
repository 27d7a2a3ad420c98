"""`down`: nothing listens. Connections are refused, and those that are open are closed."""

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations
from chaoskit.faults.judgement import judge_share
from chaoskit.faults.parameters import Parameter
from chaoskit.plan.model import PlannedFault


class Down:
    """Disables the link's proxy. Receipt: the share of probes that were refused."""

    parameters: tuple[Parameter, ...] = ()

    def describe(self, _fault: PlannedFault) -> str:
        """Return what is requested."""
        return "refuses every connection"

    def action(self, _fault: PlannedFault) -> LinkAction:
        """Return a closed door."""
        return LinkAction(enabled=False)

    def inquiry(self, _fault: PlannedFault) -> Inquiry:
        """Return a short question."""
        return Inquiry()

    def judge(self, _fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the share refused."""
        return judge_share("refused", lambda sample: sample.outcome == "refused", 1.0, seen)
