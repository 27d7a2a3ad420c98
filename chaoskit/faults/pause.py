"""`pause`: every process of an instance stands still."""

from chaoskit.faults.contract import InstanceAction, Judgement, Looks
from chaoskit.faults.instance_judgement import judge_states
from chaoskit.faults.parameters import Parameter
from chaoskit.plan.model import PlannedFault


class Pause:
    """Stops an instance where it stands: its connections stay open and nothing answers. Receipt: still in each look."""

    parameters: tuple[Parameter, ...] = ()

    def describe(self, _fault: PlannedFault) -> str:
        """Return what is requested."""
        return "stands still"

    def action(self, _fault: PlannedFault) -> InstanceAction:
        """Return what to do to the instance."""
        return InstanceAction(life="paused")

    def judge(self, _fault: PlannedFault, seen: Looks) -> Judgement:
        """Judge the looks."""
        return judge_states(frozenset({"paused"}), "standing still", seen)
