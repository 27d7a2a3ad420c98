"""`kill`: every process of an instance ends at once."""

from chaoskit.faults.contract import InstanceAction, Judgement, Looks
from chaoskit.faults.instance_judgement import judge_ended
from chaoskit.faults.parameters import Parameter
from chaoskit.plan.model import PlannedFault


class Kill:
    """Ends an instance by SIGKILL, as a crash or the loss of its machine does.

    Receipt: dead in each look, and how it ended.
    """

    parameters: tuple[Parameter, ...] = ()

    def describe(self, _fault: PlannedFault) -> str:
        """Return what is requested."""
        return "is killed"

    def action(self, _fault: PlannedFault) -> InstanceAction:
        """Return what to do to the instance."""
        return InstanceAction(life="killed")

    def judge(self, _fault: PlannedFault, seen: Looks) -> Judgement:
        """Judge the looks."""
        return judge_ended(seen)
