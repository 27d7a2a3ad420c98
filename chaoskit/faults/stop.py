"""`stop`: an instance is asked to end."""

from chaoskit.faults.contract import InstanceAction, Judgement, Looks
from chaoskit.faults.instance_judgement import judge_ended
from chaoskit.faults.parameters import Parameter
from chaoskit.plan.model import PlannedFault


class Stop:
    """Ends an instance by SIGTERM, as a deployment does; by SIGKILL where it does not heed that. Receipt: as `kill`."""

    parameters: tuple[Parameter, ...] = ()

    def describe(self, _fault: PlannedFault) -> str:
        """Return what is requested."""
        return "is stopped"

    def action(self, _fault: PlannedFault) -> InstanceAction:
        """Return what to do to the instance."""
        return InstanceAction(life="stopped")

    def judge(self, _fault: PlannedFault, seen: Looks) -> Judgement:
        """Judge the looks."""
        return judge_ended(seen)
