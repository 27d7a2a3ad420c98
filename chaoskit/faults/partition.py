"""`partition`: regions lose each other; every link between them is cut, those of the clients are not."""

from chaoskit.faults.contract import Inquiry, Judgement, LinkAction, Observations, Toxic
from chaoskit.faults.judgement import judge_share
from chaoskit.faults.parameters import Parameter, choice
from chaoskit.faults.timeout import is_silent
from chaoskit.plan.model import PlannedFault
from chaoskit.records import ProbeSample

MODE = Parameter("mode", default="blackhole", choices=("blackhole", "refuse"))


class Partition:
    """Cuts links between regions. Receipt, for each link: the share of probes unanswered or refused.

    `blackhole`: data vanishes both ways and connections never end, as when a route is lost. `refuse`: the far end is
    told to be closed, as by a firewall that rejects.
    """

    parameters = (MODE,)

    def describe(self, fault: PlannedFault) -> str:
        """Return what is requested."""
        silent = choice(fault, MODE) == "blackhole"
        return "lets no data through in either direction" if silent else "refuses every connection"

    def action(self, fault: PlannedFault) -> LinkAction:
        """Return toxics that let nothing through, or a closed door."""
        if choice(fault, MODE) == "refuse":
            return LinkAction(enabled=False)
        nothing = {"timeout": 0}
        return LinkAction((Toxic("timeout", nothing, "downstream"), Toxic("timeout", nothing, "upstream")))

    def inquiry(self, _fault: PlannedFault) -> Inquiry:
        """Return a short question."""
        return Inquiry()

    def judge(self, fault: PlannedFault, seen: Observations) -> Judgement:
        """Judge the share that was cut off."""
        if choice(fault, MODE) == "refuse":
            return judge_share("refused", _is_refused, 1.0, seen)
        return judge_share("unanswered", is_silent, 1.0, seen)


def _is_refused(sample: ProbeSample) -> bool:
    return sample.outcome == "refused"
